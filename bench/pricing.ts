import { startRun } from "../sim/experiment/run.ts";
import type { Scenario } from "../sim/scenario/schema.ts";
import { busyMarket } from "./busy-market.ts";
import type { Bench, BenchRow } from "./row.ts";

/**
 * The market of a thousand nodes under each pricing mechanism, and under each settlement arrangement at posted prices, side
 * by side. JOBS=100000 makes it shorter.
 * Its time is the processor's, so that other processes on the machine count for little.
 */
export const bench: Bench = () => {
  const jobs = Number(process.env["JOBS"] ?? 1_000_000);
  play(market("posted", Math.min(jobs, 100_000)));
  const posted = jobsPerS(market("posted", jobs));
  return [
    { name: "posted prices, 1,000 nodes", value: posted, unit: "jobs/s", ratio: 1 },
    ...MECHANISMS.map(([name, pricing, target]): BenchRow => {
      const value = jobsPerS(market(pricing, jobs));
      return { name: `${name}, 1,000 nodes`, value, unit: "jobs/s", ratio: value / posted, ...(target === undefined ? {} : { target: `>= ${target.toLocaleString("en")}`, pass: value >= target }) };
    }),
    ...SETTLEMENTS.map(([name, settlement]): BenchRow => {
      const value = jobsPerS(market("posted", jobs, settlement));
      return { name: `posted prices, ${name}, 1,000 nodes`, value, unit: "jobs/s", ratio: value / posted };
    }),
  ];
};

const MECHANISMS: readonly (readonly [name: string, pricing: string, target?: number])[] = [
  ["network price", "network: { price: { input: 30 sat/Mtok, output: 90 sat/Mtok } }"],
  ["surge", "surge: { }"],
  ["base fee", "base-fee: { start: { input: 30 sat/Mtok, output: 90 sat/Mtok }, floor: { input: 25 sat/Mtok, output: 75 sat/Mtok } }"],
  ["second-price auctions, 8 called", "call-for-bids: { payment: second-price, window: 200ms, invited: 8 }", 20_000],
  ["first-price auctions, 8 called", "call-for-bids: { payment: first-price, window: 200ms, invited: 8 }", 20_000],
  ["uniform price, batches of 1 s", "uniform-price: { interval: 1s }"],
  ["call market, batches of 1 s", "call-market: { interval: 1s }"],
  ["call market with trade reduction", "call-market: { interval: 1s, rule: mcafee }"],
  ["continuous double auction", "continuous: { }"],
];

/** Beside payment after the result, which all others have. */
const SETTLEMENTS: readonly (readonly [name: string, settlement: string])[] = [
  ["prepaid", "prepay"],
  ["held in escrow", "{ escrow: { } }"],
  ["streamed every 256 tokens", "{ streaming: { every: 256 } }"],
];

const NODES = 1_000;

const market = (pricing: string, jobs: number, settlement = "postpay"): Scenario =>
  busyMarket(NODES, jobs, "policy: power-of-two, marketState: never", `
pricing: ${pricing === "posted" ? pricing : `{ ${pricing} }`}
settlement: ${settlement}
`);

const play = (scenario: Scenario): number => {
  const run = startRun(scenario);
  while (!run.step());
  return run.finish().allJobs.submitted;
};

const jobsPerS = (scenario: Scenario): number => {
  const before = process.cpuUsage();
  const jobs = play(scenario);
  const { user, system } = process.cpuUsage(before);
  return jobs / ((user + system) / 1e6);
};
