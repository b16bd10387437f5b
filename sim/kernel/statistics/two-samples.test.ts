import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RandomStreams } from "../random.ts";
import { normalQuantile } from "../special.ts";
import { fieller, Moments, PairMoments, pairedT, pairedTOf, studentQuantile, welchT } from "./index.ts";

function momentsOf(values: readonly number[]): Moments {
  const moments = new Moments();
  for (const x of values) moments.add(x);
  return moments;
}

function pairsOf(xs: readonly number[], ys: readonly number[]): PairMoments {
  const moments = new PairMoments();
  for (const [i, x] of xs.entries()) moments.add(x, ys[i]!);
  return moments;
}

const value = fc.integer({ min: -100_000, max: 100_000 }).map((n) => n / 100);
const sample = fc.array(fc.tuple(value, value), { minLength: 3, maxLength: 30 });

describe("moments of pairs", () => {
  test("are those of the plain formulas", () => {
    fc.assert(fc.property(sample, (pairs) => {
      const [xs, ys] = [pairs.map(([x]) => x), pairs.map(([, y]) => y)];
      const { count, meanX, meanY, varianceX, varianceY, covariance } = pairsOf(xs, ys);
      const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;
      expect(count).toBe(pairs.length);
      expect(meanX).toBeCloseTo(mean(xs), 6);
      expect(meanY).toBeCloseTo(mean(ys), 6);
      expect(varianceX).toBeCloseTo(momentsOf(xs).variance, 4);
      expect(varianceY).toBeCloseTo(momentsOf(ys).variance, 4);
      expect(covariance).toBeCloseTo(pairs.reduce((sum, [x, y]) => sum + (x - mean(xs)) * (y - mean(ys)), 0) / (pairs.length - 1), 4);
    }), { seed: 1 });
  });

  test("of a sample with itself correlate entirely, of one that does not vary not at all", () => {
    expect(pairsOf([1, 2, 4], [1, 2, 4]).correlation).toBe(1);
    expect(pairsOf([1, 2, 4], [-1, -2, -4]).correlation).toBe(-1);
    expect(pairsOf([1, 2, 4], [3, 3, 3]).correlation).toBeNaN();
  });
});

describe("Welch's t", () => {
  const x = [1, 2, 3, 4, 5];
  const y = [2, 4, 6, 8, 10, 12];

  test("by hand: means 3 and 7, variances 2.5 and 14", () => {
    const { mean, low, high, degrees, pValue } = welchT(momentsOf(x), momentsOf(y));
    const error = Math.sqrt(2.5 / 5 + 14 / 6);
    expect(mean).toBeCloseTo(4, 12);
    expect(degrees).toBeCloseTo((0.5 + 7 / 3) ** 2 / (0.5 ** 2 / 4 + (7 / 3) ** 2 / 5), 9);
    expect(degrees).toBeCloseTo(6.972, 3);
    expect((high - low) / 2 / error).toBeCloseTo(studentQuantile(0.975, degrees), 9);
    expect(welchT(momentsOf(x), momentsOf(y), 1 - pValue).low, "the interval of confidence 1 - p just touches 0").toBeCloseTo(0, 4);
  });

  test("of samples that do not vary is sure", () => {
    expect(welchT(momentsOf([2, 2]), momentsOf([3, 3]))).toEqual({ mean: 1, low: 1, high: 1, pValue: 0, degrees: Infinity });
    expect(welchT(momentsOf([2, 2]), momentsOf([2, 2])).pValue).toBe(1);
  });

  test("needs two observations of each", () => expect(() => welchT(momentsOf([1]), momentsOf(y))).toThrow(RangeError));
});

