import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { Figures } from "../../../protocol/result/figures.ts";
import { findMetric } from "../../../protocol/result/metrics.ts";
import { replicationsReport } from "../../../protocol/result/replications.ts";
import { RandomStreams } from "../../kernel/random.ts";
import { normalQuantile } from "../../kernel/special.ts";
import { loadScenario } from "../../scenario/load.ts";
import type { ReplicationsSpec, UntilRule } from "../../scenario/sections/replications.ts";
import { conduct } from "../conduct.ts";
import type { RunOutcome, RunTask } from "../plan.ts";
import { TaskPlayer } from "../play-task.ts";
import { runScenario } from "../run.ts";
import { replicationSeed } from "../seeds.ts";
import { FigureEstimates } from "./figure-estimates.ts";
import { replicate } from "./replicate.ts";
import type { ReplicationsQuestion } from "./replicate.ts";

const fileName = fileURLToPath(new URL("../../../scenarios/mm1.yaml", import.meta.url));
const source = readFileSync(fileName, "utf8");
const sets = ["horizon=5min", "warmup=30s"];
const { scenario } = loadScenario(source, fileName, { sets });
const latency = findMetric("latency.mean")!;

const question = (replications: ReplicationsSpec, more: Partial<ReplicationsQuestion> = {}): ReplicationsQuestion => ({ scenario, replications, seed: 1, sets, lab: { name: "infernet-lab", version: "test" }, ...more });
const until = (rule: Partial<UntilRule>): ReplicationsSpec => ({ count: null, until: { metric: latency, halfWidth: 0.02, confidence: 0.95, atLeast: 10, atMost: 1_000, ...rule } });

/** A run without a market: figures by a formula of its seed. */
const formula = (figures: (uniform: () => number, task: RunTask) => Figures) => (task: RunTask, index: number): RunOutcome => {
  const random = new RandomStreams(task.seed).stream("test", "run", "figure");
  return { index, task, figures: figures(() => random.next(), task), digest: null, error: null };
};

describe("replications", () => {
  test("are runs with seeds of their own, the first the scenario's; the report is their mean, with Student's interval", () => {
    const player = new TaskPlayer({ source, fileName, sets });
    const seen: RunOutcome[] = [];
    const report = conduct(replicate(question({ count: 3, until: null }, { onRun: (outcome) => void seen.push(outcome) })), (task, index) => player.play(task, index))!;
    expect(replicationsReport.parse(report)).toEqual(report);
    expect(seen.map(({ task }) => task.seed)).toEqual([1, replicationSeed(1, 1), replicationSeed(1, 2)]);
    const means = seen.map(({ task }) => runScenario(scenario, { seed: task.seed, sets }).overall.latency.endToEndUs.mean!);
    const mean = (means[0]! + means[1]! + means[2]!) / 3;
    const sd = Math.sqrt(means.reduce((sum, x) => sum + (x - mean) * (x - mean), 0) / 2);
    const { runs, interval, ...estimate } = report.figures["overall.latency.endToEndUs.mean"]!;
    expect(runs).toBe(3);
    expect(estimate.mean).toBeCloseTo(mean, 3);
    expect(estimate.sd).toBeCloseTo(sd, 3);
    // Student's 97.5 % quantile with two degrees of freedom.
    expect((interval!.high - interval!.low) / 2).toBeCloseTo(4.302652729911275 * sd / Math.sqrt(3), 2);
    expect([estimate.min, estimate.max]).toEqual([Math.min(...means), Math.max(...means)]);
    expect(report.runs).toEqual({ played: 3, failed: 0, failures: [] });
    expect(report.figures["clientClasses.customers.jobs.completed"]?.runs ?? Object.keys(report.figures).filter((path) => path.startsWith("clientClasses")).length).toBeGreaterThan(0);
    // A level series over time is level.
    const [inSystem] = report.overTime.series;
    expect(inSystem!.mean).toHaveLength(report.overTime.windows);
    const whole = seen.reduce((sum, { figures }) => sum + figures!["checks.little.meanInSystem"]! / 3, 0);
    const measured = inSystem!.mean.slice(10).reduce<number>((sum, value) => sum + value! / 90, 0);
    expect(measured).toBeCloseTo(whole, 6);
  });

  test("that fail have no part in the figures, and are told", () => {
    const report = conduct(replicate(question({ count: 4, until: null })), (task, index) => task.name === "replication=2" ? { index, task, figures: null, digest: null, error: "Error: no luck" } : formula(() => ({ [latency.path]: 5 }))(task, index))!;
    expect(report.runs).toEqual({ played: 4, failed: 1, failures: [{ name: "replication=2", seed: replicationSeed(1, 2), error: "Error: no luck" }] });
    expect(report.figures[latency.path]).toEqual({ runs: 3, mean: 5, sd: 0, min: 5, max: 5, interval: { confidence: 0.95, low: 5, high: 5 } });
  });

  test("that all fail leave nothing to report", () => {
    expect(conduct(replicate(question({ count: 2, until: null })), (task, index) => ({ index, task, figures: null, digest: null, error: "Error: no luck" }))).toBeNull();
  });

  test("interrupted, report what was played", () => {
    const running = replicate(question({ count: 10, until: null }));
    const { value: batch } = running.next() as IteratorYieldResult<Parameters<typeof conduct>[0] extends Generator<infer Batch, unknown, unknown> ? Batch : never>;
    let played = 0;
    for (const task of batch.tasks) if (played++ < 4) batch.take(formula(() => ({ [latency.path]: 1 }))(task, played));
    const { value: report } = running.next({ interrupted: true }) as IteratorReturnResult<ReturnType<typeof conduct> & { runs: { played: number }; provenance: { interrupted?: true } }>;
    expect(report.runs.played).toBe(4);
    expect(report.provenance.interrupted).toBe(true);
  });

  test("count what did not occur as 0, and leave out what is not defined", () => {
    const estimates = new FigureEstimates();
    estimates.add({ "overall.reasons.failed.x.jobs": 4, "a": null });
    estimates.add({ "a": 2 });
    expect(estimates.estimate("overall.reasons.failed.x.jobs", 0.95)).toMatchObject({ runs: 2, mean: 2, min: 0, max: 4 });
    expect(estimates.estimate("a", 0.95)).toEqual({ runs: 1, mean: 2, sd: null, min: 2, max: 2, interval: null });
    expect(estimates.estimate("b", 0.95)).toBeNull();
  });
});

