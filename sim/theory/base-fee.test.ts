import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { nextBaseFee } from "../../scheduler/pricing/base-fee.ts";
import { ETHEREUM_BLOCKS } from "../../scheduler/testing/ethereum-blocks.ts";
import { estimate, playMarket, type PlayedMarket } from "./testing/markets.ts";

/**
 * The base fee through the whole market path, against EIP-1559 (V. Buterin et al., 2019) and the stability of its
 * linearised recursion: with demand of constant elasticity e, a deviation is multiplied by 1 - e/8 in each interval
 * (S. Leonardos et al., "Dynamical analysis of the EIP-1559 Ethereum fee market", ACM AFT 2021).
 */
const START = 1_000_000;
const INTERVAL_S = 4;

interface Market {
  readonly arrivals: unknown;
  readonly maxPrice: unknown;
  readonly intervals: number;
  /** Tokens of a job; 1 where it says nothing. */
  readonly lengths?: "trace";
  /** Jobs that may wait; as many as there are slots where it says nothing. */
  readonly queueLimit?: number;
  /** Slots for each arrival a second. */
  readonly slots: number;
}

function market({ arrivals, maxPrice, intervals, slots, queueLimit = slots, lengths }: Market): PlayedMarket {
  return playMarket({
    horizon: `${intervals * INTERVAL_S}s`, drain: false,
    router: { policy: "least-loaded", queue: { limit: 0 }, heartbeat: "1h" },
    pricing: { "base-fee": { start: { fixed: `${START} msat` }, target: "50 %", step: "12.5 %", interval: `${INTERVAL_S}s` } },
    operators: [{ name: "server", model: "job", engine: { "service-time": { service: "100ms", slots } }, price: "free", queueLimit }],
    clients: [{ name: "user", model: "job", arrivals, inputTokens: lengths ?? 1, outputTokens: lengths ?? 1, maxOutputTokens: 1, maxPrice, patience: "forever" }],
  });
}

const going = ({ priced }: PlayedMarket): { price: number; utilisation: number }[] =>
  priced.flatMap(({ event }) => (event.kind === "going" ? [{ price: event.prices.fixedMsat, utilisation: event.utilisation }] : []));

