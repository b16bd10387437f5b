import { confidenceInterval } from "./confidence.ts";
import type { Interval } from "./confidence.ts";

/** Batches at most; when they are full, neighbours are joined in pairs. Even. */
const BATCHES = 64;

/**
 * Confidence interval for the mean of one long, correlated run (waiting times, say) by batch means: the run is cut
 * into 32 to 63 batches of equal length whose means are nearly independent when batches are long against the
 * correlation (Law, Simulation Modeling and Analysis, 9.5.3). Batches lengthen with the run, so memory is constant.
 */
export class BatchMeans {
  readonly #sums = new Float64Array(BATCHES);
  #batchSize = 1;
  #complete = 0;
  #sum = 0;
  #inBatch = 0;

  add(x: number): void {
    this.#sum += x;
    if (++this.#inBatch < this.#batchSize) return;
    this.#sums[this.#complete++] = this.#sum;
    this.#sum = 0;
    this.#inBatch = 0;
    if (this.#complete === BATCHES) this.#join();
  }

  /** Values per batch at present. */
  get batchSize(): number {
    return this.#batchSize;
  }

  /** Means of the complete batches, in order. */
  means(): number[] {
    return Array.from(this.#sums.subarray(0, this.#complete), (sum) => sum / this.#batchSize);
  }

  /**
   * Interval for the mean, from the complete batches.
   * @param confidence above 0, below 1.
   * @throws RangeError below two values.
   */
  interval(confidence = 0.99): Interval {
    return confidenceInterval(this.means(), confidence);
  }

  /** Correlation of neighbouring batch means: near 0 where the batches are long enough for the interval to hold. */
  lag1Correlation(): number {
    const means = this.means();
    let mean = 0;
    for (const x of means) mean += x / means.length;
    let squares = 0;
    let products = 0;
    for (const [i, x] of means.entries()) {
      squares += (x - mean) * (x - mean);
      if (i > 0) products += (x - mean) * (means[i - 1]! - mean);
    }
    return squares === 0 ? 0 : products / squares;
  }

  #join(): void {
    const sums = this.#sums;
    for (let i = 0; i < BATCHES / 2; i++) sums[i] = sums[2 * i]! + sums[2 * i + 1]!;
    this.#complete = BATCHES / 2;
    this.#batchSize *= 2;
  }
}
