import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hoursPerMonth, meanOutcome, monthlyAccount, paybackMonths } from "./accounts.ts";
import type { Costs, NodeOutcome } from "./accounts.ts";
import { anOutcome, someCosts } from "./testing/questions.ts";

/** The cost model rounds each part up to a millisatoshi: a ten-thousandth of a cent at these rates. */
const cent = 0.0001;

describe("a month's account", () => {
  test("is what a pencil makes of it", () => {
    const hoursOn = 730.5 * 0.9;
    const account = monthlyAccount(anOutcome, { ...someCosts, hostWatts: 10, upkeepPerYear: 0.03, stakeMsat: 1e9, otherUsdPerMonth: 1.5 });
    expect(account.revenueUsd).toBeCloseTo(0.036 * hoursOn, 8);
    expect(Math.abs(account.electricityUsd - hoursOn * (0.25 * 30 + 0.75 * 110) / 1_000 * 0.2)).toBeLessThan(cent);
    expect(Math.abs(account.depreciationUsd - 480 * 0.8 / 48)).toBeLessThan(cent);
    expect(Math.abs(account.capitalUsd - (480 * 0.6 * 0.05 / 12 + 1_000 * 0.05 / 12))).toBeLessThan(cent);
    expect(Math.abs(account.upkeepUsd - 480 * 0.03 / 12)).toBeLessThan(cent);
    expect(account.rentUsd).toBe(0);
    expect(account.otherUsd).toBe(1.5);
    expect(account.runningProfitUsd).toBeCloseTo(account.revenueUsd - account.electricityUsd - account.upkeepUsd - 1.5, 10);
    expect(account.profitUsd).toBeCloseTo(account.runningProfitUsd - account.depreciationUsd - account.capitalUsd, 10);
  });

  test("of a machine that is rented has the rent, on or off, and nothing of a purchase", () => {
    const account = monthlyAccount(anOutcome, { ...someCosts, rentUsdPerHour: 0.1 });
    expect(Math.abs(account.rentUsd - 0.1 * hoursPerMonth)).toBeLessThan(cent);
    expect(account).toMatchObject({ depreciationUsd: 0, capitalUsd: 0, upkeepUsd: 0 });
  });

  const changes: readonly { readonly name: string; readonly change: (costs: Costs, more: number) => Costs; readonly fixed?: Partial<Costs> }[] = [
    { name: "electricity", change: (costs, more) => ({ ...costs, electricityUsdPerKwh: costs.electricityUsdPerKwh * more }) },
    { name: "the purchase price", change: (costs, more) => ({ ...costs, purchaseUsd: costs.purchaseUsd * more }) },
    { name: "watts under load", change: (costs, more) => ({ ...costs, loadWatts: costs.loadWatts * more }) },
    { name: "the cost of capital", change: (costs, more) => ({ ...costs, capitalPerYear: costs.capitalPerYear * more }) },
    { name: "a shorter life", change: (costs, more) => ({ ...costs, lifeYears: costs.lifeYears / more }) },
    // Of a stake, in bitcoin, less would be lost.
    { name: "a cheaper bitcoin", change: (costs, more) => ({ ...costs, usdPerBtc: costs.usdPerBtc / more }), fixed: { stakeMsat: 0 } },
  ];
  const anyCosts = fc.record({
    electricityUsdPerKwh: fc.double({ min: 0.01, max: 1, noNaN: true }), idleWatts: fc.integer({ min: 1, max: 50 }), loadWatts: fc.integer({ min: 60, max: 1_000 }), hostWatts: fc.integer({ min: 0, max: 100 }),
    purchaseUsd: fc.integer({ min: 300, max: 50_000 }), lifeYears: fc.double({ min: 0.5, max: 10, noNaN: true }), residualShare: fc.double({ min: 0, max: 0.9, noNaN: true }), rentUsdPerHour: fc.constant(0),
    capitalPerYear: fc.double({ min: 0.02, max: 0.2, noNaN: true }), upkeepPerYear: fc.double({ min: 0, max: 0.1, noNaN: true }), stakeMsat: fc.integer({ min: 0, max: 1e12 }), otherUsdPerMonth: fc.integer({ min: 0, max: 20 }),
    uptime: fc.double({ min: 0.2, max: 1, noNaN: true }), usdPerBtc: fc.integer({ min: 10_000, max: 1_000_000 }),
  });
  const anyOutcome: fc.Arbitrary<NodeOutcome> = fc.record({
    seed: fc.constant(1), measuredHours: fc.double({ min: 0.1, max: 100, noNaN: true }), revenueMsat: fc.integer({ min: 1_000, max: 1e9 }), jobs: fc.integer({ min: 1, max: 1e6 }),
    inputTokens: fc.integer({ min: 1, max: 1e9 }), outputTokens: fc.integer({ min: 1, max: 1e9 }), utilisation: fc.double({ min: 0.001, max: 1, noNaN: true }), busyShare: fc.double({ min: 0.05, max: 1, noNaN: true }),
  });

  test.each(changes)("falls with $name", ({ change, fixed }) => {
    fc.assert(fc.property(anyOutcome, anyCosts, fc.double({ min: 1.05, max: 3, noNaN: true }), (outcome, drawn, more) => {
      const costs = { ...drawn, ...fixed };
      expect(monthlyAccount(outcome, change(costs, more)).profitUsd).toBeLessThan(monthlyAccount(outcome, costs).profitUsd);
    }), { seed: 1, numRuns: 200 });
  });

  test("adds up, and profit rises with what is taken in", () => {
    fc.assert(fc.property(anyOutcome, anyCosts, (outcome, costs) => {
      const { revenueUsd, electricityUsd, depreciationUsd, rentUsd, capitalUsd, upkeepUsd, otherUsd, profitUsd } = monthlyAccount(outcome, costs);
      expect(Math.abs(revenueUsd - electricityUsd - depreciationUsd - rentUsd - capitalUsd - upkeepUsd - otherUsd - profitUsd)).toBeLessThan(1e-9 * Math.max(1, revenueUsd, electricityUsd));
      expect(monthlyAccount({ ...outcome, revenueMsat: 2 * outcome.revenueMsat }, costs).profitUsd - profitUsd).toBeCloseTo(revenueUsd, 6);
    }), { seed: 1, numRuns: 200 });
  });
});

describe("payback", () => {
  test("is the price over what comes in each month", () => {
    const account = monthlyAccount(anOutcome, someCosts);
    expect(paybackMonths(account, someCosts)).toBeCloseTo(480 / account.runningProfitUsd, 10);
  });

  test("never comes where running the machine costs more than it brings, and is there at once where it cost nothing", () => {
    const dark: Costs = { ...someCosts, electricityUsdPerKwh: 5 };
    expect(paybackMonths(monthlyAccount(anOutcome, dark), dark)).toBe(Infinity);
    const gift: Costs = { ...dark, purchaseUsd: 0 };
    expect(paybackMonths(monthlyAccount(anOutcome, gift), gift)).toBe(0);
  });
});

test("the mean of outcomes is the outcome of an average hour", () => {
  expect(meanOutcome([anOutcome, { ...anOutcome, revenueMsat: 0, jobs: 0, utilisation: 0, busyShare: 0.25 }])).toMatchObject({ revenueMsat: 18_000, jobs: 50, utilisation: 0.25, busyShare: 0.5, measuredHours: 1 });
  expect(() => meanOutcome([])).toThrow(RangeError);
});
