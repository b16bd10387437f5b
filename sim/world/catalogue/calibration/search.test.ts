import { expect, test } from "vitest";
import { minimise } from "./search.ts";

test("finds the least sum of absolute errors, and stays in range", () => {
  const [x, y] = minimise(([a, b]) => Math.abs((a as number) - 0.3) + 2 * Math.abs((b as number) - 7), [{ min: 0, max: 1, start: 0.9 }, { min: 0, max: 5, start: 1 }], 20) as [number, number];
  expect(x).toBeCloseTo(0.3, 4);
  expect(y).toBe(5);
});
