import { normalCdf } from "../../kernel/special.ts";

/** What is known of a system: `Moments` is one. */
export interface Observed {
  readonly count: number;
  readonly mean: number;
  readonly variance: number;
  readonly standardDeviation: number;
}

/**
 * How many observations each system should have had so that the largest mean is told apart from the others best:
 * C.-H. Chen, J. Lin, E. Yuecesan and S. E. Chick, "Simulation budget allocation for further enhancing the efficiency of
 * ordinal optimization", Discrete Event Dynamic Systems 10, 2000 (OCBA).
 * @param observed of each system, two observations at least
 * @param total observations of all systems together
 * @returns shares of `total`, not rounded
 */
export function ocbaShares(observed: readonly Observed[], total: number): number[] {
  const best = bestOf(observed);
  // Equal means or no noise would divide by zero; a billionth of the scale is as good as equal.
  const scale = Math.max(1e-300, ...observed.map(({ mean, standardDeviation }) => Math.abs(mean) + standardDeviation)) * 1e-9;
  const ratios = observed.map(({ mean, standardDeviation }, i) => {
    if (i === best) return 0;
    const noise = Math.max(standardDeviation, scale) / Math.max(observed[best]!.mean - mean, scale);
    return noise * noise;
  });
  let squares = 0;
  for (const [i, { standardDeviation }] of observed.entries()) if (i !== best) squares += (ratios[i]! / Math.max(standardDeviation, scale)) * (ratios[i]! / Math.max(standardDeviation, scale));
  ratios[best] = Math.max(observed[best]!.standardDeviation, scale) * Math.sqrt(squares);
  const sum = ratios.reduce((a, b) => a + b, 0);
  return ratios.map((ratio) => (ratio / sum) * total);
}

/**
 * Deals further observations out so that each system comes nearest to its share.
 * @param further how many in all
 * @returns by system; they sum to `further`
 */
export function ocbaNext(observed: readonly Observed[], further: number): number[] {
  const total = observed.reduce((sum, { count }) => sum + count, 0) + further;
  const lacking = ocbaShares(observed, total).map((share, i) => share - observed[i]!.count);
  const next = observed.map(() => 0);
  for (let dealt = 0; dealt < further; dealt++) {
    let most = 0;
    for (let i = 1; i < lacking.length; i++) if (lacking[i]! > lacking[most]!) most = i;
    next[most]!++;
    lacking[most]!--;
  }
  return next;
}

/**
 * Approximate probability that the largest mean is the best system's: one less the sum of the chances that each other is in
 * truth ahead (Bonferroni; normal, estimated variances taken for true, systems independent). An approximation, no guarantee.
 */
export function approximateCorrectSelection(observed: readonly Observed[]): number {
  const best = bestOf(observed);
  const { mean, variance, count } = observed[best]!;
  let wrong = 0;
  for (const [i, other] of observed.entries()) {
    if (i === best) continue;
    const noise = Math.sqrt(variance / count + other.variance / other.count);
    wrong += noise === 0 ? (mean > other.mean ? 0 : 0.5) : normalCdf((other.mean - mean) / noise);
  }
  return Math.max(0, 1 - wrong);
}

/** The system with the largest mean, the first of equals. */
export function bestOf(observed: readonly Observed[]): number {
  let best = 0;
  for (let i = 1; i < observed.length; i++) if (observed[i]!.mean > observed[best]!.mean) best = i;
  return best;
}
