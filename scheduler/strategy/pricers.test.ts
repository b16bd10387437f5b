import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JobRequest, MarketState, PriceSheet } from "../../protocol/messages.ts";
import { amountMsat, costMsat } from "../../protocol/money.ts";
import { newStrategy } from "./pricers.ts";
import type { StrategyOptions } from "./strategy.ts";
import { flat, observation, randomOf } from "./testing/observation.ts";

const SELF = "a".repeat(64);
const RIVAL = "b".repeat(64);
const start = (options: StrategyOptions, prices: PriceSheet = flat(100), seed = 1) => newStrategy(options, { self: SELF, prices, slots: 10, random: () => randomOf(seed) });
const market = (...asks: readonly (readonly [string, PriceSheet])[]): MarketState => ({
  type: "market-state", model: "m", asks: asks.map(([node, prices]) => ({ node, prices })), nodes: asks.length, busyPpm: 0, waiting: 0, intervalUs: 1,
});
const sheet = fc.record({ inputMsatPerMtok: fc.integer({ min: 0, max: 1_000_000 }), outputMsatPerMtok: fc.integer({ min: 0, max: 1_000_000 }), fixedMsat: fc.integer({ min: 0, max: 10_000 }) });
const seen = fc.record({
  elapsedUs: fc.integer({ min: 1, max: 1e9 }), utilisation: fc.double({ min: 0, max: 1, noNaN: true }), jobs: fc.integer({ min: 0, max: 1_000 }), revenueMsat: fc.integer({ min: 0, max: 1e9 }),
  costMsat: fc.integer({ min: 0, max: 1e9 }), peak: fc.integer({ min: 0, max: 12 }),
});
const grid = [0.5, 1, 1.5];
/** All that promise never to ask less than their marginal cost. */
const neverBelowCost: StrategyOptions[] = [
  { kind: "cost-plus", markup: 0.2 }, { kind: "utilisation", target: 0.7, step: 0.3 }, { kind: "undercut", by: 0.05 }, { kind: "truthful" },
  { kind: "epsilon-greedy", grid, epsilon: 0.2 }, { kind: "exp3", grid, gamma: 0.2 }, { kind: "cournot", slopeMsat: 3, speed: 0.3 },
];

