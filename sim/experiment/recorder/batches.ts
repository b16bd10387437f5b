import type { IntervalsReport } from "../../../protocol/result/precision.ts";
import { batchRatio } from "../../kernel/statistics/index.ts";

/** Equal parts of the measured interval from which a run's confidence intervals come: few enough to be long. */
export const BATCHES = 20;
/** Below this many parts, nothing is said. */
const LEAST = 10;
/** Of a single run's intervals. */
const CONFIDENCE = 0.95;

/** Columns of a batch's row of completed jobs: sums, and of what is not known of every job how many they are of. Plain constants: they are used for every job. */
const JOBS = 0;
const END_TO_END_US = 1;
const PER_JOB_MSAT = 2;
const QUEUED = 3;
const QUEUEING_US = 4;
const STREAMED = 5;
const TTFT_US = 6;
const PACED = 7;
const TPOT_US = 8;
const PRICED = 9;
const PER_MTOK_MSAT = 10;
export const SUM = {
  jobs: JOBS, endToEndUs: END_TO_END_US, perJobMsat: PER_JOB_MSAT, queued: QUEUED, queueingUs: QUEUEING_US, streamed: STREAMED, ttftUs: TTFT_US, paced: PACED, tpotUs: TPOT_US,
  priced: PRICED, perMtokMsat: PER_MTOK_MSAT,
} as const;
export const SUMS = 11;

/** Adds a completed job to its batch; what is below 0 is not known. @param row where the batch's row begins */
export function addSums(sums: Float64Array, row: number, endToEndUs: number, queueingUs: number, ttftUs: number, tpotUs: number, perJobMsat: number, perMtokMsat: number): void {
  sums[row + JOBS]! += 1;
  sums[row + END_TO_END_US]! += endToEndUs;
  sums[row + PER_JOB_MSAT]! += perJobMsat;
  if (queueingUs >= 0) {
    sums[row + QUEUED]! += 1;
    sums[row + QUEUEING_US]! += queueingUs;
  }
  if (ttftUs >= 0) {
    sums[row + STREAMED]! += 1;
    sums[row + TTFT_US]! += ttftUs;
  }
  if (tpotUs >= 0) {
    sums[row + PACED]! += 1;
    sums[row + TPOT_US]! += tpotUs;
  }
  if (perMtokMsat >= 0) {
    sums[row + PRICED]! += 1;
    sums[row + PER_MTOK_MSAT]! += perMtokMsat;
  }
}

/** Columns of a batch's row of ended jobs. */
export const ENDED = 0;
export const COMPLETED = 1;
export const MET = 2;
export const ALL_ATTEMPTS = 3;
export const ENDS = 4;

/** Jobs that are written down before they go to their batches together: one line of memory is touched for each, in place of ten that have left the cache. */
export const LOG_ROWS = 128;
/** Numbers written down of a job. */
export const LOG_ROW = 11;

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
