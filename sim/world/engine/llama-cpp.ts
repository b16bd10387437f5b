import { BatchEngine, type BatchRules } from "./batch.ts";
import type { Engine, QueueDiscipline, StepCost } from "./engine.ts";

export interface LlamaCppOptions {
  readonly cost: StepCost;
  /** `--parallel`: sequences in a batch. Default 4. */
  readonly slots?: number;
  /** Context of one slot in tokens, prompt and output together (`--ctx-size` over `--parallel`). Default 8,192. */
  readonly contextTokens?: number;
  /** KV cache in tokens, shared by the slots. Default: enough for every slot's full context. */
  readonly kvTokensMax?: number;
  /** `--batch-size`: most tokens in a step, decoded ones included. Default 2,048, as in llama.cpp. */
  readonly batchTokens?: number;
  /** Default fifo. */
  readonly discipline?: QueueDiscipline;
}

/** The rules that a llama.cpp server follows, for `BatchEngine` or its reference. */
export function llamaCppRules(options: LlamaCppOptions): BatchRules {
  const slots = options.slots ?? 4;
  const contextTokensMax = options.contextTokens ?? 8_192;
  return {
    slots,
    kvTokensMax: options.kvTokensMax ?? slots * contextTokensMax,
    contextTokensMax,
    batchTokens: options.batchTokens ?? 2_048,
    blockTokens: 0,
    discipline: options.discipline ?? "fifo",
    cost: options.cost,
  };
}

/**
 * llama.cpp's server with continuous batching: a fixed number of slots and one shared batch. A step holds one token of
 * every decoding slot, then prompt tokens of the others in the order of admission, `batchTokens` in all
 * (`update_slots` in tools/server). Where the KV cache is smaller than all slots' contexts, a job waits until its whole
 * need (prompt and output) is free, so a running job is never thrown out.
 * @throws RangeError for an option out of range.
 */
export function llamaCppEngine(options: LlamaCppOptions): Engine {
  return new BatchEngine(llamaCppRules(options));
}
