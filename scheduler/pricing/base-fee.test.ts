import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ETHEREUM_BLOCKS } from "../testing/ethereum-blocks.ts";
import { nextBaseFee, nextBasePrices, nextPrice } from "./base-fee.ts";

const EIP = { target: { low: 0.5, high: 0.5 }, step: 0.125 };
const GWEI = 1_000_000_000n;

describe("EIP-1559's recursion", () => {
  /** TestCalcBaseFee in consensus/misc/eip1559/eip1559_test.go of go-ethereum: parent's base fee, limit, used; expected. */
  test.each([
    [GWEI, 20_000_000n, 10_000_000n, GWEI],
    [GWEI, 20_000_000n, 9_000_000n, 987_500_000n],
    [GWEI, 20_000_000n, 11_000_000n, 1_012_500_000n],
    [GWEI, 20_000_000n, 20_000_000n, 1_125_000_000n],
    [GWEI, 20_000_000n, 0n, 875_000_000n],
  ])("base %d, limit %d, used %d: %d, as in go-ethereum's tests", (base, limit, used, expected) => {
    expect(nextBaseFee(base, used, limit / 2n)).toBe(expected);
  });

  test("Ethereum's first block with a base fee, 12,965,000, used 30,025,257 of 30,029,122 gas at 1 gwei", () => {
    // By long division, not by the code: 10^9 x 15,010,696 / 15,014,561 = 999,742,583.21 -> 999,742,583, / 8 = 124,967,822.875 -> 124,967,822.
    expect(nextBaseFee(GWEI, 30_025_257n, 30_029_122n / 2n)).toBe(1_124_967_822n);
  });

  test("72 consecutive blocks of Ethereum: from the first one's base fee, every other one's, to the wei", () => {
    const blocks = ETHEREUM_BLOCKS;
    expect(blocks).toHaveLength(72);
    const path = [blocks[0]!.baseFee];
    for (const { gasUsed, gasLimit } of blocks.slice(0, -1)) path.push(nextBaseFee(path.at(-1)!, gasUsed, gasLimit / 2n));
    expect(path).toEqual(blocks.map(({ baseFee }) => baseFee));
  });

  test("of the same blocks, a model's price for their utilisation comes within a millionth of the base fee each time", () => {
    for (const [i, { baseFee, gasUsed, gasLimit }] of ETHEREUM_BLOCKS.slice(0, -1).entries()) {
      const next = nextPrice(Number(baseFee), 0, EIP, Number(gasUsed) / Number(gasLimit));
      expect(Math.abs(next / Number(ETHEREUM_BLOCKS[i + 1]!.baseFee) - 1)).toBeLessThan(1e-6);
    }
  });

  test("rises by at least one, falls by an eighth at most, and rests at zero only from below eight", () => {
    fc.assert(fc.property(fc.bigInt({ min: 0n, max: 10n ** 15n }), fc.bigInt({ min: 1n, max: 10n ** 8n }), fc.bigInt({ min: 0n, max: 1_000n }), (base, target, permille) => {
      const used = (2n * target * permille) / 1_000n;
      const next = nextBaseFee(base, used, target);
      if (used > target) expect(next - base >= 1n && (next - base) * 8n <= base + 8n).toBe(true);
      else if (used === target) expect(next).toBe(base);
      else expect(next <= base && (base - next) * 8n <= base).toBe(true);
    }), { seed: 1, numRuns: 1_000 });
  });
});

describe("the base fee of a model", () => {
  const gwei = 1_000_000_000;

  test("with a band of one point at a half and a step of an eighth it is EIP-1559's, to the unit", () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 2 ** 40 }), fc.integer({ min: 0, max: 1_000_000 }), (price, ppm) => {
      expect(BigInt(nextPrice(price, 0, EIP, ppm / 1e6))).toBe(nextBaseFee(BigInt(price), BigInt(ppm), 500_000n));
    }), { seed: 2, numRuns: 2_000 });
  });

  test("doubles after 5.9 full intervals: ln 2 / ln 1.125 = 5.885", () => {
    let price = gwei;
    const path = [price];
    for (let i = 0; i < 6; i++) path.push((price = nextPrice(price, 0, EIP, 1)));
    expect(path[5]).toBeLessThan(2 * gwei);
    expect(path[6]).toBeGreaterThan(2 * gwei);
    const fraction = Math.log((2 * gwei) / path[5]!) / Math.log(path[6]! / path[5]!);
    expect(5 + fraction).toBeCloseTo(Math.log(2) / Math.log(1.125), 6);
    expect(5 + fraction).toBeCloseTo(5.885, 3);
  });

  test("it rests in the band, moves by no more than the step (or one msat), and never falls below the floor", () => {
    fc.assert(fc.property(
      fc.integer({ min: 0, max: 1e12 }), fc.integer({ min: 0, max: 1e6 }), fc.double({ min: 0, max: 2, noNaN: true }), fc.integer({ min: 1, max: 49 }), fc.integer({ min: 50, max: 99 }), fc.integer({ min: 1, max: 50 }),
      (start, floor, busy, low, high, step) => {
        const price = Math.max(start, floor);
        const next = nextPrice(price, floor, { target: { low: low / 100, high: high / 100 }, step: step / 100 }, busy);
        expect(next).toBeGreaterThanOrEqual(floor);
        expect(Math.abs(next - price)).toBeLessThanOrEqual(Math.max(1, (price * step) / 100));
        if (busy * 100 > high + 1e-3) expect(next).toBeGreaterThan(price);
        else if (busy * 100 < low - 1e-3) expect(next).toBeLessThanOrEqual(price);
        else if (busy * 100 > low + 1e-3 && busy * 100 < high - 1e-3) expect(next).toBe(price);
      },
    ), { seed: 3, numRuns: 2_000 });
  });

  /** Demand of constant elasticity: at twice the price only 2^-e as many jobs come. */
  function swing(elasticity: number): number {
    const balance = 1e9;
    let price = Math.round(balance * 1.01);
    let last = 0;
    for (let i = 0; i < 2_000; i++) {
      const used = 0.5 * Math.exp(-elasticity * Math.log(price / balance));
      price = nextPrice(price, 0, EIP, used);
      if (i >= 1_990) last = Math.max(last, Math.abs(price / balance - 1));
    }
    return last;
  }

  test("it settles where elasticity is below 16, and swings for ever above", () => {
    for (const elasticity of [0.5, 1, 4, 8, 12, 15.5]) expect(swing(elasticity), `elasticity ${elasticity}`).toBeLessThan(1e-4);
    for (const elasticity of [16.5, 20, 40]) expect(swing(elasticity), `elasticity ${elasticity}`).toBeGreaterThan(0.005);
  });

  test("a part that is free stays free; the others go together", () => {
    const floor = { inputMsatPerMtok: 0, outputMsatPerMtok: 0, fixedMsat: 0 };
    expect(nextBasePrices({ inputMsatPerMtok: 800, outputMsatPerMtok: 80_000, fixedMsat: 0 }, { ...EIP, floor }, 1)).toEqual({ inputMsatPerMtok: 900, outputMsatPerMtok: 90_000, fixedMsat: 0 });
  });
});
