import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { scenarioGuide } from "./json-schema.ts";
import type { RangeScale, ValueRange } from "./range.ts";
import { readRange, shareOf, valueAt } from "./range.ts";

const range = (from: unknown, to: unknown, scale: RangeScale = "linear", path: readonly (string | number)[] = ["warmup"]): ValueRange => {
  const found = readRange(from, to, scale, scenarioGuide().at(path));
  if ("found" in found) throw new Error(`${found.found}; ${found.allowed}`);
  return found;
};

describe("values of a range", () => {
  test.each([
    ["0.05 USD/kWh", "0.40 USD/kWh", "linear", 0.5, "0.225 USD/kWh"],
    ["1/s", "100/s", "log", 0.5, "10/s"],
    ["1 sat", "2 sat", "linear", 0.12345, "1.123 sat"],
    ["1 msat", "4 msat", "linear", 0.5, "3 msat"],
    ["0 %", "10 %", "linear", 0.25, "2.5 %"],
    ["0 %", "10 %", "linear", 1 / 3, "3.33 %"],
    ["0 bps", "10 bps", "linear", 0.33, "3 bps"],
    ["10s", "20s", "linear", 1 / 3, "13.33333 s"],
    ["10us", "20us", "linear", 1 / 3, "13 us"],
    [0.1, 0.9, "linear", 0.5, "0.5"],
    ["1e3/s", "1_000_000/s", "log", 0.5, "31622.777/s"],
  ] as const)("%s to %s, %s, at %s: %s", (from, to, scale, share, text) => {
    expect(valueAt(range(from, to, scale), share).text).toBe(text);
  });

  test("ends are met, and rounding is told", () => {
    const days = range("1 sat", "1.01 sat");
    expect([valueAt(days, 0).text, valueAt(days, 1).text]).toEqual(["1 sat", "1.01 sat"]);
    expect(valueAt(days, 0.33)).toEqual({ value: 1.003, text: "1.003 sat", share: shareOf(days, 1.003) });
    expect(shareOf(days, 1.003)).toBeCloseTo(0.3, 10);
  });

  test("whole fields take whole numbers, each for an equal part of the shares", () => {
    const nodes = range(1, 4, "linear", ["operators", 0, "count"]);
    expect(nodes.whole).toBe(true);
    const drawn = Array.from({ length: 400 }, (_, i) => valueAt(nodes, i / 400).value);
    expect([1, 2, 3, 4].map((value) => drawn.filter((one) => one === value).length)).toEqual([100, 100, 100, 100]);
    expect([0, 1 / 3, 2 / 3, 1].map((share) => valueAt(nodes, share).value)).toEqual([1, 2, 3, 4]);
    expect(range(1, 64, "log", ["operators", 0, "count"]).whole).toBe(true);
  });

  test("stay inside, grow with the share, and know their place", () => {
    fc.assert(fc.property(fc.double({ min: 0.001, max: 1e6, noNaN: true }), fc.double({ min: 0.01, max: 1e6, noNaN: true }), fc.constantFrom("linear" as const, "log" as const), fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }), (from, more, scale, a, b) => {
      const one = range(from, from + more, scale, ["router", "policy", "softmax", "temperature"]);
      const [low, high] = [Math.min(a, b), Math.max(a, b)].map((share) => valueAt(one, share)) as [ReturnType<typeof valueAt>, ReturnType<typeof valueAt>];
      expect(low.value).toBeGreaterThanOrEqual(from);
      expect(high.value).toBeLessThanOrEqual(from + more);
      expect(low.value).toBeLessThanOrEqual(high.value);
      expect(Math.abs(low.share - Math.min(a, b))).toBeLessThan(2e-6);
      expect(valueAt(one, low.share).text).toBe(low.text);
    }), { seed: 1, numRuns: 300 });
  });
});

describe("what is no range", () => {
  test.each([
    ["1 sat", "2 USD", "linear", "to", 'a number of sat, as in `from`'],
    ["1", "2 USD", "linear", "to", "a number without a unit, as in `from`"],
    ["2 sat", "2 sat", "linear", "to", 'more than "2 sat"'],
    [0, 3, "log", "from", "a value above 0, as the scale is log"],
    ["cheap", 3, "linear", "from", "a number with its unit"],
    [1, true, "linear", "to", "a number with its unit"],
  ] as const)("%s to %s, %s", (from, to, scale, at, allowed) => {
    expect(readRange(from, to, scale, scenarioGuide().at(["warmup"]))).toMatchObject({ at, allowed });
  });

  test("fractions of what is counted in whole", () => {
    expect(readRange(1.5, 3, "linear", scenarioGuide().at(["operators", 0, "count"]))).toMatchObject({ at: "from", allowed: "a whole number" });
    expect(readRange(1, 3.5, "linear", scenarioGuide().at(["operators", 0, "count"]))).toMatchObject({ at: "to", allowed: "a whole number" });
  });
});
