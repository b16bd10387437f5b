import { expect, test } from "vitest";
import { engineLimits } from "./limits.ts";
import { catalogueMachine, catalogueModel } from "./lookup.ts";
import { kvBytesPerToken } from "./step-cost.ts";

const llama = catalogueModel("llama-3.1-8b:q4_k_m");
const full = catalogueModel("llama-3.1-8b:bf16");

test("vLLM on a 24 GB card holds the KV tokens that a real one reported", () => {
  // vLLM 0.19, RTX 4090, Llama 3.1 8B in bfloat16, --gpu-memory-utilization 0.9: 41,408 tokens in blocks of 16.
  const limits = engineLimits(catalogueMachine("RTX 4090"), full.model, full.quantisation, { kind: "vllm", contextTokens: 32_768 });
  expect(Math.abs(limits.kvTokensMax / 41_408 - 1)).toBeLessThan(0.02);
  expect(limits.kvTokensMax % 16).toBe(0);
  expect(limits).toMatchObject({ slots: 256, stepTokens: 2_048, contextTokensMax: 32_768, fits: true, reason: "" });
});

test("llama.cpp has its slots' contexts, as far as memory allows", () => {
  const large = engineLimits(catalogueMachine("RTX 4090"), llama.model, llama.quantisation, { kind: "llama.cpp" });
  expect(large).toMatchObject({ slots: 4, contextTokensMax: 8_192, kvTokensMax: 32_768, stepTokens: 2_048, fits: true });
  const small = engineLimits(catalogueMachine("RTX 3070 8GB"), llama.model, llama.quantisation, { kind: "llama.cpp", slots: 8 });
  expect(small.kvTokensMax).toBeLessThan(8 * 8_192);
  const used = llama.quantisation.fileBytes + small.kvTokensMax * kvBytesPerToken(llama.model);
  expect(used).toBeLessThan(8 * 2 ** 30);
  expect(used).toBeGreaterThan(0.9 * 8 * 2 ** 30);
});

test("a Mac keeps a quarter of its memory for the system", () => {
  // Measured in May 2024: 4,096 tokens ran, 8,192 ran out of memory.
  const limits = engineLimits(catalogueMachine("M1 7-core 8GB"), llama.model, llama.quantisation, { kind: "llama.cpp", slots: 1 });
  expect(limits.kvTokensMax).toBeGreaterThanOrEqual(4_096);
  expect(limits.kvTokensMax).toBeLessThan(8_192);
});

test("what does not fit says so, with the figures", () => {
  const { model, quantisation } = catalogueModel("llama-3.3-70b:q4_k_m");
  for (const kind of ["llama.cpp", "vllm", "sequential"] as const) {
    const limits = engineLimits(catalogueMachine("RTX 4090"), model, quantisation, { kind });
    expect(limits.fits).toBe(false);
    expect(limits.kvTokensMax).toBe(0);
    expect(limits.reason).toMatch(/llama-3.3-70b:q4_k_m takes 42.5 GB and 0.2 GB for 512 tokens of context; RTX 4090 leaves \d+\.\d GB/);
  }
});

test("no context is longer than the model's own, or than asked for", () => {
  const tiny = catalogueModel("tinyllama-1.1b:q8_0");
  const machine = catalogueMachine("H100 SXM");
  for (const kind of ["llama.cpp", "vllm", "sequential"] as const) {
    expect(engineLimits(machine, tiny.model, tiny.quantisation, { kind }).contextTokensMax).toBe(2_048);
    expect(engineLimits(machine, tiny.model, tiny.quantisation, { kind, contextTokens: 1_000 }).contextTokensMax).toBe(1_000);
  }
  expect(engineLimits(machine, tiny.model, tiny.quantisation, { kind: "sequential" })).toMatchObject({ slots: 1, kvTokensMax: 2_048 });
});
