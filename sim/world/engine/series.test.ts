import fc from "fast-check";
import { expect, test } from "vitest";
import { firstBoundaryAfter, seriesSum, weightedSum } from "./series.ts";

const a = fc.oneof(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 2 ** 40 }));
const b = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 10 }), fc.integer({ min: 0, max: 2 ** 24 }));

test("the sum of the series is the sum of its terms", () => {
  fc.assert(
    fc.property(a, b, fc.integer({ min: 0, max: 200 }), (first, growth, k) => {
      let sum = 0;
      for (let at = 0; at < k; at++) sum += first + growth * at;
      expect(seriesSum(first, growth, k)).toBe(sum);
    }),
    { seed: 1 },
  );
});

test("the first boundary after x is after x, and the one before it is not; x on a boundary included", () => {
  fc.assert(
    fc.property(a, b, fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: -1, max: 1 }), (first, growth, k, aside) => {
      const x = Math.max(0, seriesSum(first, growth, k) + aside);
      const found = firstBoundaryAfter(first, growth, x);
      expect(seriesSum(first, growth, found)).toBeGreaterThan(x);
      expect(found === 1 || seriesSum(first, growth, found - 1) <= x).toBe(true);
    }),
    { seed: 1, numRuns: 1_000 },
  );
});

test("the weighted sum is the sum of the products", () => {
  const small = fc.integer({ min: 0, max: 1_000 });
  fc.assert(
    fc.property(small, small, small, small, fc.integer({ min: 0, max: 100 }), (first, growth, amount, more, k) => {
      let sum = 0;
      for (let at = 0; at < k; at++) sum += (first + growth * at) * (amount + more * at);
      expect(weightedSum(first, growth, amount, more, k)).toBe(sum);
    }),
    { seed: 1 },
  );
});
