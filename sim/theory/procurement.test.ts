import { describe, expect, test } from "vitest";
import { costMsat } from "../../protocol/money.ts";
import { type Estimate, estimate, playMarket, type PlayedMarket, spread } from "./testing/markets.ts";

/**
 * Sealed-bid procurement through the whole market path: calls and bids are messages, costs are private and drawn anew for
 * each job at each node, uniform on [0, 1] (here 0 to 1,000,000 msat), operators bid by their strategies.
 * Closed forms: V. Krishna, Auction Theory, 2nd ed., Academic Press 2010, chapters 2 and 3, turned around for buying.
 */
const UNIT = 1_000_000;
const JOBS = 4_000;

function auctions(payment: "first-price" | "second-price", bidders: number, options: { readonly reserve?: number; readonly seed?: number; readonly jobs?: number } = {}): PlayedMarket {
  const { reserve, seed = 1, jobs = JOBS } = options;
  return playMarket({
    horizon: `${jobs / 100 + 0.005}s`,
    router: { policy: "random", queue: { limit: 0 } },
    pricing: { "call-for-bids": { payment, invited: bidders, window: "1ms", ...(reserve === undefined ? {} : { reserve: `${reserve} msat` }) } },
    operators: [{
      name: "seller", count: bidders, model: "job", engine: { "service-time": { service: "1us", slots: 100 } },
      price: { fixed: "1000 sat" },
      marginalCost: { fixed: { uniform: { min: 0, max: `${UNIT} msat` } }, drawn: "job" },
      strategy: payment === "first-price" ? { "equilibrium-bid": { bidders } } : "truthful",
    }],
    clients: [{ name: "buyer", model: "job", arrivals: { regular: { rate: "100/s" } }, inputTokens: 1, outputTokens: 1, maxOutputTokens: 1, maxPrice: "1000 sat" }],
  }, seed);
}

const paid = ({ rows }: PlayedMarket): number[] => rows.filter(({ status }) => status === "completed").map(({ amountMsat }) => amountMsat / UNIT);
/** What the winners' work cost them: only the simulator knows. */
const costs = ({ rows, nodes }: PlayedMarket): number[] => rows.filter(({ status }) => status === "completed").map(({ job, node }) => {
  const { sheet, ofJob } = nodes.get(node)!.marginalCost;
  return costMsat(ofJob?.(job) ?? sheet, 1, 1) / UNIT;
});
const holds = ({ low, high }: Estimate, theory: number): void => {
  expect(low).toBeLessThan(theory);
  expect(high).toBeGreaterThan(theory);
};

describe("procurement auctions among n bidders with uniform costs", () => {
  const byPayment = new Map((["first-price", "second-price"] as const).map((payment) => [payment, auctions(payment, 5)]));

  test.each(["first-price", "second-price"] as const)("%s, n = 5: all jobs are served, the mean price is 2/(n+1) = 1/3 and the winner's cost 1/(n+1) = 1/6", (payment) => {
    const market = byPayment.get(payment)!;
    expect(market.report.overall.jobs.completed).toBe(JOBS);
    expect(market.report.pricing!.auctions).toMatchObject({ calls: JOBS, invitations: 5 * JOBS, bids: 5 * JOBS, awarded: JOBS, setByReserve: 0 });
    holds(estimate(paid(market)), 1 / 3);
    holds(estimate(costs(market)), 1 / 6);
    // What theory does not say would be seen: the interval is a few percent wide.
    expect(estimate(paid(market)).high - estimate(paid(market)).low).toBeLessThan(0.02);
  });

  test("n = 5: the standard deviation of the price is 0.113 first-price and 0.178 second-price", () => {
    // The winner's bid is (4c + 1)/5 with c the least of five: 0.8 x SD of Beta(1, 5). The second-least cost is Beta(2, 4).
    holds(spread(paid(byPayment.get("first-price")!)), 0.8 * Math.sqrt(5 / 252));
    holds(spread(paid(byPayment.get("second-price")!)), Math.sqrt(8 / 252));
    expect(0.8 * Math.sqrt(5 / 252)).toBeCloseTo(0.113, 3);
    expect(Math.sqrt(8 / 252)).toBeCloseTo(0.178, 3);
  });

  test("the same nodes win under both rules: bids are in the order of costs", () => {
    const winners = (market: PlayedMarket): string[] => market.rows.toSorted((a, b) => a.submittedUs - b.submittedUs).map(({ node }) => node);
    expect(winners(byPayment.get("first-price")!)).toEqual(winners(byPayment.get("second-price")!));
  });

  test.each([2, 10])("n = %d: first-price and second-price both pay 2/(n+1)", (bidders) => {
    for (const payment of ["first-price", "second-price"] as const) holds(estimate(paid(auctions(payment, bidders, { jobs: 2_000 }))), 2 / (bidders + 1));
  });

  test("more bidders bidding as if they were five: the price is not 2/(n+1), and the test would see it", () => {
    const { low, high } = estimate(paid(auctions("second-price", 6, { jobs: 2_000 })));
    expect(low > 1 / 3 || high < 1 / 3).toBe(true);
  });
});

describe("the buyer's best reserve is half of what the job is worth", () => {
  // Two bidders, worth v = 1. The buyer pays the winner's virtual cost 2c on average (R. Myerson, Mathematics of Operations
  // Research 6(1), 1981), so with a reserve r it gains the integral of (1 - 2c) 2 (1 - c) from 0 to r.
  const gain = (r: number): number => 2 * (r - 1.5 * r * r + (2 / 3) * r * r * r);
  const reserves = [0.3, 0.4, 0.5, 0.6, 0.7, 1];
  const gains = reserves.map((reserve) => auctions("second-price", 2, { reserve: reserve * UNIT, jobs: 3_000 }).rows
    .toSorted((a, b) => a.submittedUs - b.submittedUs)
    .map(({ status, amountMsat }) => (status === "completed" ? 1 - amountMsat / UNIT : 0)));

  test.each(reserves.map((reserve, i) => [reserve, i] as const))("reserve %d: the gain is that of the closed form", (reserve, i) => {
    holds(estimate(gains[i]!), gain(reserve));
  });

  test("1/2 is better than any other of them, job for job: with the same costs", () => {
    for (const [i, reserve] of reserves.entries()) {
      if (reserve === 0.5) continue;
      const lead = estimate(gains[2]!.map((x, j) => x - gains[i]![j]!));
      holds(lead, gain(0.5) - gain(reserve));
      if (Math.abs(reserve - 0.5) >= 0.2) expect(lead.low).toBeGreaterThan(0);
    }
  });
});
