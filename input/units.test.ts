import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkWhole, exchanged, parseQuantity, quantityPattern, toNearest, toNumber } from "./units.ts";
import type { Dimension, Quantity } from "./units.ts";

function parsed(dimension: Dimension, value: unknown): Quantity {
  const quantity = parseQuantity(dimension, value);
  if ("found" in quantity) throw new Error(`${quantity.found}; allowed: ${quantity.allowed}`);
  return quantity;
}

/** `count / 10^digits`, written out. */
function decimal(count: bigint, digits: number): string {
  const text = String(count).padStart(digits + 1, "0");
  return digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

describe("exact", () => {
  test.each<[Dimension, string | number, number]>([
    ["duration", "0.1 s", 100_000],
    ["duration", "1.000001s", 1_000_001],
    ["duration", "250ms", 250_000],
    ["duration", "1.5 h", 5_400_000_000],
    ["duration", "2w", 1_209_600_000_000],
    ["duration", "5 µs", 5],
    ["duration", "1e-3 s", 1_000],
    ["duration", 0, 0],
    ["money", "0.001 sat", 1],
    ["money", "0.1 btc", 10_000_000_000],
    ["token price", "50 sat/Mtok", 50_000],
    ["token price", "2 msat/tok", 2_000_000],
    ["token price", "0.5 sat/ktok", 500_000],
    ["tokens", "8k", 8_000],
    ["tokens", "8Ki", 8_192],
    ["tokens", 1024, 1_024],
    ["tokens", "1.5k", 1_500],
    ["bytes", "24 GB", 24_000_000_000],
    ["bytes", "24 GiB", 25_769_803_776],
    ["duration", "1_000 us", 1_000],
  ])("%s %s", (dimension, text, expected) => {
    const quantity = parsed(dimension, text);
    expect(checkWhole(dimension, quantity, text)).toBeNull();
    expect(toNearest(quantity)).toBe(expected);
  });

  test.each<[Dimension, string | number, number]>([
    ["rate", "300/min", 5],
    ["rate", "10/h", 10 / 3600],
    ["share", "5 %", 0.05],
    ["share", "100 bps", 0.01],
    ["share", 0.1, 0.1],
    ["power", "1.2 kW", 1200],
    ["bandwidth", "1008 GB/s", 1.008e12],
    ["compute", "165 TFLOP/s", 1.65e14],
  ])("%s %s", (dimension, text, expected) => {
    expect(toNumber(parsed(dimension, text))).toBe(expected);
  });

  test.each<[Dimension, string]>([
    ["duration", "0.1 us"], ["duration", "0.0000001 s"], ["money", "0.0001 sat"], ["tokens", "1.5"], ["token price", "0.5 msat/Mtok"],
  ])("%s %s is finer than its unit", (dimension, text) => {
    expect(checkWhole(dimension, parsed(dimension, text), text)?.found).toContain("finer than 1");
  });

  test("more than a double holds exactly is refused", () => {
    expect(checkWhole("duration", parsed("duration", "1000000 w"), "1000000 w")?.allowed).toBe("at most 9007199254740991 us");
  });

  test("fiat becomes msat at the stated rate, to the nearest msat", () => {
    const perMtok = parsed("token price", "0.20 USD/Mtok");
    expect(perMtok.currency).toBe("USD");
    expect(toNearest(exchanged(perMtok, 1_000_000))).toBe(200_000);
    expect(toNearest(exchanged(parsed("energy price", "0.1234567 EUR/kWh"), 1_000_000))).toBe(123_457);
  });
});

test("any whole number of microseconds survives every unit it can be written in", () => {
  const units: readonly [string, bigint, number][] = [["us", 1n, 0], ["ms", 1_000n, 3], ["s", 1_000_000n, 6], ["min", 60_000_000n, 6], ["h", 3_600_000_000n, 6]];
  fc.assert(fc.property(fc.bigInt({ min: 0n, max: 2_000_000_000n }), fc.constantFrom(...units), fc.constantFrom("", " ", "  "), (count, [unit, us, digits], space) => {
    // So many millionths of the unit are a whole number of µs.
    const quantity = parsed("duration", `${decimal(count, digits)}${space}${unit}`);
    expect(quantity.numerator * 10n ** BigInt(digits)).toBe(count * us * quantity.denominator);
  }), { seed: 1, numRuns: 500 });
});

test("what the pattern takes is what the parser takes", () => {
  const dimensions: readonly Dimension[] = ["duration", "rate", "money", "token price", "power", "energy price", "exchange rate", "share", "tokens", "bytes", "bandwidth", "compute"];
  const part = fc.constantFrom("1", "0", "25", ".5", "1.5", "1_0", "-1", "+2", "e3", "1e3", "", " ", "s", "ms", "/s", "/min", "%", "bps", "k", "Ki", "sat", "msat/tok", "USD", "sat/Mtok", "W", "kW", "USD/kWh", "USD/btc", "GB", "GB/s", "TFLOP/s", "x");
  fc.assert(fc.property(fc.constantFrom(...dimensions), fc.array(part, { maxLength: 4 }).map((parts) => parts.join("")), (dimension, text) => {
    expect("found" in parseQuantity(dimension, text), text).toBe(!new RegExp(quantityPattern(dimension, false), "u").test(text));
  }), { seed: 1, numRuns: 5_000 });
});

describe("says what was found", () => {
  test.each<[Dimension, unknown, string, string | undefined]>([
    ["duration", 10, "10, a number without a unit", undefined],
    ["duration", "10", '"10", a number without a unit', undefined],
    ["duration", "10 W", '"10 W", a power', undefined],
    ["duration", "5/s", '"5/s", a rate', undefined],
    ["power", "350 w", '"350 w", a duration', undefined],
    ["money", "5 %", '"5 %", a share', undefined],
    ["duration", "10 seconds", '"10 seconds", with the unknown unit "seconds"', "10 s"],
    ["duration", "10 S", '"10 S", with the unknown unit "S"', "10 s"],
    ["token price", "50 sat/mtok", '"50 sat/mtok", with the unknown unit "sat/mtok"', "50 sat/Mtok"],
    ["duration", "-5 s", '"-5 s"', undefined],
    ["duration", "soon", '"soon"', undefined],
    ["duration", null, "nothing (null)", undefined],
    ["duration", [1], "a list of 1", undefined],
    ["rate", Infinity, "Infinity", undefined],
  ])("%s %j", (dimension, value, found, suggestion) => {
    const problem = parseQuantity(dimension, value);
    if (!("found" in problem)) throw new Error("taken");
    expect(problem.found).toBe(found);
    expect(problem.suggestion).toBe(suggestion);
  });
});
