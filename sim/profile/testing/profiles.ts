import { PROFILE_SCHEMA, PROFILE_VERSION } from "../../../protocol/profile.ts";
import type { MachineProfile } from "../../../protocol/profile.ts";

/** A profile of a small model on two cores; figures made up so that they follow a known rule. */
export function testProfile(changes: Partial<MachineProfile> = {}): MachineProfile {
  return {
    schema: PROFILE_SCHEMA, schemaVersion: PROFILE_VERSION,
    name: "two cores", date: "2026-11-21T20:00:00Z",
    source: { tool: "infernet bench", file: null, interrupted: false },
    machine: {
      cpu: { model: "Test CPU", cores: 2, threads: 2, vector: "AVX2" }, memory: { bytes: 8e9, bandwidthBytesPerS: 1e10 }, gpus: [], os: "Linux",
      power: { idleWatts: 5, loadWatts: 30, scope: "machine" }, priceUsd: 200,
    },
    software: { engine: "llama.cpp", engineVersion: "b6673", backend: "CPU", lab: "0.1.0", runtime: "Node.js v24" },
    model: { name: "synth-1M", catalogue: null, sha256: null, fileBytes: 1e6, parameters: 1e6, quantisation: "f16", contextTokensMax: 2_048, kvBytesPerToken: 1_000 },
    settings: { threads: 1, gpuLayers: 0, slots: 3, contextTokens: 1_024, kvTokens: 3_072, batchTokens: 256, passTokens: 256, flashAttention: false, kvType: "f16" },
    measured: {
      loadUs: 50_000,
      prefill: [16, 64, 256].flatMap((tokens) => [0, 512].map((contextTokens) => ({ sequences: 1, tokens, contextTokens, us: testPromptUs(tokens, contextTokens), repetitions: 3, spread: null }))),
      mixed: [],
      decode: [1, 2, 4].flatMap((batch) => [64, 512].map((contextTokens) => ({ batch, contextTokens, steps: 9, usPerStep: testStepUs(batch, contextTokens + 5), repetitions: 3, spread: null }))),
    },
    ...changes,
  };
}

/** The rule behind the prompts: 100 µs and 40 µs a token, and 0.05 µs for each pair of a token and one before it. */
export const testPromptUs = (tokens: number, contextTokens: number): number => 100 + 40 * tokens + 0.05 * (tokens * contextTokens + tokens * (tokens - 1) / 2);

/** The rule behind the steps: a curve in the batch (1: 500, 2: 800, 4: 1200 µs), and 0.5 µs for each token of context read. */
export const testStepUs = (batch: number, contextTokens: number): number => ({ 1: 500, 2: 800, 4: 1_200 })[batch]! + 0.5 * batch * contextTokens;
