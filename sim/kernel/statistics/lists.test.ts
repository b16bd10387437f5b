import fc from "fast-check";
import { expect, test } from "vitest";
import { meanOf, medianOf, quantileOf, sumOf } from "./lists.ts";

const values = fc.array(fc.integer({ min: -1_000, max: 1_000 }), { minLength: 1, maxLength: 50 });
const ascending = (list: readonly number[]): number[] => list.toSorted((a, b) => a - b);

test("by hand", () => {
  expect([sumOf([1, 2, 4]), meanOf([1, 2, 6]), medianOf([1, 2, 9]), medianOf([1, 2, 3, 9]), quantileOf([10, 20, 30], 0.95), quantileOf([0, 10], 0.25)]).toEqual([7, 3, 2, 2.5, 29, 2.5]);
  expect([sumOf([]), meanOf([]), medianOf([]), quantileOf([], 0.2)]).toEqual([0, NaN, NaN, NaN]);
});

test("quantiles rise from the least value to the greatest, and the median of mirrored values is mirrored", () => {
  fc.assert(fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }), (list, a, b) => {
    const sorted = ascending(list);
    expect([quantileOf(sorted, 0), quantileOf(sorted, 1)]).toEqual([sorted[0], sorted.at(-1)]);
    expect(quantileOf(sorted, Math.min(a, b))).toBeLessThanOrEqual(quantileOf(sorted, Math.max(a, b)) + 1e-9);
    expect(medianOf(ascending(list.map((value) => -value)))).toBeCloseTo(-medianOf(sorted), 9);
  }), { seed: 1 });
});

test("shifting all values shifts their mean", () => {
  fc.assert(fc.property(values, fc.integer({ min: -100, max: 100 }), (list, by) => {
    expect(meanOf(list.map((value) => value + by))).toBeCloseTo(meanOf(list) + by, 9);
  }), { seed: 1 });
});
