import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { gini, herfindahl, lerner, lorenz, passThrough } from "./structure.ts";

const amounts = fc.array(fc.nat(1_000_000), { minLength: 1, maxLength: 300 });

describe("Gini coefficient", () => {
  test.each<[string, number[], number | null]>([
    ["all alike", [5, 5, 5, 5], 0],
    ["one has everything of ten", [0, 0, 0, 0, 0, 0, 0, 0, 0, 7], 0.9],
    // Sum of |xi - xj| over all pairs is 40: 40 / (2 * 16 * 2.5).
    ["1, 2, 3, 4 (half the mean difference over the mean)", [4, 1, 3, 2], 0.25],
    ["a single node", [3], 0],
    ["nothing at all", [0, 0], null],
    ["nobody", [], null],
  ])("%s", (_, given, expected) => {
    expect(gini(given)).toEqual(expected === null ? null : expect.closeTo(expected, 12));
  });

  test("of the integers from 1 to n is (n - 1) / (3 n), and of an exponential sample 1/2", () => {
    expect(gini(Array.from({ length: 300 }, (_, i) => i + 1))).toBeCloseTo(299 / 900, 12);
    expect(gini(Array.from({ length: 20_000 }, (_, i) => -Math.log((i + 0.5) / 20_000)))).toBeCloseTo(0.5, 3);
  });

  test("is one minus twice the area under the Lorenz curve, and half the mean difference over the mean", () => {
    fc.assert(fc.property(fc.array(fc.nat(1_000_000), { minLength: 1, maxLength: 100 }), (given) => {
      const found = gini(given);
      if (found === null) return;
      const points = lorenz(given);
      let area = 0;
      for (let i = 1; i < points.length; i++) area += (points[i]!.population - points[i - 1]!.population) * (points[i]!.share + points[i - 1]!.share) / 2;
      expect(found).toBeCloseTo(1 - 2 * area, 9);
      let differences = 0;
      for (const a of given) for (const b of given) differences += Math.abs(a - b);
      expect(found).toBeCloseTo(differences / (2 * given.length * given.reduce((sum, x) => sum + x, 0)), 9);
    }), { seed: 1 });
  });

  test("refuses what is no share of a whole", () => {
    expect(() => gini([1, -1])).toThrow(RangeError);
  });
});

describe("Lorenz curve", () => {
  test("of four incomes (1, 2, 3, 4): 10 %, 30 %, 60 %", () => {
    expect(lorenz([3, 1, 4, 2])).toEqual([
      { population: 0, share: 0 }, { population: 0.25, share: 0.1 }, { population: 0.5, share: 0.3 }, { population: 0.75, share: 0.6 }, { population: 1, share: 1 },
    ]);
  });

  test("rises, stays below the diagonal, is convex and has at most 101 points, each on the curve", () => {
    fc.assert(fc.property(amounts, (given) => {
      const points = lorenz(given);
      if (points.length === 0) return expect(given.every((x) => x === 0)).toBe(true);
      expect(points.length).toBeLessThanOrEqual(101);
      expect([points[0], points.at(-1)]).toEqual([{ population: 0, share: 0 }, { population: 1, share: 1 }]);
      const sorted = [...given].sort((a, b) => a - b);
      const total = sorted.reduce((sum, x) => sum + x, 0);
      let slope = 0;
      points.slice(1).forEach((point, i) => {
        const before = points[i]!;
        const next = (point.share - before.share) / (point.population - before.population);
        expect(next).toBeGreaterThanOrEqual(slope - 1e-9);
        slope = next;
        expect(point.share).toBeLessThanOrEqual(point.population + 1e-12);
        const count = Math.round(point.population * sorted.length);
        expect(point.share).toBeCloseTo(sorted.slice(0, count).reduce((sum, x) => sum + x, 0) / total, 9);
      });
    }), { seed: 1 });
  });
});

describe("Herfindahl-Hirschman index", () => {
  test.each<[string, number[], number | null]>([
    ["ten equal firms", Array<number>(10).fill(7), 0.1],
    ["a monopolist", [0, 5, 0], 1],
    // The textbook's market of 30, 30, 20 and 20 %: 2,600.
    ["30, 30, 20, 20 %", [30, 30, 20, 20], 0.26],
    ["nobody sold anything", [0, 0], null],
  ])("%s", (_, given, expected) => {
    expect(herfindahl(given)).toEqual(expected === null ? null : expect.closeTo(expected, 12));
  });

  test("is (1 + CV^2) / n, and no smaller after a merger", () => {
    fc.assert(fc.property(amounts, (given) => {
      const found = herfindahl(given);
      if (found === null || given.length < 2) return;
      const mean = given.reduce((sum, x) => sum + x, 0) / given.length;
      const variance = given.reduce((sum, x) => sum + (x - mean) * (x - mean), 0) / given.length;
      expect(found).toBeCloseTo((1 + variance / (mean * mean)) / given.length, 9);
      expect(herfindahl([given[0]! + given[1]!, ...given.slice(2)])!).toBeGreaterThanOrEqual(found - 1e-12);
    }), { seed: 1 });
  });
});

test("Lerner index: the inverse of the elasticity at a monopolist's price", () => {
  // Constant elasticity 3, cost 100: the monopolist asks 100 / (1 - 1/3) = 150.
  expect(lerner(150, 100)).toBeCloseTo(1 / 3, 12);
  expect(lerner(0, 0)).toBeNull();
  expect(lerner(50, 100)).toBe(-1);
});

describe("pass-through", () => {
  test("between two runs is the ratio of the differences", () => {
    expect(passThrough([{ cost: 10, price: 60, quantity: 5 }, { cost: 20, price: 65, quantity: 4 }])).toBeCloseTo(0.5, 12);
  });

  test("of a monopolist facing linear demand (a + c) / 2 is 1/2; of cost-plus 20 % 1.2; of constant elasticity 2 it is 2", () => {
    const costs = [1, 3, 4, 8, 9];
    const of = (price: (cost: number) => number): number | null => passThrough(costs.map((cost, i) => ({ cost, price: price(cost), quantity: i + 1 })));
    expect(of((cost) => (100 + cost) / 2)).toBeCloseTo(0.5, 12);
    expect(of((cost) => 1.2 * cost)).toBeCloseTo(1.2, 12);
    expect(of((cost) => cost / (1 - 1 / 2))).toBeCloseTo(2, 12);
  });

  test("says nothing where costs do not change, or nothing was sold", () => {
    expect(passThrough([{ cost: 10, price: 60, quantity: 5 }, { cost: 10, price: 65, quantity: 4 }])).toBeNull();
    expect(passThrough([])).toBeNull();
    expect(passThrough([{ cost: 0, price: 1, quantity: 1 }])).toBeNull();
  });
});
