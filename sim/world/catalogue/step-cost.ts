import type { StepCost } from "../engine/engine.ts";
import { efficiencyOf } from "./efficiencies.ts";
import type { Efficiency } from "./efficiency.ts";
import { measuredStepCost } from "./measured.ts";
import type { EngineKind, Machine, Model, Quantisation } from "./types.ts";

/** Tokens that llama.cpp computes in one pass (`--ubatch-size`, default 512); longer batches are cut. */
export const llamaCppPassTokens = 512;

/** Bytes that one token of context occupies in the KV cache, 16 bits a value: keys and values of every layer. */
export function kvBytesPerToken(model: Model): number {
  return 2 * 2 * model.layers * model.kvHeads * model.headDim;
}

/**
 * Roofline (Williams, Waterman, Patterson, CACM 52(4), 2009) of a transformer's step: weights read once a pass at a
 * share of peak bandwidth, two FLOP per active weight and token at a share of peak arithmetic, a fixed part per layer,
 * and attention linear in context. A pass with n tokens touches the share 1 - (1 - k/E)^n of E routed experts, k active
 * per token (each token's choice taken as independent and uniform). Where the machine's speeds were measured, they count.
 *
 * @param efficiency - instead of the engine's and family's own; for fitting.
 */
export function stepCost(
  machine: Machine, model: Model, quantisation: Quantisation, engine: EngineKind,
  efficiency: Efficiency = efficiencyOf(engine, machine.family),
): StepCost {
  if (machine.measured !== undefined) return measuredStepCost(machine.measured);
  const { build } = efficiency;
  const bytesPerUs = machine.bandwidthBytesPerS * efficiency.bandwidth / 1e6;
  const peakFlopPerS = engine === "vllm" ? machine.flopPerSWideSums ?? machine.flopPerS : machine.flopPerS;
  const flopPerUs = peakFlopPerS * efficiency.compute / 1e6;

  const table = model.vocabulary * model.hiddenSize;
  const lookedUp = model.tiedEmbeddings ? 0 : table;
  const inExperts = model.experts?.parameters ?? 0;
  const expertBytes = quantisation.expertBytes ?? quantisation.fileBytes * inExperts / model.parameters;
  const bytesPerOther = (quantisation.fileBytes - expertBytes) / (model.parameters - inExperts);
  const denseReadUs = bytesPerOther * (model.parameters - inExperts - lookedUp) / bytesPerUs;
  const expertReadUs = expertBytes / bytesPerUs;
  const logMissed = model.experts === undefined ? 0 : Math.log(1 - model.experts.active / model.experts.count);

  // The output layer runs only where a token is sampled.
  const tokenUs = 2 * (model.activeParameters - lookedUp - table) / flopPerUs;
  const sampleUs = 2 * table / flopPerUs;
  const fixedUs = build.passUs + build.layerUs * model.layers;
  const passTokens = engine === "vllm" ? Infinity : llamaCppPassTokens;
  const hidden = build.overlap;

  return {
    baseUs(prefillTokens, sequences) {
      const tokens = prefillTokens + sequences;
      if (tokens === 0) return 0;
      const passes = tokens <= passTokens ? 1 : Math.ceil(tokens / passTokens);
      const touched = expertReadUs === 0 ? 0 : 1 - Math.exp(logMissed * tokens / passes);
      const readUs = passes * (denseReadUs + expertReadUs * touched);
      const computeUs = tokens * tokenUs + sequences * sampleUs;
      return passes * fixedUs + readUs + computeUs - hidden * Math.min(readUs, computeUs);
    },
    contextUs: kvBytesPerToken(model) / (bytesPerUs * build.kvShare),
    // Scores and weighted sum: 2 FLOP each, per head dimension, for every query head of every layer.
    prefillContextUs: 4 * model.layers * model.heads * model.headDim / (flopPerUs * build.attentionShare),
  };
}

/** µs to process a prompt alone on an otherwise idle engine, in steps of at most `stepTokens`. */
export function promptUs(cost: StepCost, tokens: number, stepTokens = tokens): number {
  let us = cost.prefillContextUs * tokens * (tokens - 1) / 2;
  for (let done = 0; done < tokens; done += stepTokens) us += cost.baseUs(Math.min(stepTokens, tokens - done), 0);
  return us;
}

/** µs to generate tokens one by one in a single sequence that starts with `context` tokens. */
export function generateUs(cost: StepCost, tokens: number, context = 0): number {
  return tokens * (cost.baseUs(0, 1) + cost.contextUs * (context + (tokens - 1) / 2));
}
