import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { replicationsReport } from "../protocol/result/replications.ts";
import type { ReplicationsReport } from "../protocol/result/replications.ts";
import { runReport } from "../protocol/result.ts";
import { contents, infernet as infernetIn, market, type Outcome, testFolder } from "./testing/process.ts";

const folder = testFolder("replications");
const infernet = (...args: readonly string[]): Outcome => infernetIn(folder, "run", ...args);
const bytes = (...path: readonly string[]): string => readFileSync(join(folder, ...path), "utf8");
const read = (...path: readonly string[]): ReplicationsReport => replicationsReport.parse(JSON.parse(bytes(...path, "replications.json")));

beforeAll(() => {
  const text = readFileSync(market, "utf8");
  writeFileSync(join(folder, "market.yaml"), text);
  writeFileSync(join(folder, "until.yaml"), `${text.replace("warmup: 1m", "warmup: auto")}replications: {until: {metric: latency.mean, halfWidth: 10 %}, atLeast: 3, atMost: 8}\n`);
});

describe("run --replications", () => {
  let first: Outcome;
  beforeAll(() => void (first = infernet("market.yaml", "--replications", "4", "--workers", "1")));

  test("shows means with their intervals within 80 columns, and writes a report with a row per run", () => {
    expect({ status: first.status, stderr: first.stderr.replaceAll(/^\d+ % \|.*\n/gm, "") }).toEqual({ status: 0, stderr: "" });
    expect(first.stdout).toMatch(/^small: 4 runs with independent random numbers\n/);
    expect(first.stdout).toMatch(/^mean latency +[\d.]+ m?s +[\d.]+ (s )?to [\d.]+ m?s +± [\d.]+ %$/m);
    expect(Math.max(...first.stdout.split("\n").map((line) => [...line].length))).toBeLessThanOrEqual(80);
    expect(contents(join(folder, "out/small-replications"))).toEqual(["index.html", "plots/", "plots/convergence.svg", "plots/intervals.svg", "plots/over-time.svg", "plots/warmup.svg", "replications.json", "replications.md", "runs.csv", "runs.parquet"]);
    const rows = bytes("out/small-replications/runs.csv").trim().split("\n");
    expect(rows[0]).toMatch(/^run,replication,seed,error,digest,/);
    expect(rows[0]).not.toContain("series.");
    expect(rows).toHaveLength(5);
    expect(rows[1]).toMatch(/^replication=0,0,5,,/);
  });

  test("gives the same bytes on 2 workers; its first run is the run that is played alone", () => {
    expect(infernet("market.yaml", "--replications", "4", "--workers", "2", "--out", "two", "--quiet")).toMatchObject({ status: 0, stdout: "", stderr: "" });
    for (const file of ["replications.json", "runs.csv", "index.html", "replications.md"]) expect(bytes("two", file) === bytes("out/small-replications", file), file).toBe(true);
    const alone = runReport.parse(JSON.parse(infernet("market.yaml", "--json", "--quiet").stdout));
    expect(bytes("two/runs.csv")).toContain(`replication=0,0,5,,${alone.provenance.resultsDigest},`);
  });
});

test("a scenario's own rule is followed, and a warm-up is found first; a flag goes before", () => {
  const { status, stdout } = infernet("until.yaml", "--out", "until");
  expect(status).toBe(0);
  expect(stdout).toMatch(/Asked for: the mean latency known within 10 % at 95 % confidence\. \d runs(, the\nmost allowed,)?/);
  const report = read("until");
  expect(report.warmup.found?.pilots).toBe(5);
  expect(report.until!.looks[0]!.runs).toBe(3);
  expect(report.runs.played).toBe(report.until!.looks.at(-1)!.runs);
  // A row for each replication, counted from 0: the pilots are no runs of the report, nor of one that compares it with another.
  expect(bytes("until/runs.csv").trim().split("\n").slice(1).map((row) => row.split(",").slice(0, 2))).toEqual(Array.from({ length: report.runs.played }, (_, r) => [`replication=${r}`, String(r)]));
  const single = runReport.parse(JSON.parse(infernet("until.yaml", "--replications", "1", "--json", "--quiet").stdout));
  expect([single.warmupUs, single.warmup.found]).toEqual([report.warmupUs, report.warmup.found]);
});

test.each([
  [["--until", "latency"], "--until: found \"latency\"; allowed: METRIC within SHARE"],
  [["--until", "latency.p95 within 2 %", "--replications", "1"], "--until needs two replications at least."],
  [["--replications", "2", "--events", "e.ndjson"], "--events is for a single run; --replications 1 plays one."],
  [["--resume"], "--resume goes on with several runs"],
])("%j is told what is wrong", (args, message) => {
  const { status, stderr } = infernet("market.yaml", ...args);
  expect([status, stderr.includes(message)]).toEqual([2, true]);
});
