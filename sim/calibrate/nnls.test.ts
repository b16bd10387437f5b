import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nonNegativeLeastSquares } from "./nnls.ts";

const figure = fc.double({ min: -10, max: 10, noNaN: true }).map((x) => Math.round(x * 1000) / 1000);

describe("non-negative least squares", () => {
  test("solves what has a solution", () => {
    const x = nonNegativeLeastSquares([[1, 0], [1, 1], [1, 2]], [3, 5, 7]);
    expect(x[0]).toBeCloseTo(3, 9);
    expect(x[1]).toBeCloseTo(2, 9);
  });

  test("keeps at 0 what would be negative, and fits the rest anew", () => {
    const [level, slope] = nonNegativeLeastSquares([[1, 0], [1, 1], [1, 2]], [3, 2, 1]) as [number, number];
    expect(level).toBeCloseTo(2, 12);
    expect(slope).toBe(0);
  });

  test("of two equal columns the first explains everything", () => {
    const [first, second] = nonNegativeLeastSquares([[1, 1], [2, 2]], [3, 6]) as [number, number];
    expect(first).toBeCloseTo(3, 12);
    expect(second).toBe(0);
  });

  test("meets the conditions of Karush, Kuhn and Tucker, whatever it is given", () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 6 }).chain((n) => fc.array(fc.tuple(fc.array(figure, { minLength: n, maxLength: n }), figure), { minLength: n + 2, maxLength: 20 })), (system) => {
      const rows = system.map(([row]) => row);
      const b = system.map(([, value]) => value);
      const x = nonNegativeLeastSquares(rows, b);
      const residual = rows.map((row, i) => b[i]! - row.reduce((sum, cell, j) => sum + cell * x[j]!, 0));
      const size = Math.sqrt(b.reduce((sum, value) => sum + value * value, 0)) + 1;
      x.forEach((value, j) => {
        expect(value).toBeGreaterThanOrEqual(0);
        const column = rows.map((row) => row[j]!);
        const length = Math.sqrt(column.reduce((sum, cell) => sum + cell * cell, 0));
        const gradient = column.reduce((sum, cell, i) => sum + cell * residual[i]!, 0) / (length + 1e-9) / size;
        if (value > 0) expect(Math.abs(gradient)).toBeLessThan(1e-4);
        else expect(gradient).toBeLessThan(1e-4);
      });
    }), { seed: 1, numRuns: 300 });
  });

  test("refuses what is not finite or of different length", () => {
    expect(() => nonNegativeLeastSquares([[1], [NaN]], [1, 2])).toThrow("row 1");
    expect(() => nonNegativeLeastSquares([[1]], [1, 2])).toThrow("1 rows, but 2 values");
  });
});
