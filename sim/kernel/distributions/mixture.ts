import { exponential } from "./simple.ts";
import type { Distribution } from "./types.ts";

export interface Component {
  readonly weight: number;
  readonly of: Distribution;
}

/** Each value comes from one component, chosen with probability in proportion to its weight. */
export function mixture(components: readonly Component[]): Distribution {
  let total = 0;
  for (const { weight } of components) total += weight;
  const parts = components.map(({ weight, of }) => ({ share: weight / total, of }));
  const last = parts.at(-1)!;
  let mean = 0;
  for (const { share, of } of parts) mean += share * of.mean;
  let variance = 0;
  for (const { share, of } of parts) variance += share * (of.variance + (of.mean - mean) * (of.mean - mean));
  return {
    mean,
    variance: mean === Infinity ? Infinity : variance,
    sample(random) {
      let u = random.next();
      for (const { share, of } of parts) {
        if (u < share) return of.sample(random);
        u -= share;
      }
      return last.of.sample(random);
    },
    cdf(x) {
      let sum = 0;
      for (const { share, of } of parts) sum += share * of.cdf(x);
      return sum;
    },
  };
}

/**
 * Two exponential branches with balanced means (each contributes half of the mean), cv >= 1: W. Whitt, The queueing
 * network analyzer, Bell System Technical Journal 62 (1983), section 3.
 */
export function hyperexponential(mean: number, cv: number): Distribution {
  const square = cv * cv;
  const p = (1 + Math.sqrt((square - 1) / (square + 1))) / 2;
  const mixed = mixture([
    { weight: p, of: exponential(mean / (2 * p)) },
    { weight: 1 - p, of: exponential(mean / (2 * (1 - p))) },
  ]);
  return { ...mixed, mean, variance: mean * mean * square };
}
