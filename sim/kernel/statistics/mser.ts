/** Where a series' initial transient ends. */
export interface Truncation {
  /** Observations to leave out, from the start; a multiple of the batch size. */
  readonly cut: number;
  /** False where the minimum lies in the second half of the series: it is too short to tell where its start ends. */
  readonly sufficient: boolean;
  /** Marginal standard error, squared, by batches left out, as far as it was looked at: what is minimised. */
  readonly statistic: Float64Array;
  /** Observations in a batch. */
  readonly batchSize: number;
}

/** Batches at the end whose variance says too little to end there (K. Hoad, S. Robinson, R. Davies, WSC 2008). */
const LAST = 5;

/**
 * MSER-5: leaves out as much of a series' start as makes the standard error of the mean of the rest least, over means of
 * batches of 5. K. P. White, "An effective truncation heuristic for bias reduction in simulation output", Simulation 69
 * (1997) 323-334; as MSER-5 in K. P. White, M. J. Cobb, S. C. Spratt, WSC 2000.
 *
 * The cut is the best one within the first half. Where the best of all lies beyond, the series is told to be insufficient.
 * @param series in order of time; what does not fill a batch at the end is left out
 */
export function mser5(series: ArrayLike<number>, batchSize = 5): Truncation {
  const batches = Math.floor(series.length / batchSize);
  if (batches < 2 * LAST) return { cut: 0, sufficient: false, statistic: new Float64Array(0), batchSize };
  const statistic = new Float64Array(batches - LAST);
  // From the end to the start, so that each step adds one batch to mean and squares (Welford).
  let mean = 0;
  let squares = 0;
  for (let at = batches - 1; at >= 0; at--) {
    let sum = 0;
    for (let i = 0; i < batchSize; i++) sum += series[at * batchSize + i]!;
    const value = sum / batchSize;
    const count = batches - at;
    const delta = value - mean;
    mean += delta / count;
    squares += delta * (value - mean);
    if (at < statistic.length) statistic[at] = squares / (count * count);
  }
  const half = Math.floor(batches / 2);
  let cut = 0;
  let best = 0;
  for (let at = 1; at < statistic.length; at++) {
    if (statistic[at]! < statistic[best]!) best = at;
    if (at <= half && statistic[at]! < statistic[cut]!) cut = at;
  }
  return { cut: cut * batchSize, sufficient: best <= half, statistic, batchSize };
}
