import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { figuresOf } from "../../../protocol/result/figures.ts";
import { runReport, type RunReport } from "../../../protocol/result.ts";
import { batchRatio } from "../../kernel/statistics/index.ts";
import { loadScenario } from "../../scenario/load.ts";
import { runScenario, startRun } from "../run.ts";
import { BATCHES } from "./marks.ts";
import { play, type Script, script } from "./testing/script.ts";

const found = (report: RunReport, path: string) => report.intervals?.figures.find(({ figure }) => figure === path);

/** The same job without its failures, a tenth as long: so that many end before the horizon. */
function quick(job: Script["jobs"][number]): Script["jobs"][number] {
  const { served, submittedUs, endedUs, lost } = job;
  const before = lost.at(-1)?.failedUs ?? submittedUs;
  const at = (us: number): number => submittedUs + Math.floor((us - before) / 10);
  return {
    ...job, lost: [], endedUs: endedUs === null ? null : at(endedUs),
    served: served === null ? null : { ...served, assignedUs: at(served.assignedUs), startedUs: at(served.startedUs), firstTokenUs: at(served.firstTokenUs), finishedUs: at(served.finishedUs) },
  };
}

/** Job by job, in which batch it ended: -1 for jobs of the warm-up; what ends after the horizon is in the first. */
function batchesOf({ setup: { warmupUs, horizonUs }, jobs }: Script): number[] {
  const ends = Array.from({ length: BATCHES }, (_, batch) => Math.round(warmupUs + ((horizonUs - warmupUs) * (batch + 1)) / BATCHES));
  return jobs.map(({ submittedUs, endedUs }) => (submittedUs < warmupUs || endedUs === null ? -1 : Math.max(0, ends.findIndex((endUs) => endedUs <= endUs))));
}

test("a run's intervals are those of a count by brute force: jobs by the batch in which they ended", () => {
  let [means, totals, quantiles] = [0, 0, 0];
  fc.assert(fc.property(fc.array(script, { minLength: 20, maxLength: 20 }), (scripts) => {
    const played: Script = { ...scripts[0]!, jobs: scripts.flatMap(({ jobs }) => jobs.map(quick)), endUs: Math.max(...scripts.map(({ endUs }) => endUs)) };
    const { report } = play(played);
    const batches = batchesOf(played);
    const sum = (of: (job: Script["jobs"][number]) => number): Float64Array => played.jobs.reduce((sums, job, index) => {
      if (batches[index]! >= 0) sums[batches[index]!]! += of(job);
      return sums;
    }, new Float64Array(BATCHES));
    const isCompleted = (job: Script["jobs"][number]): boolean => job.status === "completed" && job.endedUs !== null && job.served !== null;
    const often = (sums: Float64Array): boolean => sums.filter((one) => one !== 0).length >= 10;
    const completed = sum((job) => (isCompleted(job) ? 1 : 0));
    const times = sum((job) => (isCompleted(job) ? job.served!.finishedUs - job.submittedUs : 0));
    const close = (path: string, expected: NonNullable<ReturnType<typeof batchRatio>>, scale: number): void => {
      const interval = found(report, path)!;
      const half = ((expected.high - expected.low) / 2) * scale;
      expect(interval.halfWidth / Math.max(1, half)).toBeCloseTo(half / Math.max(1, half), 4);
      expect(interval.correlation).toBeCloseTo(expected.correlation, 3);
      expect(interval.trusted).toBe(expected.trusted);
    };
    expect(found(report, "overall.latency.endToEndUs.mean") !== undefined).toBe(often(completed));
    if (!often(completed)) return;
    means++;
    close("overall.latency.endToEndUs.mean", batchRatio(times, completed, 0.95)!, 1);
    totals++;
    close("overall.jobs.completed", batchRatio(completed, new Float64Array(BATCHES).fill(1), 0.95)!, BATCHES);
    const median = found(report, "overall.latency.endToEndUs.p50");
    if (median?.low === undefined) return;
    quantiles++;
    expect(median.low).toBeLessThanOrEqual(median.mean);
    expect(median.high).toBeGreaterThanOrEqual(median.mean);
  }), { seed: 1, numRuns: 40 });
  expect(means).toBeGreaterThan(20);
  expect(totals).toBeGreaterThan(20);
  expect(quantiles).toBeGreaterThan(5);
});

describe("every figure of a report", () => {
  const of = (name: string, sets: readonly string[]): RunReport => {
    const fileName = fileURLToPath(new URL(`../../../scenarios/${name}.yaml`, import.meta.url));
    return runScenario(loadScenario(readFileSync(fileName, "utf8"), fileName, { sets: [...sets] }).scenario);
  };

  // Between them they have every part that a report can have: costs, exchange rates, strategies, entry, auctions, batches, channels.
  test.each([
    ["quickstart", ["horizon=5min", "warmup=1min"]], ["churn", ["horizon=20min", "warmup=5min"]], ["fiat-or-sat", ["horizon=4h", "warmup=1h"]],
    ["electricity-shock", ["horizon=16h", "warmup=4h"]], ["cournot", []], ["strategy-choice", []], ["escrow-or-streaming", []], ["pay-before-or-after", []],
    ["monopolist", ["horizon=4h", "warmup=1h"]], ["quickstart", ["horizon=3min", "warmup=1min", "pricing={call-for-bids: {}}"]], ["quickstart", ["horizon=3min", "warmup=1min", "pricing=continuous"]],
  ] as const)("of %s %j has an interval, or a reason why it has none, and not both", (name, sets) => {
    const report = of(name, sets);
    const { figures, without } = runReport.parse(report).intervals!;
    const known = figures.map(({ figure }) => figure);
    const others = without!.flatMap(({ figures: paths }) => paths);
    const stated = Object.entries(figuresOf(report)).filter(([, value]) => value !== null).map(([path]) => path);
    expect([...known, ...others].sort()).toEqual(stated.sort());
    expect(without!.find(({ why }) => why === "unknown")).toBeUndefined();
    const values = figuresOf(report);
    const wrong = figures.filter(({ figure, mean, halfWidth, low, high }) => mean !== values[figure] || !Number.isFinite(halfWidth) || (low !== undefined && !(low <= mean && mean <= high!)));
    expect(wrong).toEqual([]);
  });
});

describe("intervals and results", () => {
  const fileName = fileURLToPath(new URL("../../../scenarios/mm1.yaml", import.meta.url));
  const load = () => loadScenario(readFileSync(fileName, "utf8"), fileName, { sets: ["horizon=4h", "warmup=10min"] }).scenario;

  test("asking for intervals changes nothing else, nor the digest; nor does the length of the steps", () => {
    const [asked, unasked] = [runScenario(load()), runScenario(load(), { intervals: false })];
    expect(asked.intervals).not.toBeNull();
    expect(unasked).toEqual({ ...asked, intervals: null });
    const run = startRun(load());
    while (!run.step(17_000_001));
    expect(run.finish()).toEqual(asked);
  });

  test("a run that is stopped has those of its whole batches; below ten there are none", () => {
    const stopped = (untilUs: number): RunReport => {
      const run = startRun(load());
      run.step(untilUs);
      return run.finish();
    };
    expect(stopped(4 * 3_600e6 * 0.9).intervals!.batches).toBe(17);
    expect(stopped(3_600e6).intervals).toBeNull();
  });
});