describe("strategies", () => {
  test.each(neverBelowCost)("$kind: no part is ever below the marginal cost's, in whole msat", (options) => {
    fc.assert(fc.property(sheet, sheet, sheet, fc.array(seen, { minLength: 1, maxLength: 20 }), (opening, cost, rival, periods) => {
      const strategy = start(options, opening);
      let prices = opening;
      for (const period of periods) {
        prices = strategy.prices(observation({ ...period, prices, cost, market: market([RIVAL, rival]) }));
        for (const part of ["inputMsatPerMtok", "outputMsatPerMtok", "fixedMsat"] as const) {
          expect(prices[part]).toBeGreaterThanOrEqual(cost[part]);
          expect(Number.isSafeInteger(prices[part])).toBe(true);
        }
      }
    }), { seed: 3, numRuns: 60 });
  });

  test.each([...neverBelowCost, { kind: "fixed" }, { kind: "newsvendor", slotCostMsat: 20, step: 2 }] as StrategyOptions[])("$kind: the same past, the same prices and quantities", (options) => {
    fc.assert(fc.property(fc.array(seen, { minLength: 1, maxLength: 20 }), (periods) => {
      const [one, other] = [start(options), start(options)];
      for (const period of periods) {
        expect(other.prices(observation(period))).toEqual(one.prices(observation(period)));
        const offered = one.offer?.(observation(period));
        expect(other.offer?.(observation(period))).toEqual(offered);
        if (offered !== undefined) expect(offered >= 1 && offered <= 10 && Number.isInteger(offered)).toBe(true);
      }
    }), { seed: 4, numRuns: 60 });
  });

  test("cost-plus is cost times one plus the mark-up, rounded against the operator", () => {
    const strategy = start({ kind: "cost-plus", markup: 0.25 });
    expect(strategy.prices(observation({ cost: { inputMsatPerMtok: 1_001, outputMsatPerMtok: 4_000, fixedMsat: 7 } }))).toEqual({ inputMsatPerMtok: 1_251, outputMsatPerMtok: 5_000, fixedMsat: 8 });
  });

  test("following utilisation: up by the step when full, down by it when idle, still at the target, back to where it was between", () => {
    const strategy = start({ kind: "utilisation", target: 0.6, step: 0.1 }, flat(1_000));
    const next = (utilisation: number): number => strategy.prices(observation({ utilisation })).fixedMsat;
    expect(next(0.6)).toBe(1_000);
    expect(next(1)).toBe(1_100);
    expect(next(0.8)).toBe(1_155);
    expect(next(0)).toBe(1_039);
    for (let i = 0; i < 200; i++) next(0);
    expect(next(0)).toBe(10);
  });

  test("undercutting looks at the cheapest rival, not at itself, never above the opening price", () => {
    const strategy = start({ kind: "undercut", by: 0.1 });
    const ask = (...asks: readonly (readonly [string, PriceSheet])[]): number => strategy.prices(observation({ cost: flat(40), market: market(...asks) })).fixedMsat;
    expect(strategy.prices(observation())).toEqual(flat(100));
    expect(ask([SELF, flat(50)], [RIVAL, flat(80)])).toBe(72);
    expect(ask([RIVAL, flat(45)])).toBe(40);
    expect(ask([RIVAL, flat(500)])).toBe(100);
    expect(ask([SELF, flat(50)])).toBe(100);
  });

  test.each<StrategyOptions>([{ kind: "epsilon-greedy", grid, epsilon: 0.3 }, { kind: "exp3", grid, gamma: 0.3 }])("$kind asks prices of its grid alone, all of them now and then", (options) => {
    const strategy = start(options, flat(100), 9);
    const asked = new Set<number>();
    for (let i = 0; i < 300; i++) asked.add(strategy.prices(observation({ revenueMsat: i % 7 })).fixedMsat);
    expect([...asked].sort((a, b) => a - b)).toEqual([50, 100, 150]);
  });

  test("Bertrand: undercutting from above ends at the second-lowest cost", () => {
    fc.assert(fc.property(fc.uniqueArray(fc.integer({ min: 50, max: 900 }), { minLength: 2, maxLength: 6 }), (costs) => {
      const ids = costs.map((_, i) => String(i).repeat(64).slice(0, 64));
      const firms = costs.map((_, i) => newStrategy({ kind: "undercut", by: 0.01 }, { self: ids[i]!, prices: flat(1_000), slots: 1, random: () => randomOf(1) }));
      const asks = costs.map(() => 1_000);
      for (let round = 0; round < 600; round++) {
        const i = round % costs.length;
        const known = market(...ids.map((id, j) => [id, flat(asks[j]!)] as const).sort((a, b) => a[1].fixedMsat - b[1].fixedMsat));
        asks[i] = firms[i]!.prices(observation({ cost: flat(costs[i]!), market: known })).fixedMsat;
      }
      const [lowest, second] = costs.toSorted((a, b) => a - b) as [number, number];
      // The cheapest stays one step below the second-lowest cost, or at its own cost where that is dearer than the step.
      const price = Math.max(lowest, Math.floor(second * 0.99));
      expect(Math.min(...asks)).toBe(price);
      expect(asks[costs.indexOf(lowest)]).toBe(price);
    }), { seed: 5, numRuns: 60 });
  });
});

describe("bids", () => {
  const call = { type: "call-for-bids" as const, job: { inputTokens: 1_000, maxOutputTokens: 500 } as JobRequest, closesInUs: 1 };

  test("truthful: its cost", () => {
    fc.assert(fc.property(sheet, (cost) => { expect(start({ kind: "truthful" }).bid!(call, cost)).toEqual(cost); }), { seed: 6 });
  });

  test("equilibrium: the margin of the whole job on top of its cost, never below it, and within 1 msat of the closed form", () => {
    fc.assert(fc.property(sheet, fc.integer({ min: 1, max: 20 }), (cost, bidders) => {
      const bid = start({ kind: "equilibrium-bid", bidders, minMsat: 0, maxMsat: 20_000 }).bid!(call, cost)!;
      const jobMsat = costMsat(cost, 1_000, 500);
      expect(bid.fixedMsat).toBeGreaterThanOrEqual(cost.fixedMsat);
      expect(Math.abs(amountMsat(bid, 1_000, 500) - (jobMsat + Math.max(0, 20_000 - jobMsat) / bidders))).toBeLessThan(2);
      const twice = start({ kind: "equilibrium-bid", bidders, minMsat: 0, maxMsat: 10_000, worth: () => 2 }).bid!(call, cost)!;
      expect(Math.abs(twice.fixedMsat - bid.fixedMsat)).toBeLessThanOrEqual(1);
    }), { seed: 7 });
  });
});
