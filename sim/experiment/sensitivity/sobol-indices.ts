import type { Random } from "../../kernel/random.ts";
import type { Resampled } from "./bootstrap.ts";
import { bootstrap } from "./bootstrap.ts";

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

export interface BootstrapOptions {
  /** Times that blocks are drawn anew. */
  readonly resamples: number;
  readonly confidence: number;
  readonly random: Random;
}

/**
 * Estimates from a `sobolDesign`. First order: f(B) (f(AB) - f(A)), formula (b) of table 2 in Saltelli et al. 2010; total:
 * (f(A) - f(AB))^2 / 2, formula (f) there, which is Jansen's (Computer Physics Communications 117 (1999) 35-43); pairs: Saltelli,
 * same journal 145 (2002) 280-297, theorem 2. Values are centred first, which changes no expectation and narrows the estimates.
 * @param values of the points in the design's order, block after block; NaN where there is none: its block is left out
 * @returns null below two blocks, or where the figure is the same everywhere
 */
export function sobolIndices(values: Float64Array, factors: number, secondOrder: boolean, { resamples, confidence, random }: BootstrapOptions): SobolIndices | null {
  const points = (secondOrder ? 2 : 1) * factors + 2;
  const starts: number[] = [];
  for (let start = 0; start + points <= values.length; start += points) {
    if (values.subarray(start, start + points).every((value) => !Number.isNaN(value))) starts.push(start);
  }
  const blocks = starts.length;
  if (blocks < 2) return null;
  let sum = 0;
  for (const start of starts) sum += values[start]! + values[start + 1]!;
  const mean = sum / (2 * blocks);

  const couples = secondOrder ? pairsOf(factors) : [];
  // What each block adds: to the mean and the mean square of A and B, to first-order, total and closed second-order variances.
  const firstAt = 2;
  const totalAt = firstAt + factors;
  const pairAt = totalAt + factors;
  const width = pairAt + couples.length;
  const terms = new Float64Array(blocks * width);
  starts.forEach((start, block) => {
    const at = block * width;
    const value = (point: number): number => values[start + point]! - mean;
    const [a, b] = [value(0), value(1)];
    terms[at] = (a + b) / 2;
    terms[at + 1] = (a * a + b * b) / 2;
    for (let i = 0; i < factors; i++) {
      const ab = value(2 + i);
      terms[at + firstAt + i] = b * (ab - a);
      terms[at + totalAt + i] = (a - ab) * (a - ab) / 2;
    }
    couples.forEach(([i, j], pair) => void (terms[at + pairAt + pair] = value(2 + factors + i) * value(2 + j) - a * b));
  });

  const sums = new Float64Array(width);
  const statistics = (drawn: Uint32Array): readonly number[] => {
    sums.fill(0);
    for (const block of drawn) {
      const at = block * width;
      for (let i = 0; i < width; i++) sums[i] = sums[i]! + terms[at + i]!;
    }
    const shift = sums[0]! / blocks;
    const variance = sums[1]! / blocks - shift * shift;
    const share = (column: number): number => (variance > 0 ? sums[column]! / blocks / variance : NaN);
    const first = Array.from({ length: factors }, (_, i) => share(firstAt + i));
    return [
      variance, ...first, ...Array.from({ length: factors }, (_, i) => share(totalAt + i)), 1 - first.reduce((all, one) => all + one, 0),
      ...couples.map(([i, j], pair) => share(pairAt + pair) - first[i]! - first[j]!),
    ];
  };
  const spread = statistics(Uint32Array.from({ length: blocks }, (_, block) => block))[0]!;
  // What doubles make of equal values is no variance.
  if (!(spread > 1e-24 * mean * mean)) return null;

  const [variance, ...shares] = bootstrap(blocks, statistics, resamples, confidence, random) as [Resampled, ...Resampled[]];
  return {
    blocks, mean, variance: variance.value,
    first: shares.slice(0, factors),
    total: shares.slice(factors, 2 * factors),
    together: shares[2 * factors]!,
    pairs: secondOrder ? couples.map((couple, pair) => ({ factors: couple, index: shares[2 * factors + 1 + pair]! })) : null,
  };
}

function pairsOf(factors: number): [number, number][] {
  return Array.from({ length: factors }, (_, i) => Array.from({ length: factors - i - 1 }, (__, j): [number, number] => [i, i + j + 1])).flat();
}
