import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { runReport } from "../protocol/result.ts";
import { PLOTS } from "../reports/plots/titles.ts";
import { contents, infernet, market, type Outcome, start, testFolder } from "./testing/process.ts";

const folder = testFolder("interruptions");
const yearUs = 8_760 * 3_600_000_000;

/** Plays a year of the market until events have been written, and sends signals then, 20 ms apart. */
async function interrupt(name: string, signals: readonly NodeJS.Signals[], ...args: readonly string[]): Promise<Outcome> {
  const events = `${name}.jsonl`;
  const { child, outcome } = start(folder, "run", market, "--set", "horizon=8760h", "--events", events, ...(args.includes("--json") ? [] : ["--out", name]), ...args);
  let over = false;
  void outcome.then(() => void (over = true));
  while (!over && (statSync(join(folder, events), { throwIfNoEntry: false })?.size ?? 0) === 0) await pause(5);
  for (const signal of signals) {
    child.kill(signal);
    await pause(20);
  }
  return outcome;
}

const files = ["index.html", "jobs.csv", "nodes.csv", "plots/", ...PLOTS.map((name) => `plots/${name}.svg`).toSorted(), "report.json", "report.md"];

test.each([
  ["SIGINT", ["SIGINT"], 130],
  ["SIGTERM", ["SIGTERM"], 143],
  // From the terminal and from npm, or from somebody impatient.
  ["SIGINT and more of it", ["SIGINT", "SIGINT", "SIGTERM", "SIGINT", "SIGINT"], 130],
] as const)("%s keeps what was played, and nothing else", async (name, signals, exitCode) => {
  const out = name.replaceAll(" ", "-");
  const { status, stdout, stderr } = await interrupt(out, signals);
  expect(status).toBe(exitCode);
  expect(stderr).toMatch(/Interrupted after .* of 365 d simulated; the report covers what was played\.\n$/);
  expect(stdout).toContain("jobs submitted");
  expect(contents(join(folder, out))).toEqual(files);

  const report = runReport.parse(JSON.parse(readFileSync(join(folder, out, "report.json"), "utf8")));
  expect(report.provenance.interrupted).toBe(true);
  expect(report.horizonUs).toBeLessThan(yearUs);
  expect(report.endUs).toBe(report.horizonUs);
  expect(report.overall.jobs.completed).toBeGreaterThan(0);
  expect(readFileSync(join(folder, out, "jobs.csv"), "utf8").trimEnd().split("\n")).toHaveLength(1 + report.allJobs.submitted);
  expect(readFileSync(join(folder, out, "index.html"), "utf8")).toContain("The run was interrupted");
  const events = readFileSync(join(folder, `${out}.jsonl`), "utf8").trimEnd().split("\n").map((line) => JSON.parse(line) as { event: string });
  expect(events.filter(({ event }) => event === "submitted")).toHaveLength(report.allJobs.submitted);
});

test("a job of an interrupted run can be explained", async () => {
  await interrupt("explained", ["SIGINT"], "--quiet");
  const [, ended] = readFileSync(join(folder, "explained/jobs.csv"), "utf8").split("\n");
  expect(infernet(folder, "explain", ended!.split(",")[0]!, "--report", "explained", "--quiet")).toMatchObject({ status: 0, stderr: "" });
});

test("SIGINT during the warm-up: there is nothing to report, and nothing is left of it", async () => {
  const { status, stdout, stderr } = await interrupt("early", ["SIGINT"], "--set", "warmup=8759h");
  expect({ status, stdout }).toEqual({ status: 130, stdout: "" });
  expect(stderr).toBe("Interrupted during the warm-up of 364 d 23 h: nothing was measured yet, and no report is written.\n");
  expect(contents(folder).filter((name) => name.startsWith("early"))).toEqual(["early.jsonl"]);
});

test("an interrupted run leaves an earlier report in the same folder as it was, until it has its own", async () => {
  infernet(folder, "run", market, "--out", "twice", "--quiet");
  const earlier = readFileSync(join(folder, "twice/report.json"), "utf8");
  expect((await interrupt("twice", ["SIGINT"], "--set", "warmup=8759h")).status).toBe(130);
  expect(readFileSync(join(folder, "twice/report.json"), "utf8")).toBe(earlier);
  expect(contents(join(folder, "twice"))).toEqual(files);
});

test("--json prints the report of what was played, too", async () => {
  const { status, stdout } = await interrupt("json", ["SIGINT"], "--json");
  expect(status).toBe(130);
  expect(runReport.parse(JSON.parse(stdout)).provenance.interrupted).toBe(true);
});
