import { BatchEngine, type BatchRules } from "./batch.ts";
import type { Engine, QueueDiscipline, StepCost } from "./engine.ts";

export interface SequentialOptions {
  readonly cost: StepCost;
  /** Context in tokens, prompt and output together; also the KV cache. Default 8,192. */
  readonly contextTokens?: number;
  /** Prompt tokens in a step. Default 512, as in Ollama. */
  readonly batchTokens?: number;
  /** Default fifo. */
  readonly discipline?: QueueDiscipline;
}

/** The rules of a server that runs one job at a time, for `BatchEngine` or its reference. */
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

/**
 * One job at a time, prefill then decode: Ollama with OLLAMA_NUM_PARALLEL=1.
 * @throws RangeError for an option out of range.
 */
export function sequentialEngine(options: SequentialOptions): Engine {
  return new BatchEngine(sequentialRules(options));
}
