import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { atOnePrice, type Clearing, crossing, tradeReduction } from "./double-auction.ts";

const figure = fc.integer({ min: 0, max: 20 });
const market = fc.record({ values: fc.array(figure, { maxLength: 6 }), costs: fc.array(figure, { maxLength: 6 }), buyer: fc.boolean(), who: fc.nat(5), lie: fc.integer({ min: 0, max: 22 }) });
const bidsOf = (values: readonly number[]): Float64Array => Float64Array.from(values).sort().reverse();
const asksOf = (costs: readonly number[]): Float64Array => Float64Array.from(costs).sort();

type Mechanism = (values: readonly number[], costs: readonly number[]) => Clearing;
const oneAt = (share: number): Mechanism => (values, costs) => atOnePrice(crossing(bidsOf(values), values.length, asksOf(costs), costs.length), share);
const mcafee: Mechanism = (values, costs) => tradeReduction(bidsOf(values), values.length, asksOf(costs), costs.length);

/** Of equal figures those listed first trade. */
const ahead = (figures: readonly number[], who: number, better: (a: number, b: number) => boolean): number =>
  figures.filter((other, i) => better(other, figures[who]!) || (other === figures[who]! && i < who)).length;

function profit(mechanism: Mechanism, values: readonly number[], costs: readonly number[], buyer: boolean, who: number, says: number): number {
  const toldValues = buyer ? values.map((value, i) => (i === who ? says : value)) : values;
  const toldCosts = buyer ? costs : costs.map((cost, i) => (i === who ? says : cost));
  const { trades, buyersPay, sellersGet } = mechanism(toldValues, toldCosts);
  if (buyer) return ahead(toldValues, who, (a, b) => a > b) < trades ? values[who]! - buyersPay : 0;
  return ahead(toldCosts, who, (a, b) => a < b) < trades ? sellersGet - costs[who]! : 0;
}

/** How often a deviation paid, and how often a trader earned by the truth. */
function deviations(mechanism: Mechanism, side: "buyers" | "sellers"): { paid: number; earned: number } {
  let paid = 0;
  let earned = 0;
  fc.assert(fc.property(market, ({ values, costs, who, lie }) => {
    const figures = side === "buyers" ? values : costs;
    if (figures.length === 0) return;
    const i = who % figures.length;
    const honest = profit(mechanism, values, costs, side === "buyers", i, figures[i]!);
    expect(honest).toBeGreaterThanOrEqual(0);
    if (profit(mechanism, values, costs, side === "buyers", i, lie) > honest + 1e-9) paid++;
    if (honest > 0) earned++;
  }), { seed: 3, numRuns: 4_000 });
  return { paid, earned };
}

describe("the crossing of bids and asks", () => {
  test("takes every pair that gains and no other, and its interval is that of order statistics", () => {
    fc.assert(fc.property(market, ({ values, costs }) => {
      const bids = bidsOf(values);
      const asks = asksOf(costs);
      const { trades, low, high } = crossing(bids, bids.length, asks, asks.length);
      // The best matching by brute force: any number of the highest bids with as many of the lowest asks.
      let best = 0;
      let gain = 0;
      for (let q = 1, sum = 0; q <= Math.min(bids.length, asks.length); q++) {
        sum += bids[q - 1]! - asks[q - 1]!;
        if (sum >= gain) { gain = sum; best = q; }
      }
      expect(trades).toBe(best);
      // With N buyers, between the N-th and the (N+1)-th lowest of all figures (0 and infinity outside).
      const all = [...values, ...costs].sort((a, b) => a - b);
      expect([low, high]).toEqual([values.length === 0 ? 0 : all[values.length - 1], all[values.length] ?? Infinity]);
    }), { seed: 1, numRuns: 2_000 });
  });

  test("one price for all: nobody trades at a loss, what buyers pay sellers get, whatever the share", () => {
    fc.assert(fc.property(market, fc.constantFrom(0, 0.5, 1), ({ values, costs }, share) => {
      const { trades, buyersPay, sellersGet } = oneAt(share)(values, costs);
      expect(sellersGet).toBe(buyersPay);
      for (let i = 0; i < trades; i++) {
        expect(bidsOf(values)[i]!).toBeGreaterThanOrEqual(buyersPay);
        expect(asksOf(costs)[i]!).toBeLessThanOrEqual(sellersGet);
      }
    }), { seed: 2, numRuns: 1_000 });
  });

  test("truthful on one side at the ends of the interval, on neither in the middle", () => {
    expect(deviations(oneAt(1), "sellers")).toMatchObject({ paid: 0 });
    expect(deviations(oneAt(0), "buyers")).toMatchObject({ paid: 0 });
    expect(deviations(oneAt(1), "sellers").earned).toBeGreaterThan(400);
    for (const [share, side] of [[0, "sellers"], [1, "buyers"], [0.5, "sellers"], [0.5, "buyers"]] as const) expect(deviations(oneAt(share), side).paid, `${share} ${side}`).toBeGreaterThan(20);
  });
});

describe("McAfee's trade reduction", () => {
  test("truthful on both sides", () => {
    for (const side of ["buyers", "sellers"] as const) {
      const { paid, earned } = deviations(mcafee, side);
      expect(paid, side).toBe(0);
      expect(earned, side).toBeGreaterThan(300);
    }
  });

  test("loses at most one trade, nobody trades at a loss, and the budget is never short but may leave a rest", () => {
    let rests = 0;
    let reductions = 0;
    fc.assert(fc.property(market, ({ values, costs }) => {
      const { trades: efficient } = crossing(bidsOf(values), values.length, asksOf(costs), costs.length);
      const { trades, buyersPay, sellersGet } = mcafee(values, costs);
      expect([efficient, efficient - 1]).toContain(efficient === 0 ? 0 : trades);
      expect(buyersPay).toBeGreaterThanOrEqual(sellersGet);
      for (let i = 0; i < trades; i++) {
        expect(bidsOf(values)[i]!).toBeGreaterThanOrEqual(buyersPay);
        expect(asksOf(costs)[i]!).toBeLessThanOrEqual(sellersGet);
      }
      if (trades < efficient) reductions++;
      if (trades > 0 && buyersPay > sellersGet) rests++;
    }), { seed: 4, numRuns: 2_000 });
    expect(reductions).toBeGreaterThan(100);
    expect(rests).toBeGreaterThan(50);
  });
});
