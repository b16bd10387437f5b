import type { MachineProfile } from "../../protocol/profile.ts";
import { modelFacts } from "../gguf/facts.ts";
import type { ModelFacts } from "../gguf/facts.ts";
import { machineFacts } from "../machine/facts.ts";
import { RunnerError } from "../runner/live-runner.ts";
import { openMeasuring } from "../runner/llama/measure.ts";
import type { LlamaOptions } from "../runner/llama/settings.ts";
import { ownProfile } from "./own-profile.ts";
import { type BenchGrid, contextNeeded, planRound } from "./plan.ts";
import { type BenchClock, runBench } from "./run.ts";
import type { OnBenchProgress } from "./run.ts";
import { summarise } from "./statistics.ts";
import { fileSha256 } from "./write-profile.ts";

/** What is to be measured, and with what. */
export interface BenchOptions {
  /** GGUF. */
  readonly file: string;
  readonly threads: number;
  readonly gpu: NonNullable<LlamaOptions["gpu"]>;
  readonly gpuLayers: number | undefined;
  /** Most tokens in a step. */
  readonly batchTokens: number;
  /** Context of each sequence; undefined: as much as the grid needs. */
  readonly slotContext: number | undefined;
  readonly grid: Pick<BenchGrid, "prompts" | "contexts" | "batches" | "steps">;
  readonly repetitions: number;
  /** auto: the processor's time where the engine is one thread on a processor that others use too, else the clock's. */
  readonly clock: BenchClock | "auto";
  /** Threads that other programs have kept busy lately. */
  readonly busyThreads: number;
  /** For reports; undefined: processor or graphics processor, and model. */
  readonly name: string | undefined;
  readonly catalogueModel: string | null;
  readonly power: MachineProfile["machine"]["power"];
  readonly priceUsd: number | null;
  /** Of the profile, ISO 8601, UTC. */
  readonly date: string;
  /** Version of the lab. */
  readonly lab: string;
}

/** Larger models are loaded once only. */
const RELOADED_BYTES_MAX = 2 ** 30;
const LOADS = 3;

/**
 * Measures a model on this machine: what the machine is, how long the model takes to load, and the steps of the plan.
 * @param signal stops after the measurement under way; what is measured is kept
 * @returns null where it was stopped before a prompt and generation had been measured
 * @throws GgufError, RunnerError: in words for the operator
 */
export async function benchModel(options: BenchOptions, signal: AbortSignal, onProgress: OnBenchProgress): Promise<MachineProfile | null> {
  const model = modelFacts(options.file);
  const grid = fitting(options, model);
  const round = planRound(grid);
  if (!round.some(({ kind }) => kind === "decode")) throw new RunnerError(`${options.file}: nothing fits into a context of ${grid.contextTokens} tokens (the model is made for ${model.contextTokensMax}); ask for shorter contexts`);
  onProgress(0, 1, "looking at the machine");
  const { machine } = await machineFacts({ askLlama: false });
  const sha256 = await fileSha256(options.file, model.fileBytes);
  const settings = { threads: options.threads, slots: grid.batches.at(-1)!, contextTokens: grid.contextTokens, batchTokens: options.batchTokens };
  const open = (): ReturnType<typeof openMeasuring> => openMeasuring({ file: options.file, gpu: options.gpu, gpuLayers: options.gpuLayers, ...settings });
  onProgress(0, 1, "loading");
  const loadsUs: number[] = [];
  for (let i = 1; i < LOADS && model.fileBytes <= RELOADED_BYTES_MAX && !signal.aborted; i++) {
    const once = await open();
    loadsUs.push(once.facts.loadUs);
    await once.close();
  }
  if (signal.aborted) return null;
  const engine = await open();
  try {
    loadsUs.push(engine.facts.loadUs);
    const clock = clockFor(options, engine.facts.backend);
    const measured = await runBench(engine, round, options.repetitions, signal, onProgress, clock);
    if (measured.prefill.length === 0 || measured.decode.length === 0) return null;
    const { release, backend, gpuLayers, engine: version } = engine.facts;
    return ownProfile({
      name: options.name ?? nameOf(machine, gpuLayers, options.threads, model), date: options.date, interrupted: signal.aborted, clock,
      machine: { ...machine, power: options.power, priceUsd: options.priceUsd }, model, catalogueModel: options.catalogueModel, sha256,
      engine: { release, backend, gpuLayers, engine: version }, settings, measured: { loadUs: summarise(loadsUs).medianUs, ...measured }, lab: options.lab,
    });
  } finally {
    await engine.close();
  }
}

/** Others' work on the machine is let out of account where that is possible: several threads, or an accelerator, have no processor time that equals the clock's. */
function clockFor({ file, clock, threads, busyThreads }: BenchOptions, backend: string): BenchClock {
  const alone = backend === "cpu" && threads === 1;
  if (clock === "cpu" && !alone) throw new RunnerError(`${file}: processor time tells nothing of ${backend === "cpu" ? `${threads} threads` : backend}; measure by the clock`);
  return clock === "auto" ? (alone && busyThreads > BUSY_THREADS ? "cpu" : "wall") : clock;
}

/** More than this, and wall time says more of other programs than of the engine. */
export const BUSY_THREADS = 0.5;

/** The grid with a context in which it fits, as far as the model has one. */
function fitting({ grid, slotContext, batchTokens }: BenchOptions, model: ModelFacts): BenchGrid {
  return { ...grid, batchTokens, contextTokens: Math.min(slotContext ?? contextNeeded(grid), model.contextTokensMax) };
}

function nameOf({ cpu, gpus }: MachineProfile["machine"], gpuLayers: number, threads: number, model: ModelFacts): string {
  const hardware = gpuLayers > 0 && gpus.length > 0 ? gpus[0]!.name : `${cpu?.model ?? "processor"}, ${threads === 1 ? "1 thread" : `${threads} threads`}`;
  return `${hardware}: ${model.name === "" ? model.file.replace(/^.*[\\/]/, "").replace(/\.gguf$/i, "") : model.name}`.slice(0, 256);
}
