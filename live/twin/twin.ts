import { existsSync, mkdirSync, renameSync } from "node:fs";
import { cpus, release, totalmem, type as systemName } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { TwinReport } from "../../protocol/result/twin.ts";
import type { Scenario } from "../../sim/scenario/scenario.ts";
import type { LiveModelSpec, TwinSpec } from "../../sim/scenario/sections/twin.ts";
import { publicKeyOf } from "../../sim/world/identity.ts";
import { identityOf } from "../../sim/world/participants.ts";
import { planJobs } from "../../sim/world/planned-jobs.ts";
import { type NodePlan, planNodes } from "../../sim/world/supply.ts";
import { synthesizeModel } from "../gguf/synthesize.ts";
import { OtherWork } from "./other-work.ts";
import { planBench } from "./bench-plan.ts";
import { type BenchPart, type Calibration, calibrationOf } from "./calibrate.ts";
import { compareSides, type Side } from "./compare.ts";
import type { Pair } from "./pairs.ts";
import type { RunnerSpec } from "./part.ts";
import { play, type Played } from "./play.ts";
import { recordPlay } from "./record.ts";
import { calibratedPlans, calibratedScenario, simulate, type Simulated } from "./simulate.ts";

export interface TwinOptions {
  readonly scenario: Scenario;
  readonly twin: TwinSpec;
  /** The scenario's file: model files lie beside it. */
  readonly file: string;
  readonly seed: number;
  readonly sets: readonly string[];
  /** Where models are kept that were made for the purpose. */
  readonly models: string;
  /** Stops the play; what was played until then is compared. */
  readonly signal?: AbortSignal | undefined;
  /** Told what is being done, and how far it is, from 0 to 1. */
  readonly onProgress?: ((what: string, share: number) => void) | undefined;
}

/** One scenario in both worlds. */
export interface Twin {
  readonly report: TwinReport;
  readonly pairs: readonly Pair[];
  readonly real: Side;
  readonly simulated: Side;
  readonly plans: readonly NodePlan[];
  /** By node. */
  readonly runners: readonly RunnerSpec[];
  readonly calibration: Calibration;
}

/** A workload may take this many times its horizon for real, and so much more, before it is stopped. */
const PATIENCE = 3;
const PATIENCE_MS = 120_000;
const BENCH_LIMIT_MS = 30 * 60_000;

/** A part of the bench run. */
interface Measured extends BenchPart {
  readonly tookUs: number;
  /** Cores that others used meanwhile; null: unknown. */
  readonly othersCores: number | null;
}

/**
 * Plays a scenario for real on this machine, measures its nodes in a run of their own, plays the same workload in the
 * simulation, and compares job by job.
 * @throws Error where something cannot be played.
 */
