import type { Random } from "../../kernel/random.ts";
import { quantileOf } from "../../kernel/statistics/lists.ts";

/** An estimate, and the interval that its resamples give it. */
export interface Resampled {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/**
 * How often each block is drawn in each of many resamples of as many blocks as there are, with replacement: block by block, so
 * that no block need be kept. A resample deals its draws out one block after the other: to each of the m blocks that are left
 * it gives as many of the draws that are left as a binomial distribution of probability 1 / m says, which is what drawing them
 * one by one comes to.
 */
export class ResampleWeights {
  /** Of the block at hand, by resample. */
  readonly weights: Float64Array;
  readonly #left: Float64Array;
  readonly #random: Random;
  #blocks: number;

  /** @param blocks that will come at most */
  constructor(resamples: number, blocks: number, random: Random) {
    this.weights = new Float64Array(resamples);
    this.#left = new Float64Array(resamples).fill(blocks);
    this.#random = random;
    this.#blocks = blocks;
  }

  /** Goes on to the next block. */
  next(): Float64Array {
    const { weights } = this;
    const left = this.#left;
    const blocks = this.#blocks--;
    const odds = 1 / (blocks - 1);
    const none = Math.log1p(-1 / blocks);
    for (let resample = 0; resample < weights.length; resample++) {
      const draws = left[resample]!;
      let drawn = draws;
      if (blocks > 1) {
        let uniform = this.#random.next();
        let probability = Math.exp(draws * none);
        for (drawn = 0; drawn < draws && uniform >= probability; drawn++) {
          uniform -= probability;
          probability *= ((draws - drawn) / (drawn + 1)) * odds;
        }
      }
      weights[resample] = drawn;
      left[resample] = draws - drawn;
    }
    return weights;
  }
}

/**
 * Sums over blocks, of the sample and of each resample: all that a statistic needs that is a function of sums. Memory: one row
 * of sums per resample, whatever the number of blocks.
 */
export class ResampledSums {
  readonly #width: number;
  /** The sample's row first. */
  readonly #sums: Float64Array;
  readonly #resamples: number;

  constructor(width: number, resamples: number) {
    this.#width = width;
    this.#resamples = resamples;
    this.#sums = new Float64Array((resamples + 1) * width);
  }

  /** @param terms what a block adds, as many as the width @param weights of the block, by resample */
  add(terms: Float64Array, weights: Float64Array): void {
    const width = this.#width;
    const sums = this.#sums;
    for (let i = 0; i < width; i++) sums[i]! += terms[i]!;
    for (let resample = 0; resample < this.#resamples; resample++) {
      const weight = weights[resample]!;
      if (weight === 0) continue;
      const at = (resample + 1) * width;
      for (let i = 0; i < width; i++) sums[at + i]! += weight * terms[i]!;
    }
  }

  /** Of the sample alone. */
  get sample(): Float64Array {
    return this.#sums.subarray(0, this.#width);
  }

  /**
   * Percentile bootstrap intervals of several statistics at once.
   * B. Efron and R. J. Tibshirani, An Introduction to the Bootstrap, 1993, section 13.3.
   * @param statistics of such sums, always as many; NaN where undefined, which leaves that resample out
   * @returns without resamples no interval: low and high are NaN
   */
  intervals(statistics: (sums: Float64Array) => readonly number[], confidence: number): Resampled[] {
    const found = statistics(this.sample);
    const columns = found.map(() => new Float64Array(this.#resamples));
    for (let resample = 0; resample < this.#resamples; resample++) {
      const at = (resample + 1) * this.#width;
      statistics(this.#sums.subarray(at, at + this.#width)).forEach((value, i) => void (columns[i]![resample] = value));
    }
    return found.map((value, i) => {
      const sorted = columns[i]!.filter((one) => !Number.isNaN(one)).sort();
      return { value, low: quantileOf(sorted, (1 - confidence) / 2), high: quantileOf(sorted, (1 + confidence) / 2) };
    });
  }
}
