import { describe, expect, test } from "vitest";
import type { JobRow } from "../../protocol/result.ts";
import type { Priced } from "../../scheduler/environment.ts";
import { type Estimate, estimate, playMarket, type PlayedMarket } from "./testing/markets.ts";

/**
 * Batches through the whole market path: 4 times 50 markets side by side, one for each of as many models, in each M nodes
 * with one slot whose private costs are uniform on [0, 1] (here 0 to 1,000,000 msat) and who ask them, and N jobs, matched
 * once.
 * Closed forms: means of order statistics of uniform figures; H. A. David, H. N. Nagaraja, Order Statistics, 3rd ed., 2003.
 */
const UNIT = 1_000_000;
const SIDE_BY_SIDE = 50;
const SEEDS = 4;
const MARKETS = SIDE_BY_SIDE * SEEDS;
const UNIFORM = { uniform: { min: 0, max: `${UNIT} msat` } };

function batch(pricing: unknown, sellers: number, buyers: number, maxPrice: unknown): PlayedMarket[] {
  return Array.from({ length: SEEDS }, (_, seed) => oneBatch(pricing, sellers, buyers, maxPrice, seed));
}

function oneBatch(pricing: unknown, sellers: number, buyers: number, maxPrice: unknown, seed: number): PlayedMarket {
  const models = Array.from({ length: SIDE_BY_SIDE }, (_, i) => `m${i}`);
  return playMarket({
    horizon: "1s",
    router: { policy: "random", queue: { limit: 0 }, marketState: "never" },
    pricing,
    operators: models.map((model) => ({
      name: `s-${model}`, count: sellers, model, engine: { "service-time": { service: "1us" } },
      price: { fixed: "1000 sat" }, marginalCost: { fixed: UNIFORM, drawn: "node" }, strategy: "truthful", reprice: "100ms", queueLimit: 0,
    })),
    clients: models.map((model) => ({ name: `b-${model}`, model, arrivals: { regular: { rate: `${buyers + 0.5}/s` } }, inputTokens: 1, outputTokens: 1, maxOutputTokens: 1, maxPrice })),
  }, seed);
}

/** A model's market is named by it and the seed. */
type Clearing = Extract<Priced, { kind: "clearing" }>;
const clearings = (markets: readonly PlayedMarket[]): Map<string, Clearing> =>
  new Map(markets.flatMap(({ priced }, seed) => priced.flatMap(({ event }): [string, Clearing][] => (event.kind === "clearing" ? [[`${seed}/${event.model}`, event]] : []))));
const rowsOf = (markets: readonly PlayedMarket[]): { row: JobRow; market: string; played: PlayedMarket }[] =>
  markets.flatMap((played, seed) => played.rows.map((row) => ({ row, market: `${seed}/${row.clientClass.slice(2)}`, played })));
/** A level as a share of the range of costs: only the fixed part has a price. */
const worth = (level: number, { unit }: Clearing): number => (level / 1e6) * (unit.fixedMsat / UNIT);
const holds = ({ low, high }: Estimate, theory: number): void => {
  expect(low).toBeLessThan(theory);
  expect(high).toBeGreaterThan(theory);
};

describe("uniform price for k units among n sellers", () => {
  test.each([[5, 1], [5, 2], [5, 4], [9, 3]])("n = %d, k = %d: every job is served, each market has one price, and its mean is (k+1)/(n+1)", (n, k) => {
    const prices = new Map<string, Set<number>>();
    for (const { row, market } of rowsOf(batch({ "uniform-price": { interval: "1s" } }, n, k, "1000000 sat"))) {
      expect(row.status).toBe("completed");
      prices.set(market, (prices.get(market) ?? new Set()).add(row.amountMsat));
    }
    const each = [...prices.values()].map((of) => [...of]);
    expect(each.every((of) => of.length === 1)).toBe(true);
    expect(each).toHaveLength(MARKETS);
    holds(estimate(each.map(([price]) => price! / UNIT)), (k + 1) / (n + 1));
  });
});

