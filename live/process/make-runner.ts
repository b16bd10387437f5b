import type { RunnerSettings } from "../config/node.ts";
import { readSecretFile } from "../keys.ts";
import type { ComebackOptions } from "../runner/comeback.ts";
import { HttpRunner } from "../runner/http.ts";
import type { LiveRunner } from "../runner/live-runner.ts";
import { LlamaRunner } from "../runner/llama.ts";
import { MockRunner } from "../runner/mock.ts";

/**
 * The runner that a node's settings ask for, not yet started.
 * @param tokensIntervalMs least time between two messages with tokens of a job
 * @throws KeyFileError for the file of an API key that cannot be used; RangeError for an option out of range
 */
export function makeRunner(settings: RunnerSettings, tokensIntervalMs: number, onEngine?: ComebackOptions["onEngine"]): LiveRunner {
  switch (settings.kind) {
    case "llama": {
      const { model, name, slots, contextTokens, threads, gpu, gpuLayers, batchTokens, temperature } = settings;
      return new LlamaRunner({
        file: model, models: [name], slots, contextTokens, batchTokens, threads, gpu: gpu === "none" ? false : gpu, gpuLayers, sampling: { temperature }, tokensIntervalMs, onEngine,
      });
    }
    case "http": {
      const { url, model, name, api, slots, contextTokens, kvTokens, temperature, keyFile } = settings;
      return new HttpRunner({
        url, model, models: [name], api, slots, contextTokensMax: contextTokens, kvTokensMax: kvTokens, temperature, tokensIntervalMs, onEngine,
        apiKey: keyFile === undefined ? undefined : readSecretFile(keyFile),
      });
    }
    case "mock": {
      const { models, slots, contextTokens, prefillTokensPerS, decodeTokensPerS, outputTokens } = settings;
      return new MockRunner({
        models, slots, contextTokensMax: contextTokens, prefillTokensPerS, decodeTokensPerS, tokensIntervalMs, outputTokens: outputTokens === undefined ? undefined : () => outputTokens,
      });
    }
  }
}
