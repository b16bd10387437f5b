import type { Random } from "../random.ts";

/** A probability distribution of a real number, in whatever unit its parameters have. */
export interface Distribution {
  /** One value, drawn with numbers from `random`. */
  sample(random: Random): number;
  /** Infinity where it does not exist. */
  readonly mean: number;
  /** Infinity where it does not exist. */
  readonly variance: number;
  /** Probability of a value of `x` at most. */
  cdf(x: number): number;
}

/** A plain number is a constant; otherwise one key names the family. Parameters are in the unit of the values. */
export type DistributionSpec =
  | number
  | { readonly constant: number }
  | { readonly uniform: { readonly min: number; readonly max: number } }
  | { readonly exponential: { readonly mean: number } }
  /** `cv` is the coefficient of variation: standard deviation over mean. */
  | { readonly gamma: { readonly mean: number; readonly cv: number } }
  | { readonly weibull: { readonly mean: number; readonly cv: number } }
  /** `sigma` is the standard deviation of the logarithm. */
  | { readonly lognormal: { readonly mean: number; readonly cv: number } | { readonly median: number; readonly sigma: number } }
  /** Truncated at `max` where that is given. */
  | { readonly pareto: { readonly min: number; readonly shape: number; readonly max?: number | undefined } }
  /** `mean` and `sd` are those before truncation to [min, max]. */
  | { readonly normal: { readonly mean: number; readonly sd: number; readonly min?: number | undefined; readonly max?: number | undefined } }
  /** Two exponential branches with balanced means; `cv` of 1 or more. */
  | { readonly hyperexponential: { readonly mean: number; readonly cv: number } }
  | { readonly erlang: { readonly mean: number; readonly stages: number } }
  /** Points [p, x] of the quantile function from p = 0 to p = 1, joined by straight lines. */
  | { readonly quantiles: readonly (readonly [p: number, x: number])[] }
  /** Each value equally likely. */
  | { readonly values: readonly number[] }
  | { readonly mixture: readonly { readonly weight: number; readonly of: DistributionSpec }[] }
  /** Values below `min` become `min`, above `max` become `max`. */
  | { readonly clip: { readonly of: DistributionSpec; readonly min?: number | undefined; readonly max?: number | undefined } };