describe("replications until a figure is known", () => {
  /** Exponential, and a mean over 8 of them: skewed as latencies are. */
  const skewed = formula((uniform) => ({ [latency.path]: Array.from({ length: 8 }, () => -Math.log(1 - uniform())).reduce((sum, x) => sum + x / 8, 0) }));

  test("stop when the interval is narrow enough, and not before", () => {
    const report = conduct(replicate(question(until({ halfWidth: 0.05 }))), skewed)!;
    const { met, looks } = report.until!;
    expect(met).toBe(true);
    expect(looks.map((look) => look.met)).toEqual(looks.map((_, i) => i === looks.length - 1));
    expect(looks[0]!.runs).toBe(10);
    expect(looks.at(-1)!.relativeHalfWidth).toBeLessThanOrEqual(0.05 / 1.05);
    expect(report.figures[latency.path]!.runs).toBe(looks.at(-1)!.runs);
    expect(report.keyMetrics[0]!.metric.id).toBe("latency.mean");
    // Relative sd 0.35, so about (1.96 x 0.35 / 0.0476)^2 = 212 runs.
    expect(looks.at(-1)!.runs).toBeGreaterThan(120);
    expect(looks.at(-1)!.runs).toBeLessThan(330);
  });

  test("stop at the most, and say that it was not enough", () => {
    const { until: rule, runs } = conduct(replicate(question(until({ halfWidth: 0.001, atMost: 60 }))), skewed)!;
    expect([rule!.met, runs.played]).toEqual([false, 60]);
  });

  test("stop at once where the figure is always the same, or never there", () => {
    const same = conduct(replicate(question(until({}))), formula(() => ({ [latency.path]: 0 })))!;
    expect([same.until!.met, same.runs.played]).toEqual([true, 10]);
    const never = conduct(replicate(question(until({}))), formula(() => ({ other: 1 })))!;
    expect([never.until!.met, never.until!.looks, never.runs.played]).toEqual([false, [], 10]);
    const undefinedInAll = conduct(replicate(question(until({}))), formula(() => ({ [latency.path]: null })))!;
    expect([undefinedInAll.until!.looks, undefinedInAll.runs.played]).toEqual([[], 10]);
  });

  test("keep their promise: in 1,000 studies, the interval is as narrow as asked and covers the truth nearly as often as it says", () => {
    const studies = (draw: (uniform: () => number) => number, truth: number, halfWidth: number): { covered: number; within: number; runs: number } => {
      let [covered, within, runs] = [0, 0, 0];
      const play = formula((uniform) => ({ [latency.path]: draw(uniform) }));
      for (let seed = 0; seed < 1_000; seed++) {
        const report = conduct(replicate(question(until({ halfWidth }), { seed })), play)!;
        expect(report.until!.met).toBe(true);
        const { mean, interval } = report.figures[latency.path]!;
        if (interval!.low <= truth && truth <= interval!.high) covered++;
        if (Math.abs(mean! / truth - 1) <= halfWidth) within++;
        runs += report.runs.played / 1_000;
      }
      return { covered, within, runs };
    };
    const normal = studies((uniform) => 10 + 2 * normalQuantile(uniform() || 0.5), 10, 0.05);
    expect(normal.covered).toBeGreaterThanOrEqual(930);
    expect(normal.within).toBeGreaterThanOrEqual(930);
    expect(normal.runs).toBeLessThan(90);
    const erlang = studies((uniform) => Array.from({ length: 8 }, () => -Math.log(1 - uniform())).reduce((sum, x) => sum + x / 8, 0), 1, 0.1);
    expect(erlang.covered).toBeGreaterThanOrEqual(920);
    expect(erlang.within).toBeGreaterThanOrEqual(920);
  });
});
