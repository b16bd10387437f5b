import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { equilibriumBid } from "./equilibrium-bid.ts";

describe("the equilibrium bid of the first-price auction", () => {
  test("is c + (max - c)/n for uniform costs, by the closed form and by the integral", () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 40 }), fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 0, max: 500 }), (bidders, at, minMsat) => {
      const maxMsat = minMsat + 1_000;
      const cost = minMsat + at * 1_000;
      const closed = equilibriumBid(cost, { bidders, minMsat, maxMsat });
      expect(closed).toBeCloseTo(cost + (maxMsat - cost) / bidders, 9);
      if (at < 0.98) expect(equilibriumBid(cost, { bidders, minMsat, maxMsat, cdf: (x) => (x - minMsat) / 1_000 })).toBeCloseTo(closed, 3);
    }), { seed: 1, numRuns: 200 });
  });

  test("is the closed form of a convex distribution: F = (t/m)^2 on [0, m], two bidders", () => {
    // b(c) = c + (m - c - (m^3 - c^3)/(3 m^2)) / (1 - c^2/m^2)
    for (const c of [0, 100, 400, 900]) {
      const exact = c + (1_000 - c - (1e9 - c * c * c) / 3e6) / (1 - (c * c) / 1e6);
      expect(equilibriumBid(c, { bidders: 2, minMsat: 0, maxMsat: 1_000, cdf: (t) => (t * t) / 1e6 })).toBeCloseTo(exact, 6);
    }
  });

  test("is never below cost nor, for costs in range, above the highest; more rivals never raise it; dearer bidders bid more", () => {
    const cdf = (t: number): number => Math.min(1, Math.max(0, 1 - Math.exp(-t / 300)));
    fc.assert(fc.property(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 0, max: 1_200 }), fc.boolean(), (bidders, cost, general) => {
      const options = { bidders, minMsat: 0, maxMsat: 1_000, ...(general ? { cdf } : {}) };
      const bid = equilibriumBid(cost, options);
      expect(bid).toBeGreaterThanOrEqual(cost);
      expect(bid).toBeLessThanOrEqual(Math.max(cost, 1_000));
      expect(equilibriumBid(cost, { ...options, bidders: bidders + 1 })).toBeLessThanOrEqual(bid + 1e-9);
      expect(equilibriumBid(cost + 1, options)).toBeGreaterThanOrEqual(bid - 1e-6);
    }), { seed: 2, numRuns: 300 });
  });

  test("is a best reply to itself: no other bid earns more against n - 1 rivals who bid by it", () => {
    const options = { bidders: 5, minMsat: 0, maxMsat: 1_000 };
    // A bid b beats a rival whose cost c has c + (max - c)/n > b, that is c > (b - max/n) / (1 - 1/n).
    const chance = (bid: number): number => {
      const weakest = Math.min(1, Math.max(0, (bid - 200) / 0.8 / 1_000));
      const win = 1 - weakest;
      return win * win * win * win;
    };
    for (let cost = 0; cost <= 1_000; cost += 50) {
      const earned = (bid: number): number => (bid - cost) * chance(bid);
      const best = earned(equilibriumBid(cost, options));
      for (let bid = cost; bid <= 1_000; bid += 5) expect(earned(bid)).toBeLessThanOrEqual(best + 1e-9);
    }
  });
});
