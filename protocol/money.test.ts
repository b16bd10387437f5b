import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { amountMsat, feeMsat, maxAmountMsat } from "./money.ts";
import type { FeeTerms, PriceSheet } from "./messages.ts";

const seeded = { seed: 1, numRuns: 2_000 };
const max = Number.MAX_SAFE_INTEGER;
const tokens = fc.oneof(fc.nat(5_000), fc.nat(2 ** 31 - 1));
const msat = fc.oneof(fc.nat(100_000), fc.maxSafeNat(), fc.constant(max));
const prices: fc.Arbitrary<PriceSheet> = fc.record({ inputMsatPerMtok: msat, outputMsatPerMtok: msat, fixedMsat: msat }, { noNullPrototype: true });
const plainFee: fc.Arbitrary<FeeTerms> = fc.record({ shareBps: fc.nat(10_000), flatMsat: msat }, { noNullPrototype: true });
const fee: fc.Arbitrary<FeeTerms> = fc.oneof(plainFee, fc.record(
  { shareBps: fc.nat(10_000), flatMsat: msat, minMsat: msat, maxMsat: msat, bearer: fc.constantFrom("client" as const, "operator" as const) },
  { noNullPrototype: true, requiredKeys: ["shareBps", "flatMsat"] },
).filter(({ minMsat = 0, maxMsat = max }) => minMsat <= maxMsat));

const capped = (exact: bigint): number => (exact <= BigInt(max) ? Number(exact) : Infinity);
const exactAmount = (p: PriceSheet, i: number, o: number): bigint =>
  (BigInt(i) * BigInt(p.inputMsatPerMtok) + BigInt(o) * BigInt(p.outputMsatPerMtok)) / 1_000_000n + BigInt(p.fixedMsat);
const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const exactFee = (t: FeeTerms, amount: bigint): bigint => {
  let exact = (amount * BigInt(t.shareBps)) / 10_000n + BigInt(t.flatMsat);
  if (t.minMsat !== undefined && exact < BigInt(t.minMsat)) exact = BigInt(t.minMsat);
  if (t.maxMsat !== undefined) exact = least(exact, BigInt(t.maxMsat));
  return t.bearer === "operator" ? least(exact, amount) : exact;
};

describe("amounts", () => {
  test("a worked example: 1,000 input tokens at 20 sat/Mtok, 500 output tokens at 60 sat/Mtok, 5 msat fixed", () => {
    expect(amountMsat({ inputMsatPerMtok: 20_000, outputMsatPerMtok: 60_000, fixedMsat: 5 }, 1_000, 500)).toBe(20 + 30 + 5);
  });

  test("the two parts are summed before the one rounding, and the rounding is down", () => {
    const sheet = { inputMsatPerMtok: 999_999, outputMsatPerMtok: 1, fixedMsat: 0 };
    expect(amountMsat(sheet, 1, 0)).toBe(0);
    expect(amountMsat(sheet, 1, 1)).toBe(1);
    expect(feeMsat({ shareBps: 9_999, flatMsat: 7 }, 1)).toBe(7);
  });

  test("every amount equals the one computed in integers without bounds", () => {
    fc.assert(fc.property(prices, tokens, tokens, (p, i, o) => {
      expect(amountMsat(p, i, o)).toBe(capped(exactAmount(p, i, o)));
    }), seeded);
  });

  test("is exact on both sides of the bound between doubles and big integers, next to multiples of a million", () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 9_007_199_254 }), fc.integer({ min: -2, max: 2 }), fc.nat(3), (quotient, offset, extra) => {
      const sheet = { inputMsatPerMtok: quotient * 1_000_000 + offset, outputMsatPerMtok: 9_007_199_254_740_991, fixedMsat: 0 };
      expect(amountMsat(sheet, 1, 0)).toBe(capped(exactAmount(sheet, 1, 0)));
      expect(amountMsat(sheet, 1, extra)).toBe(capped(exactAmount(sheet, 1, extra)));
    }), seeded);
  });

  test("every fee equals the one computed in integers without bounds", () => {
    fc.assert(fc.property(fee, msat, (t, amount) => {
      expect(feeMsat(t, amount)).toBe(capped(exactFee(t, BigInt(amount))));
    }), seeded);
  });

  test("a fee stays between its bounds, and one that the operator bears is no more than the amount it comes out of", () => {
    const terms: FeeTerms = { shareBps: 100, flatMsat: 3, minMsat: 10, maxMsat: 50 };
    expect([0, 700, 701, 4_700, 4_900, 1_000_000].map((amount) => feeMsat(terms, amount))).toEqual([10, 10, 10, 50, 50, 50]);
    expect([0, 4, 10, 2_000, 1_000_000].map((amount) => feeMsat({ ...terms, bearer: "operator" }, amount))).toEqual([0, 4, 10, 23, 50]);
  });

  test("no job costs more than its bound, which is what all the allowed tokens cost", () => {
    fc.assert(fc.property(prices, fee, tokens, tokens, tokens, (p, t, i, a, b) => {
      const bound = maxAmountMsat(p, t, i, Math.max(a, b));
      const exact = exactAmount(p, i, Math.max(a, b));
      expect(bound).toBe(capped(exact + (t.bearer === "operator" ? 0n : exactFee(t, exact))));
      const amount = amountMsat(p, i, Math.min(a, b));
      expect(amount + (t.bearer === "operator" ? 0 : feeMsat(t, amount))).toBeLessThanOrEqual(bound);
    }), seeded);
  });

  test("what is not a whole number of tokens or msat is refused loudly", () => {
    const sheet = { inputMsatPerMtok: 20_000, outputMsatPerMtok: 1, fixedMsat: 0 };
    for (const wrong of [-1, 0.00001, Number.NaN]) expect(() => amountMsat(sheet, wrong, 0), String(wrong)).toThrow(RangeError);
    expect(() => feeMsat({ shareBps: 100, flatMsat: 0 }, -1)).toThrow(RangeError);
    expect(() => feeMsat({ shareBps: 1, flatMsat: 0 }, 0.5)).toThrow(RangeError);
    expect(() => feeMsat({ shareBps: 1, flatMsat: 0 }, Number.NaN)).toThrow(RangeError);
  });
});
