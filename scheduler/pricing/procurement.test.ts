import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { noOutcome, procure, type ProcurementOutcome } from "./procurement.ts";

const figure = fc.integer({ min: 0, max: 20 });
const auction = fc.record({ costs: fc.array(figure, { minLength: 1, maxLength: 6 }), reserve: fc.oneof(figure, fc.constant(Infinity)), who: fc.nat(5), lie: figure });
const held = (payment: "first-price" | "second-price", bids: readonly number[], reserve: number): ProcurementOutcome =>
  procure(payment, Float64Array.from(bids), bids.length, reserve, noOutcome());
const profit = (payment: "first-price" | "second-price", costs: readonly number[], bids: readonly number[], reserve: number, who: number): number => {
  const { winner, pay } = held(payment, bids, reserve);
  return winner === who ? pay - costs[who]! : 0;
};
const withBid = (bids: readonly number[], who: number, bid: number): number[] => bids.map((own, i) => (i === who ? bid : own));

describe.each(["first-price", "second-price"] as const)("a %s procurement auction", (payment) => {
  test("is won by the lowest bid within the reserve, the first of equal ones; nobody is paid less than bid or more than the reserve", () => {
    fc.assert(fc.property(auction, ({ costs: bids, reserve }) => {
      const { winner, pay } = held(payment, bids, reserve);
      const valid = bids.filter((bid) => bid <= reserve);
      if (valid.length === 0) {
        expect([winner, pay]).toEqual([-1, 0]);
        return;
      }
      expect(winner).toBe(bids.indexOf(Math.min(...valid)));
      expect(pay).toBeGreaterThanOrEqual(bids[winner]!);
      expect(pay).toBeLessThanOrEqual(reserve);
    }), { seed: 1, numRuns: 500 });
  });

  test("a bid below the own cost never pays", () => {
    fc.assert(fc.property(auction, ({ costs, reserve, who, lie }) => {
      const i = who % costs.length;
      if (lie > costs[i]!) return;
      expect(profit(payment, costs, withBid(costs, i, lie), reserve, i)).toBeLessThanOrEqual(Math.max(0, profit(payment, costs, costs, reserve, i)));
    }), { seed: 2, numRuns: 500 });
  });

  test("raising a bid never turns a loss into a win", () => {
    fc.assert(fc.property(auction, ({ costs, reserve, who, lie }) => {
      const i = who % costs.length;
      if (lie < costs[i]! || held(payment, costs, reserve).winner === i) return;
      expect(held(payment, withBid(costs, i, lie), reserve).winner).not.toBe(i);
    }), { seed: 3, numRuns: 500 });
  });
});

describe("what they promise of truth", () => {
  test("second-price: whatever the others bid, no bid earns more than the cost itself", () => {
    let won = 0;
    fc.assert(fc.property(auction, ({ costs, reserve, who, lie }) => {
      const i = who % costs.length;
      const honest = profit("second-price", costs, costs, reserve, i);
      expect(profit("second-price", costs, withBid(costs, i, lie), reserve, i)).toBeLessThanOrEqual(honest);
      if (honest > 0) won++;
    }), { seed: 4, numRuns: 2_000 });
    expect(won).toBeGreaterThan(300);
  });

  test("first-price is not: a higher bid than the cost earns more wherever the lead allows it", () => {
    let gained = 0;
    fc.assert(fc.property(auction, ({ costs, reserve, who, lie }) => {
      const i = who % costs.length;
      expect(profit("first-price", costs, costs, reserve, i)).toBe(0);
      if (profit("first-price", costs, withBid(costs, i, lie), reserve, i) > 0) gained++;
    }), { seed: 5, numRuns: 2_000 });
    expect(gained).toBeGreaterThan(100);
  });

  /** Mean profit over rivals' costs on a grid, with the rivals bidding in equilibrium. */
  test("first-price: with five uniform costs, c + (1 - c)/5 cannot be improved upon", () => {
    const n = 5;
    const equilibrium = (c: number): number => c + (1 - c) / n;
    const meanProfit = (cost: number, bid: number): number => {
      // The least of four rivals' costs is above x with probability (1 - x)^4; their bids are in the order of costs.
      const x = Math.min(1, Math.max(0, (n * bid - 1) / (n - 1)));
      return (bid - cost) * (1 - x) * (1 - x) * (1 - x) * (1 - x);
    };
    for (const cost of [0, 0.2, 0.5, 0.9]) {
      const best = meanProfit(cost, equilibrium(cost));
      for (let bid = 0; bid <= 1.2; bid += 0.01) expect(meanProfit(cost, bid)).toBeLessThanOrEqual(best + 1e-12);
    }
  });
});
