/**
 * Solves a system of linear equations by Gaussian elimination with partial pivoting.
 * @param matrix rows of coefficients; left as they are.
 * @throws RangeError where it is singular.
 */
export function solveLinear(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i]!]);
  const n = rows.length;
  for (let column = 0; column < n; column++) {
    let pivot = column;
    for (let r = column + 1; r < n; r++) if (Math.abs(rows[r]![column]!) > Math.abs(rows[pivot]![column]!)) pivot = r;
    const top = rows[pivot]!;
    if (top[column] === 0) throw new RangeError("The system of equations is singular.");
    rows[pivot] = rows[column]!;
    rows[column] = top;
    for (let r = column + 1; r < n; r++) {
      const row = rows[r]!;
      const factor = row[column]! / top[column]!;
      if (factor === 0) continue;
      for (let k = column; k <= n; k++) row[k] = row[k]! - factor * top[k]!;
    }
  }
  const solution = new Array<number>(n).fill(0);
  for (let r = n - 1; r >= 0; r--) {
    const row = rows[r]!;
    let rest = row[n]!;
    for (let k = r + 1; k < n; k++) rest -= row[k]! * solution[k]!;
    solution[r] = rest / row[r]!;
  }
  return solution;
}
