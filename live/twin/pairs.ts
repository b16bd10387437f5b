import type { JobRow } from "../../protocol/result.ts";
import type { TwinComparison, TwinMetric } from "../../protocol/result/twin.ts";
import { TWIN_METRICS } from "../../protocol/result/twin.ts";
import { meanOf, quantileOf } from "../../sim/kernel/statistics/lists.ts";

/** A job in both worlds. */
export interface Pair {
  readonly real: JobRow;
  readonly simulated: JobRow;
}

/** A job's figure; undefined where it has none. */
export function figureOf(metric: TwinMetric, row: JobRow): number | undefined {
  switch (metric) {
    case "ttft": return row.firstTokenUs < 0 ? undefined : row.firstTokenUs - row.submittedUs;
    case "tpot": return row.firstTokenUs < 0 || row.outputTokens < 2 ? undefined : (row.finishedUs - row.firstTokenUs) / (row.outputTokens - 1);
    case "endToEnd": return row.finishedUs < 0 ? undefined : row.finishedUs - row.submittedUs;
    case "queueing": return row.startedUs < 0 ? undefined : row.startedUs - row.submittedUs;
    case "price": return row.amountMsat + row.feeMsat;
  }
}

/** Figures of jobs that completed in both worlds: real and simulated, in the same order. */
export function figuresOf(metric: TwinMetric, pairs: readonly Pair[]): { readonly real: number[]; readonly simulated: number[] } {
  const real: number[] = [];
  const simulated: number[] = [];
  for (const pair of pairs) {
    if (pair.real.status !== "completed" || pair.simulated.status !== "completed") continue;
    const [a, b] = [figureOf(metric, pair.real), figureOf(metric, pair.simulated)];
    if (a === undefined || b === undefined) continue;
    real.push(a);
    simulated.push(b);
  }
  return { real, simulated };
}

/** How well the simulated figures of jobs agree with the real ones. Figures without a single pair are left out. */
export function compareJobs(pairs: readonly Pair[]): TwinComparison[] {
  return TWIN_METRICS.flatMap((metric): TwinComparison[] => {
    const { real, simulated } = figuresOf(metric, pairs);
    if (real.length === 0) return [];
    const [a, b] = [statisticsOf(real), statisticsOf(simulated)];
    const absolute = meanOf(real.map((value, i) => Math.abs(simulated[i]! - value)));
    return [{
      metric, unit: metric === "price" ? "msat" : "us", jobs: real.length, real: a, simulated: b,
      error: { mean: errorOf(a.mean, b.mean), p50: errorOf(a.p50, b.p50), p95: errorOf(a.p95, b.p95) },
      pearson: pearson(real, simulated), spearman: pearson(ranksOf(real), ranksOf(simulated)), meanAbsoluteError: a.mean === 0 ? null : absolute / a.mean,
    }];
  });
}

/** Simulated over real, less one; null where the real figure is 0 and the simulated one is not. */
export function errorOf(real: number, simulated: number): number | null {
  if (real === simulated) return 0;
  return real === 0 ? null : simulated / real - 1;
}

/** Quantiles of both sides at the same shares, for a quantile-quantile plot. */
export function quantilesOf(metric: TwinMetric, pairs: readonly Pair[]): [number, number, number][] {
  const { real, simulated } = figuresOf(metric, pairs);
  if (real.length === 0) return [];
  const [a, b] = [sorted(real), sorted(simulated)];
  const parts = Math.min(100, Math.max(1, real.length - 1));
  return Array.from({ length: parts + 1 }, (_, i) => [i / parts, quantileOf(a, i / parts), quantileOf(b, i / parts)]);
}

/** Pearson's correlation; null where one side does not vary. */
export function pearson(x: readonly number[], y: readonly number[]): number | null {
  const [mx, my] = [meanOf(x), meanOf(y)];
  let [sxy, sxx, syy] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    const [dx, dy] = [x[i]! - mx, y[i]! - my];
    sxy += dx * dy;
    sxx += dx * dx;
    syy += dy * dy;
  }
  if (!(sxx > 0 && syy > 0)) return null;
  return Math.max(-1, Math.min(1, sxy / Math.sqrt(sxx * syy)));
}

/** Ranks from 1; equal values share the mean of theirs. */
export function ranksOf(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const ranks = new Array<number>(values.length).fill(0);
  for (let from = 0; from < order.length;) {
    let until = from;
    while (until < order.length && values[order[until]!] === values[order[from]!]) until++;
    for (let i = from; i < until; i++) ranks[order[i]!] = (from + until + 1) / 2;
    from = until;
  }
  return ranks;
}

function statisticsOf(values: readonly number[]): { mean: number; p50: number; p95: number } {
  const ordered = sorted(values);
  return { mean: meanOf(values), p50: quantileOf(ordered, 0.5), p95: quantileOf(ordered, 0.95) };
}

function sorted(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b);
}
