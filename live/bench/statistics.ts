/** Repetitions of one measurement, put together. */
export interface Summary {
  readonly medianUs: number;
  readonly repetitions: number;
  /** null for one repetition. */
  readonly spread: { readonly minUs: number; readonly maxUs: number; readonly sdUs: number } | null;
}

/** @param samples at least one, µs. */
export function summarise(samples: readonly number[]): Summary {
  const sorted = samples.toSorted((a, b) => a - b);
  const n = sorted.length;
  const mean = sorted.reduce((sum, value) => sum + value, 0) / n;
  const squares = sorted.reduce((sum, value) => sum + (value - mean) * (value - mean), 0);
  return {
    medianUs: rounded((sorted[(n - 1) >> 1]! + sorted[n >> 1]!) / 2),
    repetitions: n,
    spread: n === 1 ? null : { minUs: rounded(sorted[0]!), maxUs: rounded(sorted[n - 1]!), sdUs: rounded(Math.sqrt(squares / (n - 1))) },
  };
}

/** To a nanosecond: no clock tells more. */
export function rounded(us: number): number {
  return Math.round(us * 1_000) / 1_000;
}
