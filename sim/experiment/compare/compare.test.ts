import { describe, expect, test } from "vitest";
import { comparisonReport } from "../../../protocol/result/comparison.ts";
import type { ComparisonReport } from "../../../protocol/result/comparison.ts";
import { experimentDigest } from "../../../protocol/result/experiment.ts";
import type { Figures } from "../../../protocol/result/figures.ts";
import { metricOfPath } from "../../../protocol/result/metrics.ts";
import { RandomStreams } from "../../kernel/random.ts";
import { normalQuantile } from "../../kernel/special.ts";
import { loadScenario } from "../../scenario/load.ts";
import { soundScenario } from "../../scenario/testing/sound-scenario.ts";
import { variationOf } from "../../scenario/variation.ts";
import { conduct } from "../conduct.ts";
import type { RunOutcome, RunTask } from "../plan.ts";
import { replicationSeed } from "../seeds.ts";
import { comparison } from "./compare.ts";
import type { ComparisonQuestion } from "./compare.ts";

const { scenario } = loadScenario(soundScenario, "a.yaml");
const metrics = ["overall.latency.endToEndUs.p95", "overall.goodput.share", "market.profitMsat"].map(metricOfPath);

const times = (count: number): ComparisonQuestion["replications"] => ({ count, until: null });

function question(changes: Partial<ComparisonQuestion> = {}): ComparisonQuestion {
  return {
    scenario, arms: ["a", "b"].map((name) => ({ name, variation: variationOf(name === "a" ? {} : { "router.policy": "random" }, ["arms", name]) })), baseline: "a",
    metrics, metricsAsked: true, replications: times(4), confidence: 0.95, allPairs: false, seed: 1, sets: [], lab: { name: "infernet-lab", version: "0" }, ...changes,
  };
}

/** Plays by a formula: figures of an arm in a replication; null: the run fails. */
function byFormula(figures: (arm: string, replication: number, seed: number) => Figures | null): (task: RunTask, index: number) => RunOutcome {
  return (task, index) => {
    const [, arm, replication] = /^arm=(.+) replication=(\d+)$/.exec(task.name)!;
    const found = figures(arm!, Number(replication), task.seed);
    return { index, task, figures: found, digest: found === null ? null : "0".repeat(64), error: found === null ? "Error: broken" : null };
  };
}

function compared(figures: Parameters<typeof byFormula>[0], changes: Partial<ComparisonQuestion> = {}): ComparisonReport {
  const report = conduct(comparison(question(changes)), byFormula(figures))!;
  return comparisonReport.parse(report);
}

const latency = (us: number): Figures => ({ "overall.latency.endToEndUs.p95": us, "overall.goodput.share": 0.5, "market.profitMsat": null });

describe("the plan", () => {
  test("plays each replication in all arms before the next, with the same seed", () => {
    const tasks: RunTask[] = [];
    conduct(comparison(question({ replications: times(3) })), (task, index) => {
      tasks.push(task);
      return { index, task, figures: latency(1), digest: "", error: null };
    });
    expect(tasks.map(({ name }) => name)).toEqual([0, 1, 2].flatMap((r) => [`arm=a replication=${r}`, `arm=b replication=${r}`]));
    expect(tasks.map(({ seed }) => seed)).toEqual([0, 0, 1, 1, 2, 2].map((r) => replicationSeed(1, r)));
    expect(tasks.map(({ sets }) => sets)).toEqual([0, 1, 2].flatMap(() => [[], ["router.policy=random"]]));
  });

  test("stopped in the middle reports the replications that all arms played, and nothing where there are none", () => {
    const stopAfter = (runs: number): ComparisonReport | null => {
      const plan = comparison(question());
      const batch = plan.next();
      if (batch.done === true) throw new Error("no batch");
      let index = 0;
      for (const task of batch.value.tasks) {
        if (index === runs) break;
        batch.value.take(byFormula((_, r) => latency(1_000 + r))(task, index++));
      }
      const end = plan.next({ interrupted: true });
      return end.value as ComparisonReport | null;
    };
    expect(stopAfter(1)).toBe(null);
    const report = stopAfter(5)!;
    expect([report.replications, report.runs.played, report.provenance.interrupted]).toEqual([2, 5, true]);
    expect(report.differences[0]!.pairs).toBe(2);
  });
});

