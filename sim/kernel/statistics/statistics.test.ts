import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RandomStreams } from "../random.ts";
import {
  BatchMeans, chiSquareCdf, chiSquareQuantile, confidenceInterval, holm, Moments, mser5, pairedT, QuantileSketch, studentCdf, studentQuantile, studentTwoSided, TimeWeighted,
} from "./index.ts";

describe("Moments", () => {
  const numbers = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 2, maxLength: 60 });

  test("equal the two-pass formulas, merged or not", () => {
    fc.assert(
      fc.property(numbers, fc.nat(60), (xs, cut) => {
        const whole = new Moments();
        const left = new Moments();
        const right = new Moments();
        for (const [i, x] of xs.entries()) {
          whole.add(x);
          (i < cut ? left : right).add(x);
        }
        left.merge(right);
        const mean = xs.reduce((sum, x) => sum + x, 0) / xs.length;
        const variance = xs.reduce((sum, x) => sum + (x - mean) * (x - mean), 0) / (xs.length - 1);
        for (const moments of [whole, left]) {
          expect(moments.count).toBe(xs.length);
          expect(Math.abs(moments.mean - mean)).toBeLessThan(1e-6);
          expect(Math.abs(moments.variance - variance)).toBeLessThanOrEqual(1e-9 * (1 + variance) + 1e-3);
          expect([moments.min, moments.max]).toEqual([Math.min(...xs), Math.max(...xs)]);
        }
      }),
      { seed: 1 },
    );
  });

  test("keep their digits far from 0", () => {
    const moments = new Moments();
    for (let i = 0; i < 1000; i++) moments.add(1e12 + (i % 2));
    expect(moments.variance).toBeCloseTo(250 / 999, 6);
  });

  test("say NaN where nothing is known", () => {
    const moments = new Moments();
    expect([moments.mean, moments.variance]).toEqual([NaN, NaN]);
    moments.add(3);
    expect([moments.mean, moments.variance, moments.sum]).toEqual([3, NaN, 3]);
  });
});

