import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PriceSheet } from "../../protocol/messages.ts";
import { amountMsat, maxAmountMsat } from "../../protocol/units.ts";
import { request } from "../testing/market.ts";
import { networkPrice } from "./network-price.ts";
import { askLevel, bidLevel, LEVEL_MAX, pricesAt, unitOf } from "./price-level.ts";
import { coversJob, paysAtLeast, postedPrice, type PriceRule } from "./posted.ts";
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
    let byJob = 0;
    fc.assert(fc.property(rule, sheet, tokens, tokens, fc.double({ min: 0, max: 1, noNaN: true }), (priceOf, ask, input, most, share) => {
      const paid = priceOf(ask);
      if (paid === null) return;
      served++;
      if (!coversJob(paid, ask, input, most)) return;
      if (!paysAtLeast(paid, ask)) byJob++;
      const output = Math.round(share * most);
      expect(amountMsat(paid, input, output)).toBeGreaterThanOrEqual(amountMsat(ask, input, output));
    }), { seed: 1, numRuns: 2_000 });
    expect(served).toBeGreaterThan(1_000);
    expect(byJob).toBeGreaterThan(100);
  });

  /** In millionths of an msat, exact. */
  const profit = (paid: PriceSheet, cost: PriceSheet, input: number, output: number): bigint =>
    BigInt(input) * BigInt(paid.inputMsatPerMtok - cost.inputMsatPerMtok) + BigInt(output) * BigInt(paid.outputMsatPerMtok - cost.outputMsatPerMtok) + 1_000_000n * BigInt(paid.fixedMsat - cost.fixedMsat);

  test("network price: the node that asks its cost serves exactly the jobs that cover it at every length, and no other ask gets it a better price", () => {
    fc.assert(fc.property(sheet, sheet, sheet, tokens, tokens, (going, cost, lie, input, most) => {
      const serves = (ask: PriceSheet): boolean => {
        const paid = networkPrice(going)(ask);
        // Whatever it asks, the price is the same or none.
        expect([null, going]).toContain(paid);
        return paid !== null && coversJob(paid, ask, input, most);
      };
      const profits = [0, most].map((output) => profit(going, cost, input, output));
      if (serves(cost)) for (const each of profits) expect(each).toBeGreaterThanOrEqual(0n);
      // An ask other than its cost only adds jobs that do not pay at some length, or loses such as do.
      else if (serves(lie)) expect(profits.some((each) => each < 0n) || (input === 0 || most === 0)).toBe(true);
      if (input > 0 && most > 0) expect(serves(cost)).toBe(profits.every((each) => each >= 0n) && networkPrice(going)(cost) !== null);
    }), { seed: 2, numRuns: 1_000 });
  });

  test("a job is covered exactly where it is at both ends, also where doubles are too coarse to tell", () => {
    const any = fc.record({ inputMsatPerMtok: fc.maxSafeNat(), outputMsatPerMtok: fc.maxSafeNat(), fixedMsat: fc.nat(1_000_000) });
    const near = fc.tuple(any, fc.integer({ min: -3, max: 3 }), fc.integer({ min: -3, max: 3 }), fc.integer({ min: -2, max: 2 })).map(([ask, i, o, f]): [PriceSheet, PriceSheet] => [{
      inputMsatPerMtok: Math.max(0, ask.inputMsatPerMtok - 10 + i), outputMsatPerMtok: Math.max(0, ask.outputMsatPerMtok - 10 + o), fixedMsat: Math.max(0, ask.fixedMsat + f),
    }, ask]);
    const lengths = fc.oneof(fc.integer({ min: 0, max: 1_000_000 }), fc.constantFrom(2 ** 31 - 1, 1_000_000));
    const outcomes = new Set<boolean>();
    fc.assert(fc.property(fc.oneof(near, fc.tuple(any, any)), lengths, lengths, ([prices, ask], input, most) => {
      const expected = [0, most].every((output) => profit(prices, ask, input, output) >= 0n);
      outcomes.add(expected);
      expect(coversJob(prices, ask, input, most)).toBe(expected);
    }), { seed: 3, numRuns: 2_000 });
    expect(outcomes.size).toBe(2);
  });

  test("posted and surge prices are not truthful: asking twice one's cost earns more per job", () => {
    const cost = { inputMsatPerMtok: 10, outputMsatPerMtok: 20, fixedMsat: 5 };
    const twice = { inputMsatPerMtok: 20, outputMsatPerMtok: 40, fixedMsat: 10 };
    for (const priceOf of [postedPrice, surgePrice(1_500_000)]) expect(profit(priceOf(twice)!, cost, 10, 10)).toBeGreaterThan(profit(priceOf(cost)!, cost, 10, 10));
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
  test("an ask's level is the lowest that covers the job", () => {
    const levels = { none: 0, partly: 0 };
    fc.assert(fc.property(sheet, sheet, tokens, tokens, (unit, ask, input, most) => {
      const covers = (level: number): boolean => coversJob(pricesAt(unit, level), ask, input, most);
      const level = askLevel(unit, ask, input, most);
      if (level === Infinity) levels.none++;
      expect(covers(level === Infinity ? LEVEL_MAX : level)).toBe(level !== Infinity);
      if (level === Infinity) return;
      if (!paysAtLeast(pricesAt(unit, level), ask)) levels.partly++;
      if (level > 0) expect(covers(level - 1)).toBe(false);
    }), { seed: 4, numRuns: 3_000 });
    expect(Math.min(levels.none, levels.partly)).toBeGreaterThan(100);
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