describe("double auction with N buyers and M sellers, all uniform", () => {
  test.each([[1, 1], [2, 3], [8, 4]])("N = %d, M = %d: the clearing interval has means N/(N+M+1) and (N+1)/(N+M+1)", (N, M) => {
    const rounds = [...clearings(batch({ "call-market": { interval: "1s" } }, M, N, UNIFORM)).values()];
    expect(rounds).toHaveLength(MARKETS);
    holds(estimate(rounds.map((round) => worth(round.low, round))), N / (N + M + 1));
    holds(estimate(rounds.map((round) => worth(round.high, round))), (N + 1) / (N + M + 1));
  });

  const midpoint = batch({ "call-market": { interval: "1s" } }, 5, 5, UNIFORM);
  const byMarket = clearings(midpoint);

  test("N = M = 5: the same, who trades pays the middle, and nobody trades at a loss", () => {
    const rounds = [...byMarket.values()];
    holds(estimate(rounds.map((round) => worth(round.low, round))), 5 / 11);
    holds(estimate(rounds.map((round) => worth(round.high, round))), 6 / 11);
    let trades = 0;
    for (const { row, market, played } of rowsOf(midpoint)) {
      if (row.status !== "completed") continue;
      trades++;
      const round = byMarket.get(market)!;
      expect(Math.abs(row.amountMsat - (UNIT * (worth(round.low, round) + worth(round.high, round))) / 2)).toBeLessThanOrEqual(2);
      expect(row.amountMsat).toBeLessThanOrEqual(row.maxPriceMsat);
      expect(row.amountMsat).toBeGreaterThanOrEqual(played.nodes.get(row.node)!.marginalCost.sheet.fixedMsat);
    }
    expect(trades).toBe(rounds.reduce((sum, round) => sum + round.trades, 0));
    // Of ten figures in random order, as many buyers as sellers are wrongly placed: hypergeometric, mean 2.5.
    holds(estimate(rounds.map((round) => round.trades)), 2.5);
  });

  test("McAfee: at most one trade less, buyers pay at least what sellers get, and the rest is the router's fee, to the msat", () => {
    const played = batch({ "call-market": { interval: "1s", rule: "mcafee" } }, 5, 5, UNIFORM);
    const reduced = clearings(played);
    let reductions = 0;
    for (const [market, { trades }] of reduced) {
      const efficient = byMarket.get(market)!.trades;
      expect([efficient, Math.max(0, efficient - 1)]).toContain(trades);
      if (trades < efficient) reductions++;
    }
    expect(reductions).toBeGreaterThan(25);
    for (const { row, market } of rowsOf(played)) {
      if (row.status !== "completed") continue;
      const round = reduced.get(market)!;
      expect(Math.abs(row.feeMsat - UNIT * (worth(round.buyersPay, round) - worth(round.sellersGet, round)))).toBeLessThanOrEqual(2);
      expect(Math.abs(row.amountMsat - UNIT * worth(round.sellersGet, round))).toBeLessThanOrEqual(1);
    }
    for (const { report, rows } of played) {
      const accounts = report.money!.accounts;
      expect(accounts.find(({ kind }) => kind === "routers")!.changeMsat).toBe(rows.reduce((sum, { feeMsat }) => sum + feeMsat, 0));
      expect(accounts.reduce((sum, { changeMsat }) => sum + changeMsat, 0)).toBe(0);
    }
  });

  test("buyers with other values than sellers' costs: the interval is not that of order statistics, and the test would see it", () => {
    const rounds = [...clearings(batch({ "call-market": { interval: "1s" } }, 5, 5, { uniform: { min: "200000 msat", max: "1200000 msat" } })).values()];
    expect(estimate(rounds.map((round) => worth(round.low, round))).low).toBeGreaterThan(5 / 11);
  });
});