describe("QuantileSketch", () => {
  const value = fc.oneof(fc.constant(0), fc.double({ min: 1e-300, max: 1e300, noNaN: true }), fc.integer({ min: 1, max: 10_000 }), fc.double({ min: 1e-3, max: 10, noNaN: true }));
  const values = fc.array(value, { minLength: 1, maxLength: 200 });

  function check(sketch: QuantileSketch, xs: readonly number[], p: number): void {
    const sorted = Float64Array.from(xs).sort();
    const exact = sorted[Math.max(1, Math.ceil(p * xs.length)) - 1]!;
    expect(Math.abs(sketch.quantile(p) - exact)).toBeLessThanOrEqual(exact * QuantileSketch.relativeError);
  }

  test("every quantile is within the stated error of the order statistic", () => {
    expect(QuantileSketch.relativeError).toBeLessThanOrEqual(0.005);
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (xs, p) => {
        const sketch = new QuantileSketch();
        for (const x of xs) sketch.add(x);
        for (const q of [p, 0, 0.5, 0.9, 0.99, 1]) check(sketch, xs, q);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  test("interpolated, it rises with p, from the least to the greatest, and stays in the bucket of the order statistic", () => {
    fc.assert(
      fc.property(values, fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 2, maxLength: 20 }), (xs, ps) => {
        const sketch = new QuantileSketch();
        for (const x of xs) sketch.add(x);
        let before = -Infinity;
        for (const p of [0, ...ps, 1].sort((a, b) => a - b)) {
          const [value, step] = [sketch.interpolated(p), sketch.quantile(p)];
          expect(value).toBeGreaterThanOrEqual(before);
          expect(Math.abs(value - step)).toBeLessThanOrEqual(2.01 * step * QuantileSketch.relativeError);
          before = value;
        }
        expect([sketch.interpolated(0), sketch.interpolated(1)]).toEqual([sketch.min, sketch.max]);
      }),
      { seed: 1, numRuns: 500 },
    );
    const even = new QuantileSketch();
    for (let i = 0; i < 1_000; i++) even.add(1 + i / 128_000);
    expect(even.quantile(0.25)).toBe(1 + 1 / 256);
    expect(even.interpolated(0.25)).toBeCloseTo(1 + 1 / 512, 6);
  });

  test("merging two equals adding everything to one, and the order does not matter", () => {
    fc.assert(
      fc.property(values, values, (xs, ys) => {
        const whole = new QuantileSketch();
        for (const x of [...ys, ...xs].reverse()) whole.add(x);
        const left = new QuantileSketch();
        for (const x of xs) left.add(x);
        const right = new QuantileSketch();
        for (const y of ys) right.add(y);
        left.merge(right);
        expect(left.buckets()).toEqual(whole.buckets());
        for (const p of [0, 0.1, 0.5, 0.95, 1]) expect(left.quantile(p)).toBe(whole.quantile(p));
      }),
      { seed: 1 },
    );
  });

  test("buckets hold all values, in their ranges", () => {
    fc.assert(
      fc.property(values, (xs) => {
        const sketch = new QuantileSketch();
        for (const x of xs) sketch.add(x);
        const buckets = sketch.buckets();
        let before = -1;
        for (const { from, to, count } of buckets) {
          expect(from).toBeGreaterThan(before);
          expect(count).toBe(xs.filter((x) => (to === 0 ? x === 0 : x >= from && x < to)).length);
          before = from;
        }
        expect(buckets.reduce((sum, bucket) => sum + bucket.count, 0)).toBe(xs.length);
      }),
      { seed: 1 },
    );
  });

  test("refuses what it cannot hold, and has no quantile when empty", () => {
    const sketch = new QuantileSketch();
    for (const x of [-1, NaN, Infinity]) expect(() => sketch.add(x)).toThrow("finite numbers of 0 or more");
    expect(sketch.quantile(0.5)).toBeNaN();
    expect(sketch.interpolated(0.5)).toBeNaN();
    expect(() => sketch.quantile(1.1)).toThrow("from 0 to 1");
    expect(() => sketch.interpolated(1.1)).toThrow("from 0 to 1");
  });
});

describe("TimeWeighted", () => {
  test("weights each value by how long it held", () => {
    const queue = new TimeWeighted();
    queue.update(10, 2);
    queue.add(15, 1);
    queue.update(15, 4);
    expect(queue.integral(20)).toBe(0 * 10 + 2 * 5 + 4 * 5);
    expect(queue.mean(20)).toBe(1.5);
    expect(queue.max).toBe(4);
    queue.reset(30);
    expect([queue.mean(30), queue.integral(30), queue.mean(40), queue.max]).toEqual([4, 0, 4, 4]);
    expect(() => queue.update(29, 1)).toThrow("time went back");
  });
});

describe("Student's t", () => {
  /** Reference values: @stdlib/stats-base-dists-t-quantile 0.2. */
  test.each([
    [0.995, 1, 63.656741162871526], [0.995, 2, 9.92484320091829], [0.995, 3, 5.840909309733356], [0.995, 4, 4.604094871349992],
    [0.995, 5, 4.032142983555228], [0.995, 10, 3.169272672616951], [0.975, 31, 2.0395134463964077], [0.995, 62, 2.6574785649511563],
    [0.9, 7, 1.414923927650509], [0.9995, 19, 3.8834058525921313], [0.05, 12, -1.7822875556493203], [0.995, 1000, 2.5807546980659506], [0.6, 3, 0.2766706623326899],
  ])("quantile at %f with %i degrees", (p, degrees, t) => {
    expect(Math.abs(studentQuantile(p, degrees) / t - 1)).toBeLessThan(1e-5);
  });

  test("the median is 0, and nonsense is refused", () => {
    expect(studentQuantile(0.5, 9)).toBe(0);
    expect(() => studentQuantile(1, 9)).toThrow(RangeError);
    expect(() => studentQuantile(0.9, 0)).toThrow(RangeError);
  });
});

describe("confidence intervals", () => {
  test("of three numbers, by hand", () => {
    const { mean, halfWidth, observations } = confidenceInterval([1, 2, 3], 0.95);
    expect([mean, observations]).toEqual([2, 3]);
    expect(halfWidth).toBeCloseTo(4.302652729911275 / Math.sqrt(3), 9);
    expect(() => confidenceInterval([1])).toThrow("two observations");
  });

  /** First-order autoregression with mean 5: what queues look like, with a known answer. */
  function run(entity: string, correlation: number, length: number): BatchMeans {
    const random = new RandomStreams(1).stream("test", entity, "noise");
    const batches = new BatchMeans();
    let deviation = 0;
    for (let i = 0; i < length; i++) {
      deviation = correlation * deviation + random.next() - 0.5;
      batches.add(5 + deviation);
    }
    return batches;
  }

  test("batch means cover the true mean of correlated runs as often as they say", () => {
    let covered = 0;
    for (let i = 0; i < 400; i++) {
      const { low, high } = run(`run-${i}`, 0.8, 5000).interval(0.9);
      if (low <= 5 && 5 <= high) covered++;
    }
    // Binomial(400, 0.9): 360 with a standard deviation of 6; three of them on either side.
    expect(covered).toBeGreaterThan(341);
    expect(covered).toBeLessThan(379);
  });

  test("batches are 32 to 63 and of equal length, their means average to that of what they cover", () => {
    for (const length of [33, 64, 100, 4096, 5000]) {
      const batches = run("batches", 0, length);
      const means = batches.means();
      expect(means.length).toBeGreaterThanOrEqual(32);
      expect(means.length).toBeLessThan(64);
      expect(means.length).toBe(Math.floor(length / batches.batchSize));
    }
  });

  test("the lag-1 correlation of batch means tells batches that are too short", () => {
    expect(run("short", 0.999, 2000).lag1Correlation()).toBeGreaterThan(0.5);
    expect(Math.abs(run("long", 0.5, 20_000).lag1Correlation())).toBeLessThan(0.4);
  });
});

describe("distributions of tests", () => {
  test("Student's cdf inverts its quantile, and has its closed forms", () => {
    for (const degrees of [1, 2, 3, 7.5, 30, 1_000]) for (const p of [0.001, 0.05, 0.5, 0.9, 0.995]) expect(Math.abs(studentCdf(studentQuantile(p, Math.max(1, degrees)), degrees) / p - 1)).toBeLessThan(1e-4);
    // One degree of freedom: Cauchy. Two: 1/2 + t / (2 sqrt(2 + t^2)).
    for (const t of [-5, -0.3, 0, 1, 40]) {
      expect(studentCdf(t, 1)).toBeCloseTo(0.5 + Math.atan(t) / Math.PI, 12);
      expect(studentCdf(t, 2)).toBeCloseTo(0.5 + t / (2 * Math.sqrt(2 + t * t)), 12);
    }
    // A tail that 1 - cdf would lose.
    expect(studentTwoSided(1e6, 2)).toBeCloseTo(1e-12, 18);
    expect([studentTwoSided(0, 5), studentTwoSided(Infinity, 5)]).toEqual([1, 0]);
  });

  test("chi-square has its closed form and its tables", () => {
    for (const x of [0.1, 2, 30]) expect(chiSquareCdf(x, 2)).toBeCloseTo(1 - Math.exp(-x / 2), 12);
    expect(chiSquareQuantile(0.95, 1)).toBeCloseTo(3.841458820694124, 9);
    expect(chiSquareQuantile(0.99, 10)).toBeCloseTo(23.209251158954356, 8);
    expect(chiSquareQuantile(0.025, 100)).toBeCloseTo(74.22192747492375, 8);
    for (const degrees of [0.5, 3, 40]) for (const p of [1e-6, 0.3, 0.999]) expect(chiSquareCdf(chiSquareQuantile(p, degrees), degrees) / p).toBeCloseTo(1, 9);
    expect(() => chiSquareQuantile(1, 3)).toThrow(RangeError);
  });
});

describe("paired t", () => {
  test("by hand", () => {
    const { mean, sd, halfWidth, pValue, pairs } = pairedT([1, 2, 3]);
    expect([pairs, mean, sd]).toEqual([3, 2, 1]);
    expect(halfWidth).toBeCloseTo(4.302652729911275 / Math.sqrt(3), 9);
    // t = 2 sqrt 3 with 2 degrees of freedom.
    expect(pValue).toBeCloseTo(1 - Math.sqrt(12 / 14), 12);
    expect(() => pairedT([1])).toThrow("two pairs");
  });

  test("of arms that are the same finds nothing, whatever the confidence", () => {
    expect(pairedT([0, 0, 0])).toMatchObject({ mean: 0, halfWidth: 0, pValue: 1 });
  });
});

describe("Holm's adjustment", () => {
  test("by hand: the least times their number, and never less than the one before", () => {
    expect(holm([0.01, 0.04, 0.03, 0.005]).map((p) => Number(p.toFixed(6)))).toEqual([0.03, 0.06, 0.06, 0.02]);
    expect(holm([0.5, 0.9])).toEqual([1, 1]);
    expect(holm([])).toEqual([]);
  });

  test("lies between no adjustment and Bonferroni's", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 20 }), (ps) => {
        for (const [i, adjusted] of holm(ps).entries()) {
          expect(adjusted).toBeGreaterThanOrEqual(ps[i]!);
          expect(adjusted).toBeLessThanOrEqual(Math.min(1, ps.length * ps[i]!));
        }
      }),
      { seed: 1 },
    );
  });
});

