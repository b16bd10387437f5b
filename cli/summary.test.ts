import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { RunReport } from "../protocol/result.ts";
import { formatPercent } from "../protocol/units.ts";
import { runScenario } from "../sim/experiment/run.ts";
import { loadScenario } from "../sim/scenario/load.ts";
import { summaryText } from "./summary.ts";

const market = readFileSync(new URL("testing/market.yaml", import.meta.url));
const play = (...sets: readonly string[]): RunReport => runScenario(loadScenario(market, "market.yaml", { sets }).scenario);
const base = play();

test("says what was asked, measured and found, within 80 columns", () => {
  const text = summaryText(base);
  expect(text).toMatch(/^small: Does the command line do what it says\?\n9 min measured after 1 min of warm-up, seed 5, 4 nodes\n/);
  expect(text).toMatch(new RegExp(`^jobs submitted +${base.overall.jobs.submitted}\n`, "m"));
  expect(text).toMatch(/^desk +3 /m);
  expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
});

test("nearly all is not all", () => {
  const { jobs } = base.overall;
  const withLosses = (lost: number): string =>
    summaryText({ ...base, overall: { ...base.overall, jobs: { ...jobs, submitted: 1_000_000, completed: 1_000_000 - lost, rejected: lost } } });
  expect(withLosses(0)).toMatch(/^completed +1,000,000\n +of those submitted +100 %$/m);
  expect(withLosses(3)).toMatch(/^completed +999,997\n +of those submitted +> 99\.9 %$/m);
  expect(withLosses(500_000)).toMatch(/^completed +500,000\n +of those submitted +50 %$/m);
});

test("names the reasons for what was not completed, the most frequent first", () => {
  const reasons = [
    { status: "expired", reason: "patience", jobs: 2 },
    { status: "rejected", reason: "router-queue-full", jobs: 1_234 },
  ] as const;
  expect(summaryText({ ...base, overall: { ...base.overall, reasons: [...reasons] } })).toContain("Not completed: 1,234 rejected (router-queue-full), 2 expired (patience).");
});

test("who gained, or which key of the scenario is missing to know it", () => {
  expect(summaryText({ ...base, welfare: null })).toContain("Add clients[].value to the scenario.");
  const [known, futile] = ["1 sat", "0 msat"].map((value) => summaryText(play(...base.clientClasses.map(({ name }) => `clients.${name}.value=${value}`))));
  expect(known).toMatch(/^Gained: /m);
  expect(futile).toMatch(/^Nothing to gain: /m);
  for (const text of [known!, futile!, summaryText({ ...base, welfare: null })]) expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
});

test("a market in which nothing happened has dashes, not zeros", () => {
  const text = summaryText(play("clients.chat.arrivals.poisson.rate=0.0001/s"));
  expect(text).toMatch(/^first token, median +-$/m);
  expect(text).toMatch(/^ +of those submitted +-$/m);
});

test("electricity has a column where somebody states its price", () => {
  expect(summaryText(base)).not.toContain("electricity");
  const priced = play("operators.desk.electricity=250 sat/kWh");
  const [desk, dear] = priced.operatorClasses;
  expect(desk!.electricityMsat).toBeGreaterThan(0);
  expect(dear!.electricityMsat).toBeNull();
  const text = summaryText(priced);
  expect(text).toMatch(/^operators .* earned +electricity$/m);
  expect(text).toMatch(/^desk .* sat +[\d.]+ sat$/m);
  expect(text).toMatch(/^dear .* -$/m);
  expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
});

test("what is left after all costs has a table of its own where they are known, and so has who came and went", () => {
  expect(summaryText(base)).not.toContain("after costs");
  const text = summaryText(play("exchangeRate=100000 USD/btc", "operators.desk.electricity=250 sat/kWh", "operators.desk.costs={purchase: 1600 USD}", "operators.desk.entry={potential: 9}"));
  expect(text).toMatch(/^after costs +electricity +machine +other +profit +per machine\/h$/m);
  expect(text).toMatch(/^desk( +-?[\d.,]+ (m?sat|BTC)){5}$/m);
  expect(text).toMatch(/^dear +- +- +0 msat( +[\d.,]+ m?sat){2}$/m);
  expect(text).toMatch(/^desk: 3 of 9 operators at the start, 0 joined, 0 left, 3 at the end\.$/m);
  expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
});

test("what nobody asked for has no row: goals, prices, fees, repeated attempts", () => {
  const { overall } = base;
  const bare = summaryText({
    ...base,
    welfare: null,
    overall: { ...overall, paidMsat: 0, feesMsat: 0, goodput: { ...overall.goodput, share: 1, goals: [] }, attempts: { ...overall.attempts, retriedJobs: 0 } },
  });
  expect(bare).not.toMatch(/goal|price|paid|fee|earned|more than one/);
  const rich = summaryText({
    ...base,
    overall: { ...overall, paidMsat: 2_000, feesMsat: 1_000, goodput: { ...overall.goodput, met: 1, jobs: 4, share: 0.25, goals: [{ goal: "ttft", jobs: 4, met: 1, share: 0.25 }] }, attempts: { ...overall.attempts, retriedJobs: 7 } },
  });
  expect(rich).toMatch(/^met every latency goal +25 %$/m);
  expect(rich).toMatch(/^paid in all +2 sat\nof it the router's fees +1 sat$/m);
  expect(rich).toMatch(/^needed more than one node +7$/m);
});

test("says who gained how much of what was possible, where it is known what jobs are worth", () => {
  const { totalMsat, firstBestMsat, consumerSurplusMsat } = base.welfare!;
  expect(totalMsat / firstBestMsat).toBeGreaterThan(0.9);
  const percent = (amount: number): string => formatPercent(amount / firstBestMsat, 2).replace(".", "\\.");
  expect(summaryText(base)).toMatch(new RegExp(`^Gained: [\\d,.]+ sat, [\\d.]+ % of what was possible\\.\nClients have ${percent(consumerSurplusMsat)}, operators [\\d.]+ %;\nmost was lost by \\w+: [\\d.]+ %\\.$`, "m"));
  expect(summaryText(play("clients.chat.maxPrice=unlimited"))).not.toContain("Gained");
});

test("says what trust cost whom, and by what", () => {
  const { settlement } = base;
  const losses = [
    { cause: "client-did-not-pay", bearer: "node", jobs: 2, msat: 4_000 }, { cause: "payment-failed", bearer: "node", jobs: 1, msat: 6_000 },
    { cause: "not-delivered", bearer: "client", jobs: 1, msat: 250 }, { cause: "node-failed", bearer: "client", jobs: 1, msat: 0 },
  ] as const;
  const text = summaryText({ ...base, settlement: { ...settlement!, deliveredMsat: 100_000, losses: [...losses] } });
  expect(text).toContain("\n\nTrust cost nodes 10 sat, 10 % of the value delivered: most by payment-failed.\nTrust cost clients 250 msat, 0.25 % of the value delivered: not-delivered.");
  expect(summaryText({ ...base, settlement: { ...settlement!, losses: [] } })).not.toContain("Trust cost");
});
