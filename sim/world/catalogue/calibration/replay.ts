import { type MeanErrors, meanErrors, replay, type Served, timesOf } from "../../engine/replay/replay.ts";
import { readRequestLog, type TimedRequest } from "../../engine/replay/requests.ts";
import { vllmEngine } from "../../engine/vllm.ts";
import type { Build, Efficiency } from "../efficiency.ts";
import { catalogueMachine, catalogueModel } from "../lookup.ts";
import { stepCost } from "../step-cost.ts";
import type { StepCost } from "../../engine/engine.ts";
import type { CatalogueMachine } from "../types.ts";
import { unmeasuredVllm } from "../unmeasured.ts";
import { bandwidthShareMax, computeShareMax } from "./fit.ts";
import { minimise } from "./search.ts";

/** Requests that a real vLLM served, and the limits it ran with. */
export interface Replay {
  readonly machine: CatalogueMachine;
  readonly maxSequences: number;
  readonly stepTokens: number;
  readonly contextTokens: number;
  /** As the server reported it, or null. */
  readonly kvTokens: number | null;
  readonly requests: readonly TimedRequest[];
}

/** Reads the text of a `.jsonl` of `vllm-replay` and of its `.meta.json`. */
export function parseReplay(machine: string, jsonl: string, meta: string): Replay {
  const { requests, limits } = readRequestLog(jsonl, meta);
  if (limits.maxSequences === null || limits.batchTokens === null) throw new Error(`${machine}: the log's limits lack max_num_seqs or max_num_batched_tokens`);
  return {
    machine: catalogueMachine(machine), maxSequences: limits.maxSequences, stepTokens: limits.batchTokens,
    contextTokens: limits.contextTokens ?? catalogueModel(replayModel).model.contextTokensMax, kvTokens: limits.kvTokens, requests,
  };
}

/** What was replayed: Llama 3.1 8B as published. */
export const replayModel = "llama-3.1-8b:bf16";

/** Relative errors of the simulated times, one a request; NaN for the time per token of a request with one. */
export interface ReplayErrors {
  readonly ttft: readonly number[];
  readonly tpot: readonly number[];
  readonly endToEnd: readonly number[];
}

/** Serves the same requests with the simulated engine. @param kvTokensMax - for a replay whose server did not report it. */
function serve(log: Replay, cost: StepCost, kvTokensMax: number): Served {
  return replay(vllmEngine({ cost, kvTokensMax: log.kvTokens ?? kvTokensMax, maxSequences: log.maxSequences, batchTokens: log.stepTokens, contextTokens: log.contextTokens }), log.requests);
}

/** Errors of single requests. @param kvTokensMax - for a replay whose server did not report it. */
export function replayErrors(log: Replay, cost: StepCost, kvTokensMax: number): ReplayErrors {
  const { firstTokenUs, lastTokenUs } = serve(log, cost, kvTokensMax);
  const of = (time: keyof ReplayErrors): number[] => log.requests.map((request, i) =>
    timesOf(request, firstTokenUs[i]!, lastTokenUs[i]!)[time] / timesOf(request, request.firstTokenUs, request.lastTokenUs)[time] - 1);
  return { ttft: of("ttft"), tpot: of("tpot"), endToEnd: of("endToEnd") };
}

/** Errors of the means, as a card is predicted on which nobody has measured vLLM. @param kvTokensMax - for a replay whose server did not report it. */
export function unmeasuredErrors(log: Replay, kvTokensMax: number): MeanErrors {
  const { model, quantisation } = catalogueModel(replayModel);
  return meanErrors(log.requests, serve(log, stepCost(log.machine, model, quantisation, "vllm", unmeasuredVllm(log.machine)), kvTokensMax));
}

function meanAbsLog(errors: readonly number[]): number {
  let sum = 0;
  let count = 0;
  for (const error of errors) {
    if (Number.isNaN(error)) continue;
    sum += Math.abs(Math.log(1 + error));
    count++;
  }
  return sum / count;
}

/** What the replays say about vLLM: figures of the build, and two efficiencies for each replay's family. */
export interface VllmFit {
  readonly passUs: number;
  readonly kvShare: number;
  readonly efficiencies: readonly { readonly machine: string; readonly bandwidth: number; readonly compute: number }[];
}

/**
 * Fits fixed time per step, KV share and two efficiencies per machine, to end-to-end times, times per token and (with a
 * weight of 0.3, for the queue amplifies them) times to first token.
 * @param assumed - the figures of the build that these loads do not reveal: overlap, attention share.
 * @param kvTokensMax - for a replay whose server did not report it.
 */
export function fitVllm(replays: readonly Replay[], assumed: Build, kvTokensMax: number): VllmFit {
  const { model, quantisation } = catalogueModel(replayModel);
  const decode = (point: readonly number[]): VllmFit => ({
    passUs: point[0] as number,
    kvShare: point[1] as number,
    efficiencies: replays.map(({ machine }, i) => ({ machine: machine.name, bandwidth: point[2 + 2 * i] as number, compute: point[3 + 2 * i] as number })),
  });
  const loss = (point: readonly number[]): number => {
    const fit = decode(point);
    const build: Build = { ...assumed, passUs: fit.passUs, kvShare: fit.kvShare };
    let sum = 0;
    for (const [i, one] of replays.entries()) {
      const { bandwidth, compute } = fit.efficiencies[i] as VllmFit["efficiencies"][number];
      const efficiency: Efficiency = { engine: "vllm", family: one.machine.family, build, bandwidth, compute, basis: "fitted", from: "" };
      const errors = replayErrors(one, stepCost(one.machine, model, quantisation, "vllm", efficiency), kvTokensMax);
      sum += meanAbsLog(errors.endToEnd) + meanAbsLog(errors.tpot) + 0.3 * meanAbsLog(errors.ttft);
    }
    return sum;
  };
  return decode(minimise(loss, [
    { min: 0, max: 8_000, start: 1_000 },
    { min: 0.3, max: 1, start: 0.9 },
    ...replays.flatMap(() => [{ min: 0.5, max: bandwidthShareMax, start: 0.85 }, { min: 0.05, max: computeShareMax, start: 0.6 }]),
  ], 8));
}
