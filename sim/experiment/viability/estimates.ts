import type { EstimateInterval, Replicated } from "../../../protocol/result/viability.ts";
import { confidenceInterval, incompleteBeta, Moments, studentQuantile } from "../../kernel/statistics/index.ts";
import type { NodeOutcome } from "./accounts.ts";

/** Confidence of every interval of a viability study. */
export const confidence = 0.95;

/** Quantile of a sorted sample, linear between order statistics (type 7 of Hyndman and Fan 1996); Infinity stays itself. */
export function sampleQuantile(sorted: readonly number[], p: number): number {
  const at = p * (sorted.length - 1);
  const below = Math.floor(at);
  const low = sorted[below]!;
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return low === high || at === below ? low : low + (high - low) * (at - below);
}

/** Summary of a sample over replications. @param values at least one, all finite */
export function replicatedSummary(values: readonly number[]): Replicated {
  const sorted = values.toSorted((a, b) => a - b);
  const moments = new Moments();
  for (const value of values) moments.add(value);
  const interval = values.length < 2 ? null : confidenceInterval(values, confidence);
  return {
    mean: moments.mean,
    sd: values.length < 2 ? null : moments.standardDeviation,
    min: sorted[0]!, p5: sampleQuantile(sorted, 0.05), p50: sampleQuantile(sorted, 0.5), p95: sampleQuantile(sorted, 0.95), max: sorted.at(-1)!,
    meanInterval: interval === null ? null : { confidence, low: interval.low, high: interval.high },
  };
}

/** Where a share seen in `successes` of `trials` may lie: the exact interval of Clopper and Pearson (Biometrika 26, 1934). @param trials at least 1 */
export function shareInterval(successes: number, trials: number): EstimateInterval {
  const tail = (1 - confidence) / 2;
  // The Beta quantiles, by bisection of a monotone function.
  const low = successes === 0 ? 0 : bisect((p) => incompleteBeta(successes, trials - successes + 1, p) - tail);
  const high = successes === trials ? 1 : bisect((p) => incompleteBeta(successes + 1, trials - successes, p) - (1 - tail));
  return { confidence, low, high };
}

/**
 * Where 90 % of months lie that are means of independent hours, each distributed as the replications: a new draw around a
 * mean that is itself estimated (prediction interval, Student's t).
 * @param hours how many replications' lengths a month has
 * @returns null below two replications
 */
export function independentMonths(values: readonly number[], hours: number): { readonly low: number; readonly high: number } | null {
  if (values.length < 2) return null;
  const moments = new Moments();
  for (const value of values) moments.add(value);
  const half = studentQuantile(0.95, values.length - 1) * moments.standardDeviation * Math.sqrt(1 / values.length + 1 / hours);
  return { low: moments.mean - half, high: moments.mean + half };
}

/**
 * What a changed market brings on average, estimated from few replications: the ratio of what they bring changed and
 * unchanged, the random numbers being the same, times what all replications bring unchanged (ratio estimator). So that what
 * is not changed comes out as it did.
 * @param few the mean of the few, unchanged
 */
export function leveled(changed: NodeOutcome, few: NodeOutcome, all: NodeOutcome): NodeOutcome {
  const ratio = (of: (outcome: NodeOutcome) => number): number => of(few) === 0 ? of(changed) : of(changed) * of(all) / of(few);
  return {
    ...changed,
    revenueMsat: ratio(({ revenueMsat }) => revenueMsat),
    jobs: ratio(({ jobs }) => jobs),
    inputTokens: ratio(({ inputTokens }) => inputTokens),
    outputTokens: ratio(({ outputTokens }) => outputTokens),
    utilisation: Math.min(1, ratio(({ utilisation }) => utilisation)),
    busyShare: Math.min(1, ratio(({ busyShare }) => busyShare)),
  };
}

function bisect(rising: (p: number) => number): number {
  let low = 0;
  let high = 1;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (rising(middle) < 0) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
