/**
 * Non-negative least squares: the x of at least 0 that minimises |A x - b|, by the active set method of Lawson and Hanson,
 * "Solving Least Squares Problems" (1974), chapter 23, on the normal equations. Made for a handful of unknowns. Columns are
 * scaled to unit length first; a column that the others already explain to 1e-10 stays at 0.
 * @param rows - the rows of A, all of one length.
 * @throws RangeError where A and b differ in length, or a figure is not finite.
 */
export function nonNegativeLeastSquares(rows: readonly (readonly number[])[], b: readonly number[]): number[] {
  const n = rows[0]?.length ?? 0;
  if (rows.length !== b.length) throw new RangeError(`${rows.length} rows, but ${b.length} values`);
  for (const [i, row] of rows.entries()) {
    if (row.length !== n || !row.every(Number.isFinite) || !Number.isFinite(b[i])) throw new RangeError(`row ${i} is not ${n} finite numbers and a value`);
  }
  const scale = Array.from({ length: n }, (_, j) => Math.sqrt(rows.reduce((sum, row) => sum + row[j]! * row[j]!, 0)));
  const dot = (f: (row: readonly number[], i: number) => number): number => rows.reduce((sum, row, i) => sum + f(row, i), 0);
  const gram = scale.map((si, i) => scale.map((sj, j) => (si > 0 && sj > 0 ? dot((row) => row[i]! * row[j]!) / (si * sj) : 0)));
  const right = scale.map((si, i) => (si > 0 ? dot((row, k) => row[i]! * b[k]!) / si : 0));
  const tolerance = 1e-12 * Math.max(1e-300, ...right.map(Math.abs));

  let x: number[] = new Array<number>(n).fill(0);
  const free: number[] = [];
  const barred = new Set<number>();
  for (let round = 0; round < 3 * n + 10; round++) {
    const gradient = right.map((value, i) => value - gram[i]!.reduce((sum, g, j) => sum + g * x[j]!, 0));
    let enter = -1;
    for (let j = 0; j < n; j++) {
      if (free.includes(j) || barred.has(j) || !(gradient[j]! > tolerance)) continue;
      if (enter < 0 || gradient[j]! > gradient[enter]!) enter = j;
    }
    if (enter < 0) break;
    free.push(enter);
    for (;;) {
      const solved = solve(gram, right, free);
      if (solved === null || (free.at(-1) === enter && solved.at(-1)! <= 0 && x[enter] === 0)) {
        // Explained by the others already, or its gradient is rounding.
        barred.add(enter);
        free.splice(free.indexOf(enter), 1);
        break;
      }
      if (solved.every((value) => value > 0)) {
        x = new Array<number>(n).fill(0);
        free.forEach((j, k) => (x[j] = solved[k]!));
        barred.clear();
        break;
      }
      let step = 1;
      free.forEach((j, k) => {
        if (solved[k]! <= 0) step = Math.min(step, x[j]! / (x[j]! - solved[k]!));
      });
      free.forEach((j, k) => (x[j] = x[j]! + step * (solved[k]! - x[j]!)));
      for (let k = free.length - 1; k >= 0; k--) {
        const j = free[k]!;
        if (solved[k]! <= 0 && x[j]! <= 1e-14) {
          x[j] = 0;
          free.splice(k, 1);
        }
      }
    }
  }
  return x.map((value, j) => (scale[j]! > 0 ? value / scale[j]! : 0));
}

/** Cholesky on the unknowns in `free`; null where they depend on each other. */
function solve(gram: readonly (readonly number[])[], right: readonly number[], free: readonly number[]): number[] | null {
  const n = free.length;
  const lower: number[][] = [];
  for (let i = 0; i < n; i++) {
    const row: number[] = [];
    for (let j = 0; j <= i; j++) {
      let sum = gram[free[i]!]![free[j]!]!;
      for (let k = 0; k < j; k++) sum -= row[k]! * (i === j ? row[k]! : lower[j]![k]!);
      if (i === j) {
        if (!(sum > 1e-10)) return null;
        row.push(Math.sqrt(sum));
      } else row.push(sum / lower[j]![j]!);
    }
    lower.push(row);
  }
  const y: number[] = [];
  for (let i = 0; i < n; i++) {
    let sum = right[free[i]!]!;
    for (let k = 0; k < i; k++) sum -= lower[i]![k]! * y[k]!;
    y.push(sum / lower[i]![i]!);
  }
  const z = new Array<number>(n).fill(0);
  for (let i = n - 1; i >= 0; i--) {
    let sum = y[i]!;
    for (let k = i + 1; k < n; k++) sum -= lower[k]![i]! * z[k]!;
    z[i] = sum / lower[i]![i]!;
  }
  return z;
}
