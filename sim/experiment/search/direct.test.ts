import direct from "ml-direct";
import { describe, expect, test } from "vitest";
import { Direct } from "./direct.ts";

/** Rosenbrock's valley on [-2, 2] x [-1, 3]; 0 at (1, 1). */
function rosenbrock(point: ArrayLike<number>): number {
  const x = -2 + 4 * point[0]!;
  const y = -1 + 4 * point[1]!;
  return 100 * (y - x * x) * (y - x * x) + (1 - x) * (1 - x);
}

function minimise(dimensions: number, value: (point: ArrayLike<number>) => number, most: number): { readonly best: number; readonly at: number[]; readonly asked: number[][] } {
  const optimiser = new Direct(dimensions);
  const asked: number[][] = [];
  let best = Infinity;
  let at: number[] = [];
  while (asked.length < most) {
    const points = optimiser.ask();
    const values = points.map(value);
    for (const [i, point] of points.entries()) {
      asked.push([...point]);
      if (values[i]! < best) [best, at] = [values[i]!, [...point]];
    }
    optimiser.tell(values);
  }
  return { best, at, asked };
}

test("asked step by step, it asks where the library does", () => {
  const { asked } = minimise(2, rosenbrock, 300);
  const calls: number[][] = [];
  direct((point) => {
    calls.push([...point]);
    return rosenbrock(point);
  }, [0, 0], [1, 1], { iterations: 30 });
  expect(asked.length).toBeGreaterThan(300);
  expect(calls.slice(0, 300)).toEqual(asked.slice(0, 300));
});

describe("finds known minima", () => {
  test("a quadratic in 1, 2 and 3 dimensions, to a hundredth of the box within 30 points per dimension squared", () => {
    for (const dimensions of [1, 2, 3]) {
      const { at } = minimise(dimensions, (point) => Array.from(point).reduce((sum, x, i) => sum + (x - 0.3 - 0.1 * i) * (x - 0.3 - 0.1 * i), 0), 30 * dimensions * dimensions);
      for (const [i, x] of at.entries()) expect(Math.abs(x - 0.3 - 0.1 * i)).toBeLessThan(0.01);
    }
  });

  test("Rosenbrock's valley in 500 points", () => {
    const { at } = minimise(2, rosenbrock, 500);
    expect(Math.abs(-2 + 4 * at[0]! - 1)).toBeLessThan(0.01);
    expect(Math.abs(-1 + 4 * at[1]! - 1)).toBeLessThan(0.01);
  });
});
