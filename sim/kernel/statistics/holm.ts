/**
 * p-values adjusted for being several: where those below a level are called findings, the probability of even one false
 * finding stays below the level, however the tests depend on each other. S. Holm, Scandinavian Journal of Statistics 6
 * (1979) 65-70.
 * @param pValues 0 to 1, in any order
 * @returns the adjusted ones, in the same order; never below the given ones, at most 1
 */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues.map((_, i) => i).sort((a, b) => pValues[a]! - pValues[b]! || a - b);
  const adjusted = new Array<number>(pValues.length);
  let most = 0;
  for (const [rank, i] of order.entries()) {
    most = Math.max(most, Math.min(1, (pValues.length - rank) * pValues[i]!));
    adjusted[i] = most;
  }
  return adjusted;
}
