import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { resultsDigest, runReport } from "../protocol/result.ts";
import type { RunReport } from "../protocol/result.ts";
import type { MarketEvent } from "../protocol/result/market-event.ts";
import { infernet, testFolder } from "./testing/process.ts";

const folder = testFolder("events");
const eventful = fileURLToPath(new URL("testing/eventful.yaml", import.meta.url));

type Kind = MarketEvent["event"];
type Of<K extends Kind> = Extract<MarketEvent, { readonly event: K }>;

let text = "";
let stdout = "";
let events: MarketEvent[] = [];
let report: RunReport;
let rows: Readonly<Record<string, string>>[] = [];
beforeAll(() => {
  const outcome = infernet(folder, "run", eventful, "--json", "--quiet", "--out", "out", "--events", "made/on/the/way/events.jsonl");
  expect(outcome).toMatchObject({ status: 0, stderr: "" });
  stdout = outcome.stdout;
  report = runReport.parse(JSON.parse(stdout));
  text = readFileSync(join(folder, "made/on/the/way/events.jsonl"), "utf8");
  events = text.trimEnd().split("\n").map((line) => JSON.parse(line) as MarketEvent);
  const [head, ...lines] = readFileSync(join(folder, "out/jobs.csv"), "utf8").trimEnd().split("\n").map((line) => line.split(","));
  rows = lines.map((line) => Object.fromEntries(head!.map((name, column) => [name, line[column]!])));
});

const all = <K extends Kind>(kind: K): Of<K>[] => events.filter((event): event is Of<K> => event.event === kind);
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
/** How often each key occurs, by key. */
const tally = (keys: readonly string[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const key of keys) counts[key] = (counts[key] ?? 0) + 1;
  return counts;
};

test("the market is as eventful as these tests need", () => {
  const kinds: Kind[] = ["submitted", "assigned", "attempt-failed", "started", "first-token", "finished", "ended", "node-up", "node-down", "node-slow", "node-fast"];
  for (const kind of kinds) expect(all(kind).length, kind).toBeGreaterThan(5);
  const { completed, failed, rejected, expired } = report.overall.jobs;
  expect(Math.min(completed, failed, rejected, expired)).toBeGreaterThan(5);
  expect(report.overall.attempts.failures.length).toBeGreaterThan(2);
});

describe("--json", () => {
  test("prints the very bytes of report.json", () => {
    expect(stdout).toBe(readFileSync(join(folder, "out/report.json"), "utf8"));
    expect(report.provenance.resultsDigest).toBe(resultsDigest(report));
  });

  test("and --events change nothing: the results are those without them", () => {
    expect(infernet(folder, "run", eventful, "--out", "plain", "--quiet")).toMatchObject({ status: 0, stdout: "", stderr: "" });
    expect(readFileSync(join(folder, "plain/report.json"), "utf8")).toBe(stdout);
    expect(readFileSync(join(folder, "plain/jobs.csv"), "utf8")).toBe(readFileSync(join(folder, "out/jobs.csv"), "utf8"));
  });
});

