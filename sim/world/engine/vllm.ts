import { BatchEngine, type BatchRules } from "./batch.ts";
import type { Engine, QueueDiscipline, StepCost } from "./engine.ts";

export interface VllmOptions {
  readonly cost: StepCost;
  /** KV cache in tokens; rounded down to whole blocks. */
  readonly kvTokensMax: number;
  /** `--max-num-seqs`. Default 256. */
  readonly maxSequences?: number;
  /** `--max-num-batched-tokens`: most tokens in a step. Default 2,048. */
  readonly batchTokens?: number;
  /** `--max-model-len`: most tokens of one job, prompt and output together. Default: what the KV cache holds. */
  readonly contextTokens?: number;
  /** `--block-size`. Default 16. */
  readonly blockTokens?: number;
  /** `--scheduling-policy`. Default fifo ("fcfs"). */
  readonly discipline?: QueueDiscipline;
}

/** The rules that vLLM follows, for `BatchEngine` or its reference. */
export function vllmRules(options: VllmOptions): BatchRules {
  return {
    slots: options.maxSequences ?? 256,
    kvTokensMax: options.kvTokensMax,
    contextTokensMax: options.contextTokens ?? Math.max(2, options.kvTokensMax),
    batchTokens: options.batchTokens ?? 2_048,
    blockTokens: options.blockTokens ?? 16,
    discipline: options.discipline ?? "fifo",
    cost: options.cost,
  };
}

/**
 * vLLM: a token budget for each step, decodes first, prompts in chunks with what is left (Agrawal et al., "Sarathi-Serve",
 * OSDI 2024), and a paged KV cache (Kwon et al., "PagedAttention", SOSP 2023). A job comes in where blocks for its whole
 * prompt are free; decoding takes further blocks one by one. When none is left, the latest job (of the lowest priority)
 * gives up its blocks, goes to the front of the queue and later recomputes prompt and output so far; nobody is admitted
 * in that step. The earliest job of the highest priority always moves, so there is no livelock.
 * @throws RangeError for an option out of range.
 */
export function vllmEngine(options: VllmOptions): Engine {
  return new BatchEngine(vllmRules(options));
}
