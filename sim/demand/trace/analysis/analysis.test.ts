import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RandomStreams } from "../../../kernel/random.ts";
import { Correlation } from "./correlation.ts";
import { GapHistogram } from "./gap-histogram.ts";
import { RateSeries } from "./rate-series.ts";
import { RowSample } from "./row-sample.ts";
import { SeenBlocks } from "./seen-blocks.ts";
import { TokenHistogram } from "./token-histogram.ts";
import { WindowCounts } from "./window-counts.ts";

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const covariance = (a: readonly number[], b: readonly number[]) => mean(a.map((value, at) => (value - mean(a)) * (b[at]! - mean(b))));

test("a token histogram has the quantiles of the sorted list, exact below 131,072 tokens and to 0.14 % above", () => {
  const values = fc.array(fc.oneof(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 1, max: 2 ** 31 - 1 })), { minLength: 1, maxLength: 200 });
  fc.assert(fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (list, p) => {
    const histogram = new TokenHistogram();
    for (const value of list) histogram.add(value);
    const sorted = [...list].sort((a, b) => a - b);
    const exact = sorted[Math.max(0, Math.ceil(p * list.length) - 1)]!;
    const found = histogram.quantile(p);
    if (exact < 131_072) expect(found).toBe(exact);
    else expect(Math.abs(found / exact - 1)).toBeLessThan(0.0014);
    expect(histogram.mean / mean(list)).toBeCloseTo(1, 9);
    expect(histogram.variance).toBeCloseTo(covariance(list, list), -Math.log10(1 + covariance(list, list)) + 9);
    expect([histogram.min, histogram.max, histogram.count]).toEqual([sorted[0], sorted.at(-1), list.length]);
    let upTo = 0;
    histogram.forEach((_tokens, times, reached) => expect(reached).toBe((upTo += times)));
    expect(upTo).toBe(list.length);
  }), { seed: 1, numRuns: 300 });
});

test("window counts have the moments of the counts themselves, long silences included", () => {
  const gaps = fc.array(fc.oneof({ weight: 8, arbitrary: fc.nat(30) }, { weight: 1, arbitrary: fc.integer({ min: 100, max: 900 }) }), { minLength: 20, maxLength: 200 });
  fc.assert(fc.property(gaps, (list) => {
    const windows = new WindowCounts(10);
    const times: number[] = [];
    for (const gap of list) times.push((times.at(-1) ?? 0) + gap);
    for (const time of times) windows.add(time);
    const whole = Math.floor(times.at(-1)! / 10);
    const counts = Array.from({ length: whole }, (_, at) => times.filter((time) => Math.floor(time / 10) === at).length);
    expect(windows.windows).toBe(whole);
    expect(windows.peak).toBe(Math.max(...counts, times.filter((time) => Math.floor(time / 10) === whole).length));
    if (whole < 10) {
      expect(windows.covariance(1)).toBeNaN();
      return;
    }
    expect(windows.mean).toBeCloseTo(mean(counts), 9);
    expect(windows.dispersion).toBeCloseTo((covariance(counts, counts) * whole) / (whole - 1) / mean(counts), 9);
    for (const lag of [1, 2] as const) {
      const products = counts.slice(lag).map((count, at) => count * counts[at]!);
      expect(windows.covariance(lag)).toBeCloseTo(mean(products) - mean(counts) * mean(counts), 9);
    }
  }), { seed: 1, numRuns: 200 });
});

test("a rate series loses no arrival when its bins grow", () => {
  const series = new RateSeries();
  for (let at = 0; at < 10_000; at += 1) series.add(at * 3_000_000);
  expect(series.widthUs).toBe(16_000_000);
  const { widthUs, counts } = series.columns(60);
  expect(counts.length).toBeLessThanOrEqual(60);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(10_000);
  for (const count of counts.slice(0, -1)) expect(Math.abs(count - widthUs / 3_000_000)).toBeLessThanOrEqual(1);
});

test("a gap histogram knows its own distribution, and how far another is off", () => {
  const gaps = new GapHistogram();
  for (let gap = 1; gap <= 100_000; gap += 1) gaps.add(gap);
  expect(gaps.meanUs).toBeCloseTo(50_000.5, 6);
  expect(gaps.cv).toBeCloseTo(1 / Math.sqrt(3), 4);
  expect(gaps.distance((x) => Math.min(1, x / 100_000))).toBeLessThan(0.012);
  // 1 - exp(-2 u) is farthest from u where its slope is 1: at u = ln(2) / 2.
  expect(gaps.distance((x) => 1 - Math.exp(-x / 50_000))).toBeCloseTo(0.5 - Math.LN2 / 2, 2);
});

describe("seen blocks", () => {
  test("remember exactly what was added", () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 2 ** 22 }), { maxLength: 300 }), (blocks) => {
      const seen = new SeenBlocks();
      const known = new Set<number>();
      for (const block of blocks) {
        expect(seen.add(block)).toBe(known.has(block));
        known.add(block);
      }
      expect(seen.exact).toBe(true);
    }), { seed: 1 });
  });

  test("say when large names may have met", () => {
    const seen = new SeenBlocks();
    let met = 0;
    for (let at = 0; at < 20_000; at += 1) if (seen.add(2 ** 40 + at * 1_000_003)) met += 1;
    expect(seen.exact).toBe(false);
    expect(met).toBeLessThan(10);
    for (let at = 0; at < 20_000; at += 1) if (!seen.add(2 ** 40 + at * 1_000_003)) throw new Error("forgotten");
  });
});

test("a row sample keeps each row with the same chance, and ranks what it kept", () => {
  const times = new Float64Array(50);
  for (let seed = 0; seed < 2_000; seed += 1) {
    const sample = new RowSample(10, new RandomStreams(seed).stream("test", "rows", "sample"));
    for (let row = 0; row < 50; row += 1) sample.add(row, 50 - row);
    expect(sample.size).toBe(10);
    for (const row of sample.inputs) times[row]! += 1;
    if (seed === 0) expect(sample.rankCorrelation()).toBeCloseTo(-1, 12);
  }
  for (const count of times) expect(Math.abs(count - 400)).toBeLessThan(4 * Math.sqrt(400 * 0.8));
});

test("correlations, plain and by ranks with ties", () => {
  const pairs = [[1, 10], [2, 20], [2, 15], [3, 1_000]] as const;
  const correlation = new Correlation();
  const sample = new RowSample(10, new RandomStreams(1).stream("test", "rows", "sample"));
  for (const [a, b] of pairs) {
    correlation.add(a, b);
    sample.add(a, b);
  }
  const [a, b] = [pairs.map(([x]) => x), pairs.map(([, y]) => y)];
  expect(correlation.value).toBeCloseTo(covariance(a, b) / Math.sqrt(covariance(a, a) * covariance(b, b)), 12);
  // Ranks 1, 2.5, 2.5, 4 and 1, 3, 2, 4.
  expect(sample.rankCorrelation()).toBeCloseTo(4.5 / Math.sqrt(4.5 * 5), 12);
});
