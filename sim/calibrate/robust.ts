import { nonNegativeLeastSquares } from "./nnls.ts";

/** Relative error beyond which a point counts in proportion to its error, no more to its square: about how well such measurements repeat. */
const ordinaryError = 0.02;
const rounds = 40;

/** Coefficients, and the loss that they leave. */
export interface Solution {
  readonly x: readonly number[];
  readonly loss: number;
}

/**
 * Coefficients of at least 0 that minimise the relative errors of `rows . x` against `values`, by Huber's loss ("Robust
 * Estimation of a Location Parameter", Ann. Math. Stat. 35(1), 1964): one odd point, such as a cold start, does not pull
 * the others along. Iteratively reweighted least squares.
 * @param weights - of the points; at least 0.
 */
export function fitRelative(rows: readonly (readonly number[])[], values: readonly number[], weights: readonly number[]): Solution {
  const relative = rows.map((row, i) => row.map((cell) => cell / values[i]!));
  const errors = (x: readonly number[]): number[] => relative.map((row) => row.reduce((sum, cell, j) => sum + cell * x[j]!, 0) - 1);
  let factors = weights.map(Math.sqrt);
  let x: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const next = nonNegativeLeastSquares(relative.map((row, i) => row.map((cell) => cell * factors[i]!)), factors);
    const moved = next.some((value, j) => Math.abs(value - (x[j] ?? 0)) > 1e-9 * Math.abs(value));
    x = next;
    if (!moved) break;
    factors = errors(x).map((error, i) => Math.sqrt(weights[i]! * Math.min(1, ordinaryError / Math.max(1e-12, Math.abs(error)))));
  }
  const loss = errors(x).reduce((sum, error, i) => {
    const size = Math.abs(error);
    return sum + weights[i]! * (size <= ordinaryError ? size * size / 2 : ordinaryError * (size - ordinaryError / 2));
  }, 0);
  return { x, loss };
}