describe("the report", () => {
  test("adds up: estimates, differences, intervals, p-values by hand", () => {
    const a = [1_000, 1_200, 900, 1_100];
    const b = [800, 1_000, 760, 850];
    const report = compared((arm, r) => latency((arm === "a" ? a : b)[r]!));
    const [p95, goodput, profit] = report.differences;
    // Differences -200, -200, -140, -250: mean -197.5, variance 2025 (by hand: 6.25 + 6.25 + 3306.25 + 2756.25 over 3).
    expect(p95).toMatchObject({ baseline: "a", arm: "b", metric: "latency.p95", method: "paired", pairs: 4, baselineMean: 1_050, armMean: 852.5, difference: -197.5, verdict: "better" });
    const half = 3.182446 * Math.sqrt(2_025 / 4);
    expect(p95!.interval!.low).toBeCloseTo(-197.5 - half, 2);
    expect(p95!.interval!.high).toBeCloseTo(-197.5 + half, 2);
    expect(p95!.relative!.value).toBeCloseTo(-197.5 / 1_050, 12);
    // t = -8.78 with 3 degrees of freedom.
    expect(p95!.pValue).toBeCloseTo(0.0031, 4);
    expect(p95!.varianceRatio).toBeCloseTo((50_000 / 3 + 33_075 / 3) / 2_025, 9);
    expect(goodput).toMatchObject({ difference: 0, verdict: "identical", pValue: 1, correlation: null, varianceRatio: null, sentence: "Share within every goal was the same in every pair of runs: 50 %." });
    expect(profit).toMatchObject({ pairs: 0, difference: null, verdict: "unknown", pValue: null, lacking: { baseline: 4, arm: 4, failed: 0 } });
    expect(p95!.adjustedPValue, "of two tests").toBeCloseTo(2 * p95!.pValue!, 12);
    expect(report.absent).toEqual(["profit"]);
    expect(report.values.find(({ arm, metric }) => arm === "b" && metric === "latency.p95")!.estimate).toMatchObject({ runs: 4, mean: 852.5, min: 760, max: 1_000 });
    expect(report.provenance.resultsDigest).toBe(experimentDigest(report));
  });

  test("leaves out what nobody asked for and no run has", () => {
    const report = compared((_, r) => latency(1_000 + r), { metricsAsked: false });
    expect([report.metrics.map(({ id }) => id), report.absent]).toEqual([["latency.p95", "goodput"], ["profit"]]);
  });

  test("drops a replication's pair where one run failed or has no such figure, and says so", () => {
    const report = compared((arm, r) => (arm === "b" && r === 1 ? null : arm === "a" && r === 2 ? { ...latency(1), "overall.latency.endToEndUs.p95": null } : latency(1_000 + 10 * r + (arm === "b" ? 5 : 0))), { replications: times(6) });
    const [p95, goodput] = report.differences;
    expect([p95!.pairs, p95!.lacking]).toEqual([4, { baseline: 1, arm: 0, failed: 1 }]);
    expect([goodput!.pairs, goodput!.lacking]).toEqual([5, { baseline: 0, arm: 0, failed: 1 }]);
    expect(report.runs).toEqual({ played: 12, failed: 1, failures: [{ name: "arm=b replication=1", seed: replicationSeed(1, 1), error: "Error: broken" }] });
    expect(report.arms.map(({ failed }) => failed)).toEqual([0, 1]);
    expect(report.notes[0]).toContain("1 run failed");
  });

  test("compares all pairs where asked, and adjusts for all of them", () => {
    const arms = ["a", "b", "c"].map((name) => ({ name, variation: [] }));
    const random = new RandomStreams(5);
    const figures = (arm: string, r: number): Figures => latency(1_000 + 50 * normalQuantile(random.stream("x", `${arm} ${r}`, "y").next()) - (arm === "c" ? 100 : 0));
    const report = compared(figures, { arms, baseline: "b", allPairs: true, replications: times(8) });
    expect(report.differences.map(({ baseline, arm, metric }) => `${baseline} ${arm} ${metric}`)).toEqual(["b a", "b c", "a c"].flatMap((pair) => ["latency.p95", "goodput", "profit"].map((metric) => `${pair} ${metric}`)));
    const tested = report.differences.filter(({ pValue }) => pValue !== null);
    expect(tested).toHaveLength(6);
    const least = tested.toSorted((x, y) => x.pValue! - y.pValue!)[0]!;
    expect(least.adjustedPValue).toBeCloseTo(6 * least.pValue!, 12);
    expect(report.findings).toHaveLength(2);
  });

  test("of one replication calls it an anecdote", () => {
    const report = compared((arm) => latency(arm === "a" ? 1_000_000 : 820_000), { replications: times(1) });
    expect(report.differences[0]).toMatchObject({ verdict: "anecdote", interval: null, pValue: null, sentence: "P95 latency was 820 ms against 1 s (-18 %); one run is an anecdote, and nothing says how much of this is chance." });
  });
});

