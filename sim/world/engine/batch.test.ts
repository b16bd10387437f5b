import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BatchEngine, type BatchRules } from "./batch.ts";
import { affineCost } from "./cost.ts";
import type { Engine, EngineSink, StepCost } from "./engine.ts";
import { llamaCppRules } from "./llama-cpp.ts";
import { ReferenceBatchEngine } from "./reference/batch.ts";
import { difference, play, type Act } from "./reference/play.ts";
import { sequentialRules } from "./sequential.ts";
import { vllmRules } from "./vllm.ts";

const amount = (max: number): fc.Arbitrary<number> => fc.oneof(fc.constant(0), fc.double({ min: 0, max, noNaN: true }), fc.integer({ min: 0, max: Math.ceil(max) }));

const cost: fc.Arbitrary<StepCost> = fc
  .record({
    t0Us: fc.oneof(fc.double({ min: 0.1, max: 20_000, noNaN: true }), fc.integer({ min: 1, max: 20 })),
    perSequenceUs: amount(500),
    perPrefillTokenUs: amount(50),
    contextUs: amount(1),
    prefillContextUs: amount(0.05),
    experts: fc.boolean(),
  })
  .map(({ experts, ...coefficients }) => {
    const affine = affineCost(coefficients);
    // Mixture of experts: the share of experts touched grows with the batch, so the base is not affine.
    return experts ? { ...affine, baseUs: (p: number, s: number) => affine.baseUs(p, s) * (1 - Math.exp(-(p + s) / 8)) } : affine;
  });

const discipline = fc.constantFrom("fifo" as const, "priority" as const);
const rules: Record<string, fc.Arbitrary<BatchRules>> = {
  "llama.cpp": fc
    .record({
      cost, discipline, slots: fc.integer({ min: 1, max: 6 }), contextTokens: fc.integer({ min: 16, max: 400 }),
      kvTokensMax: fc.integer({ min: 100, max: 2_000 }), batchTokens: fc.integer({ min: 1, max: 300 }),
    })
    .map(llamaCppRules),
  vllm: fc
    .record({
      cost, discipline, maxSequences: fc.integer({ min: 1, max: 12 }), kvTokensMax: fc.integer({ min: 100, max: 1_200 }),
      batchTokens: fc.integer({ min: 1, max: 300 }), blockTokens: fc.constantFrom(1, 4, 16, 32),
    })
    .map(vllmRules),
  sequential: fc
    .record({ cost, discipline, contextTokens: fc.integer({ min: 16, max: 600 }), batchTokens: fc.integer({ min: 1, max: 300 }) })
    .map(sequentialRules),
};

const when = { gapUs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 200_000 })), advanceFirst: fc.boolean() };
const submit: fc.Arbitrary<Act> = fc.record({
  ...when, do: fc.constant("submit" as const), input: fc.integer({ min: 0, max: 300 }), output: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 200 })),
  priority: fc.integer({ min: 0, max: 3 }),
});
const acts: fc.Arbitrary<Act[]> = fc.array(
  fc.oneof(
    { weight: 10, arbitrary: submit },
    { weight: 2, arbitrary: fc.record({ ...when, do: fc.constant("cancel" as const), which: fc.nat(20) }) },
    { weight: 1, arbitrary: fc.record({ ...when, do: fc.constant("speed" as const), factor: fc.constantFrom(0.1, 0.5, 1, 1.7) }) },
  ),
  { minLength: 1, maxLength: 40 },
);

describe.each(Object.keys(rules))("%s in closed form", (name) => {
  test("equals the reference that goes step by step, with cancellation, slow-downs, priorities and a full KV cache", () => {
    fc.assert(
      fc.property(rules[name]!, acts, (rule, list) => {
        expect(difference(play(new BatchEngine(rule), list), play(new ReferenceBatchEngine(rule), list), 0)).toBe("");
      }),
      { seed: 1, numRuns: 400 },
    );
  });
});
