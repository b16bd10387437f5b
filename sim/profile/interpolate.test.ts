import { describe, expect, test } from "vitest";
import { interpolatedCost } from "./interpolate.ts";
import { testProfile, testPromptUs, testStepUs } from "./testing/profiles.ts";

const { prefill, decode } = testProfile().measured;
const cost = interpolatedCost(prefill, decode);
/** As the engine adds it up. */
const promptUs = (tokens: number, context: number): number => cost.baseUs(tokens, 0) + cost.prefillContextUs * (tokens * context + tokens * (tokens - 1) / 2);
const stepUs = (batch: number, context: number): number => cost.baseUs(0, batch) + cost.contextUs * batch * context;

describe("a step's cost between measurements", () => {
  test("what was measured comes out again", () => {
    for (const { tokens, contextTokens, us } of prefill) expect(promptUs(tokens, contextTokens)).toBeCloseTo(us, 6);
    for (const { batch, contextTokens, steps, usPerStep } of decode) expect(stepUs(batch, contextTokens + (steps + 1) / 2)).toBeCloseTo(usPerStep, 6);
  });

  test("attention's slope is found, and holds at contexts that nobody measured", () => {
    expect(cost.contextUs).toBeCloseTo(0.5, 9);
    expect(cost.prefillContextUs).toBeCloseTo(0.05, 9);
    expect(stepUs(2, 1_000)).toBeCloseTo(testStepUs(2, 1_000), 6);
    expect(promptUs(64, 3_000)).toBeCloseTo(testPromptUs(64, 3_000), 6);
  });

  test("in between it is linear, beyond the last points too, and below the smallest batch as at it", () => {
    expect(cost.baseUs(0, 3)).toBeCloseTo(1_000, 6);
    expect(cost.baseUs(0, 6)).toBeCloseTo(1_600, 6);
    expect(cost.baseUs(160, 0)).toBeCloseTo(100 + 40 * 160, 6);
    expect(cost.baseUs(512, 0)).toBeCloseTo(100 + 40 * 512, 6);
    expect(cost.baseUs(160, 3)).toBeCloseTo(7_500, 6);
    expect(interpolatedCost(prefill, decode.filter(({ batch }) => batch > 1)).baseUs(0, 1)).toBeCloseTo(800, 6);
  });

  test("a single context tells no slope, a single batch no gain", () => {
    const poor = interpolatedCost(prefill.slice(0, 1), decode.slice(0, 1));
    expect([poor.contextUs, poor.prefillContextUs]).toEqual([0, 0]);
    expect(poor.baseUs(0, 4)).toBeCloseTo(4 * decode[0]!.usPerStep, 6);
    expect(poor.baseUs(32, 0)).toBeCloseTo(2 * prefill[0]!.us, 6);
  });

  test("noise that falls with context costs nothing, and noise that rises never makes a step free", () => {
    const falling = interpolatedCost(prefill, [{ batch: 1, contextTokens: 0, steps: 1, usPerStep: 100 }, { batch: 1, contextTokens: 100, steps: 1, usPerStep: 90 }]);
    expect(falling.contextUs).toBe(0);
    expect(falling.baseUs(0, 1)).toBeCloseTo(95, 9);
    const rising = interpolatedCost(prefill, [{ batch: 1, contextTokens: 100, steps: 1, usPerStep: 1 }, { batch: 1, contextTokens: 200, steps: 1, usPerStep: 100 }]);
    expect(rising.baseUs(0, 1)).toBeGreaterThan(0);
    const slower = interpolatedCost(prefill, [{ batch: 1, contextTokens: 0, steps: 1, usPerStep: 100 }, { batch: 2, contextTokens: 0, steps: 1, usPerStep: 80 }]);
    expect(slower.baseUs(0, 40)).toBeCloseTo(80, 9);
  });

  test("prompts alone go before prompts in company", () => {
    const crowd = { sequences: 4, tokens: 16, contextTokens: 0, us: 1e6, repetitions: 1, spread: null };
    expect(interpolatedCost([...prefill, crowd], decode)).toMatchObject({ contextUs: cost.contextUs });
    expect(interpolatedCost([...prefill, crowd], decode).baseUs(64, 0)).toBeCloseTo(cost.baseUs(64, 0), 9);
    expect(interpolatedCost([crowd], decode).baseUs(64, 0)).toBeCloseTo(1e6, 3);
  });

  test("nothing comes from nothing", () => {
    expect(() => interpolatedCost([], decode)).toThrow(/without a single prompt/);
    expect(() => interpolatedCost(prefill, [])).toThrow(RangeError);
  });
});