describe("in plain words", () => {
  const noise = [0.4, -1.2, 0.9, 1.6, -0.7, -1.0];
  const sentence = (baseline: number, change: number, spread: number, path = "overall.latency.endToEndUs.p95", more: Partial<ComparisonQuestion> = {}): string =>
    compared((arm, r) => ({ [path]: baseline + 30 * r + (arm === "b" ? change + spread * noise[r]! : 0) }), { replications: times(6), metrics: [metricOfPath(path)], ...more }).differences[0]!.sentence;

  test.each([
    ["a fall", sentence(1_000_000, -180_000, 35_000), "P95 latency fell by 18 % (95 % CI 14 to 22), from 1 s to 820 ms: better."],
    ["a rise", sentence(1_000_000, 60_000, 3_000), "P95 latency rose by 6 % (95 % CI 5.6 to 6.4), from 1 s to 1.06 s: worse."],
    ["nothing found", sentence(1_000_000, 2_000, 20_000), "P95 latency: no difference found; one smaller than 3 % could not be excluded."],
    ["a share, in percentage points", sentence(0.5, 0.05, 0.004, "overall.goodput.share").replace(/from.*/, ""), "Share within every goal rose by 5 percentage points (95 % CI 4.5 to 5.5), "],
    ["a loss that shrank", sentence(-5_000_000 + 74_925, 1_000_000, 100_000, "market.profitMsat"), "Operators' profit rose by 1,000 sat (95 % CI 881 sat to 1,120 sat), from -4,930 sat to -3,930 sat: better."],
    ["what could be 0 at first", sentence(-75, 1_000, 100, "market.profitMsat"), "Operators' profit rose by 1 sat (95 % CI 881 msat to 1.12 sat), from 0 msat to 1 sat: better."],
    ["where neither is better", sentence(20_000, 3_000, 100, "overall.prices.perMtokMsat.mean"), "Mean price rose by 14.9 % (95 % CI 14.3 to 15.6), from 20.1 sat/Mtok to 23.1 sat/Mtok."],
    ["a figure that never varies", sentence(1_000_000, -100_000, 0, "overall.latency.endToEndUs.p95"), "P95 latency fell by 10 % in each of 6 pairs of runs, from 1 s to 900 ms: better."],
  ])("%s", (_, found, expected) => expect(found).toBe(expected));

  test("what may be chance among many", () => {
    const many = ["p95", "p50", "p90", "mean"].map((name) => metricOfPath(`overall.latency.endToEndUs.${name}`));
    const report = compared((arm, r) => Object.fromEntries(many.map(({ path }, m) => [path, 1_000_000 + (arm === "b" ? (m === 0 ? 30_000 : 0) + 25_000 * noise[(r + m) % 6]! : 0)])), { replications: times(6), metrics: many });
    const { pValue, adjustedPValue, verdict, sentence: words } = report.differences[0]!;
    expect(pValue).toBeLessThan(0.05);
    expect(adjustedPValue).toBeGreaterThan(0.05);
    expect(verdict).toBe("perhaps");
    expect(report.notes).toContainEqual(expect.stringMatching(/ may be chance or not: more replications would tell\.$/));
    expect(words).toMatch(/^P95 latency may have risen by 3 % \(95 % CI .* to .*\); as one of 4 comparisons this may be chance \(adjusted p = 0\.\d+\)\.$/);
  });
});
