import type { BatchRules } from "./batch.ts";
import type { QueueDiscipline, StepCost } from "./engine.ts";

export interface SequentialOptions {
  readonly cost: StepCost;
  /** Context in tokens, prompt and output together; also the KV cache. Default 8,192. */
  readonly contextTokens?: number;
  /** Prompt tokens in a step. Default 512, as in Ollama. */
  readonly batchTokens?: number;
  /** Default fifo. */
  readonly discipline?: QueueDiscipline;
}

/**
 * The rules of a server that runs one job at a time, prefill then decode, for `BatchEngine` or its reference: Ollama with
 * OLLAMA_NUM_PARALLEL=1.
 */
export function sequentialRules(options: SequentialOptions): BatchRules {
  const contextTokensMax = options.contextTokens ?? 8_192;
  return {
    slots: 1,
    kvTokensMax: contextTokensMax,
    contextTokensMax,
    batchTokens: options.batchTokens ?? 512,
    blockTokens: 0,
    discipline: options.discipline ?? "fifo",
    cost: options.cost,
  };
}
