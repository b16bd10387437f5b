import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { loadScenario } from "../scenario/load.ts";
import type { Scenario } from "../scenario/scenario.ts";
import { RandomStreams } from "../kernel/random.ts";
import { conduct } from "./conduct.ts";
import { TaskPlayer } from "./play-task.ts";
import { pilots } from "./replications/pilots.ts";
import { replicate } from "./replications/replicate.ts";
import { findWarmup, runScenario, startRun } from "./run.ts";
import { SeriesTally } from "./series.ts";
import { PILOT_WINDOWS, pilotSeeds, warmupOf } from "./warmup.ts";
import type { PilotSeries } from "./warmup.ts";

const fileName = fileURLToPath(new URL("../../scenarios/mmc-16.yaml", import.meta.url));
const source = readFileSync(fileName, "utf8");
const load = (...sets: string[]): Scenario => loadScenario(source, fileName, { sets }).scenario;
const auto = ["warmup=auto", "horizon=10min"];

describe("the warm-up found in pilots", () => {
  /** A course that comes down from `offset` to 5 with this time constant, in windows, and noise about it. */
  const course = (entity: string, offset: number, constant: number): (number | null)[] => {
    const random = new RandomStreams(1).stream("test", entity, "noise");
    return Array.from({ length: PILOT_WINDOWS }, (_, i) => 5 + offset * Math.exp(-i / constant) + random.next() - 0.5);
  };
  const level = new Array<number>(PILOT_WINDOWS).fill(0.1 + 0.2);
  const none = new Array<null>(PILOT_WINDOWS).fill(null);
  const pilot = (p: number, more: Partial<PilotSeries> = {}): PilotSeries => ({ inSystem: course(`in system ${p}`, 10, 20), latencyUs: course(`latency ${p}`, 10, 50), perMtokMsat: level, ...more });

  test("is the latest of the cuts; what never changes, and what is not there, has none", () => {
    const { warmupUs, finding } = warmupOf([0, 1, 2, 3, 4].map((p) => pilot(p)), 1e9);
    const [inSystem, latency, price] = finding.series;
    // The offset is below the noise of the mean, 0.13, after 4.3 time constants.
    expect(inSystem!.cutUs).toBeGreaterThan(50e6);
    expect(inSystem!.cutUs).toBeLessThan(150e6);
    expect(latency!.cutUs).toBeGreaterThan(150e6);
    expect(latency!.cutUs).toBeLessThan(350e6);
    expect([price!.cutUs, price!.sufficient]).toEqual([0, true]);
    expect(warmupUs).toBe(latency!.cutUs);
    expect(finding.sufficient).toBe(true);
    const without = warmupOf([pilot(0, { latencyUs: none, perMtokMsat: none })], 1e9).finding.series;
    expect(without.map(({ name }) => name)).toEqual(["inSystem"]);
    expect(warmupOf([pilot(0, { inSystem: none, latencyUs: none, perMtokMsat: none })], 1e9)).toMatchObject({ warmupUs: 0, finding: { series: [] } });
  });

  test("bears windows without a value", () => {
    const sparse = (p: number): (number | null)[] => course(`latency ${p}`, 10, 50).map((value, i) => i % 7 < 5 ? null : value);
    const { warmupUs } = warmupOf([0, 1, 2, 3, 4].map((p) => pilot(p, { latencyUs: sparse(p) })), 1e9);
    expect(warmupUs).toBeGreaterThan(100e6);
    // Windows are joined, so steps are longer.
    expect(warmupUs).toBeLessThanOrEqual(500e6);
  });

  test("tells a course that does not settle", () => {
    const rising = Array.from({ length: PILOT_WINDOWS }, (_, i) => i);
    expect(warmupOf([pilot(0, { inSystem: rising })], 1e9).finding).toMatchObject({ sufficient: false, series: [{ name: "inSystem", sufficient: false }, { sufficient: true }, { sufficient: true }] });
  });
});

describe("warmup: auto", () => {
  const scenario = load(...auto);
  const found = findWarmup(scenario);

  test("finds where a market that begins empty is full", () => {
    expect(scenario).toMatchObject({ warmupUs: 0, autoWarmup: true });
    // 16 servers at rho 0.9, mean service 1 s: some services long.
    expect(found.warmupUs).toBeGreaterThan(0);
    expect(found.warmupUs).toBeLessThan(scenario.horizonUs / 2);
    expect(found.finding.sufficient).toBe(true);
    const [inSystem] = found.finding.series;
    expect(inSystem!.values[0]!).toBeLessThan(4);
  });

  test("is the same wherever it is looked for, whatever the run's seed", () => {
    const report = runScenario(scenario, { seed: 7 });
    expect(report.warmupUs).toBe(found.warmupUs);
    expect(report.warmup.found).toEqual(found.finding);
    expect(report.warmup.jobs).toBe(report.allJobs.submitted - report.overall.jobs.submitted);
    expect(pilotSeeds(1)).not.toContain(1);
    const player = new TaskPlayer({ source, fileName, sets: auto });
    expect(conduct(pilots(scenario), (task, index) => player.play(task, index))).toEqual(found);
    const played = player.play({ name: "run", sets: [], seed: 7 }, 0);
    expect(played.digest).toBe(report.provenance.resultsDigest);
    expect(startRun(load(...auto), { seed: 7, warmup: found }).progress.horizonUs).toBe(scenario.horizonUs);
  });

  test("leaves out of replications what it leaves out of a run; a time that is given goes first", () => {
    const player = new TaskPlayer({ source, fileName, sets: auto });
    const report = conduct(replicate({ scenario, replications: { count: 2, until: null }, seed: 1, sets: auto, lab: { name: "lab", version: "0" } }), (task, index) => player.play(task, index))!;
    expect([report.warmupUs, report.warmup.found]).toEqual([found.warmupUs, found.finding]);
    expect(report.runs.played).toBe(2);
    const single = runScenario(scenario, { seed: 1 });
    expect(report.keyMetrics[0]!.values[0]).toBe(single.overall.latency.endToEndUs.mean);
    expect(report.warmup.share!).toBeGreaterThan(0);
    const given = load(...auto, "warmup=30s");
    expect([given.warmupUs, given.autoWarmup]).toEqual([30_000_000, undefined]);
    expect(runScenario(given).warmup.found).toBeNull();
  });
});

test("a series over time is what the report says over the same windows", () => {
  const scenario = load("horizon=2min", "warmup=0s");
  const tally = new SeriesTally(120, scenario.horizonUs);
  const { overTime, overall } = runScenario(scenario, { onJobRow: (row) => tally.add(row) });
  const { inSystem, latencyUs } = tally.series();
  expect(overTime.windowUs).toBe(1_000_000);
  for (const [i, value] of inSystem.entries()) expect(value).toBeCloseTo(overTime.inSystem[i]!, 9);
  const jobs = overTime.submitted;
  const total = latencyUs.reduce<number>((sum, value, i) => sum + (value ?? 0) * jobs[i]!, 0);
  expect(total / overall.jobs.completed).toBeCloseTo(overall.latency.endToEndUs.mean!, 3);
});
