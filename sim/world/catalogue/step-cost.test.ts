import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { efficiencyOf } from "./efficiencies.ts";
import type { Efficiency } from "./efficiency.ts";
import { catalogueMachine, catalogueModel } from "./lookup.ts";
import { machines } from "./machines.ts";
import { models } from "./models.ts";
import { advertisedSpeeds } from "./speeds.ts";
import { generateUs, kvBytesPerToken, promptUs, stepCost } from "./step-cost.ts";
import type { EngineKind, Machine } from "./types.ts";

const ideal: Efficiency = {
  engine: "llama.cpp", family: "generic", bandwidth: 1, compute: 1, basis: "assumed", from: "a test",
  build: { name: "ideal", passUs: 0, layerUs: 0, kvShare: 1, attentionShare: 1, overlap: 0 },
};
const machine: Machine = { name: "round", family: "generic", memoryBytes: 1e12, bandwidthBytesPerS: 1e12, flopPerS: 1e14, idleWatts: 1, loadWatts: 2 };

describe("closed forms on a machine of 1 TB/s and 100 TFLOP/s at full efficiency", () => {
  const { model, quantisation } = catalogueModel("llama-3.1-8b:f16");
  const cost = stepCost(machine, model, quantisation, "llama.cpp", ideal);
  const table = 128_256 * 4096;
  const body = model.parameters - 2 * table;

  test("a decode step reads every weight but the embedding table, and spends 2 FLOP on each", () => {
    expect(cost.baseUs(0, 1)).toBeCloseTo(2 * (body + table) / 1e6 + 2 * (body + table) / 1e8, 6);
  });
  test("each further sequence adds its arithmetic alone", () => {
    expect(cost.baseUs(0, 5) - cost.baseUs(0, 4)).toBeCloseTo(2 * (body + table) / 1e8, 6);
  });
  test("a prompt token needs no output layer", () => {
    expect(cost.baseUs(101, 0) - cost.baseUs(100, 0)).toBeCloseTo(2 * body / 1e8, 6);
  });
  test("a prompt beyond 512 tokens reads the weights again", () => {
    expect(cost.baseUs(513, 0) - cost.baseUs(512, 0)).toBeCloseTo(2 * (body + table) / 1e6 + 2 * body / 1e8, 6);
    const vllm = stepCost(machine, model, quantisation, "vllm", ideal);
    expect(vllm.baseUs(513, 0) - vllm.baseUs(512, 0)).toBeCloseTo(2 * body / 1e8, 6);
  });
  test("context costs its KV bytes in decoding, 4 FLOP per head dimension and layer in prefill", () => {
    expect(cost.contextUs).toBeCloseTo(131_072 / 1e6, 9);
    expect(cost.prefillContextUs).toBeCloseTo(4 * 32 * 4096 / 1e8, 9);
  });
  test("an empty step takes no time", () => {
    expect(cost.baseUs(0, 0)).toBe(0);
  });
  test("with full overlap, the slower of reading and computing counts", () => {
    const hidden = stepCost(machine, model, quantisation, "vllm", { ...ideal, build: { ...ideal.build, overlap: 1 } });
    expect(hidden.baseUs(0, 1)).toBeCloseTo(2 * (body + table) / 1e6, 6);
    expect(hidden.baseUs(2000, 0)).toBeCloseTo(2000 * 2 * body / 1e8, 6);
  });
  test("time per pass and layer is added once a pass", () => {
    const slow = stepCost(machine, model, quantisation, "llama.cpp", { ...ideal, build: { ...ideal.build, passUs: 100, layerUs: 10 } });
    expect(slow.baseUs(0, 1) - cost.baseUs(0, 1)).toBeCloseTo(100 + 32 * 10, 6);
    expect(slow.baseUs(1024, 0) - cost.baseUs(1024, 0)).toBeCloseTo(2 * (100 + 32 * 10), 6);
  });
  test("sums in FP32 slow vLLM where the machine says so", () => {
    const halved = { ...machine, flopPerSWideSums: machine.flopPerS / 2 };
    const vllm = stepCost(halved, model, quantisation, "vllm", ideal);
    expect(vllm.baseUs(101, 0) - vllm.baseUs(100, 0)).toBeCloseTo(2 * 2 * body / 1e8, 6);
    const llamaCpp = stepCost(halved, model, quantisation, "llama.cpp", ideal);
    expect(llamaCpp.baseUs(101, 0)).toBe(cost.baseUs(101, 0));
  });
});

test("a mixture of experts reads k/E of its experts for one token, nearly all of them for many", () => {
  const { model, quantisation } = catalogueModel("mixtral-8x7b:f16");
  const endless = { ...machine, flopPerS: 1e30 };
  const cost = stepCost(endless, model, quantisation, "vllm", ideal);
  const table = 32_000 * 4096;
  const inExperts = 32 * 8 * 3 * 4096 * 14_336;
  const dense = model.parameters - inExperts - table;
  expect(cost.baseUs(0, 1)).toBeCloseTo(2 * (dense + inExperts / 4) / 1e6, 6);
  expect(cost.baseUs(0, 2)).toBeCloseTo(2 * (dense + inExperts * (1 - 9 / 16)) / 1e6, 6);
  expect(cost.baseUs(0, 1000)).toBeCloseTo(2 * (dense + inExperts) / 1e6, 6);
});

