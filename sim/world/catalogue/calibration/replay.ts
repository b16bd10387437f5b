import { vllmEngine } from "../../engine/vllm.ts";
import type { Build, Efficiency } from "../efficiency.ts";
import { catalogueMachine, catalogueModel } from "../lookup.ts";
import { stepCost } from "../step-cost.ts";
import type { StepCost } from "../../engine/engine.ts";
import type { CatalogueMachine } from "../types.ts";
import { bandwidthShareMax, computeShareMax } from "./fit.ts";
import { minimise } from "./search.ts";

/** One request as the real server timed it, µs since the first was queued. */
interface Request {
  readonly queuedUs: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly firstTokenUs: number;
  readonly lastTokenUs: number;
}

/** Requests that a real vLLM served, and the limits it ran with. */
export interface Replay {
  readonly machine: CatalogueMachine;
  readonly maxSequences: number;
  readonly stepTokens: number;
  readonly contextTokens: number;
  /** As the server reported it, or null. */
  readonly kvTokens: number | null;
  readonly requests: readonly Request[];
}

/** Reads the text of a `.jsonl` of `vllm-replay` and of its `.meta.json`. */
export function parseReplay(machine: string, jsonl: string, meta: string): Replay {
  const { engine_kwargs: limits, kv_cache: kv } = JSON.parse(meta) as {
    engine_kwargs: { max_num_seqs: number; max_num_batched_tokens: number; max_model_len: number | null };
    kv_cache: null | { num_kv_tokens: number };
  };
  const rows = jsonl.trim().split("\n").map((line) => JSON.parse(line) as {
    input_toks: number; output_toks: number; queued_ts: number; first_token_ts: number; last_token_ts: number;
  });
  const startS = Math.min(...rows.map((row) => row.queued_ts));
  return {
    machine: catalogueMachine(machine),
    maxSequences: limits.max_num_seqs,
    stepTokens: limits.max_num_batched_tokens,
    contextTokens: limits.max_model_len ?? catalogueModel(replayModel).model.contextTokensMax,
    kvTokens: kv?.num_kv_tokens ?? null,
    requests: rows
      .map((row) => ({
        queuedUs: Math.round((row.queued_ts - startS) * 1e6),
        inputTokens: row.input_toks,
        outputTokens: row.output_toks,
        firstTokenUs: (row.first_token_ts - startS) * 1e6,
        lastTokenUs: (row.last_token_ts - startS) * 1e6,
      }))
      .sort((a, b) => a.queuedUs - b.queuedUs),
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

/** Serves the same requests with the simulated engine. */
export function replayErrors(replay: Replay, cost: StepCost, kvTokensMax: number): ReplayErrors {
  const { requests } = replay;
  const engine = vllmEngine({ cost, kvTokensMax: replay.kvTokens ?? kvTokensMax, maxSequences: replay.maxSequences, batchTokens: replay.stepTokens, contextTokens: replay.contextTokens });
  const firstUs = new Float64Array(requests.length);
  const lastUs = new Float64Array(requests.length);
  const sink = {
    started: (): void => {},
    firstToken: (ref: number, atUs: number): void => { firstUs[ref] = atUs; },
    finished: (ref: number, atUs: number): void => { lastUs[ref] = atUs; },
    preempted: (): void => {},
  };
  for (const [ref, request] of requests.entries()) {
    while (engine.nextUs < request.queuedUs) engine.advance(engine.nextUs, sink);
    engine.submit(request.queuedUs, ref, request.inputTokens, request.outputTokens, 0);
  }
  while (engine.nextUs < Infinity) engine.advance(engine.nextUs, sink);
  const of = (ours: (i: number) => number, theirs: (request: Request) => number): number[] =>
    requests.map((request, i) => ours(i) / theirs(request) - 1);
  return {
    ttft: of((i) => (firstUs[i] as number) - (requests[i] as Request).queuedUs, (request) => request.firstTokenUs - request.queuedUs),
    tpot: of((i) => (lastUs[i] as number) - (firstUs[i] as number), (request) => request.lastTokenUs - request.firstTokenUs),
    endToEnd: of((i) => (lastUs[i] as number) - (requests[i] as Request).queuedUs, (request) => request.lastTokenUs - request.queuedUs),
  };
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
    for (const [i, replay] of replays.entries()) {
      const { bandwidth, compute } = fit.efficiencies[i] as VllmFit["efficiencies"][number];
      const efficiency: Efficiency = { engine: "vllm", family: replay.machine.family, build, bandwidth, compute, basis: "fitted", from: "" };
      const errors = replayErrors(replay, stepCost(replay.machine, model, quantisation, "vllm", efficiency), kvTokensMax);
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
