import type { ModelFacts } from "../../gguf/facts.ts";
import { RunnerError } from "../live-runner.ts";
import type { GpuKind, LlamaSettings, Sampling } from "./messages.ts";

/** How a model is loaded and run in llama.cpp. */
export interface LlamaOptions {
  /** The GGUF file. */
  readonly file: string;
  /** Jobs at once, in one context. Default 4. */
  readonly slots?: number | undefined;
  /** Context of each, prompt and output together, tokens. Default: the model's own, 4,096 at most. */
  readonly contextTokens?: number | undefined;
  /** Most tokens in a step. Default 512. */
  readonly batchTokens?: number | undefined;
  /** Threads of llama.cpp. Default 1: more than there are idle cores make it slower by far. */
  readonly threads?: number | undefined;
  /** Default auto. */
  readonly gpu?: GpuKind | undefined;
  /** Layers on the GPU. Default: as many as fit. */
  readonly gpuLayers?: number | undefined;
  /** Default: always the likeliest token. */
  readonly sampling?: Partial<Sampling> | undefined;
  /** Least time between two `tokens` events of a job, ms. Default 50. */
  readonly tokensIntervalMs?: number | undefined;
}

const whole = (what: string, value: number, least: number, most: number): number => {
  if (!Number.isInteger(value) || value < least || value > most) throw new RangeError(`${what}: a whole number from ${least} to ${most}, not ${value}`);
  return value;
};

/** @throws RangeError for an option out of range; RunnerError where the model has not so much context. */
export const settingsOf = (options: LlamaOptions, model: ModelFacts): LlamaSettings => {
  const contextTokens = whole("context", options.contextTokens ?? Math.min(4_096, model.contextTokensMax), 2, 2 ** 31 - 1);
  if (contextTokens > model.contextTokensMax) throw new RunnerError(`${model.file}: a context of ${contextTokens} tokens was asked for; the model is made for ${model.contextTokensMax} at most`);
  const { temperature = 0, topP = 1, topK = 0, seed = 0 } = options.sampling ?? {};
  if (!(temperature >= 0)) throw new RangeError(`temperature: 0 or more, not ${temperature}`);
  if (!(topP > 0 && topP <= 1)) throw new RangeError(`top-p: above 0, at most 1, not ${topP}`);
  const sequences = whole("slots", options.slots ?? 4, 1, 256);
  return {
    file: model.file,
    gpu: options.gpu ?? "auto",
    gpuLayers: options.gpuLayers ?? null,
    threads: whole("threads", options.threads ?? 1, 1, 1_024),
    sequences,
    contextTokens,
    batchTokens: Math.max(sequences, whole("batch", options.batchTokens ?? 512, 1, 65_536)),
    vocabulary: model.vocabulary,
    tokensIntervalMs: options.tokensIntervalMs ?? 50,
    sampling: { temperature, topP, topK: whole("top-k", topK, 0, 2 ** 31 - 1), seed: whole("seed", seed, 0, 2 ** 32 - 1) },
  };
};
