import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OrderBook } from "./order-book.ts";

interface Resting { readonly owner: number; units: number; readonly limit: number; readonly time: number; readonly side: "buy" | "sell" }

/** The same rules by plain search over a list. */
class PlainBook {
  readonly orders: Resting[] = [];
  readonly trades: (readonly [number, number, number, number])[] = [];
  #clock = 0;

  submit(side: "buy" | "sell", owner: number, units: number, limit: number): Resting | null {
    let left = units;
    for (;;) {
      const others = this.orders.filter((order) => order.side !== side && order.units > 0 && (side === "buy" ? order.limit <= limit : order.limit >= limit));
      others.sort((a, b) => (side === "buy" ? a.limit - b.limit : b.limit - a.limit) || a.time - b.time);
      const [first] = others;
      if (left === 0 || first === undefined) break;
      const traded = Math.min(left, first.units);
      first.units -= traded;
      left -= traded;
      this.trades.push([first.owner, owner, traded, first.limit]);
    }
    if (left === 0 || !Number.isFinite(limit)) return null;
    const order = { owner, units: left, limit, time: this.#clock++, side };
    this.orders.push(order);
    return order;
  }
}

const side = fc.constantFrom("buy" as const, "sell" as const);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ does: fc.constant("limit" as const), side, units: fc.integer({ min: 1, max: 4 }), limit: fc.integer({ min: 0, max: 12 }) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("market" as const), side, units: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant("cancel" as const), which: fc.nat(30) }) },
);

describe("a continuous double auction", () => {
  test("trades exactly as the rules say, however orders come and go", () => {
    let trades = 0;
    fc.assert(fc.property(fc.array(step, { minLength: 20, maxLength: 60 }), (steps) => {
      const seen: (readonly [number, number, number, number])[] = [];
      const book = new OrderBook((resting, incoming, units, price) => seen.push([resting, incoming, units, price]));
      const plain = new PlainBook();
      const placed: { id: number; order: Resting | null }[] = [];
      steps.forEach((order, owner) => {
        if (order.does === "cancel") {
          const chosen = placed[order.which];
          if (chosen === undefined) return;
          const rests = chosen.order !== null && chosen.order.units > 0;
          expect(book.cancel(chosen.id)).toBe(rests);
          if (rests) chosen.order!.units = 0;
        } else {
          const limit = order.does === "limit" ? order.limit : order.side === "buy" ? Infinity : -Infinity;
          placed.push({ id: book.submit(order.side, owner, order.units, limit), order: plain.submit(order.side, owner, order.units, limit) });
          expect(placed.at(-1)!.id >= 0).toBe(placed.at(-1)!.order !== null);
        }
        expect(seen).toEqual(plain.trades);
        const rest = (which: "buy" | "sell"): Resting[] => plain.orders.filter((one) => one.side === which && one.units > 0);
        expect(book.bestBid).toBe(Math.max(-Infinity, ...rest("buy").map(({ limit }) => limit)));
        expect(book.bestAsk).toBe(Math.min(Infinity, ...rest("sell").map(({ limit }) => limit)));
        expect(book.bestBid).toBeLessThan(book.bestAsk);
        for (const which of ["buy", "sell"] as const) expect(book.depth(which)).toBe(rest(which).reduce((sum, { units }) => sum + units, 0));
      });
      trades += seen.length;
    }), { seed: 1, numRuns: 300 });
    expect(trades).toBeGreaterThan(1_000);
  });

  test("nobody trades beyond the own limit, and money paid is money received", () => {
    fc.assert(fc.property(fc.array(fc.tuple(side, fc.integer({ min: 0, max: 100 })), { maxLength: 50 }), (orders) => {
      const book = new OrderBook((resting, incoming, _units, price) => {
        const [buyer, seller] = orders[resting]![0] === "buy" ? [resting, incoming] : [incoming, resting];
        expect(price).toBeLessThanOrEqual(orders[buyer]![1]);
        expect(price).toBeGreaterThanOrEqual(orders[seller]![1]);
        expect(price).toBe(orders[resting]![1]);
      });
      orders.forEach(([which, limit], owner) => book.submit(which, owner, 1, limit));
    }), { seed: 2 });
  });

  test("it is not truthful: asking more than one's cost pays where a better bid rests", () => {
    const earned = (ask: number): number => {
      let profit = 0;
      const book = new OrderBook((_resting, _incoming, _units, price) => { profit = price - 2; });
      book.submit("sell", 0, 1, ask);
      book.submit("buy", 1, 1, 10);
      return profit;
    };
    expect([earned(2), earned(9), earned(11)]).toEqual([0, 7, 0]);
  });

  test("an old order's handle is not a newer one's, also where they share a place", () => {
    const book = new OrderBook(() => {});
    const first = book.submit("buy", 0, 1, 5);
    book.submit("sell", 1, 1, 5);
    const second = book.submit("buy", 2, 1, 4);
    expect([book.cancel(first), book.bestBid, book.cancel(second), book.cancel(second), book.cancel(-1)]).toEqual([false, 4, true, false, false]);
  });
});
