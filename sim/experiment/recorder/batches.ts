import type { IntervalsReport } from "../../../protocol/result/precision.ts";
import { batchRatio } from "../../kernel/statistics/index.ts";

/** Equal parts of the measured interval from which a run's confidence intervals come: few enough to be long. */
export const BATCHES = 20;
/** Below this many parts, nothing is said. */
const LEAST = 10;
/** Of a single run's intervals. */
const CONFIDENCE = 0.95;

/** Columns of a batch's row of completed jobs. */
export const SUM = {
  jobs: 0, endToEndUs: 1, perJobMsat: 2, queued: 3, queueingUs: 4, streamed: 5, ttftUs: 6, paced: 7, tpotUs: 8, priced: 9, perMtokMsat: 10,
} as const;
export const SUMS = 11;

/** Columns of a batch's row of ended jobs. */
export const END = { ended: 0, completed: 1, met: 2, attempts: 3 } as const;
export const ENDS = 4;

/** Which batch a job belongs to, by the time of its submission. */
export class BatchClock {
  readonly #fromUs: number;
  readonly #perUs: number;
  readonly #lengthUs: number;

  constructor(warmupUs: number, horizonUs: number) {
    this.#fromUs = warmupUs;
    this.#lengthUs = (horizonUs - warmupUs) / BATCHES;
    this.#perUs = 1 / this.#lengthUs;
  }

  /** @param submittedUs at or after the warm-up */
  batch(submittedUs: number): number {
    const batch = Math.floor((submittedUs - this.#fromUs) * this.#perUs);
    return batch < BATCHES ? batch : BATCHES - 1;
  }

  /** Batches that a run which ends at `horizonUs` has whole. */
  whole(horizonUs: number): number {
    return Math.min(BATCHES, Math.floor((horizonUs - this.#fromUs) / this.#lengthUs + 1e-9));
  }
}

/** Rows of equal columns, one per batch. */
export function column(rows: Float64Array, width: number, at: number, batches: number): Float64Array {
  return Float64Array.from({ length: batches }, (_, batch) => rows[batch * width + at]!);
}

/** Gathers a run's intervals. */
export class Intervals {
  readonly #batches: number;
  readonly #figures: IntervalsReport["figures"] = [];

  /** @param batches whole ones of the run */
  constructor(batches: number) {
    this.#batches = batches;
  }

  /** Adds the interval of a figure, where it is defined. @param mean as the report has it */
  add(figure: string, mean: number | null, sums: ArrayLike<number>, weights: ArrayLike<number>): void {
    if (mean === null || sums.length < LEAST) return;
    const interval = batchRatio(sums, weights, CONFIDENCE);
    if (interval === null) return;
    const { halfWidth, correlation, trusted } = interval;
    this.#figures.push({ figure, mean, halfWidth, correlation, trusted });
  }

  /** Null where the run is too short for any. */
  get report(): IntervalsReport | null {
    return this.#figures.length === 0 ? null : { method: "batch means", confidence: CONFIDENCE, batches: this.#batches, figures: this.#figures };
  }
}
