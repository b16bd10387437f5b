import { describe, expect, test } from "vitest";
import type { FittedCost } from "../../../protocol/fitted-cost.ts";
import { fittedStepCost, touchedShare } from "./fitted-cost.ts";

const affine: FittedCost = {
  form: "affine", passTokens: 512, mixed: "shared", fixedUs: 1000, batchedUs: 100, readUs: 0, tokenUs: 10, sequenceUs: 2,
  contextUs: 0.1, promptContextUs: 0.01, experts: null, steps: null,
};

describe("step costs from fitted coefficients", () => {
  test("affine: fixed part a pass, more where it holds several tokens, and a part for each token and sequence", () => {
    const { baseUs, contextUs, prefillContextUs } = fittedStepCost(affine);
    expect(baseUs(0, 1)).toBe(1012);
    expect(baseUs(0, 4)).toBe(1148);
    expect(baseUs(512, 0)).toBe(6220);
    expect(baseUs(513, 0)).toBe(2 * 1100 + 5130);
    expect(baseUs(508, 4)).toBe(6228);
    expect([contextUs, prefillContextUs]).toEqual([0.1, 0.01]);
  });

  test("separate: prompt tokens and decoding sequences have passes of their own", () => {
    const { baseUs } = fittedStepCost({ ...affine, mixed: "separate" });
    expect(baseUs(508, 4)).toBe(1100 + 5080 + 1148);
  });

  test("roofline: reading the weights hides behind computing", () => {
    const { baseUs } = fittedStepCost({ ...affine, form: "roofline", passTokens: null, batchedUs: 0, readUs: 500 });
    expect(baseUs(0, 10)).toBe(1000 + 500 + 20);
    expect(baseUs(100, 10)).toBe(1000 + 1100 + 20);
  });

  test("experts: a growing share of them is read", () => {
    const { baseUs } = fittedStepCost({ ...affine, form: "experts", experts: { readUs: 800, activeShare: 0.25, agreement: 1 } });
    expect(baseUs(0, 1)).toBeCloseTo(1012 + 200, 9);
    expect(baseUs(0, 2)).toBeCloseTo(1124 + 800 * (1 - 9 / 16), 9);
    expect(baseUs(512, 0)).toBeCloseTo(6220 + 800, 6);
    expect(touchedShare(0.25, 0.5, 4)).toBeCloseTo(1 - 9 / 16, 12);
    expect(touchedShare(1, 0.5, 1)).toBe(1);
  });

  test("steps: what was measured, linear in between and beyond, never falling beyond", () => {
    const steps = [{ sequences: 1, us: 800 }, { sequences: 4, us: 3200 }, { sequences: 8, us: 3000 }];
    const { baseUs } = fittedStepCost({ ...affine, form: "steps", mixed: "separate", sequenceUs: 0, steps });
    expect([1, 2, 4, 6, 8, 16].map((sequences) => baseUs(0, sequences))).toEqual([800, 1600, 3200, 3100, 3000, 3000]);
    expect(baseUs(10, 1)).toBe(1200 + 800);
    expect(fittedStepCost({ ...affine, form: "steps", sequenceUs: 0, steps }).baseUs(10, 1)).toBe(1200 + 800 - 800);
    const speed = fittedStepCost({ ...affine, form: "steps", sequenceUs: 0, steps: [{ sequences: 2, us: 100 }] });
    expect([1, 2, 4].map((sequences) => speed.baseUs(0, sequences))).toEqual([100, 100, 200]);
  });

  test("says what does not belong together", () => {
    expect(() => fittedStepCost({ ...affine, form: "experts" })).toThrow("form experts needs experts");
    expect(() => fittedStepCost({ ...affine, steps: [{ sequences: 1, us: 1 }] })).toThrow("form affine has no steps");
    expect(() => fittedStepCost({ ...affine, form: "steps", steps: [{ sequences: 2, us: 1 }, { sequences: 2, us: 1 }] })).toThrow("rising");
    expect(() => fittedStepCost({ ...affine, fixedUs: 0, tokenUs: 0, sequenceUs: 0 })).toThrow("takes no time");
  });
});