export async function playTwin(options: TwinOptions): Promise<Twin> {
  const { scenario, twin, seed, sets, signal, onProgress = () => {} } = options;
  const plans = planNodes(scenario, seed);
  const jobs = planJobs(scenario, seed);
  const runners: RunnerSpec[] = [];
  for (const plan of plans) {
    const { name } = scenario.operators[plan.operatorClass]!;
    const { model } = twin.models.find(({ operator }) => operator === name)!;
    onProgress(`model of ${plan.name}`, 0);
    runners.push(await runnerOf(model, options));
  }
  const measuredAt = new Date().toISOString();
  const lengths = new Map(jobs.map(({ request, outputTokens }) => [request.jobId, outputTokens]));
  const half = twin.repetitions >> 1;
  let begun = 0;
  /** Of a part that takes about as long as each of the others. */
  const tell = (what: string): ((share: number) => void) => {
    const part = begun++;
    return (share) => onProgress(what, (part + share) / (half === 0 ? 2 : 3));
  };
  // Half of the measurements come before the play and half after: where the machine's speed drifts, the play has their mean.
  const measure = async (rounds: readonly number[], until?: AbortSignal): Promise<Measured> => {
    const bench = planBench(scenario, seed, plans, jobs, { rounds, stretchS: twin.stretchUs / 1e6 });
    const tellStage = tell("measuring the nodes");
    const meanwhile = new OtherWork();
    const { facts, endUs, stopped } = await play({
      scenario: bench.scenario, seed, runners, stages: bench.stages, lengths: bench.lengths, signal: until, limitMs: BENCH_LIMIT_MS,
      onProgress: ({ stage }) => tellStage(stage / bench.stages.length),
    });
    if (stopped !== null) throw new Error(`the bench run was stopped: ${stopped}`);
    return { bench, facts, tookUs: endUs, othersCores: meanwhile.cores() };
  };
  const rounds = Array.from({ length: twin.repetitions }, (_, round) => round);
  const measured: Measured[] = half === 0 ? [] : [await measure(rounds.slice(0, half), signal)];
  const tellJobs = tell("the market, for real");
  const duringPlay = new OtherWork();
  const played = await play({
    scenario, seed, runners, stages: [jobs], lengths, signal, limitMs: (scenario.horizonUs / 1_000) * PATIENCE + PATIENCE_MS,
    onProgress: ({ ended }) => tellJobs(ended / Math.max(1, jobs.length)),
  });
  const playCores = duringPlay.cores();
  const real: Side = { ...recordPlay(played, { scenario, seed, plans, jobs, sets }), decisions: played.decisions };
  measured.push(await measure(rounds.slice(half)));

  const cores = cpus().length;
  const peers = plans.map(({ entity }) => publicKeyOf(seed, identityOf("node", entity)));
  const calibrationBy = (parts: readonly BenchPart[]): Calibration => calibrationOf(parts, { plans, peers, cores, mixed: "separate", passTokens: null });
  const simulateBy = (known: Calibration): Simulated => simulate(calibratedScenario(scenario, known, cores), seed, calibratedPlans(scenario, plans, known), jobs, sets);
  const calibration = calibrationBy(measured);
  const tookUs = sum(measured.map((one) => one.tookUs));
  const benchCores = measured.some(({ othersCores }) => othersCores === null) ? null : sum(measured.map((one) => one.othersCores! * one.tookUs)) / tookUs;

  onProgress("the market, in the simulation", 1);
  const simulated = simulateBy(calibration);
  const halvesUs = measured.length < 2 ? null : measured.map((part) => simulateBy(calibrationBy([part])).report.overall.latency.endToEndUs?.mean ?? 0);
  const { report, pairs } = compareSides({
    scenario, seed, sets, plans, jobs, real, simulated, phases: twin.phases, models: plans.map((plan) => describe(twin, scenario.operators[plan.operatorClass]!.name)),
    calibration: { ...calibration, halvesUs, stages: sum(measured.map(({ bench }) => bench.stages.length)), tookUs, cores }, machine: machineOf(played, playCores === null || benchCores === null ? null : { play: playCores, bench: benchCores }), measuredAt, stopped: played.stopped,
  });
  return { report, pairs, real, simulated, plans, runners, calibration };
}

async function runnerOf(model: LiveModelSpec, { twin, file, models }: TwinOptions): Promise<RunnerSpec> {
  switch (model.kind) {
    case "mock": return { kind: "mock", prefillTokensPerS: model.prefillTokensPerS, decodeTokensPerS: model.decodeTokensPerS };
    case "file": return { kind: "llama", file: resolve(dirname(file), model.file), threads: twin.threads };
    case "synthetic": {
      const { parameters, quantisation } = model;
      const path = resolve(models, `synthetic-${parameters}-${quantisation}.gguf`);
      if (!existsSync(path)) {
        mkdirSync(dirname(path), { recursive: true });
        const draft = join(dirname(path), `.draft-${process.pid}-${parameters}.gguf`);
        await synthesizeModel({ parameters, quantisation, seed: 1, file: draft, contextTokens: 4_096 });
        renameSync(draft, path);
      }
      return { kind: "llama", file: path, threads: twin.threads };
    }
  }
}

function describe({ models }: TwinSpec, operator: string): string {
  const { model } = models.find((one) => one.operator === operator)!;
  switch (model.kind) {
    case "mock": return `mock, ${model.decodeTokensPerS} tokens/s`;
    case "file": return model.file;
    case "synthetic": return `${Math.round(model.parameters / 1e5) / 10}M ${model.quantisation}`;
  }
}

function machineOf({ engines }: Played, othersCores: TwinReport["machine"]["othersCores"]): TwinReport["machine"] {
  const cores = cpus();
  return {
    cpu: cores[0]?.model.trim() || "unknown", cores: cores.length, memoryBytes: totalmem(), os: `${systemName()} ${release()}`, runtime: `Node.js ${process.version}`,
    engine: [...new Set(engines)].join(", ") || "none", othersCores,
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
