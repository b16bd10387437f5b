import { ResampledSums, type Resampled } from "./bootstrap.ts";
import type { Step } from "./morris-design.ts";

/** What taking one factor from its low to its high end does to a figure, in the figure's unit. */
export interface FactorEffects {
  /** Steps in which the factor had two values and the figure too. */
  readonly steps: number;
  /** Mean effect: rises and falls cancel. */
  readonly mu: Resampled;
  /** Mean size of the effect. */
  readonly muStar: Resampled;
  /** Standard deviation of the effect: how much it depends on where it starts, and on the other factors. */
  readonly sigma: Resampled;
}

export interface ElementaryEffects {
  /** Blocks that have all their values. */
  readonly blocks: number;
  readonly factors: readonly FactorEffects[];
  /** Mean size of an effect that points' independent errors of standard deviation 1 would show by themselves. */
  readonly amplification: number;
}

/** Sums of a factor: effects, less the first one; their sizes; their squares, less the first one; how many. */
const EFFECT = 0;
const SIZE = 1;
const SQUARE = 2;
const COUNT = 3;
const COLUMNS = 4;

/**
 * Elementary effects from a Morris design, block by block: the change of the figure over the change of the factor's share of its
 * range. Mean size: F. Campolongo, J. Cariboni and A. Saltelli, "An effective screening design for sensitivity analysis of large
 * models", Environmental Modelling and Software 22 (2007) 1509-1518.
 */
export class EffectSums {
  readonly #factors: number;
  readonly #share: (factor: number, coordinate: number) => number;
  readonly #sums: ResampledSums;
  readonly #terms: Float64Array;
  /** The first effect of each factor: squares of what is near it lose nothing. */
  readonly #first: Float64Array;
  #blocks = 0;
  #steps = 0;
  #inverse = 0;

  /** @param share where a factor lies in its range at a point, after rounding to what its field takes, given its coordinate */
  constructor(factors: number, share: (factor: number, coordinate: number) => number, resamples: number) {
    this.#factors = factors;
    this.#share = share;
    this.#sums = new ResampledSums(COLUMNS * factors, resamples);
    this.#terms = new Float64Array(COLUMNS * factors);
    this.#first = new Float64Array(factors).fill(NaN);
  }

  /** @param values of the block's points; none is NaN @param weights of the block, by resample */
  add(values: Float64Array, points: readonly Float64Array[], steps: readonly Step[], weights: Float64Array): void {
    const terms = this.#terms.fill(0);
    for (const { factor, from, to } of steps) {
      const change = this.#share(factor, points[to]![factor]!) - this.#share(factor, points[from]![factor]!);
      // Two coordinates that round to one value tell nothing.
      if (change === 0) continue;
      const effect = (values[to]! - values[from]!) / change;
      if (Number.isNaN(this.#first[factor]!)) this.#first[factor] = effect;
      const apart = effect - this.#first[factor]!;
      const at = factor * COLUMNS;
      terms[at + EFFECT] = apart;
      terms[at + SIZE] = Math.abs(effect);
      terms[at + SQUARE] = apart * apart;
      terms[at + COUNT] = 1;
      this.#steps++;
      this.#inverse += 1 / Math.abs(change);
    }
    this.#sums.add(terms, weights);
    this.#blocks++;
  }

  /** @returns null below two blocks */
  result(confidence: number): ElementaryEffects | null {
    if (this.#blocks < 2) return null;
    const found = this.#sums.intervals((sums) => Array.from({ length: this.#factors }, (_, factor) => {
      const at = factor * COLUMNS;
      const count = sums[at + COUNT]!;
      const mean = sums[at + EFFECT]! / count;
      const squares = Math.max(0, sums[at + SQUARE]! - count * mean * mean);
      return [this.#first[factor]! + mean, sums[at + SIZE]! / count, count < 2 ? NaN : Math.sqrt(squares / (count - 1))];
    }).flat(), confidence);
    return {
      blocks: this.#blocks,
      // The mean size of a normal difference of two such errors is 2 / sqrt(pi).
      amplification: this.#steps === 0 ? 0 : (2 / Math.sqrt(Math.PI)) * (this.#inverse / this.#steps),
      factors: Array.from({ length: this.#factors }, (_, factor) => ({
        steps: this.#sums.sample[factor * COLUMNS + COUNT]!,
        mu: found[3 * factor]!, muStar: found[3 * factor + 1]!, sigma: found[3 * factor + 2]!,
      })),
    };
  }
}
