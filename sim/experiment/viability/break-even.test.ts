import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hoursPerMonth, monthlyAccount } from "./accounts.ts";
import { atUtilisation, bracketOf, breakEvenUtilisation, heldVolume, nextFactor, type PriceTrial } from "./break-even.ts";
import { anOutcome, someCosts } from "./testing/questions.ts";

describe("the price at which the same jobs just pay", () => {
  test("is cost over tokens", () => {
    const { revenueUsd, profitUsd } = monthlyAccount(anOutcome, someCosts);
    const held = heldVolume(anOutcome, someCosts)!;
    expect(held.factor).toBeCloseTo((revenueUsd - profitUsd) / revenueUsd, 12);
    expect(held.usdPerMtok).toBeCloseTo((revenueUsd - profitUsd) / (0.12 * hoursPerMonth * 0.9), 10);
    expect(Math.abs(held.profitUsd)).toBeLessThan(1e-9);
  });

  test("is not to be had where nothing was sold", () => {
    expect(heldVolume({ ...anOutcome, inputTokens: 0, outputTokens: 0 }, someCosts)).toBeNull();
    expect(heldVolume({ ...anOutcome, revenueMsat: 0 }, someCosts)).toBeNull();
  });
});

describe("the utilisation that just pays", () => {
  test("meets its closed form: fixed costs over the margin of a busy slot", () => {
    const margin = monthlyAccount(anOutcome, someCosts).profitUsd - monthlyAccount(atUtilisation(anOutcome, 0), someCosts).profitUsd;
    const fixed = -monthlyAccount(atUtilisation(anOutcome, 0), someCosts).profitUsd;
    const { share, profitUsd } = breakEvenUtilisation(anOutcome, someCosts)!;
    // Rounding of costs to a millisatoshi leaves a part in a million.
    expect(share! / (fixed / margin * anOutcome.utilisation)).toBeCloseTo(1, 5);
    expect(Math.abs(profitUsd!)).toBeLessThan(1e-5);
  });

  test("is null where not even full slots pay, 0 where idling pays, and not defined where nothing was served", () => {
    expect(breakEvenUtilisation(anOutcome, { ...someCosts, purchaseUsd: 50_000 })).toEqual({ share: null, profitUsd: null });
    expect(breakEvenUtilisation(anOutcome, { ...someCosts, purchaseUsd: 0, electricityUsdPerKwh: 0 })).toEqual({ share: 0, profitUsd: 0 });
    expect(breakEvenUtilisation({ ...anOutcome, utilisation: 0 }, someCosts)).toBeNull();
  });

  test("pays above, loses below", () => {
    fc.assert(fc.property(fc.double({ min: 0.01, max: 1, noNaN: true }), fc.double({ min: 0.01, max: 1, noNaN: true }), fc.integer({ min: 100, max: 5_000 }), (utilisation, busy, purchaseUsd) => {
      const outcome = { ...anOutcome, utilisation, busyShare: Math.max(utilisation, busy) };
      const costs = { ...someCosts, purchaseUsd };
      const found = breakEvenUtilisation(outcome, costs)!;
      if (found.share === null) return;
      const profit = (share: number): number => monthlyAccount(atUtilisation(outcome, share), costs).profitUsd;
      expect(profit(found.share * 1.01)).toBeGreaterThan(0);
      expect(profit(found.share * 0.99)).toBeLessThan(0);
    }), { seed: 1, numRuns: 300 });
  });
});

describe("the search for the price that pays", () => {
  const solve = (profit: (factor: number) => number, start: readonly number[], trials = 12): PriceTrial | null => {
    const points = start.map((factor) => ({ factor, profitUsd: profit(factor) }));
    for (let i = 0; i < trials; i++) {
      points.sort((a, b) => a.factor - b.factor);
      const bracket = bracketOf(points);
      if (bracket === null) return null;
      const factor = nextFactor(bracket.low, bracket.high, 100);
      if (factor === null) break;
      points.push({ factor, profitUsd: profit(factor) });
    }
    return bracketOf(points.sort((a, b) => a.factor - b.factor))?.high ?? null;
  };

  test("finds the analytic zero of a straight line, and of curves, to a hundredth of the price or a ten-thousandth of the cost", () => {
    fc.assert(fc.property(fc.double({ min: 0.05, max: 3.9, noNaN: true }), fc.double({ min: 0.3, max: 3, noNaN: true }), (zero, bend) => {
      const found = solve((factor) => 100 * (Math.exp(bend * Math.log(factor)) - Math.exp(bend * Math.log(zero))), [0.35, 0.7, 1, 1.4, 2, 4], 20)!;
      expect(found.profitUsd).toBeGreaterThanOrEqual(0);
      expect(found.factor / zero).toBeGreaterThanOrEqual(1);
      expect(found.factor / zero < 1.012 || found.profitUsd < 0.01, `${found.factor} for ${zero}`).toBe(true);
    }), { seed: 1, numRuns: 300 });
  });

  test("finds the lower of two zeros of a hump, and none where the hump stays under water", () => {
    const hump = (height: number) => (factor: number): number => height - (factor - 2) * (factor - 2);
    expect(solve(hump(0.25), [0.5, 1, 2, 4])!.factor).toBeCloseTo(1.5, 1);
    expect(solve(hump(-0.1), [0.5, 1, 2, 4])).toBeNull();
  });
});
