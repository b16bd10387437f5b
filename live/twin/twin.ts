import type { TwinReport } from "../../protocol/result/twin.ts";
import { sumOf } from "../../sim/kernel/statistics/lists.ts";
import type { Scenario } from "../../sim/scenario/scenario.ts";
import type { PhaseSpec } from "../../sim/scenario/sections/twin.ts";
import { publicKeyOf } from "../../sim/world/identity.ts";
import { identityOf } from "../../sim/world/participants.ts";
import { planJobs } from "../../sim/world/planned-jobs.ts";
import { type NodePlan, planNodes } from "../../sim/world/supply.ts";
import { type BenchPart, type Calibration, calibrationOf } from "./calibrate.ts";
import { compareSides, type Side } from "./compare.ts";
import { meanCores } from "./other-work.ts";
import type { Pair } from "./pairs.ts";
import { recordPlay } from "./record.ts";
import type { TwinRecording } from "./recording.ts";
import { calibratedPlans, calibratedScenario, simulate, type Simulated } from "./simulate.ts";

/** One scenario in both worlds. */
export interface Twin {
  readonly report: TwinReport;
  readonly pairs: readonly Pair[];
  readonly real: Side;
  readonly simulated: Side;
  readonly plans: readonly NodePlan[];
  readonly calibration: Calibration;
}

/**
 * Holds the simulation against a scenario that was played for real: calibrates it by what was measured of the nodes, plays the same
 * workload, and compares job by job.
 * @param recording of this scenario, with the same seed.
 * @throws RangeError where a node was not measured.
 */
export function evaluateTwin(recording: TwinRecording, { scenario, phases, sets }: { readonly scenario: Scenario; readonly phases: readonly PhaseSpec[]; readonly sets: readonly string[] }): Twin {
  const { seed, played, machine, measuredAt } = recording;
  const plans = planNodes(scenario, seed);
  const jobs = planJobs(scenario, seed);
  const real: Side = { ...recordPlay(played, { scenario, seed, plans, jobs, sets }), decisions: played.decisions };
  const measured = recording.bench;
  const { cores } = machine;
  const peers = plans.map(({ entity }) => publicKeyOf(seed, identityOf("node", entity)));
  const calibrationBy = (parts: readonly BenchPart[]): Calibration => calibrationOf(parts, { plans, peers, cores, mixed: "separate", passTokens: null });
  const simulateBy = (known: Calibration): Simulated => simulate(calibratedScenario(scenario, known, cores), seed, calibratedPlans(scenario, plans, known), jobs, sets);
  const calibration = calibrationBy(measured);
  const tookUs = sumOf(measured.map((one) => one.tookUs));
  const benchCores = meanCores(measured);
  const othersCores = recording.othersCores === null || benchCores === null ? null : { play: recording.othersCores, bench: benchCores };
  const simulated = simulateBy(calibration);
  const meanUsBy = (half: 0 | 1): number => simulateBy(calibrationBy(measured.filter((_, part) => part % 2 === half))).report.overall.latency.endToEndUs?.mean ?? 0;
  const halves = measured.length < 2 ? null : { firstUs: meanUsBy(0), secondUs: meanUsBy(1) };
  const { report, pairs } = compareSides({
    scenario, seed, sets, plans, jobs, real, simulated, phases, models: recording.models,
    calibration: { ...calibration, halves, stages: sumOf(measured.map(({ stages }) => stages.length)), parts: measured.length, tookUs, cores }, machine: { ...machine, othersCores }, measuredAt, stopped: played.stopped,
  });
  return { report, pairs, real, simulated, plans, calibration };
}
