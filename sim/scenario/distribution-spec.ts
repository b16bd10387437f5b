/** A distribution as the kernel builds it, in base units: a number is a constant. */
export type DistributionSpec =
  | number
  | { readonly constant: number }
  | { readonly uniform: { readonly min: number; readonly max: number } }
  | { readonly exponential: { readonly mean: number } }
  | { readonly gamma: { readonly mean: number; readonly cv: number } }
  | { readonly weibull: { readonly mean: number; readonly cv: number } }
  | { readonly lognormal: { readonly mean: number; readonly cv: number } | { readonly median: number; readonly sigma: number } }
  | { readonly pareto: { readonly min: number; readonly shape: number; readonly max?: number } }
  | { readonly normal: { readonly mean: number; readonly sd: number; readonly min?: number; readonly max?: number } }
  | { readonly hyperexponential: { readonly mean: number; readonly cv: number } }
  | { readonly erlang: { readonly mean: number; readonly stages: number } }
  | { readonly quantiles: readonly (readonly [number, number])[] }
  | { readonly values: readonly number[] }
  | { readonly mixture: readonly { readonly weight: number; readonly of: DistributionSpec }[] }
  | { readonly clip: { readonly of: DistributionSpec; readonly min?: number; readonly max?: number } };