describe("EIP-1559 in the market", () => {
  const noisy = market({ arrivals: { gamma: { rate: "40/s", cv: 4 } }, maxPrice: { pareto: { min: `${START / 2} msat`, shape: 1.5 } }, intervals: 400, slots: 6 });

  test("every price is the EIP's integer recursion of the one before and of the utilisation, to the msat", () => {
    let price = BigInt(START);
    const steps = going(noisy);
    expect(steps).toHaveLength(400);
    for (const { price: next, utilisation } of steps) {
      // Gas used out of a limit of a million, whose half is the target.
      price = nextBaseFee(price, BigInt(Math.round(Math.min(1, utilisation) * 1e6)), 500_000n);
      expect(BigInt(next)).toBe(price);
    }
    expect(Math.max(...steps.map((step) => step.price)) / Math.min(...steps.map((step) => step.price))).toBeGreaterThan(1.3);
  });

  test("as busy as 72 consecutive blocks of Ethereum were full, the price takes the path that their base fee took", () => {
    // As many jobs in each interval as fill the recorded share of it, at even distances, whatever the price.
    const slots = 30;
    const capacity = slots * INTERVAL_S * 10;
    const arrivals = ETHEREUM_BLOCKS.flatMap(({ gasUsed, gasLimit }, block) => {
      const jobs = Math.round((capacity * Number(gasUsed)) / Number(gasLimit));
      return Array.from({ length: jobs }, (_, i) => `${(block + i / jobs) * INTERVAL_S},1,1`);
    });
    const folder = mkdtempSync(join(tmpdir(), "infernet-ethereum-"));
    onTestFinished(() => { rmSync(folder, { recursive: true }); });
    const file = join(folder, "blocks.csv");
    writeFileSync(file, ["arrived_at,num_prefill_tokens,num_decode_tokens", ...arrivals].join("\n"));
    const steps = going(market({ arrivals: { trace: { file } }, lengths: "trace", maxPrice: "1000000 sat", intervals: ETHEREUM_BLOCKS.length, slots, queueLimit: 2 * slots }));
    expect(steps).toHaveLength(ETHEREUM_BLOCKS.length);
    let price = BigInt(START);
    for (const [block, { price: next, utilisation }] of steps.entries()) {
      price = nextBaseFee(price, BigInt(Math.round(Math.min(1, utilisation) * 1e6)), 500_000n);
      expect(BigInt(next)).toBe(price);
      const recorded = ETHEREUM_BLOCKS[block + 1];
      // Jobs under way when an interval ends count in the next one: a fortieth of it.
      if (recorded !== undefined) expect(Math.abs(next / START / (Number(recorded.baseFee) / Number(ETHEREUM_BLOCKS[0]!.baseFee)) - 1)).toBeLessThan(0.01);
    }
  });

  test("a job pays the price of its award, whatever the price is when it ends", () => {
    const steps = going(noisy);
    for (const { status, assignedUs, amountMsat } of noisy.rows) {
      if (status !== "completed") continue;
      const interval = Math.floor(assignedUs / (INTERVAL_S * 1e6));
      // At the very moment of a change either may be.
      const prices = [interval === 0 ? START : steps[interval - 1]!.price, ...(assignedUs % (INTERVAL_S * 1e6) === 0 && interval > 1 ? [steps[interval - 2]!.price] : [])];
      expect(prices).toContain(amountMsat);
    }
  });

  test("when every slot is busy it doubles after 5.9 intervals", () => {
    const steps = going(market({ arrivals: { closed: { users: 50, thinkTime: "50ms" } }, maxPrice: "1000000 sat", intervals: 8, slots: 4 }));
    // The first interval has the moment of the first arrival in it, and utilisation is 1 from then on.
    expect(steps.slice(1).every(({ utilisation }) => utilisation > 0.999)).toBe(true);
    const path = steps.map(({ price }) => price);
    const after = path.findIndex((price) => price >= 2 * path[0]!);
    expect(after).toBe(6);
    const fraction = Math.log((2 * path[0]!) / path[after - 1]!) / Math.log(path[after]! / path[after - 1]!);
    expect(after - 1 + fraction).toBeCloseTo(Math.log(2) / Math.log(1.125), 2);
  });

  /** Of 400 jobs a second those whose client can pay p: a share (p / START)^-e of 200, which fill half of the slots. */
  const demand = (elasticity: number, intervals: number): number[] => going(market({
    arrivals: { regular: { rate: "400/s" } }, maxPrice: { pareto: { min: `${Math.round(START * Math.exp(Math.log(0.5) / elasticity))} msat`, shape: elasticity } }, intervals, slots: 40,
  })).map(({ price }) => Math.log(price / START));

  test.each([4, 8, 12])("elasticity %d: a deviation is multiplied by 1 - e/8 in each interval, and the price stays near its balance", (elasticity) => {
    const path = demand(elasticity, 110).slice(20);
    // Least squares of each deviation on the one before, and its standard error.
    const { mean } = estimate(path);
    const x = path.slice(0, -1).map((value) => value - mean);
    const y = path.slice(1).map((value) => value - mean);
    const xx = x.reduce((sum, value) => sum + value * value, 0);
    const slope = x.reduce((sum, value, i) => sum + value * y[i]!, 0) / xx;
    const residual = y.reduce((sum, value, i) => sum + (value - slope * x[i]!) * (value - slope * x[i]!), 0) / (x.length - 2);
    expect(Math.abs(slope - (1 - elasticity / 8))).toBeLessThan(2.5758 * Math.sqrt(residual / xx));
    expect(Math.max(...path.map(Math.abs))).toBeLessThan(0.05);
  });

  test("elasticity 24, above 16: the price swings to and fro and does not settle", () => {
    const path = demand(24, 50).slice(15);
    const steps = path.slice(1).map((value, i) => value - path[i]!);
    const turns = steps.slice(1).filter((step, i) => step * steps[i]! < 0).length;
    expect(turns).toBeGreaterThan(0.9 * (steps.length - 1));
    expect(Math.min(...steps.map(Math.abs))).toBeGreaterThan(0.02);
  });
});
