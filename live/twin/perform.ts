import { existsSync, mkdirSync, renameSync } from "node:fs";
import { cpus, release, totalmem, type as systemName } from "node:os";
import { dirname, join, resolve } from "node:path";
import { digest } from "../../protocol/canonical.ts";
import { sumOf } from "../../sim/kernel/statistics/lists.ts";
import type { Scenario } from "../../sim/scenario/scenario.ts";
import type { LiveModelSpec, TwinSpec } from "../../sim/scenario/sections/twin.ts";
import { planJobs } from "../../sim/world/planned-jobs.ts";
import { planNodes } from "../../sim/world/supply.ts";
import { synthesizeModel } from "../gguf/synthesize.ts";
import { actsOf, roundsOfParts } from "./acts.ts";
import { type BenchPlan, planBench } from "./bench-plan.ts";
import { Laboratory } from "./laboratory.ts";
import { LiveMarket } from "./live-market.ts";
import { MarketClock } from "./market-clock.ts";
import { meanCores, OtherWork } from "./other-work.ts";
import type { RunnerSpec } from "./part.ts";
import type { Played, RecordedBench, TwinRecording } from "./recording.ts";

export interface TwinOptions {
  readonly scenario: Scenario;
  readonly twin: TwinSpec;
  /** The scenario's file: model files lie beside it. */
  readonly file: string;
  readonly seed: number;
  /** Where models are kept that were made for the purpose. */
  readonly models: string;
  /** Stops the play; what was played until then is compared. */
  readonly signal?: AbortSignal | undefined;
  /** Told what is being done, and how far it is, from 0 to 1. */
  readonly onProgress?: ((what: string, share: number) => void) | undefined;
}

/** An act may take this many times its length for real, and so much more, before it is given up. */
const PATIENCE = 3;
const PATIENCE_MS = 120_000;

/**
 * Plays a scenario for real on this machine, in acts, and measures its nodes before, after and in the intermissions, with processes of
 * their own: where the machine's speed moves, what is measured moves with it.
 * @throws Error where something cannot be played.
 */
export async function performTwin(options: TwinOptions): Promise<TwinRecording> {
  const { scenario, twin, seed, signal, onProgress = () => {} } = options;
  const plans = planNodes(scenario, seed);
  const jobs = planJobs(scenario, seed);
  const runners: RunnerSpec[] = [];
  const models: string[] = [];
  for (const plan of plans) {
    const { name } = scenario.operators[plan.operatorClass]!;
    const { model } = twin.models.find(({ operator }) => operator === name)!;
    onProgress(`model of ${plan.name}`, 0);
    runners.push(await runnerOf(model, options));
    models.push(describe(model));
  }
  const measuredAt = new Date().toISOString();
  const acts = actsOf(scenario.horizonUs, twin.intermissionsUs, jobs);
  const benches = roundsOfParts(twin.repetitions, acts.length + 1).map((rounds) => planBench(scenario, seed, plans, jobs, { rounds, of: twin.repetitions, stretchS: twin.stretchUs / 1e6, intermissionsUs: twin.intermissionsUs }));
  const allUs = scenario.horizonUs + sumOf(benches.map(({ aboutUs }) => aboutUs));
  let doneUs = 0;
  const tell = (what: string, ofUs: number, share: number): void => onProgress(what, Math.min(1, (doneUs + ofUs * share) / allUs));

  const open: { close(): Promise<void> }[] = [];
  const keep = <T extends { close(): Promise<void> }>(opened: T): T => {
    open.push(opened);
    return opened;
  };
  try {
    const laboratory = keep(await Laboratory.open({ scenario, seed, runners, plans: benches }));
    const market = keep(await LiveMarket.open({ scenario, seed, runners, lengths: new Map(jobs.map(({ request, outputTokens }) => [request.jobId, outputTokens])) }));
    const bench: RecordedBench[] = [];
    /** @returns null; or why it was stopped, and then nothing was measured. */
    const measure = async (part: BenchPlan, until?: AbortSignal): Promise<string | null> => {
      if (part.stages.length === 0) return null;
      const measured = await laboratory.measure(part, { signal: until, onProgress: (share) => tell("measuring the nodes", part.aboutUs, share) });
      doneUs += part.aboutUs;
      if (typeof measured === "string") return measured;
      bench.push(measured);
      return null;
    };

    const clock = new MarketClock();
    let stopped: string | null = null;
    let stoppedUs = 0;
    const stretches: { tookUs: number; othersCores: number | null }[] = [];
    for (const [i, act] of acts.entries()) {
      stopped = await measure(benches[i]!, signal);
      if (stopped !== null && i === 0) throw new Error(`the bench run was stopped: ${stopped}`);
      if (stopped !== null) break;
      if (i === 0) market.start();
      const meanwhile = new OtherWork();
      const fromUs = i === 0 ? 0 : clock.resume(stoppedUs, act.fromUs, market.soonUs);
      stopped = await market.submit({
        fromUs, jobs: act.jobs, signal, limitMs: ((act.untilUs - act.fromUs) / 1_000) * PATIENCE + PATIENCE_MS,
        onProgress: (ended) => tell("the market, for real", act.untilUs - act.fromUs, Math.max(0, ended - act.first) / Math.max(1, act.jobs.length)),
      });
      stoppedUs = market.nowUs;
      doneUs += act.untilUs - act.fromUs;
      stretches.push({ tookUs: stoppedUs - fromUs, othersCores: meanwhile.cores() });
      if (stopped !== null) break;
      await market.settle();
    }
    const { facts, decisions, balances, refused } = await market.collect();
    const played: Played = {
      facts: facts.map((fact) => ({ ...fact, atUs: clock.at(fact.atUs) })), decisions: decisions.map((one) => ({ ...one, atUs: clock.at(one.atUs) })),
      endUs: clock.at(stoppedUs), balances, engines: market.engines, refused, stopped,
    };
    await market.close();
    const notMeasured = await measure(benches.at(-1)!);
    if (notMeasured !== null) throw new Error(`the bench run was stopped: ${notMeasured}`);
    const cores = cpus();
    return {
      scenarioHash: digest(scenario), seed, measuredAt, runners, models, bench, played, othersCores: meanCores(stretches),
      machine: { cpu: cores[0]?.model.trim() || "unknown", cores: cores.length, memoryBytes: totalmem(), os: `${systemName()} ${release()}`, runtime: `Node.js ${process.version}`, engine: [...new Set(played.engines)].join(", ") || "none" },
    };
  } finally {
    await Promise.all(open.map((one) => one.close()));
  }
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

function describe(model: LiveModelSpec): string {
  switch (model.kind) {
    case "mock": return `mock, ${model.decodeTokensPerS} tokens/s`;
    case "file": return model.file;
    case "synthetic": return `${Math.round(model.parameters / 1e5) / 10}M ${model.quantisation}`;
  }
}
