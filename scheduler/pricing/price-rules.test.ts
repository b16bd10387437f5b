import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PriceSheet } from "../../protocol/messages.ts";
import { amountMsat, maxAmountMsat } from "../../protocol/units.ts";
import { request } from "../testing/market.ts";
import { networkPrice } from "./network-price.ts";
import { askLevel, bidLevel, LEVEL_MAX, pricesAt, unitOf } from "./price-level.ts";
import { paysAtLeast, postedPrice, type PriceRule } from "./posted.ts";
import { ONE_PPM, surgeFactorPpm, surgePrice } from "./surge.ts";

const price = fc.oneof(fc.integer({ min: 0, max: 10 }), fc.integer({ min: 0, max: 1_000_000 }));
const sheet: fc.Arbitrary<PriceSheet> = fc.record({ inputMsatPerMtok: price, outputMsatPerMtok: price, fixedMsat: price });
const tokens = fc.integer({ min: 0, max: 100_000 });
const terms = fc.record({ above: fc.constantFrom(0, 0.5, 0.7), slope: fc.constantFrom(0, 0.5, 2, 10), max: fc.constantFrom(1, 1.5, 3, 20) });
const busy = fc.double({ min: 0, max: 3, noNaN: true });

describe("rules that give a node its price", () => {
  const rule: fc.Arbitrary<PriceRule> = fc.oneof(
    fc.constant(postedPrice), sheet.map(networkPrice), fc.tuple(terms, busy).map(([how, utilisation]) => surgePrice(surgeFactorPpm(how, utilisation))),
  );

  test("are individually rational: whoever serves is paid at least the ask, at any number of tokens", () => {
    let served = 0;
    fc.assert(fc.property(rule, sheet, tokens, tokens, (priceOf, ask, input, output) => {
      const paid = priceOf(ask);
      if (paid === null) return;
      served++;
      expect(paysAtLeast(paid, ask)).toBe(true);
      expect(amountMsat(paid, input, output)).toBeGreaterThanOrEqual(amountMsat(ask, input, output));
    }), { seed: 1, numRuns: 2_000 });
    expect(served).toBeGreaterThan(1_000);
  });

  const profit = (priceOf: PriceRule, cost: PriceSheet, ask: PriceSheet): number => {
    const paid = priceOf(ask);
    return paid === null ? 0 : amountMsat(paid, 1_000_000, 1_000_000) - amountMsat(cost, 1_000_000, 1_000_000);
  };

  test("network price: the node that asks its cost serves exactly where every part covers it, and no other ask gets it a better price", () => {
    fc.assert(fc.property(sheet, sheet, sheet, (going, cost, lie) => {
      const paid = networkPrice(going)(cost);
      expect(paid === null).toBe(!paysAtLeast(going, cost));
      // Whatever it asks, the price is the same or none; an ask below cost only adds jobs whose price does not cover the cost in some part.
      expect([null, going]).toContain(networkPrice(going)(lie));
      if (paid !== null) expect(profit(networkPrice(going), cost, lie)).toBeLessThanOrEqual(profit(networkPrice(going), cost, cost));
    }), { seed: 2, numRuns: 1_000 });
  });

  test("posted and surge prices are not truthful: asking twice one's cost earns more per job", () => {
    const cost = { inputMsatPerMtok: 10, outputMsatPerMtok: 20, fixedMsat: 5 };
    const twice = { inputMsatPerMtok: 20, outputMsatPerMtok: 40, fixedMsat: 10 };
    for (const priceOf of [postedPrice, surgePrice(1_500_000)]) expect(profit(priceOf, cost, twice)).toBeGreaterThan(profit(priceOf, cost, cost));
  });
});

describe("surge", () => {
  test("a factor of 1 up to the bound, then linear, then at its most; it never falls as utilisation grows", () => {
    const how = { above: 0.7, slope: 2, max: 3 };
    expect([0, 0.7, 0.8, 1, 1.2, 1.7, 5].map((utilisation) => surgeFactorPpm(how, utilisation))).toEqual([1e6, 1e6, 1.2e6, 1.6e6, 2e6, 3e6, 3e6]);
    fc.assert(fc.property(terms, busy, busy, (terms_, a, b) => {
      const [less, more] = [Math.min(a, b), Math.max(a, b)];
      expect(surgeFactorPpm(terms_, less)).toBeLessThanOrEqual(surgeFactorPpm(terms_, more));
      expect(surgeFactorPpm(terms_, more)).toBeGreaterThanOrEqual(ONE_PPM);
      expect(surgeFactorPpm(terms_, more)).toBeLessThanOrEqual(terms_.max * ONE_PPM);
    }), { seed: 3 });
  });

  test("prices are rounded down, once", () => {
    expect(surgePrice(1_333_333)({ inputMsatPerMtok: 1, outputMsatPerMtok: 3, fixedMsat: 1_000 })).toEqual({ inputMsatPerMtok: 1, outputMsatPerMtok: 3, fixedMsat: 1_333 });
  });
});

describe("levels: one figure for a price sheet", () => {
  test("an ask's level is the lowest that pays it", () => {
    fc.assert(fc.property(sheet, sheet, (unit, ask) => {
      const level = askLevel(unit, ask);
      if (level === Infinity) expect(paysAtLeast(pricesAt(unit, LEVEL_MAX), ask)).toBe(false);
      if (level > LEVEL_MAX) return;
      expect(paysAtLeast(pricesAt(unit, level), ask)).toBe(true);
      if (level > 0) expect(paysAtLeast(pricesAt(unit, level - 1), ask)).toBe(false);
    }), { seed: 4, numRuns: 1_000 });
  });

  test("a bid's level is the highest at which the job costs no more than its client pays", () => {
    const fee = fc.record({ shareBps: fc.constantFrom(0, 100, 2_500, 10_000), flatMsat: fc.constantFrom(0, 7) });
    let inside = 0;
    fc.assert(fc.property(sheet, fee, tokens, tokens, fc.integer({ min: 0, max: 1_000_000 }), (unit, terms_, inputTokens, output, maxPriceMsat) => {
      const job = request("j", { inputTokens, maxOutputTokens: Math.max(1, output), maxPriceMsat });
      const most = (level: number): number => maxAmountMsat(pricesAt(unit, level), terms_, inputTokens, job.maxOutputTokens);
      const level = bidLevel(unit, terms_, job);
      if (level >= 0) expect(most(level)).toBeLessThanOrEqual(maxPriceMsat);
      else expect(most(0)).toBeGreaterThan(maxPriceMsat);
      if (level < LEVEL_MAX) expect(most(level + 1)).toBeGreaterThan(maxPriceMsat);
      if (level > 0 && level < LEVEL_MAX) inside++;
    }), { seed: 5, numRuns: 2_000 });
    expect(inside).toBeGreaterThan(500);
  });

  test("the unit of some asks has every part that any of them has", () => {
    expect(unitOf([{ inputMsatPerMtok: 0, outputMsatPerMtok: 10, fixedMsat: 0 }, { inputMsatPerMtok: 1, outputMsatPerMtok: 21, fixedMsat: 0 }])).toEqual({ inputMsatPerMtok: 1, outputMsatPerMtok: 16, fixedMsat: 0 });
    expect(unitOf([])).toEqual({ inputMsatPerMtok: 0, outputMsatPerMtok: 0, fixedMsat: 0 });
  });
});
