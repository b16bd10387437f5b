/**
 * Whether observed counts agree with the expected ones: Pearson's chi-square statistic against its 99.9 % quantile, by
 * the approximation of E. Wilson and M. Hilferty, PNAS 17 (1931), good to a percent from 1 degree of freedom on.
 * Expected counts should be at least 5; cells that are expected to be empty must be empty.
 */
export function agrees(observed: readonly number[], expected: readonly number[]): boolean {
  let statistic = 0;
  let cells = 0;
  for (const [i, want] of expected.entries()) {
    const found = observed[i] ?? 0;
    if (want === 0) {
      if (found !== 0) return false;
      continue;
    }
    cells++;
    statistic += ((found - want) * (found - want)) / want;
  }
  if (cells < 2) return statistic === 0;
  const freedom = cells - 1;
  const spread = 2 / (9 * freedom);
  const root = 1 - spread + 3.0902 * Math.sqrt(spread);
  return statistic <= freedom * root * root * root;
}
