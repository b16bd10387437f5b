import { kvBytesPerToken, llamaCppPassTokens } from "./step-cost.ts";
import type { Machine, Model, Quantisation } from "./types.ts";

/** How an engine is started; what is left out takes the engine's default. The scenario's engines, less `service-time`. */
export type EngineSettings =
  | { readonly kind: "llama.cpp"; readonly slots?: number; readonly contextTokens?: number; readonly batchTokens?: number }
  | { readonly kind: "vllm"; readonly maxSequences?: number; readonly stepTokens?: number; readonly contextTokens?: number; readonly memoryShare?: number }
  | { readonly kind: "sequential"; readonly contextTokens?: number };

/**
 * Defaults of the engines.
 *
 * llama.cpp: `llama-server` (tools/server/README.md): 4 slots where `--parallel` is left to it, `--batch-size` 2048,
 * `--ubatch-size` 512 (see `llamaCppPassTokens`). It would take the model's whole context; 8,192 per slot is ours.
 * vLLM (docs.vllm.ai, engine arguments and optimisation guide): `--max-num-seqs` 256 and `--max-num-batched-tokens` 2048
 * for its API server on cards below 70 GiB, more above; `--gpu-memory-utilization` 0.9; `--block-size` 16 on CUDA.
 * sequential: one slot, prompts in chunks of 512.
 */
export const engineDefaults = {
  "llama.cpp": { slots: 4, contextTokens: 8_192, batchTokens: 2_048 },
  vllm: { maxSequences: 256, stepTokens: 2_048, memoryShare: 0.9, blockTokens: 16 },
  sequential: { contextTokens: 8_192, batchTokens: 512 },
} as const;

/** What a machine with one loaded model can hold and do at once. */
export interface EngineLimits {
  /** Sequences in a batch. */
  readonly slots: number;
  /** Longest context of one job, prompt and output together, tokens. */
  readonly contextTokensMax: number;
  /** KV cache, tokens, over all jobs. */
  readonly kvTokensMax: number;
  /** Tokens in one step. */
  readonly stepTokens: number;
  /** Whether the weights and a context worth having fit. */
  readonly fits: boolean;
  /** Why not, with the figures; "" where it fits. */
  readonly reason: string;
}

/** Context below which a node is of no use, tokens. */
const contextTokensMin = 512;
/** Share of a memory shared with the operating system that a model gets: Metal's recommended working set on Macs with more than 36 GB. */
const sharedMemoryShare = 0.75;
/** CUDA context and allocator slack, bytes. */
const contextBytes = 256 * 2 ** 20;
/** What vLLM takes beyond weights and KV cache (activations, CUDA graphs, context), bytes: from its report of 41,408 KV tokens for Llama 3.1 8B on a 24 GB card. */
const vllmReserveBytes = 1.7e9;

function gb(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

/**
 * Limits of an engine on a machine with a model loaded: KV capacity is the memory less weights and what the engine itself
 * needs, over the KV bytes of a token.
 */
export function engineLimits(machine: Machine, model: Model, quantisation: Quantisation, engine: EngineSettings): EngineLimits {
  const shared = machine.sharedMemory ?? (machine.family === "apple" || machine.family === "cpu");
  const memoryBytes = machine.memoryBytes * (shared ? sharedMemoryShare : 1);
  const budgetBytes = engine.kind === "vllm"
    ? memoryBytes * (engine.memoryShare ?? engineDefaults.vllm.memoryShare) - vllmReserveBytes
    // The largest buffer of a pass holds the scores of the whole vocabulary for each of its tokens, 4 bytes each.
    : memoryBytes - contextBytes - 4 * model.vocabulary * llamaCppPassTokens;
  const kvTokens = Math.max(0, Math.floor((budgetBytes - quantisation.fileBytes) / kvBytesPerToken(model)));
  const fits = kvTokens >= contextTokensMin;
  const reason = fits
    ? ""
    : `${model.name}:${quantisation.name} takes ${gb(quantisation.fileBytes)} and ${gb(contextTokensMin * kvBytesPerToken(model))} for ${contextTokensMin} tokens of context; ${machine.name} leaves ${gb(Math.max(0, budgetBytes))}`;
  switch (engine.kind) {
    case "llama.cpp": {
      const slots = engine.slots ?? engineDefaults["llama.cpp"].slots;
      const wanted = Math.min(engine.contextTokens ?? engineDefaults["llama.cpp"].contextTokens, model.contextTokensMax);
      return {
        slots, contextTokensMax: Math.min(wanted, kvTokens), kvTokensMax: Math.min(slots * wanted, kvTokens),
        stepTokens: engine.batchTokens ?? engineDefaults["llama.cpp"].batchTokens, fits, reason,
      };
    }
    case "vllm": {
      const { blockTokens } = engineDefaults.vllm;
      const kvTokensMax = Math.floor(kvTokens / blockTokens) * blockTokens;
      return {
        slots: engine.maxSequences ?? engineDefaults.vllm.maxSequences,
        contextTokensMax: Math.min(engine.contextTokens ?? model.contextTokensMax, model.contextTokensMax, kvTokensMax),
        kvTokensMax, stepTokens: engine.stepTokens ?? engineDefaults.vllm.stepTokens, fits, reason,
      };
    }
    case "sequential": {
      const wanted = Math.min(engine.contextTokens ?? engineDefaults.sequential.contextTokens, model.contextTokensMax, kvTokens);
      return { slots: 1, contextTokensMax: wanted, kvTokensMax: wanted, stepTokens: engineDefaults.sequential.batchTokens, fits, reason };
    }
  }
}
