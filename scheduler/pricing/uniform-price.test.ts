import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { atOnePrice, crossing } from "./double-auction.ts";

const figure = fc.integer({ min: 0, max: 20 });
const batch = fc.record({ costs: fc.array(figure, { minLength: 1, maxLength: 8 }), k: fc.integer({ min: 0, max: 6 }), reserve: fc.oneof(figure, fc.constant(1_000)), who: fc.nat(7), lie: figure });
const sorted = (asks: readonly number[]): Float64Array => Float64Array.from(asks).sort();
/** The batch as the market clears it, for k jobs that are all worth the reserve. */
function uniformPrice(asks: Float64Array, count: number, k: number, reserve: number): { units: number; price: number } {
  const { trades, sellersGet } = atOnePrice(crossing(new Float64Array(k).fill(reserve), k, asks, count), 1);
  return { units: trades, price: sellersGet };
}
/** Of sellers with equal asks those listed first sell. */
const sells = (asks: readonly number[], units: number, who: number): boolean =>
  asks.filter((ask, i) => ask < asks[who]! || (ask === asks[who]! && i < who)).length < units;

/** What sellers of several units each earn; `asks[i]` is what seller `owner[i]` asks for one unit that costs it `costs[i]`. */
function profitOf(seller: number, owner: readonly number[], costs: readonly number[], asks: readonly number[], k: number, reserve: number): number {
  const { units, price } = uniformPrice(sorted(asks), asks.length, k, reserve);
  return asks.reduce((sum, _, i) => (owner[i] === seller && sells(asks, units, i) ? sum + price - costs[i]! : sum), 0);
}

describe("uniform price for k units", () => {
  test("pays the (k+1)-th lowest ask or the reserve, never less than what is asked", () => {
    fc.assert(fc.property(batch, ({ costs: asks, k, reserve }) => {
      const { units, price } = uniformPrice(sorted(asks), asks.length, k, reserve);
      const order = [...asks].sort((a, b) => a - b);
      expect(units).toBe(Math.min(k, order.filter((ask) => ask <= reserve).length));
      if (units === 0) return;
      expect(price).toBe(Math.min(reserve, order[units] ?? Infinity));
      for (const ask of order.slice(0, units)) expect(price).toBeGreaterThanOrEqual(ask);
      expect(price).toBeLessThanOrEqual(reserve);
    }), { seed: 1, numRuns: 1_000 });
  });

  test("truthful for sellers of one unit: no ask earns more than the cost itself", () => {
    let earned = 0;
    fc.assert(fc.property(batch, ({ costs, k, reserve, who, lie }) => {
      const i = who % costs.length;
      const owner = costs.map((_, seller) => seller);
      const honest = profitOf(i, owner, costs, costs, k, reserve);
      expect(profitOf(i, owner, costs, costs.map((cost, j) => (j === i ? lie : cost)), k, reserve)).toBeLessThanOrEqual(honest);
      expect(honest).toBeGreaterThanOrEqual(0);
      if (honest > 0) earned++;
    }), { seed: 2, numRuns: 2_000 });
    expect(earned).toBeGreaterThan(300);
  });

  test("not so for a seller of two units: withholding one lifts the price of the other", () => {
    const owner = [0, 0, 1];
    expect(profitOf(0, owner, [1, 2, 9], [1, 2, 9], 2, 1_000)).toBe(15);
    expect(profitOf(0, owner, [1, 2, 9], [1, 900, 9], 2, 1_000)).toBe(899);
  });
});
