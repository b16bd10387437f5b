import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { MarketEvent } from "../../protocol/result/market-event.ts";
import type { JobRow } from "../../protocol/result.ts";
import { runScenario } from "../experiment/run.ts";
import { loadScenario } from "../scenario/load.ts";
import { planClients } from "./client-plan.ts";
import { planJobs } from "./planned-jobs.ts";

const load = (sets: readonly string[]) => loadScenario(readFileSync(new URL("../../scenarios/quickstart.yaml", import.meta.url), "utf8"), "quickstart.yaml", { sets }).scenario;

test("planned jobs are those that a run submits, at the same times, with the same true lengths", () => {
  const scenario = load(["horizon=10min", "warmup=0"]);
  const events: MarketEvent[] = [];
  const tokens = new Map<string, number>();
  runScenario(scenario, { seed: 7, realKeys: true, onEvent: (event) => void events.push(event), onJobRow: (row: JobRow) => void (row.status === "completed" && tokens.set(row.job, row.outputTokens)) });
  const jobs = planJobs(scenario, 7);
  expect(jobs.length).toBeGreaterThan(100);
  expect(jobs.map(({ atUs, request }) => [atUs, request.jobId, request.inputTokens, request.maxOutputTokens, request.maxPriceMsat]))
    .toEqual(events.flatMap((event) => (event.event === "submitted" ? [[event.atUs, event.job, event.inputTokens, event.maxOutputTokens, event.maxPriceMsat]] : [])));
  for (const { request: { jobId, maxOutputTokens }, outputTokens } of jobs) expect(tokens.get(jobId) ?? Math.min(outputTokens, maxOutputTokens)).toBe(Math.min(outputTokens, maxOutputTokens));
  expect(tokens.size).toBeGreaterThan(100);
  expect(new Set(jobs.map(({ client }) => client)).size).toBe(planClients(scenario).length);
});

test("jobs that wait for others cannot be planned", () => {
  const scenario = load(["horizon=10min", "warmup=0"]);
  const closed = { ...scenario, clients: scenario.clients.map((spec) => ({ ...spec, arrivals: { kind: "closed" as const, users: 3, thinkTimeUs: 1_000_000 } })) };
  expect(() => planJobs(closed, 1)).toThrow(/its users wait for answers/);
});
