import { describe, expect, test } from "vitest";
import { comparisonReport } from "../../../protocol/result/comparison.ts";
import type { ComparisonReport } from "../../../protocol/result/comparison.ts";
import { metricOfPath } from "../../../protocol/result/metrics.ts";
import { compareSets } from "./run-sets.ts";
import type { RunSet, SetRun } from "./run-sets.ts";

const metrics = ["overall.latency.endToEndUs.p95", "overall.attempts.failures.timeout.attempts"].map(metricOfPath);
const hash = "0".repeat(64);

function set(name: string, runs: readonly SetRun[], scenario = "market", version = "1.0.0"): RunSet {
  return {
    name, changes: [], runs, scenario: { name: scenario, question: "What of it?", hash, resolved: {} },
    source: { folder: `out/${name}`, arm: null, scenario, hash, seed: 1, sets: [], version },
  };
}

const runs = (seeds: readonly number[], value: (seed: number) => number | null): SetRun[] => seeds.map((seed) => ({ seed, values: [value(seed), undefined] }));
const compare = (sets: readonly RunSet[]): ComparisonReport =>
  comparisonReport.parse(compareSets(sets, { metrics, metricsAsked: true, baseline: sets[0]!.name, confidence: 0.95, allPairs: false, lab: { name: "infernet-lab", version: "1.0.0" } }));

/** What a seed does to a run, whatever the arm. */
const luck = (seed: number): number => 1_000_000 + 70_000 * ((seed * 7) % 5);
const own = (seed: number): number => 3_000 * ((seed * 3) % 4);

describe("runs are held against each other", () => {
  test("seed by seed where they have seeds in common, whatever their order", () => {
    const { differences: [p95], notes } = compare([set("a", runs([1, 2, 3, 4, 5], luck)), set("b", runs([5, 3, 1, 2, 4], (seed) => luck(seed) - 50_000 + own(seed)))]);
    expect(p95).toMatchObject({ method: "paired", pairs: 5, verdict: "better" });
    expect(p95!.varianceRatio).toBeGreaterThan(100);
    expect(notes[0]).toBe("b: 5 seeds in common with the baseline, compared run by run.");
  });

  test("seed by seed where one has more of them, without the rest", () => {
    const { differences: [p95], notes, replications } = compare([set("a", runs([1, 2, 3, 4, 5, 6, 7], luck)), set("b", runs([1, 2, 3, 4], (seed) => luck(seed) + own(seed)))]);
    expect([p95!.pairs, replications]).toEqual([4, 4]);
    expect(notes[0]).toContain("3 runs without a partner left out");
  });

  test("as independent samples where they have none, or belong to different scenarios", () => {
    const other = compare([set("a", runs([1, 2, 3, 4], luck)), set("b", runs([11, 12, 13, 14, 15], luck)), set("c", runs([1, 2, 3, 4], luck), "another")]);
    expect(other.differences.map(({ method, correlation, varianceRatio }) => ({ method, correlation, varianceRatio }))).toEqual(Array.from({ length: 4 }, () => ({ method: "independent", correlation: null, varianceRatio: null })));
    expect(other.notes.slice(0, 2)).toEqual([
      "b: no seeds in common with the baseline, compared as independent samples (Welch's t).",
      "c: another scenario than the baseline's (another, market), compared as independent samples (Welch's t).",
    ]);
    // Half the seeds would throw most runs away.
    expect(compare([set("a", runs([1, 2, 3, 4, 5, 6], luck)), set("b", runs([5, 6, 7, 8, 9, 10], luck))]).differences[0]!.method).toBe("independent");
  });

  test("and one run each is an anecdote", () => {
    const { differences: [p95], notes } = compare([set("a", runs([1], luck)), set("b", runs([1], (seed) => luck(seed) / 2))]);
    expect(p95).toMatchObject({ verdict: "anecdote", interval: null, pairs: 1 });
    expect(notes[0]).toMatch(/^b: one run each, an anecdote/);
  });
});

test("runs that failed and figures that are undefined are left out and told of; what is counted by reason is 0 where it is not mentioned", () => {
  const a = runs([1, 2, 3, 4, 5], luck);
  const b = [...runs([1, 2, 3], (seed) => (seed === 2 ? null : luck(seed) - 40_000 + own(seed))), { seed: 4, values: null }, ...runs([5], luck)];
  const report = compare([set("a", a), set("b", b)]);
  const [p95, timeouts] = report.differences;
  expect([p95!.pairs, p95!.lacking]).toEqual([3, { baseline: 0, arm: 1, failed: 1 }]);
  expect(timeouts).toMatchObject({ pairs: 4, verdict: "identical", difference: 0 });
  expect(report.runs).toEqual({ played: 10, failed: 1, failures: [{ name: "b seed=4", seed: 4, error: "failed when it was played" }] });
  const apart = compare([set("a", a), set("b", b.map((run) => ({ ...run, seed: run.seed + 100 })))]).differences[0]!;
  expect([apart.pairs, apart.lacking]).toEqual([3, { baseline: 0, arm: 1, failed: 1 }]);
});

test("reports of different versions are told of", () => {
  const { notes } = compare([set("a", runs([1, 2], luck)), set("b", runs([1, 2], luck), "market", "1.1.0")]);
  expect(notes).toContain("The reports were made by different versions of the lab (1.0.0, 1.1.0; this is 1.0.0): part of a difference may be theirs.");
});