describe("MSER-5", () => {
  /** First-order autoregression that starts `offset` away from its mean of 0. */
  function transient(entity: string, offset: number, correlation: number, length: number): Float64Array {
    const random = new RandomStreams(1).stream("test", entity, "noise");
    let value = offset;
    return Float64Array.from({ length }, () => (value = correlation * value + random.next() - 0.5));
  }

  test("minimises what it says it minimises", () => {
    const series = transient("by hand", 3, 0.8, 203);
    const means = Array.from({ length: 40 }, (_, batch) => series.slice(5 * batch, 5 * batch + 5).reduce((sum, x) => sum + x, 0) / 5);
    const { cut, statistic, batchSize } = mser5(series);
    expect([batchSize, statistic.length]).toEqual([5, 35]);
    for (const [at, found] of statistic.entries()) {
      const rest = means.slice(at);
      const mean = rest.reduce((sum, x) => sum + x, 0) / rest.length;
      expect(found).toBeCloseTo(rest.reduce((sum, x) => sum + (x - mean) * (x - mean), 0) / (rest.length * rest.length), 12);
    }
    expect(statistic[cut / 5]).toBe(Math.min(...statistic.slice(0, 21)));
  });

  test("cuts a known transient, and what it leaves is nearer the truth", () => {
    let before = 0;
    let after = 0;
    let cuts = 0;
    for (let run = 0; run < 50; run++) {
      const series = transient(`run ${run}`, 20, 0.97, 2_000);
      const { cut, sufficient } = mser5(series);
      expect(sufficient).toBe(true);
      expect(cut).toBeLessThan(600);
      cuts += cut / 50;
      const mean = (from: number): number => series.slice(from).reduce((sum, x) => sum + x, 0) / (series.length - from);
      before += mean(0) / 50;
      after += mean(cut) / 50;
    }
    // 20 x 0.97^k is below one standard deviation, 1.19, from k = 93 on.
    expect(cuts).toBeGreaterThan(75);
    expect(before).toBeGreaterThan(0.3);
    expect(Math.abs(after)).toBeLessThan(0.1);
  });

  test("leaves a steady series nearly whole, and tells a series that never settles", () => {
    let cut = 0;
    for (let run = 0; run < 50; run++) cut += mser5(transient(`steady ${run}`, 0, 0.5, 2_000)).cut / 50;
    expect(cut).toBeLessThan(200);
    expect(mser5(Float64Array.from({ length: 200 }, (_, i) => i)).sufficient).toBe(false);
    expect(mser5([1, 2, 3])).toMatchObject({ cut: 0, sufficient: false });
  });
});
