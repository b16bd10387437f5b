import { describe, expect, test } from "vitest";
import { incompleteGamma, logGamma, normalCdf, normalQuantile } from "./special.ts";

/** Reference values: for integer a the finite sum 1 - exp(-x) sum x^k/k! with 60 digits; others @stdlib/math-base-special-gammainc 0.2. */
const GAMMA: readonly (readonly [a: number, x: number, lower: number, upper: number])[] = [
  [0.5, 0.3, 0.5614219739190001, 0.4385780260809999],
  [2.5, 1, 0.1508549639153903, 0.8491450360846097],
  [2.5, 6, 0.9652122194937581, 0.03478778050624186],
  [0.01, 0.00001, 0.8963367982671971, 0.1036632017328028],
  [100, 80, 0.017108313035133098, 0.982891686964867],
  [100, 130, 0.9972495916326934, 0.0027504083673065257],
  [10000, 10100, 0.8413487504471796, 0.1586512495528204],
  [0.1, 5, 0.9998560610341533, 0.00014393896584673397],
];
/** Reference values: @stdlib/math-base-special-erfc 0.2. */
const NORMAL: readonly (readonly [z: number, p: number])[] = [
  [-8, 6.220960574271819e-16],
  [-6, 9.865876450377014e-10],
  [-3, 0.0013498980316300957],
  [-1, 0.15865525393145707],
  [-0.1, 0.460172162722971],
  [0, 0.5],
  [0.5, 0.6914624612740131],
  [1.96, 0.9750021048517795],
  [4, 0.9999683287581669],
];

describe("special functions", () => {
  test("log gamma at integers and halves", () => {
    expect(logGamma(1)).toBeCloseTo(0, 13);
    expect(logGamma(11)).toBeCloseTo(Math.log(3628800), 12);
    expect(logGamma(0.5)).toBeCloseTo(Math.log(Math.PI) / 2, 13);
    expect(logGamma(0.25)).toBeCloseTo(Math.log(3.625609908221908), 13);
  });

  test.each(GAMMA)("incomplete gamma at (%f, %f)", (a, x, lower, upper) => {
    const found = incompleteGamma(a, x);
    expect(Math.abs(found.lower / lower - 1)).toBeLessThan(1e-10);
    expect(Math.abs(found.upper / upper - 1)).toBeLessThan(1e-10);
  });

  test.each(NORMAL)("normal distribution at %f, and its inverse", (z, p) => {
    expect(Math.abs(normalCdf(z) / p - 1)).toBeLessThan(1e-12);
    expect(Math.abs(normalQuantile(p) - z)).toBeLessThan(1e-11);
  });

  test("the normal quantile's ends", () => {
    expect(normalQuantile(0)).toBe(-Infinity);
    expect(normalQuantile(1)).toBe(Infinity);
    expect(normalQuantile(-0.1)).toBeNaN();
    expect(normalQuantile(1.1)).toBeNaN();
  });
});
