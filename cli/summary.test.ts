import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { RunReport } from "../protocol/result.ts";
import { runScenario } from "../sim/experiment/run.ts";
import { loadScenario } from "../sim/scenario/load.ts";
import { summaryText } from "./summary.ts";

const market = readFileSync(new URL("testing/market.yaml", import.meta.url));
const play = (...sets: readonly string[]): RunReport => runScenario(loadScenario(market, "market.yaml", { sets }).scenario);
const base = play();

test("says what was asked, measured and found, within 80 columns and a bit", () => {
  const text = summaryText(base);
  expect(text).toMatch(/^small: Does the command line do what it says\?\n9 min measured after 1 min of warm-up, seed 5, 4 nodes\n/);
  expect(text).toMatch(new RegExp(`jobs submitted +│ +${base.overall.jobs.submitted} │`));
  expect(text).toMatch(/│ desk +│ +3 │/);
  expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThan(90);
});

test("nearly all is not all", () => {
  const { jobs } = base.overall;
  const withLosses = (lost: number): string =>
    summaryText({ ...base, overall: { ...base.overall, jobs: { ...jobs, submitted: 1_000_000, completed: 1_000_000 - lost, rejected: lost } } });
  expect(withLosses(0)).toMatch(/completed +│ +100 % │/);
  expect(withLosses(3)).toMatch(/completed +│ +> 99\.9 % │/);
  expect(withLosses(500_000)).toMatch(/completed +│ +50 % │/);
});

test("names the reasons for what was not completed, the most frequent first", () => {
  const reasons = [
    { status: "expired", reason: "patience", jobs: 2 },
    { status: "rejected", reason: "router-queue-full", jobs: 1_234 },
  ] as const;
  expect(summaryText({ ...base, overall: { ...base.overall, reasons: [...reasons] } })).toContain("Not completed: 1,234 rejected (router-queue-full), 2 expired (patience).");
});

test("a market in which nothing happened has dashes, not zeros", () => {
  const text = summaryText(play("clients.chat.arrivals.poisson.rate=0.0001/s"));
  expect(text).toMatch(/first token, median +│ +- │/);
  expect(text).toMatch(/completed +│ +- │/);
});

test("electricity has a column where somebody states its price", () => {
  expect(summaryText(base)).not.toContain("electricity");
  const priced = play("operators.desk.electricity=250 sat/kWh");
  const [desk, dear] = priced.operatorClasses;
  expect(desk!.electricityMsat).toBeGreaterThan(0);
  expect(dear!.electricityMsat).toBeNull();
  const text = summaryText(priced);
  expect(text).toMatch(/│ operators .*│ +earned │ electricity │\n/);
  expect(text).toMatch(/│ desk .* sat │ +[\d.]+ sat │\n/);
  expect(text).toMatch(/│ dear .*│ +- │\n/);
  expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThan(100);
});
