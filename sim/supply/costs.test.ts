import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { msat, NO_RATES, rateOf } from "./amount.ts";
import { COST_KINDS, type CostModel, costsOf, sumOfCosts, type Use, US_PER_YEAR } from "./costs.ts";

const US_PER_HOUR = 3_600_000_000;
const DOLLAR = rateOf(1_000_000); // 1 USD is 1,000 sat
const rates = { USD: DOLLAR, EUR: 0 };

const model: CostModel = {
  machine: { kind: "owned", price: { currency: "USD", units: 1600e6 }, residual: { currency: "USD", units: 320e6 }, lifeUs: 4 * US_PER_YEAR, maintenancePpmPerYear: 20_000, failurePpmPerYear: 10_000 },
  capitalPpmPerYear: 60_000,
  stakeMsat: 10_000_000_000,
  power: { idleMilliwatts: 20_000, loadMilliwatts: 450_000 },
  bandwidthPerGb: { currency: "USD", units: 50_000 },
  bytesPerToken: 200,
};
const idle: Use = { ownedUs: 0, idleUs: 0, loadUs: 0, tokens: 0, routerFeesMsat: 0, lightningFeesMsat: 0, energyPerKwh: { currency: "USD", units: 120_000 }, rates };

describe("what a node costs", () => {
  test("in a year, by hand", () => {
    const year = costsOf(model, [{ ...idle, ownedUs: US_PER_YEAR, idleUs: US_PER_YEAR / 2, loadUs: US_PER_YEAR / 2, tokens: 1e9, routerFeesMsat: 7, lightningFeesMsat: 5 }]);
    expect(year).toEqual({
      electricityMsat: 8766 / 2 * 470 * 120, // hours, W idle plus W under load, msat/Wh
      depreciationMsat: (1600 - 320) / 4 * 1e6,
      rentMsat: 0,
      capitalMsat: (1600 + 320) / 2 * 60_000,
      stakeMsat: 0.06 * 1e10,
      maintenanceMsat: (1600 * 0.02 + (1600 + 320) / 2 * 0.01) * 1e6,
      bandwidthMsat: 200 * 0.05 * 1e6, // 1e9 tokens of 200 bytes are 200 GB
      routerFeesMsat: 7,
      lightningFeesMsat: 5,
      costsMsat: 247_201_200 + 320e6 + 57.6e6 + 600e6 + 41.6e6 + 10e6 + 12,
    });
  });

  test("that is rented: by the hour, whether it is up or not", () => {
    const rented: CostModel = { ...model, machine: { kind: "rented", perHour: msat(300_000) }, stakeMsat: 0, power: null, bandwidthPerGb: null };
    expect(costsOf(rented, [{ ...idle, ownedUs: 90 * 60e6, rates: NO_RATES }])).toMatchObject({ rentMsat: 450_000, costsMsat: 450_000 });
  });

  test("follows the exchange rate piece by piece", () => {
    const half = { ...idle, ownedUs: US_PER_YEAR / 2 };
    const account = costsOf({ ...model, stakeMsat: 0 }, [half, { ...half, rates: { USD: rateOf(3_000_000), EUR: 0 } }]);
    expect(account.depreciationMsat).toBe(320e6 * 2);
    expect(() => costsOf(model, [{ ...half, rates: NO_RATES }])).toThrow(/USD has no msat value/);
  });

  test("does not depend on how the time is cut into pieces, and is rounded up once", () => {
    const whole = fc.integer({ min: 0, max: 10 * US_PER_HOUR });
    fc.assert(fc.property(fc.array(fc.record({ ownedUs: whole, idleUs: whole, loadUs: whole, tokens: fc.integer({ min: 0, max: 1e7 }) }), { minLength: 1, maxLength: 8 }), (pieces) => {
      const uses = pieces.map((piece) => ({ ...idle, ...piece }));
      const total = (key: keyof (typeof pieces)[number]): number => pieces.reduce((sum, piece) => sum + piece[key], 0);
      const apart = costsOf(model, uses);
      expect(apart).toEqual(costsOf(model, [{ ...idle, ownedUs: total("ownedUs"), idleUs: total("idleUs"), loadUs: total("loadUs"), tokens: total("tokens") }]));
      expect(apart.costsMsat).toBe(COST_KINDS.reduce((sum, kind) => sum + apart[kind], 0));
      // Each kind, rounded on its own, is less than 1 msat above what it is.
      const exact = total("ownedUs") / US_PER_YEAR * 320e6;
      expect(apart.depreciationMsat - exact).toBeGreaterThan(-1e-6);
      expect(apart.depreciationMsat - exact).toBeLessThan(1 + 1e-6);
    }), { seed: 1, numRuns: 200 });
  });

  test("is never less with more time, load or tokens", () => {
    const step = fc.integer({ min: 0, max: 1e9 });
    fc.assert(fc.property(step, step, step, (a, b, c) => {
      const less = costsOf(model, [{ ...idle, ownedUs: a, loadUs: b, tokens: c }]);
      const more = costsOf(model, [{ ...idle, ownedUs: a + 1000, loadUs: b + 1, tokens: c + 1 }]);
      for (const kind of COST_KINDS) expect(more[kind]).toBeGreaterThanOrEqual(less[kind]);
    }), { seed: 1 });
  });

  test("adds up over nodes", () => {
    const one = costsOf(model, [{ ...idle, ownedUs: 12_345 }]);
    const sum = sumOfCosts([one, one, one]);
    for (const kind of [...COST_KINDS, "costsMsat"] as const) expect(sum[kind]).toBe(3 * one[kind]);
  });

  test.each<[string, Partial<CostModel>]>([
    ["a life of 0", { machine: { ...model.machine as object, lifeUs: 0 } as CostModel["machine"] }],
    ["a residual value above the price", { machine: { ...model.machine as object, residual: { currency: "USD", units: 1601e6 } } as CostModel["machine"] }],
    ["a residual value in another currency", { machine: { ...model.machine as object, residual: msat(1) } as CostModel["machine"] }],
    ["half a millisatoshi of stake", { stakeMsat: 0.5 }],
    ["negative traffic", { bytesPerToken: -1 }],
  ])("cannot be told with %s", (_, fault) => {
    expect(() => costsOf({ ...model, ...fault }, [])).toThrow(RangeError);
  });
});
