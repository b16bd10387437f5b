import type { Random } from "../../kernel/random.ts";

/** An estimate, and the interval that its resamples give it. */
export interface Resampled {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Percentile bootstrap intervals of several statistics at once: each time as many blocks are drawn with replacement as there are.
 * B. Efron and R. J. Tibshirani, An Introduction to the Bootstrap, 1993, section 13.3.
 * @param statistics of the blocks with these indices, always as many; NaN where undefined, which leaves that resample out
 * @param resamples 0: no interval, low and high are NaN
 */
export function bootstrap(blocks: number, statistics: (drawn: Uint32Array) => readonly number[], resamples: number, confidence: number, random: Random): Resampled[] {
  const drawn = Uint32Array.from({ length: blocks }, (_, block) => block);
  const found = statistics(drawn);
  const columns = found.map(() => new Float64Array(resamples));
  for (let resample = 0; resample < resamples; resample++) {
    for (let i = 0; i < blocks; i++) drawn[i] = Math.floor(random.next() * blocks);
    statistics(drawn).forEach((value, i) => void (columns[i]![resample] = value));
  }
  return found.map((value, i) => {
    const sorted = columns[i]!.filter((one) => !Number.isNaN(one)).sort();
    return { value, low: quantile(sorted, (1 - confidence) / 2), high: quantile(sorted, (1 + confidence) / 2) };
  });
}

/** Linear between order statistics; NaN where there are none. */
function quantile(sorted: Float64Array, p: number): number {
  if (sorted.length === 0) return NaN;
  const at = p * (sorted.length - 1);
  const below = Math.floor(at);
  const low = sorted[below]!;
  return below + 1 < sorted.length ? low + (at - below) * (sorted[below + 1]! - low) : low;
}
