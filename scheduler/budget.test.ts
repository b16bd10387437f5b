import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Budget } from "./budget.ts";

describe("a budget", () => {
  test("sets the maximum price aside and takes back what was not spent", () => {
    const budget = new Budget({ amountMsat: 100, perUs: 1_000, spent: "stop" });
    expect(budget.setAside(0, 70)).toBe(70);
    expect(budget.setAside(1, 70)).toBe(-1);
    budget.giveBack(2, 0, 40);
    expect(budget.leftMsat(3)).toBe(70);
    expect(budget.setAside(4, 70)).toBe(70);
  });

  test("stops a job that what is left does not cover, or lowers the price to it", () => {
    expect(new Budget({ amountMsat: 100, perUs: 10, spent: "stop" }).setAside(0, 101)).toBe(-1);
    const budget = new Budget({ amountMsat: 100, perUs: 10, spent: "lower" });
    expect([budget.setAside(0, 60), budget.setAside(0, 60), budget.setAside(0, 60)]).toEqual([60, 40, -1]);
  });

  test("begins anew each period: nothing is carried over, neither what was left nor what comes back late", () => {
    const budget = new Budget({ amountMsat: 100, perUs: 10, spent: "stop" });
    budget.setAside(5, 30);
    expect(budget.leftMsat(10)).toBe(100);
    budget.giveBack(11, 0, 30);
    expect(budget.leftMsat(12)).toBe(100);
    expect(budget.periodAt(29)).toBe(2);
  });

  test("never lets the jobs of a period cost more than its amount, whatever they cost in the end", () => {
    const job = fc.record({ gapUs: fc.nat(400), maxMsat: fc.nat(80), share: fc.double({ min: 0, max: 1, noNaN: true }), lasts: fc.nat(3) });
    fc.assert(fc.property(fc.array(job, { maxLength: 60 }), fc.constantFrom("stop" as const, "lower" as const), (jobs, spent) => {
      const budget = new Budget({ amountMsat: 200, perUs: 1_000, spent });
      const spentIn = new Map<number, number>();
      const open: { period: number; aside: number; cost: number }[] = [];
      let nowUs = 0;
      for (const { gapUs, maxMsat, share, lasts } of jobs) {
        nowUs += gapUs;
        const aside = budget.setAside(nowUs, maxMsat);
        expect(aside).toBeLessThanOrEqual(maxMsat);
        if (aside >= 0) open.push({ period: budget.periodAt(nowUs), aside, cost: Math.floor(aside * share) });
        while (open.length > lasts) {
          const { period, aside: set, cost } = open.shift()!;
          spentIn.set(period, (spentIn.get(period) ?? 0) + cost);
          budget.giveBack(nowUs, period, set - cost);
        }
        expect(budget.leftMsat(nowUs)).toBeGreaterThanOrEqual(0);
      }
      for (const { period, cost } of open) spentIn.set(period, (spentIn.get(period) ?? 0) + cost);
      for (const cost of spentIn.values()) expect(cost).toBeLessThanOrEqual(200);
    }), { seed: 1, numRuns: 500 });
  });

  test("refuses fractions and empty periods", () => {
    expect(() => new Budget({ amountMsat: 0.5, perUs: 1, spent: "stop" })).toThrow(RangeError);
    expect(() => new Budget({ amountMsat: 1, perUs: 0, spent: "stop" })).toThrow(RangeError);
  });
});