describe("--events", () => {
  test("are one JSON object a line, in order of time", () => {
    expect(text.endsWith("}\n")).toBe(true);
    for (const line of text.trimEnd().split("\n")) expect(line).toMatch(/^\{"atUs":\d+,"event":"[a-z-]+",.*\}$/);
    let lastUs = 0;
    for (const { atUs } of events) {
      expect(atUs).toBeGreaterThanOrEqual(lastUs);
      lastUs = atUs;
    }
  });

  test("add up to the report's jobs, class by class, end by end, reason by reason", () => {
    expect(all("submitted")).toHaveLength(report.allJobs.submitted);
    expect(tally(all("submitted").map(({ clientClass }) => clientClass))).toEqual(Object.fromEntries(report.clientClasses.map(({ name, jobs }) => [name, jobs.submitted])));
    const ends = tally(all("ended").map(({ status }) => status));
    const { submitted, inFlight, ...jobs } = report.allJobs;
    expect({ cancelled: 0, ...ends }).toEqual(jobs);
    expect(submitted).toBe(sum(Object.values(ends)) + inFlight);
    const reasons = all("ended").filter(({ status }) => status !== "completed").map(({ status, reason }) => `${status} ${reason}`);
    expect(tally(reasons)).toEqual(Object.fromEntries(report.overall.reasons.map(({ status, reason, jobs: count }) => [`${status} ${reason}`, count])));
  });

  test("tell of each job one beginning and one end", () => {
    const submitted = all("submitted").map(({ job }) => job);
    expect(new Set(submitted).size).toBe(submitted.length);
    expect(all("ended").map(({ job }) => job).sort()).toEqual(submitted.sort());
  });

  test("add up to the report's attempts, node by node, failure by failure", () => {
    expect(all("assigned")).toHaveLength(report.overall.attempts.total);
    const none = Object.fromEntries(report.nodes.map(({ name }) => [name, 0]));
    expect({ ...none, ...tally(all("assigned").map(({ node }) => node)) }).toEqual(Object.fromEntries(report.nodes.map(({ name, attempts }) => [name, attempts])));
    expect({ ...none, ...tally(all("attempt-failed").map(({ node }) => node)) }).toEqual(Object.fromEntries(report.nodes.map(({ name, failedAttempts }) => [name, failedAttempts])));
    expect(tally(all("attempt-failed").map(({ reason }) => reason))).toEqual(Object.fromEntries(report.overall.attempts.failures.map(({ reason, attempts }) => [reason, attempts])));
  });

  test("add up to the report's tokens, money and latencies", () => {
    const completed = new Set(all("ended").filter(({ status }) => status === "completed").map(({ job }) => job));
    const finished = all("finished").filter(({ job }) => completed.has(job));
    expect(finished).toHaveLength(report.overall.jobs.completed);
    expect(sum(finished.map(({ outputTokens }) => outputTokens))).toBe(report.overall.tokens.output);
    expect(sum(finished.map(({ amountMsat, feeMsat }) => amountMsat + feeMsat))).toBe(report.overall.paidMsat);
    expect(sum(finished.map(({ feeMsat }) => feeMsat))).toBe(report.overall.feesMsat);
    const submittedUs = new Map(all("submitted").map(({ job, atUs }) => [job, atUs]));
    const meanUs = sum(finished.map(({ job, atUs }) => atUs - submittedUs.get(job)!)) / finished.length;
    expect(report.overall.latency.endToEndUs.mean! / meanUs).toBeCloseTo(1, 9);
  });

  test("say of each job what its row in jobs.csv says", () => {
    const delivered = new Map(all("finished").map((event) => [event.job, event]));
    const ended = new Map(all("ended").map((event) => [event.job, event]));
    const submitted = new Map(all("submitted").map((event) => [event.job, event]));
    expect(rows).toHaveLength(submitted.size);
    for (const row of rows) {
      const job = row["job"]!;
      expect(row).toMatchObject({ submittedUs: String(submitted.get(job)!.atUs), endedUs: String(ended.get(job)!.atUs), status: ended.get(job)!.status, reason: ended.get(job)!.reason });
      expect(row["finishedUs"]).toBe(String(delivered.get(job)?.atUs ?? ""));
      if (row["status"] === "completed") expect(row["node"]).toBe(delivered.get(job)!.node);
    }
  });

  test("tell every time that a node went down", () => {
    const downs = tally(all("node-down").filter(({ atUs }) => atUs < report.horizonUs).map(({ node }) => node));
    expect(downs).toEqual(Object.fromEntries(report.nodes.filter((node) => node.downs > 0).map(({ name, downs: count }) => [name, count])));
    // Up and down take turns.
    for (const { name } of report.nodes) {
      const changes = events.filter((event) => (event.event === "node-up" || event.event === "node-down") && event.node === name).map(({ event }) => event);
      expect(changes).toEqual(changes.map((_, index) => (index % 2 === 0 ? "node-down" : "node-up")));
    }
  });
});