test("a model whose tokens visit every expert costs what a dense one does", () => {
  const { model, quantisation } = catalogueModel("llama-3.1-8b:f16");
  const all = stepCost(machine, { ...model, experts: { count: 4, active: 4, parameters: 1e9 } }, quantisation, "llama.cpp", ideal);
  expect(all.baseUs(0, 1)).toBeCloseTo(stepCost(machine, model, quantisation, "llama.cpp", ideal).baseUs(0, 1), 6);
});

describe("for every machine, model and engine", () => {
  const anyCost = fc.record({
    machine: fc.constantFrom(...machines), model: fc.constantFrom(...models), engine: fc.constantFrom<EngineKind>("llama.cpp", "vllm", "sequential"),
  });

  test("no step beats the hardware's peaks, and more work never takes less time within a pass", () => {
    fc.assert(fc.property(anyCost, fc.integer({ min: 0, max: 400 }), fc.integer({ min: 1, max: 100 }), (of, prefill, sequences) => {
      const quantisation = of.model.quantisations[0];
      if (quantisation === undefined) throw new Error("a model without quantisations");
      const cost = stepCost(of.machine, of.model, quantisation, of.engine);
      const us = cost.baseUs(prefill, sequences);
      const table = of.model.vocabulary * of.model.hiddenSize;
      const flop = 2 * (prefill + sequences) * (of.model.activeParameters - 2 * table);
      expect(us).toBeGreaterThan(flop / of.machine.flopPerS * 1e6);
      const dense = (of.model.parameters - (of.model.experts?.parameters ?? 0)) / of.model.parameters * quantisation.fileBytes;
      if (of.model.experts === undefined && of.model.tiedEmbeddings) expect(us).toBeGreaterThan(dense / of.machine.bandwidthBytesPerS * 1e6);
      expect(cost.baseUs(prefill + 1, sequences)).toBeGreaterThanOrEqual(us);
      expect(cost.baseUs(prefill, sequences + 1)).toBeGreaterThanOrEqual(us);
      expect(cost.contextUs).toBeGreaterThanOrEqual(kvBytesPerToken(of.model) / of.machine.bandwidthBytesPerS * 1e6);
      expect(Number.isFinite(us) && Number.isFinite(cost.prefillContextUs)).toBe(true);
    }), { seed: 1, numRuns: 500 });
  });

  test("twice the bandwidth and arithmetic, without fixed time, halves every step", () => {
    fc.assert(fc.property(anyCost, fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 0, max: 200 }), (of, prefill, sequences) => {
      const quantisation = of.model.quantisations[0];
      if (quantisation === undefined) throw new Error("a model without quantisations");
      const own = efficiencyOf(of.engine, of.machine.family);
      const efficiency = { ...own, build: { ...own.build, passUs: 0, layerUs: 0 } };
      const { flopPerSWideSums } = of.machine;
      const twice = {
        ...of.machine, bandwidthBytesPerS: 2 * of.machine.bandwidthBytesPerS, flopPerS: 2 * of.machine.flopPerS,
        ...(flopPerSWideSums === undefined ? {} : { flopPerSWideSums: 2 * flopPerSWideSums }),
      };
      const once = stepCost(of.machine, of.model, quantisation, of.engine, efficiency).baseUs(prefill, sequences);
      expect(stepCost(twice, of.model, quantisation, of.engine, efficiency).baseUs(prefill, sequences)).toBeCloseTo(once / 2, 5);
    }), { seed: 1, numRuns: 200 });
  });
});

test("prompts and answers cost the sum of their steps", () => {
  const { model, quantisation } = catalogueModel("llama-3.1-8b:q4_k_m");
  const cost = stepCost(catalogueMachine("RTX 4090"), model, quantisation, "llama.cpp");
  let prompt = 0;
  for (let done = 0; done < 1200; done += 512) {
    const tokens = Math.min(512, 1200 - done);
    prompt += cost.baseUs(tokens, 0);
    for (let i = 0; i < tokens; i++) prompt += cost.prefillContextUs * (done + i);
  }
  expect(promptUs(cost, 1200, 512)).toBeCloseTo(prompt, 3);
  let answer = 0;
  for (let i = 0; i < 50; i++) answer += cost.baseUs(0, 1) + cost.contextUs * (1200 + i);
  expect(generateUs(cost, 50, 1200)).toBeCloseTo(answer, 3);
});

test("advertised speeds are those of an idle node with 512 prompt tokens", () => {
  const { model, quantisation } = catalogueModel("llama-3.1-8b:q4_k_m");
  const cost = stepCost(catalogueMachine("RTX 4090"), model, quantisation, "llama.cpp");
  const speeds = advertisedSpeeds(cost);
  expect(speeds.prefillTokensPerS).toBeCloseTo(512e6 / promptUs(cost, 512), 6);
  expect(speeds.decodeTokensPerS).toBeCloseTo(128e6 / generateUs(cost, 128, 512), 6);
  // Measured on this card, May 2024: 7,139 and 131 tokens/s; a wide net against wrong units.
  expect(speeds.prefillTokensPerS).toBeGreaterThan(5_000);
  expect(speeds.prefillTokensPerS).toBeLessThan(10_000);
  expect(speeds.decodeTokensPerS).toBeGreaterThan(100);
  expect(speeds.decodeTokensPerS).toBeLessThan(160);
});

test("an unknown family gets generic efficiencies", () => {
  expect(efficiencyOf("llama.cpp", "abacus").family).toBe("generic");
  expect(efficiencyOf("vllm", "nvidia-ada").family).toBe("nvidia-ada");
});
