import { ResampledSums, ResampleWeights, type Resampled } from "./bootstrap.ts";
import type { Random } from "../../kernel/random.ts";

/** Shares of the variance of a figure, as factors vary independently over their ranges. */
export interface SobolIndices {
  /** Blocks that have all their values. */
  readonly blocks: number;
  readonly mean: number;
  /** Between points. */
  readonly variance: number;
  /** Of each factor alone. */
  readonly first: readonly Resampled[];
  /** Of each factor, with all it does together with others. */
  readonly total: readonly Resampled[];
  /** Of what factors do only together: what first-order indices leave of the whole. */
  readonly together: Resampled;
  /** Of what pairs do together and neither alone, (0, 1), (0, 2), ..., (1, 2), ...; null without a second-order design. */
  readonly pairs: readonly { readonly factors: readonly [number, number]; readonly index: Resampled }[] | null;
}

/** Sums over blocks before those of the factors: of A and B their mean and mean square, and how many blocks. */
const MEAN = 0;
const SQUARE = 1;
const COUNT = 2;
const FACTORS = 3;

/**
 * Estimates from a `sobolDesign`, block by block. First order: f(B) (f(AB) - f(A)), formula (b) of table 2 in Saltelli et al. 2010;
 * total: (f(A) - f(AB))^2 / 2, formula (f) there, which is Jansen's (Computer Physics Communications 117 (1999) 35-43); pairs:
 * Saltelli, same journal 145 (2002) 280-297, theorem 2. Values are centred at the mean of all, which changes no expectation and
 * narrows the estimates: the mean is known at the end only, so that products are kept with what a shift of the centre adds.
 */
export class SobolSums {
  readonly #factors: number;
  readonly #couples: readonly (readonly [number, number])[];
  readonly #secondOrder: boolean;
  readonly #sums: ResampledSums;
  readonly #terms: Float64Array;
  /** What values are centred at until the mean is known. */
  #centre = NaN;

  constructor(factors: number, secondOrder: boolean, resamples: number) {
    this.#factors = factors;
    this.#secondOrder = secondOrder;
    this.#couples = secondOrder ? pairsOf(factors) : [];
    const width = FACTORS + 4 * factors + this.#couples.length;
    this.#sums = new ResampledSums(width, resamples);
    this.#terms = new Float64Array(width);
  }

  /** @param values of the block's points, in the design's order; none is NaN @param weights of the block, by resample */
  add(values: Float64Array, weights: Float64Array): void {
    if (Number.isNaN(this.#centre)) this.#centre = (values[0]! + values[1]!) / 2;
    const k = this.#factors;
    const terms = this.#terms;
    const value = (point: number): number => values[point]! - this.#centre;
    const [a, b] = [value(0), value(1)];
    terms[MEAN] = (a + b) / 2;
    terms[SQUARE] = (a * a + b * b) / 2;
    terms[COUNT] = 1;
    for (let i = 0; i < k; i++) {
      const ab = value(2 + i);
      terms[FACTORS + i] = b * (ab - a);
      terms[FACTORS + k + i] = ((a - ab) * (a - ab)) / 2;
      terms[FACTORS + 2 * k + i] = ab - a;
      terms[FACTORS + 3 * k + i] = this.#secondOrder ? value(2 + k + i) - b : 0;
    }
    this.#couples.forEach(([i, j], pair) => void (terms[FACTORS + 4 * k + pair] = value(2 + k + i) * value(2 + j) - a * b));
    this.#sums.add(terms, weights);
  }

  /** @returns null below two blocks, or where the figure is the same everywhere */
  result(confidence: number): SobolIndices | null {
    const k = this.#factors;
    const blocks = this.#sums.sample[COUNT]!;
    if (blocks < 2) return null;
    const shift = this.#sums.sample[MEAN]! / blocks;
    const mean = this.#centre + shift;
    const statistics = (sums: Float64Array): readonly number[] => {
      const count = sums[COUNT]!;
      const own = sums[MEAN]! / count;
      const variance = sums[SQUARE]! / count - own * own;
      const share = (sum: number): number => (variance > 0 ? sum / count / variance : NaN);
      const moved = (i: number): number => sums[FACTORS + 2 * k + i]!;
      const first = Array.from({ length: k }, (_, i) => share(sums[FACTORS + i]! - shift * moved(i)));
      return [
        variance, ...first, ...Array.from({ length: k }, (_, i) => share(sums[FACTORS + k + i]!)), 1 - first.reduce((all, one) => all + one, 0),
        ...this.#couples.map(([i, j], pair) => share(sums[FACTORS + 4 * k + pair]! - shift * (sums[FACTORS + 3 * k + i]! + moved(j))) - first[i]! - first[j]!),
      ];
    };
    // What doubles make of equal values is no variance.
    if (!(statistics(this.#sums.sample)[0]! > 1e-24 * mean * mean)) return null;
    const [variance, ...shares] = this.#sums.intervals(statistics, confidence) as [Resampled, ...Resampled[]];
    return {
      blocks, mean, variance: variance.value,
      first: shares.slice(0, k),
      total: shares.slice(k, 2 * k),
      together: shares[2 * k]!,
      pairs: this.#secondOrder ? this.#couples.map((couple, pair) => ({ factors: couple, index: shares[2 * k + 1 + pair]! })) : null,
    };
  }
}

export interface BootstrapOptions {
  /** Times that blocks are drawn anew. */
  readonly resamples: number;
  readonly confidence: number;
  readonly random: Random;
}

/** Indices from values that are there. @param values of the points in the design's order, block after block; NaN where there is none: its block is left out */
export function sobolIndices(values: Float64Array, factors: number, secondOrder: boolean, { resamples, confidence, random }: BootstrapOptions): SobolIndices | null {
  const points = (secondOrder ? 2 : 1) * factors + 2;
  const sums = new SobolSums(factors, secondOrder, resamples);
  const drawn = new ResampleWeights(resamples, Math.floor(values.length / points), random);
  for (let start = 0; start + points <= values.length; start += points) {
    const block = values.subarray(start, start + points);
    const weights = drawn.next();
    if (!block.some(Number.isNaN)) sums.add(block, weights);
  }
  return sums.result(confidence);
}

function pairsOf(factors: number): [number, number][] {
  return Array.from({ length: factors }, (_, i) => Array.from({ length: factors - i - 1 }, (__, j): [number, number] => [i, i + j + 1])).flat();
}
