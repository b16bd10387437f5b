/** In the order given. 0 for none. */
export function sumOf(values: Iterable<number>): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

/** NaN for none. */
export function meanOf(values: readonly number[]): number {
  return values.length === 0 ? NaN : sumOf(values) / values.length;
}

/** Linear between order statistics (Hyndman and Fan 1996, type 7). NaN for none. @param p 0 to 1 @param sorted rising */
export function quantileOf(sorted: ArrayLike<number>, p: number): number {
  if (sorted.length === 0) return NaN;
  const at = p * (sorted.length - 1);
  const below = Math.floor(at);
  const low = sorted[below]!;
  return below + 1 < sorted.length ? low + (at - below) * (sorted[below + 1]! - low) : low;
}

/** Half of the values are above, half below. NaN for none. @param sorted rising */
export function medianOf(sorted: ArrayLike<number>): number {
  return quantileOf(sorted, 0.5);
}
