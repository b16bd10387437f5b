import { describe, expect, test } from "vitest";
import { runScenario } from "../experiment/run.ts";
import { confidenceInterval } from "../kernel/statistics/confidence.ts";
import { loadScenario } from "../scenario/load.ts";

/**
 * A client pays 1 sat for each of its jobs, one a second, through a channel of so many units of 1 sat; other business moves
 * the balance by a unit four times a second. Jobs and other business together make a random walk between two ends.
 * @param outwardShare of the other business. 37.5 %: 2.5 steps a second in either direction; 50 %: 3 out and 2 in.
 * @returns share of the jobs whose payment finds no liquidity.
 */
function failureShare(units: number, outwardShare: string, seed: number): number {
  const { scenario } = loadScenario(`
name: channel
question: How often is a channel that is walked at random empty when a job is to be paid?
seed: ${seed}
warmup: 100s
horizon: 20000s
drain: true
network: { latency: 0ms, sameRegion: 0ms, signing: 0s, verifying: 0s }
payment: { latency: 0ms, attempts: 1, invoiceExpiry: 1s }
operators:
  - { name: server, model: m, engine: { service-time: { slots: 64, service: 100ms } }, price: { fixed: 1 sat } }
clients:
  - name: users
    model: m
    arrivals: { poisson: { rate: 1/s } }
    inputTokens: 1
    outputTokens: 1
    maxPrice: 1 sat
    channel: { capacity: ${units} sat, traffic: { rate: 4/s, amount: 1 sat, outward: ${outwardShare} } }
`, "channel.yaml");
  const { jobs, reasons } = runScenario(scenario).overall;
  const dry = reasons.find(({ reason }) => reason.includes("no-liquidity"))?.jobs ?? 0;
  expect(jobs.completed + dry).toBe(jobs.submitted);
  return dry / jobs.submitted;
}

/** Jobs arrive at random times, so they see the walk's stationary distribution (PASTA): pi(k) is proportional to (up / down)^k. */
const emptyShare = (units: number, up: number, down: number): number => {
  let sum = 0;
  for (let k = 0; k <= units; k++) sum += (up / down) ** k;
  return 1 / sum;
};

describe("a Lightning channel as a random walk, through the whole market path", () => {
  test.each([
    ["balanced", 10, "37.5 %", 1 / 11, emptyShare(10, 2.5, 2.5), emptyShare(9, 2.5, 2.5)],
    ["biased, p = 0.6", 10, "50 %", 0.3372, emptyShare(10, 2, 3), emptyShare(10, 2.2, 3)],
    ["balanced", 4, "37.5 %", 1 / 5, emptyShare(4, 2.5, 2.5), emptyShare(4, 2.4, 2.5)],
  ])("%s, %d units", (_, units, outwardShare, expected, exact, other) => {
    expect(exact).toBeCloseTo(expected, 4);
    const { low, high } = confidenceInterval(Array.from({ length: 10 }, (__, i) => failureShare(units, outwardShare, i + 1)), 0.99);
    expect(low).toBeLessThan(exact);
    expect(high).toBeGreaterThan(exact);
    // A channel that is a little different is told apart.
    expect(other < low || other > high).toBe(true);
  });
});