describe("Fieller's interval", () => {
  test("ends where y - r x is just not told from 0", () => {
    fc.assert(fc.property(sample, (pairs) => {
      const [xs, ys] = [pairs.map(([x]) => x + 30_000), pairs.map(([, y]) => y)];
      const found = ofRatio(pairsOf(xs, ys))!;
      for (const ratio of [found.low, found.high]) {
        const { low, high, sd } = pairedT(ys.map((y, i) => y - ratio * xs[i]!), 0.95);
        expect(Math.min(Math.abs(low), Math.abs(high))).toBeLessThan(1e-3 * Math.max(1, sd));
      }
      expect(found.low).toBeLessThanOrEqual(found.ratio + 1e-12);
      expect(found.high).toBeGreaterThanOrEqual(found.ratio - 1e-12);
    }), { seed: 1 });
  });

  test("holds 1 exactly where the paired t test finds nothing", () => {
    let found = 0;
    fc.assert(fc.property(sample, fc.double({ min: -1, max: 1, noNaN: true }), (pairs, shift) => {
      const [xs, ys] = [pairs.map(([x]) => x + 5_000), pairs.map(([x, y]) => x + 5_000 + y / 10 + 100 * shift)];
      const { low, high } = ofRatio(pairsOf(xs, ys))!;
      const { pValue } = pairedT(ys.map((y, i) => y - xs[i]!), 0.95);
      if (Math.abs(pValue - 0.05) < 1e-4) return;
      expect(low <= 1 && high >= 1).toBe(pValue > 0.05);
      if (pValue < 0.05) found++;
    }), { seed: 1, numRuns: 300 });
    expect(found).toBeGreaterThan(30);
    expect(found).toBeLessThan(250);
  });

  test("of a sample with itself is 1 and nothing else; of a mean that could be 0 it is none", () => {
    expect(ofRatio(pairsOf([1.1, 2.7, 4.9], [1.1, 2.7, 4.9]))).toBe(null);
    expect(ofRatio(pairsOf([11.1, 12.7, 14.9], [11.1, 12.7, 14.9]))).toEqual({ ratio: 1, low: 1, high: 1 });
    expect(ofRatio(pairsOf([-1, 1, 0.5], [3, 4, 5]))).toBe(null);
  });
});

test("intervals hold the truth as often as they say, of differences and of ratios, paired and not", () => {
  const random = new RandomStreams(7).stream("test", "pairs", "noise");
  const noise = (): number => normalQuantile(random.next());
  const repetitions = 4_000;
  const held = { paired: 0, ratio: 0, welch: 0, apart: 0 };
  for (let k = 0; k < repetitions; k++) {
    const both = new PairMoments();
    const differences = new Moments();
    const [x, y] = [new Moments(), new Moments()];
    // Means 10 and 12, what they share twice as large as what each has to itself; independent ones of unequal variance.
    for (let i = 0; i < 8; i++) {
      const common = 2 * noise();
      const [a, b] = [10 + common + noise(), 12 + common + noise()];
      both.add(a, b);
      differences.add(b - a);
      x.add(10 + noise());
      if (i < 6) y.add(12 + 2 * noise());
    }
    const paired = pairedTOf(differences);
    if (paired.low <= 2 && 2 <= paired.high) held.paired++;
    const ratio = ofRatio(both);
    if (ratio !== null && ratio.low <= 1.2 && 1.2 <= ratio.high) held.ratio++;
    const welch = welchT(x, y);
    if (welch.low <= 2 && 2 <= welch.high) held.welch++;
    const apart = fieller({ meanX: x.mean, meanY: y.mean, varianceX: x.variance / x.count, varianceY: y.variance / y.count, covariance: 0 }, studentQuantile(0.975, welch.degrees));
    if (apart !== null && apart.low <= 1.2 && 1.2 <= apart.high) held.apart++;
  }
  // 95 % give or take three standard errors: 0.0103.
  for (const [which, count] of Object.entries(held)) {
    expect(count / repetitions, which).toBeGreaterThan(0.9397);
    expect(count / repetitions, which).toBeLessThan(0.9603);
  }
});

function ofRatio(moments: PairMoments): ReturnType<typeof fieller> {
  const { count, meanX, meanY, varianceX, varianceY, covariance } = moments;
  return fieller({ meanX, meanY, varianceX: varianceX / count, varianceY: varianceY / count, covariance: covariance / count }, studentQuantile(0.975, count - 1));
}
