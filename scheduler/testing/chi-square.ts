/**
 * Whether observed counts agree with the expected ones: Pearson's chi-square statistic against its 99.9 % quantile, by
 * the approximation of E. Wilson and M. Hilferty, PNAS 17 (1931), good to a percent from 1 degree of freedom on.
 * Cells of which fewer than 5 are expected are counted with the largest one; cells that are expected to be empty must be.
 */
export function agrees(observed: readonly number[], expected: readonly number[]): boolean {
  const cells = expected.map((want, i) => ({ want, found: observed[i] ?? 0 })).sort((a, b) => b.want - a.want);
  if (cells.some(({ want, found }) => want === 0 && found > 0)) return false;
  const [largest, ...others] = cells.filter(({ want }) => want > 0);
  const small = others.filter(({ want }) => want < 5);
  const tested = [small.reduce((sum, { want, found }) => ({ want: sum.want + want, found: sum.found + found }), largest!), ...others.filter(({ want }) => want >= 5)];
  const statistic = tested.reduce((sum, { want, found }) => sum + ((found - want) * (found - want)) / want, 0);
  if (tested.length === 1) return statistic < 1e-9;
  const freedom = tested.length - 1;
  const spread = 2 / (9 * freedom);
  const root = 1 - spread + 3.0902 * Math.sqrt(spread);
  return statistic <= freedom * root * root * root;
}
