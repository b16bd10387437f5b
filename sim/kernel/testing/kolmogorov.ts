/**
 * Kolmogorov's statistic sqrt(n) * sup |empirical - cdf|, for any distribution, atoms included.
 */
export function kolmogorovStatistic(sample: readonly number[], cdf: (x: number) => number): number {
  const sorted = Float64Array.from(sample).sort();
  const n = sorted.length;
  let distance = 0;
  for (let i = 0; i < n; ) {
    const x = sorted[i]!;
    let j = i + 1;
    while (j < n && sorted[j] === x) j++;
    const before = cdf(x - Math.abs(x) * 1e-12);
    distance = Math.max(distance, Math.abs(j / n - cdf(x)), Math.abs(i / n - before));
    i = j;
  }
  return distance * Math.sqrt(n);
}

/** Kolmogorov's statistic exceeds this with probability 0.001 (asymptotic distribution; n above 100). */
export const KOLMOGOROV_CRITICAL = 1.9495;
