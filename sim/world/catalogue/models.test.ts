import { describe, expect, test } from "vitest";
import { catalogueModel } from "./lookup.ts";
import { models } from "./models.ts";
import { kvBytesPerToken } from "./step-cost.ts";

function bits(name: string): number {
  const { model, quantisation } = catalogueModel(name);
  return quantisation.fileBytes * 8 / model.parameters;
}

test("there are at least a dozen models, each with its sources, quantisations and a name of its own", () => {
  expect(models.length).toBeGreaterThanOrEqual(12);
  expect(new Set(models.map(({ name }) => name)).size).toBe(models.length);
  for (const model of models) {
    expect(model.name).toMatch(/^[a-z0-9.-]+$/);
    expect(model.source).toContain("https://huggingface.co/");
    expect(model.quantisations.length).toBeGreaterThan(0);
    expect(new Set(model.quantisations.map(({ name }) => name)).size).toBe(model.quantisations.length);
  }
});

test.each(models.map((model) => [model.name, model] as const))("%s: parameters computed from its configuration are those published", (_, model) => {
  expect(Math.abs(model.parameters / model.publishedParameters - 1)).toBeLessThan(0.0005);
});

test.each([
  ["llama-3.1-8b", 131_072], // 2 x 2 x 32 x 8 x 128
  ["llama-3.3-70b", 327_680], // 2 x 2 x 80 x 8 x 128
  ["qwen2.5-7b", 57_344], // 2 x 2 x 28 x 4 x 128
  ["mixtral-8x7b", 131_072],
  ["llama-3.2-1b", 32_768], // 2 x 2 x 16 x 8 x 64
  ["tinyllama-1.1b", 22_528], // 2 x 2 x 22 x 4 x 64
])("%s holds %i bytes of KV cache a token", (name, bytes) => {
  expect(kvBytesPerToken(catalogueModel(name).model)).toBe(bytes);
});

describe("active parameters are those the makers state", () => {
  test.each([["mixtral-8x7b", 12.9], ["qwen3-30b-a3b", 3.3]])("%s: %f B", (name, billions) => {
    expect(Math.abs(catalogueModel(name).model.activeParameters / 1e9 - billions)).toBeLessThan(0.06);
  });
  test.each([["gpt-oss-20b", 3.6], ["gpt-oss-120b", 5.1]])("%s: %f B, its embedding table not counted", (name, billions) => {
    const { model } = catalogueModel(name);
    expect((model.activeParameters - model.vocabulary * model.hiddenSize) / 1e9).toBeCloseTo(billions, 1);
  });
  test("dense models use all", () => {
    for (const model of models) if (model.experts === undefined) expect(model.activeParameters).toBe(model.parameters);
  });
});

// llama.cpp, tools/quantize/README.md: Llama-3.1-8B, bits per weight.
test.each([["q4_k_m", 4.8944], ["q5_k_m", 5.7036], ["q6_k", 6.5633], ["q8_0", 8.5008], ["f16", 16.0005]])("Llama 3.1 8B in %s has %f bits a weight", (name, published) => {
  expect(Math.abs(bits(`llama-3.1-8b:${name}`) / published - 1)).toBeLessThan(0.003);
});

// File sizes published beside the quantised weights, GB.
test.each([
  ["llama-3.1-8b:q4_0", 4.66], ["gemma-2-9b:q4_0", 5.44], ["mistral-7b:q8_0", 7.7], ["qwen2.5-32b:q8_0", 34.82], ["mixtral-8x7b:q8_0", 49.62], ["llama-3.2-1b:q8_0", 1.32],
])("%s derived from bits per weight has the published size, %f GB", (name, gb) => {
  expect(Math.abs(catalogueModel(name).quantisation.fileBytes / 1e9 / gb - 1)).toBeLessThan(0.006);
});

test("published k-quant files have the bits per weight of their format", () => {
  for (const model of models) {
    const size = new Map(model.quantisations.map(({ name, fileBytes }) => [name, fileBytes * 8 / model.parameters]));
    if (!size.has("q4_k_m")) continue;
    // Where rows do not split into blocks of 256, llama.cpp falls back to larger formats.
    const fallback = model.hiddenSize % 256 !== 0;
    expect(size.get("q4_k_m"), model.name).toBeGreaterThan(4.5);
    expect(size.get("q4_k_m"), model.name).toBeLessThan(fallback ? 6.5 : 5.3);
    expect(size.get("q5_k_m"), model.name).toBeGreaterThan(5.5);
    expect(size.get("q5_k_m"), model.name).toBeLessThan(fallback ? 6.9 : 6.05);
  }
});

test("experts in MXFP4 leave room in the file for the rest at 8 to 16 bits", () => {
  for (const name of ["gpt-oss-20b", "gpt-oss-120b"]) {
    const { model, quantisation } = catalogueModel(name);
    const others = (quantisation.fileBytes - (quantisation.expertBytes ?? NaN)) * 8 / (model.parameters - (model.experts?.parameters ?? NaN));
    expect(others).toBeGreaterThan(8);
    expect(others).toBeLessThan(16.5);
  }
});
