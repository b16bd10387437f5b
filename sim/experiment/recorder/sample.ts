import type { DistributionSummary, Histogram } from "../../../protocol/result.ts";
import { type Bucket, Moments, QuantileSketch, type SketchPart } from "../../kernel/statistics/index.ts";

/** Bins of a report's histogram at most, where the sample has no gaps: fine enough for a plot. */
const BINS = 100;

/** Values kept before they go to the sketch together: its counts then stay in the processor's cache for the whole batch. */
const BATCH = 128;

/** A sample of non-negative numbers in bounded memory, and what a report says of it. */
export class Sample {
  readonly #batch = new Float64Array(BATCH);
  #batched = 0;
  readonly #allMoments = new Moments();
  readonly #allSketch = new QuantileSketch();
  /** What came in each batch of the run, of what was {@link mark}ed. */
  readonly #parts: SketchPart[][] = [];

  add(value: number): void {
    this.#batch[this.#batched++] = value;
    if (this.#batched === BATCH) this.#flush();
  }

  merge(other: Sample): void {
    this.#moments.merge(other.#moments);
    this.#sketch.merge(other.#sketch);
    other.#parts.forEach((parts, batch) => { (this.#parts[batch] ??= []).push(...parts); });
  }

  /** All that came since the last mark belongs to this batch. Not after a merge. */
  mark(batch: number): void {
    (this.#parts[batch] ??= []).push(this.#sketch.part());
  }

  /** What is said of each batch's parts, added up. */
  byBatch(batches: number, of: (part: SketchPart) => number): Float64Array {
    const sums = new Float64Array(batches);
    for (let batch = 0; batch < batches; batch++) for (const part of this.#parts[batch] ?? []) sums[batch]! += of(part);
    return sums;
  }

  get sum(): number {
    return this.count === 0 ? 0 : this.#moments.sum;
  }

  get count(): number {
    return this.#allSketch.count + this.#batched;
  }

  /** @param p from 0 to 1 @returns NaN for an empty sample */
  quantile(p: number): number {
    return this.#sketch.quantile(p);
  }

  /** Without steps; see {@link QuantileSketch.interpolated}. */
  interpolated(p: number): number {
    return this.#sketch.interpolated(p);
  }

  summary(): DistributionSummary {
    const { count, mean, standardDeviation, min, max } = this.#moments;
    if (count === 0) return { count, mean: null, sd: null, min: null, p50: null, p90: null, p95: null, p99: null, max: null };
    return {
      count, mean, sd: count > 1 ? standardDeviation : null, min,
      p50: this.quantile(0.5), p90: this.quantile(0.9), p95: this.quantile(0.95), p99: this.quantile(0.99), max,
    };
  }

  histogram(): Histogram {
    const { min, max } = this.#moments;
    const buckets = this.#sketch.buckets();
    const ratio = min > 0 ? Math.exp(Math.log(max / min) / BINS) : buckets.length > BINS ? 1.1 : 1;
    const bins = coarsen(buckets, ratio);
    const edges: number[] = [];
    const counts: number[] = [];
    for (const bin of bins) {
      const from = Math.max(bin.from, min);
      if (edges.length === 0) edges.push(from);
      if (from > edges.at(-1)!) {
        // The gap between two bins is a bin without values.
        edges.push(from);
        counts.push(0);
      }
      edges.push(Math.min(bin.to, max));
      counts.push(bin.count);
    }
    return { edges, counts };
  }

  get #moments(): Moments {
    this.#flush();
    return this.#allMoments;
  }

  get #sketch(): QuantileSketch {
    this.#flush();
    return this.#allSketch;
  }

  #flush(): void {
    for (let index = 0; index < this.#batched; index++) {
      this.#allMoments.add(this.#batch[index]!);
      this.#allSketch.add(this.#batch[index]!);
    }
    this.#batched = 0;
  }
}

/** Joins neighbours as long as a bin's end is at most `ratio` times its start. Bins do not join across a gap. */
function coarsen(buckets: readonly Bucket[], ratio: number): Bucket[] {
  const bins: { from: number; to: number; count: number }[] = [];
  for (const { from, to, count } of buckets) {
    const last = bins.at(-1);
    if (last !== undefined && last.to === from && to <= last.from * ratio) {
      last.to = to;
      last.count += count;
    } else {
      bins.push({ from, to, count });
    }
  }
  return bins;
}
