import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RandomStreams } from "../random.ts";
import { BatchMeans, confidenceInterval, Moments, QuantileSketch, studentQuantile, TimeWeighted } from "./index.ts";

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
    expect(() => sketch.quantile(1.1)).toThrow("from 0 to 1");
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
