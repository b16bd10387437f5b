import type { Figures } from "../../../protocol/result/figures.ts";
import type { IntervalsReport, WithoutInterval } from "../../../protocol/result/precision.ts";
import { normalQuantile } from "../../kernel/special.ts";
import { batchRatio, type RatioInterval } from "../../kernel/statistics/index.ts";
import type { Sample } from "./sample.ts";

/** Below this many batches, or batches in which something happened, nothing is said. */
const LEAST = 10;
/** Of a single run's intervals. */
const CONFIDENCE = 0.95;

type Known = IntervalsReport["figures"][number];
type Numbers = ArrayLike<number>;

/** Estimates a run's figures from its batches: each of them once. */
export class Estimates {
  readonly #batches: number;
  readonly #measured: number;
  readonly #figures: Figures;
  readonly #known = new Map<string, Known | WithoutInterval>();

  /** @param batches whole ones of the run. @param measured length of the measured interval, in batches. @param figures of the report */
  constructor(batches: number, measured: number, figures: Figures) {
    this.#batches = batches;
    this.#measured = measured;
    this.#figures = figures;
  }

  /** A total over the measured interval. @param sums by batch. @param scale from a mean batch to the figure */
  total(figure: string, sums: Numbers, scale = this.#measured): void {
    if (this.#isOut(figure)) return;
    if (!happens(sums)) return this.#without(figure, "seldom");
    const each = new Float64Array(sums.length).fill(1);
    this.#put(figure, sums, each, scale);
  }

  /** A mean: all sums over all weights. */
  ratio(figure: string, sums: Numbers, weights: Numbers, scale = 1): void {
    if (this.#isOut(figure)) return;
    if (!happens(weights)) return this.#without(figure, "seldom");
    this.#put(figure, sums, weights, scale);
  }

  /** The part of the jobs, or of the time, that is so: sums are parts of the weights. */
  share(figure: string, sums: Numbers, weights: Numbers): void {
    if (this.#isOut(figure)) return;
    const others = new Float64Array(weights.length);
    let all = true;
    for (let batch = 0; batch < others.length; batch++) {
      others[batch] = weights[batch]! - sums[batch]!;
      if (Math.abs(others[batch]!) > 1e-9 * Math.abs(weights[batch]!)) all = false;
    }
    if (!happens(weights) || !happens(sums) || (!all && !happens(others))) return this.#without(figure, "seldom");
    this.#put(figure, sums, weights, 1);
  }

  /** Everything that is said of a sample. @param sums of its values, and how many, by batch; for the mean */
  sample(figure: string, sample: Sample, sums: Numbers, counts: Numbers): void {
    this.total(`${figure}.count`, counts);
    this.ratio(`${figure}.mean`, sums, counts);
    this.#deviation(`${figure}.sd`, sample);
    const independent = independentValues(sample, this.#batches);
    for (const [name, p] of [["p50", 0.5], ["p90", 0.9], ["p95", 0.95], ["p99", 0.99]] as const) this.quantile(`${figure}.${name}`, sample, p, independent);
    this.without(`${figure}.min`, "extreme");
    this.without(`${figure}.max`, "extreme");
  }

  /**
   * A quantile: the interval of the share of values up to the estimate, and the quantiles at its ends (R. S. Woodruff, Journal of
   * the American Statistical Association 47 (1952) 635-646).
   * @param independent what {@link independentValues} says of the sample, where it is known already
   */
  quantile(figure: string, sample: Sample, p: number, independent?: number): void {
    if (this.#isOut(figure)) return;
    const found = quantileInterval(sample, p, this.#batches, independent);
    if (found === null) return this.#without(figure, "seldom");
    const { low, high, correlation, trusted } = found;
    this.#set(figure, low, high, correlation, trusted);
  }

  /** Of a function of means: by batch, how much the batch moves it, as a weighted sum, and the weights. */
  moved(figure: string, sums: Numbers, weights: Numbers): void {
    this.ratio(figure, sums, weights);
  }

  without(figure: string, why: WithoutInterval): void {
    if (!this.#isOut(figure)) this.#without(figure, why);
  }

  has(figure: string): boolean {
    return this.#known.has(figure);
  }

  /** @param why what to say of a figure that nobody has estimated. @returns null where the run is too short for any interval */
  report(why: (figure: string) => WithoutInterval): IntervalsReport | null {
    if (this.#batches < LEAST) return null;
    const figures: Known[] = [];
    const without = new Map<WithoutInterval, string[]>();
    for (const [figure, value] of Object.entries(this.#figures)) {
      if (value === null) continue;
      const known = this.#known.get(figure) ?? why(figure);
      if (typeof known !== "string") figures.push(known);
      else if (without.has(known)) without.get(known)!.push(figure);
      else without.set(known, [figure]);
    }
    if (figures.length === 0) return null;
    return { method: "batch means", confidence: CONFIDENCE, batches: this.#batches, figures, without: [...without].map(([reason, paths]) => ({ why: reason, figures: paths })) };
  }

  /** Whether there is nothing to estimate, or it was done. */
  #isOut(figure: string): boolean {
    const value = this.#figures[figure];
    return value === undefined || value === null || this.#batches < LEAST || this.#known.has(figure);
  }

  #without(figure: string, why: WithoutInterval): void {
    this.#known.set(figure, why);
  }

  /** A figure that is the same in every batch. */
  #same(figure: string): void {
    if (!this.#isOut(figure)) this.#known.set(figure, { figure, mean: this.#figures[figure]!, halfWidth: 0, correlation: 0, trusted: true });
  }

  /** A jackknife by batches of the logarithm, in which it is the least skew (R. G. Miller, Annals of Mathematical Statistics 39 (1968) 567-582). */
  #deviation(figure: string, sample: Sample): void {
    if (this.#isOut(figure)) return;
    const { mean, sd } = sample.summary();
    if (mean === null || sd === null || sd === 0) return this.#same(figure);
    const counts = sample.byBatch(this.#batches, ({ count }) => count);
    if (!happens(counts)) return this.#without(figure, "seldom");
    const distances = sample.byBatch(this.#batches, (part) => part.distanceFrom(mean));
    const squares = sample.byBatch(this.#batches, (part) => part.squaresAround(mean));
    const [count, distance, square] = [total(counts), total(distances), total(squares)];
    const logarithm = (n: number, d: number, q: number): number => Math.log((q - (d * d) / n) / (n - 1)) / 2;
    const whole = logarithm(count, distance, square);
    // How much a batch moves the logarithm, times as many as there are batches of its size.
    const moves = counts.map((n, b) => (n === 0 ? 0 : (count - n) * (whole - logarithm(count - n, distance - distances[b]!, square - squares[b]!))));
    const interval = moves.every(Number.isFinite) ? batchRatio(moves, counts, CONFIDENCE) : null;
    if (interval === null) return this.#without(figure, "seldom");
    const { mean: centre, low, high, correlation, trusted } = interval;
    this.#set(figure, sd * Math.exp(low - centre), sd * Math.exp(high - centre), correlation, trusted);
  }

  #put(figure: string, sums: Numbers, weights: Numbers, scale: number): void {
    const interval = batchRatio(sums, weights, CONFIDENCE);
    if (interval === null) return this.#without(figure, "seldom");
    const { mean, low, high, correlation, trusted } = interval;
    const stated = this.#figures[figure]!;
    this.#set(figure, stated + (low - mean) * scale, stated + (high - mean) * scale, correlation, trusted);
  }

  #set(figure: string, low: number, high: number, correlation: number, trusted: boolean): void {
    const ends = low < high ? { low: rounded(low), high: rounded(high) } : {};
    this.#known.set(figure, { figure, mean: this.#figures[figure]!, halfWidth: rounded((high - low) / 2), ...ends, correlation: toDigits(correlation), trusted });
  }
}

/** Null where the greatest value of as many independent ones is below the quantile in more cases than an end may miss it; of low quantiles the least. */
export function quantileInterval(sample: Sample, p: number, batches: number, independent = independentValues(sample, batches)): { readonly low: number; readonly high: number; readonly correlation: number; readonly trusted: boolean; readonly shareHalfWidth: number } | null {
  const estimate = sample.quantile(p);
  const found = shareUpTo(sample, estimate, batches);
  if (found === null) return null;
  const { halfWidth, correlation, trusted } = found;
  if (halfWidth === 0) return { low: estimate, high: estimate, correlation, trusted, shareHalfWidth: 0 };
  if (independent * Math.min(p, 1 - p) < -Math.log((1 - CONFIDENCE) / 2)) return null;
  const low = Math.min(estimate, sample.interpolated(Math.max(0, p - halfWidth)));
  const high = Math.max(estimate, sample.interpolated(Math.min(1, p + halfWidth)));
  return { low, high, correlation, trusted, shareHalfWidth: halfWidth };
}

/**
 * As many independent values would know the share below the median as well. The tail itself does not say how well it is known: a
 * run that has seen few of its bursts takes it for short, and for sure.
 */
function independentValues(sample: Sample, batches: number): number {
  const found = shareUpTo(sample, sample.quantile(0.5), batches);
  if (found === null) return 0;
  const { mean, halfWidth } = found;
  const ofOne = normalQuantile((1 + CONFIDENCE) / 2) * Math.sqrt(mean * (1 - mean));
  return halfWidth === 0 ? sample.count : Math.min(sample.count, (ofOne / halfWidth) * (ofOne / halfWidth));
}

function shareUpTo(sample: Sample, value: number, batches: number): RatioInterval | null {
  const counts = sample.byBatch(batches, ({ count }) => count);
  return happens(counts) ? batchRatio(sample.byBatch(batches, (part) => part.upTo(value)), counts, CONFIDENCE) : null;
}

/** Nobody knows an interval's ends to more than six digits; and a report has hundreds of them. */
function rounded(value: number): number {
  return Number(value.toPrecision(6));
}

function toDigits(correlation: number): number {
  return Math.round(correlation * 1e4) / 1e4;
}

export function total(parts: Numbers): number {
  let sum = 0;
  for (let batch = 0; batch < parts.length; batch++) sum += parts[batch]!;
  return sum;
}

/** Whether it happens often enough to say how often. */
function happens(sums: Numbers): boolean {
  let batches = 0;
  for (let batch = 0; batch < sums.length; batch++) if (sums[batch] !== 0) batches++;
  return batches >= LEAST;
}
