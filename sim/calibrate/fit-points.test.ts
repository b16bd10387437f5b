import { existsSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { FittedCost } from "../../protocol/fitted-cost.ts";
import { RandomStreams } from "../kernel/random.ts";
import { catalogueModel } from "../world/catalogue/index.ts";
import { readBatchedBench } from "./testing/batched-bench.ts";
import { modelFacts, type ModelFacts } from "./facts.ts";
import { fitPoints, predictMixedUs, predictUs, relativeError } from "./fit-points.ts";
import { type Measurements, pointsOf } from "./points.ts";

const file = new URL("../../../shared/data/llama-batched-bench/dgx-spark.csv", import.meta.url);
const absent = existsSync(file) ? "" : " (skipped: ../shared/data/llama-batched-bench not found)";

function factsOf(name: string): ModelFacts {
  const { model, quantisation } = catalogueModel(name);
  return modelFacts(model, quantisation);
}

describe.skipIf(absent !== "")(`llama.cpp measured elsewhere: fitted on 1, 8 and 32 sequences, the others are predicted${absent}`, () => {
  const table = absent === "" ? readBatchedBench(readFileSync(file, "utf8")) : new Map<string, Measurements>();

  test.each([
    ["qwen2.5-coder-7b-q8_0", "qwen2.5-coder-7b:q8_0", "affine", 0.03],
    ["gpt-oss-20b-mxfp4", "gpt-oss-20b:mxfp4", "experts", 0.06],
  ] as const)("%s", (rows, model, form, bound) => {
    const fit = fitPoints(table.get(rows)!, { facts: factsOf(model), batches: [1, 8, 32] });
    expect(fit.cost.form).toBe(form);
    expect(fit.decode.heldOut).toMatchObject({ points: 9 });
    expect(fit.prefill.heldOut).toMatchObject({ points: 9 });
    expect(fit.decode.heldOut!.mean).toBeLessThan(bound);
    expect(fit.prefill.heldOut!.mean).toBeLessThan(bound);
  });

  test("the dense one also where nothing is known of the model", () => {
    const fit = fitPoints(table.get("qwen2.5-coder-7b-q8_0")!, { batches: [1, 8, 32] });
    expect(fit.decode.heldOut!.mean).toBeLessThan(0.03);
    expect(fit.prefill.heldOut!.mean).toBeLessThan(0.03);
  });

  test("coefficients have the size that physics gives them", () => {
    const experts = fitPoints(table.get("gpt-oss-20b-mxfp4")!, { facts: factsOf("gpt-oss-20b:mxfp4"), batches: [1, 8, 32] }).cost;
    const { quantisation } = catalogueModel("gpt-oss-20b:mxfp4");
    const bytesPerS = quantisation.expertBytes! / experts.experts!.readUs * 1e6;
    // DGX Spark's memory: 273 GB/s at its peak.
    expect(bytesPerS).toBeGreaterThan(0.6 * 273e9);
    expect(bytesPerS).toBeLessThan(273e9);
    const dense = fitPoints(table.get("qwen2.5-coder-7b-q8_0")!, { facts: factsOf("qwen2.5-coder-7b:q8_0"), batches: [1, 8, 32] }).cost;
    expect(catalogueModel("qwen2.5-coder-7b:q8_0").quantisation.fileBytes / dense.fixedUs * 1e6).toBeLessThan(273e9);
  });

  test("the cold start of one prompt is named, and pulls nothing along", () => {
    const fit = fitPoints(table.get("gpt-oss-20b-mxfp4")!, { facts: factsOf("gpt-oss-20b:mxfp4") });
    expect(fit.verdict.text).toContain("1 of 36 points is far off (a cold start, a disturbance?): 512 prompt tokens by -66");
    expect(fit.verdict.fits).toBe(true);
  });

  test("a straight line through the mixture of experts is called what it is", () => {
    const fit = fitPoints(table.get("gpt-oss-20b-mxfp4")!, { form: "affine" });
    expect(fit.verdict.fits).toBe(false);
    expect(fit.verdict.text).toMatch(/^The form does NOT fit \(limit 5\.0 %\): decode steps/);
  });
});

const lengths = [64, 256, 700, 2048];
const batches = [1, 2, 4, 8, 16];

/** Measurements that the cost itself would yield, each multiplied by `noise`. */
function measured(cost: FittedCost, noise: () => number = () => 1): Measurements {
  const blank: Measurements = {
    passTokens: cost.passTokens,
    prefill: lengths.flatMap((tokens) => [0, 512].map((contextTokens) => ({ sequences: 1, tokens, contextTokens, us: 1 }))),
    decode: batches.flatMap((batch) => [64, 512, 2048].map((contextTokens) => ({ batch, contextTokens, steps: 32, usPerStep: 1 }))),
  };
  const us = pointsOf(blank).map((point) => predictUs(cost, point) * noise());
  return {
    ...blank,
    prefill: blank.prefill.map((point, i) => ({ ...point, us: us[i]! })),
    decode: blank.decode.map((point, i) => ({ ...point, usPerStep: us[blank.prefill.length + i]! })),
  };
}

const positive = (max: number): fc.Arbitrary<number> => fc.double({ min: max / 10, max, noNaN: true });
const anyAffine = fc.record({
  fixedUs: positive(40_000), batchedUs: positive(4_000), tokenUs: positive(400), sequenceUs: positive(400), contextUs: positive(0.5), promptContextUs: positive(0.02),
}).map((coefficients): FittedCost => ({ form: "affine", passTokens: 512, mixed: "shared", readUs: 0, experts: null, steps: null, ...coefficients }));

describe("synthetic measurements", () => {
  test("without noise, affine coefficients come back", () => {
    fc.assert(fc.property(anyAffine, (cost) => {
      const fit = fitPoints(measured(cost), { form: "affine" });
      for (const name of ["fixedUs", "batchedUs", "tokenUs", "sequenceUs", "contextUs", "promptContextUs"] as const) {
        expect(Math.abs(fit.cost[name] / cost[name] - 1), name).toBeLessThan(1e-3);
      }
      expect(Math.max(fit.decode.max, fit.prefill.max, fit.decode.heldOut!.max)).toBeLessThan(1e-4);
      expect(fit.verdict).toEqual({ fits: true, text: "The form fits: mean errors and trends stay within 5.0 %." });
    }), { seed: 1, numRuns: 20 });
  });

  test("without noise, those of a mixture of experts do", () => {
    fc.assert(fc.property(anyAffine, positive(60_000), fc.integer({ min: 35, max: 99 }), (dense, expertsUs, hundredths) => {
      const facts: ModelFacts = { sampleShare: dense.sequenceUs / dense.tokenUs, experts: { activeShare: 0.125, readShare: expertsUs / (expertsUs + dense.fixedUs) } };
      const cost: FittedCost = { ...dense, form: "experts", experts: { readUs: expertsUs, activeShare: 0.125, agreement: hundredths / 100 } };
      const fit = fitPoints(measured(cost), { facts });
      expect(fit.cost.experts!.agreement).toBe(hundredths / 100);
      expect(Math.abs(fit.cost.experts!.readUs / expertsUs - 1)).toBeLessThan(0.01);
      expect(fit.decode.max).toBeLessThan(1e-3);
    }), { seed: 1, numRuns: 4 });
  });

  test("a processor whose kernels change with the batch is fitted by steps, not by a line", () => {
    // Total speed of a 100M model in Q8 on two cores at 1, 2, 4, 8, 16 sequences: 125, 117, 125, 160, 180 tokens/s.
    const steps = [[1, 125], [2, 117], [4, 125], [8, 160], [16, 180]].map(([sequences, speed]) => ({ sequences: sequences!, us: sequences! / speed! * 1e6 }));
    const cost: FittedCost = {
      form: "steps", passTokens: 512, mixed: "separate", fixedUs: 3_000, batchedUs: 0, readUs: 0, tokenUs: 2_400, sequenceUs: 0, contextUs: 7, promptContextUs: 1,
      experts: null, steps,
    };
    const fit = fitPoints(measured(cost), { mixed: "separate" });
    expect(fit.cost.form).toBe("steps");
    expect(fit.tried.map(({ form }) => form)).toEqual(["affine", "line", "steps"]);
    fit.cost.steps!.forEach((step, i) => expect(Math.abs(step.us / steps[i]!.us - 1)).toBeLessThan(1e-6));
    expect(fit.cost.contextUs).toBeCloseTo(7, 6);
  });

  test("a processor whose prompts and single tokens take different kernels is fitted by a line for each", () => {
    const steps = [{ sequences: 1, us: 500 }, { sequences: 16, us: 3_500 }];
    const cost: FittedCost = {
      form: "steps", passTokens: 512, mixed: "separate", fixedUs: 10_000, batchedUs: 0, readUs: 0, tokenUs: 130, sequenceUs: 0, contextUs: 0.6, promptContextUs: 0.16,
      experts: null, steps,
    };
    const fit = fitPoints(measured(cost), { mixed: "separate" });
    expect(fit.cost.steps!.map(({ sequences }) => sequences)).toEqual([1, 16]);
    for (const name of ["fixedUs", "tokenUs", "contextUs", "promptContextUs"] as const) expect(Math.abs(fit.cost[name] / cost[name] - 1), name).toBeLessThan(1e-6);
    expect(fit.tried[1]).toMatchObject({ form: "line", heldOut: expect.closeTo(0, 9) as number });
  });

  test("mixed steps tell whether prompts and generation share passes", () => {
    const cost: FittedCost = {
      form: "affine", passTokens: 512, mixed: "separate", fixedUs: 20_000, batchedUs: 0, readUs: 0, tokenUs: 200, sequenceUs: 50, contextUs: 0.2,
      promptContextUs: 0.01, experts: null, steps: null,
    };
    for (const mixed of ["shared", "separate"] as const) {
      const points = [[1, 64], [4, 64], [4, 300]].map(([batch, promptTokens]) => ({ batch: batch!, contextTokens: 500, promptTokens: promptTokens!, promptContextTokens: 0, us: 1 }));
      const withMixed = { ...measured(cost), mixed: points.map((point) => ({ ...point, us: predictMixedUs({ ...cost, mixed }, point) })) };
      const fit = fitPoints(withMixed, { form: "affine" });
      expect(fit.cost.mixed).toBe(mixed);
      expect(fit.mixed).toMatchObject({ points: 3, used: 0 });
      expect(fit.mixed!.heldOut!.max).toBeLessThan(1e-4);
      expect(fit.residuals.filter(({ kind }) => kind === "mixed").length).toBe(3);
    }
    expect(fitPoints(measured(cost)).mixed).toBeNull();
  });

  test("with noise of 3 %, residuals are as large as the noise, and odd points do not move the others", () => {
    const cost: FittedCost = {
      form: "affine", passTokens: 512, mixed: "shared", fixedUs: 20_000, batchedUs: 2_000, readUs: 0, tokenUs: 200, sequenceUs: 50, contextUs: 0.2,
      promptContextUs: 0.01, experts: null, steps: null,
    };
    const random = new RandomStreams(1).stream("test", "bench", "noise");
    const noisy = measured(cost, () => 1 + 0.03 * (2 * random.next() - 1));
    const fit = fitPoints(noisy, { form: "affine" });
    expect(fit.decode.mean).toBeGreaterThan(0.005);
    expect(fit.decode.mean).toBeLessThan(0.02);
    expect(fit.decode.max).toBeLessThan(0.04);
    const cold = { ...noisy, prefill: noisy.prefill.map((point, i) => (i === 0 ? { ...point, us: 3 * point.us } : point)) };
    const again = fitPoints(cold, { form: "affine" });
    expect(again.verdict.fits).toBe(true);
    expect(again.verdict.text).toContain("far off");
    again.residuals.slice(1).forEach((residual, i) => expect(Math.abs(relativeError(residual) - relativeError(fit.residuals[i + 1]!))).toBeLessThan(0.02));
  });
});

describe("what cannot be fitted", () => {
  const one: Measurements = { passTokens: null, prefill: [{ sequences: 1, tokens: 512, contextTokens: 0, us: 1e6 }], decode: [{ batch: 1, contextTokens: 512, steps: 128, usPerStep: 1e4 }] };
  test("one prompt and one speed are two figures: the others stay 0", () => {
    const { cost, tried, verdict } = fitPoints(one);
    expect(tried.map(({ form }) => form)).toEqual(["affine"]);
    expect(verdict.text).toContain("with one number of sequences alone");
    expect(cost).toMatchObject({ contextUs: 0, promptContextUs: 0, batchedUs: 0, form: "affine" });
    expect(cost.fixedUs + cost.tokenUs).toBeCloseTo(1e4, 3);
  });
  test("says what is missing", () => {
    expect(() => fitPoints({ ...one, decode: [] })).toThrow("no decode step among the measurements");
    expect(() => fitPoints(one, { batches: [2, 4] })).toThrow("no prompt among the measurements to fit with 2, 4 sequences");
    expect(() => fitPoints(one, { form: "experts" })).toThrow("how many experts");
  });
});
