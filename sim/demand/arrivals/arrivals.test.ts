import { describe, expect, test } from "vitest";
import { distribution } from "../../kernel/distributions/index.ts";
import { RandomStreams } from "../../kernel/random.ts";
import { arrivalProcess, type DrawnArrivals } from "../open-demand.ts";

const streams = (seed: number) => {
  const all = new RandomStreams(seed);
  return (purpose: string) => all.stream("demand", "chat", purpose);
};

function arrivals(spec: DrawnArrivals, count: number, seed = 1): number[] {
  const process = arrivalProcess(spec, streams(seed));
  return Array.from({ length: count }, () => process.nextUs());
}

function gapsOf(times: readonly number[]): number[] {
  return times.slice(1).map((time, at) => time - times[at]!);
}

function moments(values: readonly number[]): { mean: number; cv: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) * (value - mean), 0) / values.length;
  return { mean, cv: Math.sqrt(variance) / mean };
}

/** Compared where values end, half a unit of their rounding above them. */
function kolmogorovSmirnov(values: readonly number[], cdf: (x: number) => number, rounding = 1): number {
  const sorted = [...values].sort((a, b) => a - b);
  let distance = 0;
  for (const [at, value] of sorted.entries()) {
    if (sorted[at + 1] !== value) distance = Math.max(distance, Math.abs(cdf(value + rounding / 2) - (at + 1) / sorted.length));
  }
  return distance;
}

/** Of the distance of n draws, at 99.9 % (Massey 1951). */
const ksBound = (n: number) => 1.95 / Math.sqrt(n);
const n = 20_000;

describe("renewal processes have the rate, the CV and the distribution of gaps that were asked for", () => {
  const cases: readonly (readonly [DrawnArrivals, Parameters<typeof distribution>[0], number])[] = [
    [{ kind: "poisson", ratePerS: 5 }, { exponential: { mean: 200_000 } }, 1],
    [{ kind: "gamma", ratePerS: 5, cv: 0.5 }, { gamma: { mean: 200_000, cv: 0.5 } }, 0.5],
    [{ kind: "gamma", ratePerS: 0.1, cv: 3 }, { gamma: { mean: 10_000_000, cv: 3 } }, 3],
    [{ kind: "weibull", ratePerS: 50, cv: 0.4 }, { weibull: { mean: 20_000, cv: 0.4 } }, 0.4],
    [{ kind: "weibull", ratePerS: 2, cv: 2 }, { weibull: { mean: 500_000, cv: 2 } }, 2],
  ];
  test.each(cases)("%j", (spec, gap, cv) => {
    const gaps = gapsOf(arrivals(spec, n + 1));
    const { mean, variance, cdf } = distribution(gap);
    const found = moments(gaps);
    expect(Math.abs(found.mean / mean - 1)).toBeLessThan(3.3 * Math.sqrt(variance) / mean / Math.sqrt(n));
    expect(Math.abs(found.cv / cv - 1)).toBeLessThan(0.06);
    expect(kolmogorovSmirnov(gaps, cdf)).toBeLessThan(ksBound(n));
  });

  test("regular arrivals are evenly spaced, and thirds of a microsecond do not add up to a drift", () => {
    const times = arrivals({ kind: "regular", ratePerS: 3 }, 3_000_000);
    expect(times.slice(0, 3)).toEqual([333_333, 666_667, 1_000_000]);
    expect(times.at(-1)).toBe(1_000_000_000_000);
    expect(arrivals({ kind: "gamma", ratePerS: 3, cv: 0 }, 3)).toEqual([333_333, 666_667, 1_000_000]);
  });

  test("gaps shorter than a microsecond keep the rate", () => {
    const times = arrivals({ kind: "poisson", ratePerS: 4_000_000 }, 400_000);
    expect(times.at(-1)! / 100_000).toBeCloseTo(1, 2);
  });

  test("the process has been going on before time 0: the first arrival is due after the mean residual gap", () => {
    // Of a renewal process in equilibrium: mean * (1 + cv²) / 2 (Cox 1962, Renewal Theory, 5.4).
    const first = Array.from({ length: 4_000 }, (_, seed) => arrivals({ kind: "gamma", ratePerS: 1, cv: 2 }, 1, seed)[0]!);
    expect(moments(first).mean / 1e6).toBeGreaterThan(2.5 * 0.92);
    expect(moments(first).mean / 1e6).toBeLessThan(2.5 * 1.08);
  });

  test("a rate of 0 gives no arrivals", () => {
    for (const kind of ["regular", "poisson"] as const) expect(arrivals({ kind, ratePerS: 0 }, 1)).toEqual([Infinity]);
    for (const kind of ["gamma", "weibull"] as const) expect(arrivals({ kind, ratePerS: 0, cv: 2 }, 1)).toEqual([Infinity]);
    expect(arrivals({ kind: "mmpp", states: [{ ratePerS: 0, meanUs: 1 }] }, 1)).toEqual([Infinity]);
    expect(arrivals({ kind: "varying", points: [{ atUs: 5, ratePerS: 0 }], periodUs: 10 }, 1)).toEqual([Infinity]);
    expect(arrivals({ kind: "varying", points: [{ atUs: 5, ratePerS: 0 }], periodUs: null }, 2)).toEqual([Infinity, Infinity]);
  });
});

function countsPer(widthUs: number, windows: number, spec: DrawnArrivals, seed = 1): number[] {
  const process = arrivalProcess(spec, streams(seed));
  const counts = Array.from({ length: windows }, () => 0);
  for (let time = process.nextUs(); time < widthUs * windows; time = process.nextUs()) counts[Math.floor(time / widthUs)]! += 1;
  return counts;
}

describe("Markov-modulated Poisson arrivals", () => {
  const states = [{ ratePerS: 20, meanUs: 5_000_000 }, { ratePerS: 2, meanUs: 15_000_000 }];
  const spec: DrawnArrivals = { kind: "mmpp", states };

  test.each([2, 20])("mean rate and index of dispersion at %d s are those of theory", (widthS) => {
    const counts = countsPer(widthS * 1_000_000, 40_000, spec);
    const { mean, cv } = moments(counts);
    // Fischer and Meier-Hellstern 1993: rates l1, l2, leaving rates r1, r2.
    const [l1, l2, r1, r2] = [20, 2, 1 / 5, 1 / 15];
    const rate = (l1 * r2 + l2 * r1) / (r1 + r2);
    const limit = (2 * (l1 - l2) * (l1 - l2) * r1 * r2) / ((r1 + r2) * (r1 + r2) * (l1 * r2 + l2 * r1));
    const decay = (1 - Math.exp(-(r1 + r2) * widthS)) / ((r1 + r2) * widthS);
    const dispersion = 1 + limit * (1 - decay);
    expect(rate).toBeCloseTo(6.5, 10);
    expect(mean / widthS / rate).toBeGreaterThan(0.97);
    expect(mean / widthS / rate).toBeLessThan(1.03);
    expect((cv * cv * mean) / dispersion).toBeGreaterThan(0.94);
    expect((cv * cv * mean) / dispersion).toBeLessThan(1.06);
  });

  test("starts in equilibrium: the first second holds no more and no fewer arrivals than any other", () => {
    const first = Array.from({ length: 6_000 }, (_, seed) => countsPer(1_000_000, 1, spec, seed)[0]!);
    expect(Math.abs(moments(first).mean - 6.5)).toBeLessThan(3.3 * 8.3 / Math.sqrt(6_000));
  });

  test("a silent state is passed over", () => {
    const counts = countsPer(1_000_000, 20_000, { kind: "mmpp", states: [{ ratePerS: 10, meanUs: 1_000_000 }, { ratePerS: 0, meanUs: 4_000_000 }] });
    expect(moments(counts).mean).toBeGreaterThan(1.85);
    expect(moments(counts).mean).toBeLessThan(2.15);
  });
});

describe("a rate that varies with time", () => {
  const points = [{ atUs: 10_000_000, ratePerS: 10 }, { atUs: 30_000_000, ratePerS: 50 }, { atUs: 30_000_000, ratePerS: 5 }, { atUs: 50_000_000, ratePerS: 0 }];
  /** Area below the rate between the bounds: constant, up one ramp, down the other, nothing. */
  const expected = [100, 600, 50, 0];
  const bounds = [0, 10_000_000, 30_000_000, 50_000_000, 60_000_000];

  test("counts in every interval are Poisson with the area below the rate", () => {
    const periods = 400;
    const process = arrivalProcess({ kind: "varying", points, periodUs: 60_000_000 }, streams(3));
    const counts = expected.map(() => [] as number[]);
    for (const list of counts) for (let at = 0; at < periods; at += 1) list.push(0);
    for (let time = process.nextUs(); time < periods * 60_000_000; time = process.nextUs()) {
      const inside = time % 60_000_000;
      const interval = bounds.findIndex((bound, at) => inside >= bound && inside < bounds[at + 1]!);
      counts[interval]![Math.floor(time / 60_000_000)]! += 1;
    }
    for (const [at, area] of expected.entries()) {
      const { mean, cv } = moments(counts[at]!);
      if (area === 0) expect(mean).toBe(0);
      else {
        expect(Math.abs(mean - area)).toBeLessThan(3.3 * Math.sqrt(area / periods));
        expect(cv * cv * mean).toBeGreaterThan(0.75);
        expect(cv * cv * mean).toBeLessThan(1.25);
      }
    }
  });

  test("within a ramp the arrivals lie as the rate does", () => {
    const times: number[] = [];
    const process = arrivalProcess({ kind: "varying", points, periodUs: 60_000_000 }, streams(4));
    while (times.length < n) {
      const inside = process.nextUs() % 60_000_000;
      if (inside >= 10_000_000 && inside < 30_000_000) times.push(inside / 1e6 - 10);
    }
    expect(kolmogorovSmirnov(times, (x) => (10 * x + x * x) / 600, 1e-6)).toBeLessThan(ksBound(n));
  });

  test("without a period the last rate goes on", () => {
    const process = arrivalProcess({ kind: "varying", points: [{ atUs: 0, ratePerS: 0 }, { atUs: 10_000_000, ratePerS: 0 }, { atUs: 10_000_000, ratePerS: 100 }], periodUs: null }, streams(5));
    const times = Array.from({ length: n }, () => process.nextUs());
    expect(times[0]!).toBeGreaterThanOrEqual(10_000_000);
    expect(Math.abs((times.at(-1)! - 10_000_000) / 1e6 / (n / 100) - 1)).toBeLessThan(3.3 / Math.sqrt(n));
  });
});

test("times never go back, and the same streams give the same times", () => {
  const specs: readonly DrawnArrivals[] = [
    { kind: "poisson", ratePerS: 1e6 }, { kind: "gamma", ratePerS: 10, cv: 5 }, { kind: "weibull", ratePerS: 10, cv: 5 },
    { kind: "mmpp", states: [{ ratePerS: 1e6, meanUs: 10 }, { ratePerS: 1, meanUs: 5 }] },
    { kind: "varying", points: [{ atUs: 0, ratePerS: 0 }, { atUs: 10, ratePerS: 1e6 }], periodUs: 20 },
  ];
  for (const spec of specs) {
    const times = arrivals(spec, 5_000);
    expect(gapsOf(times).every((gap) => gap >= 0)).toBe(true);
    expect(times.every(Number.isSafeInteger)).toBe(true);
    expect(times[0]).toBeGreaterThanOrEqual(0);
    expect(arrivals(spec, 5_000)).toEqual(times);
    expect(arrivals(spec, 5_000, 2)).not.toEqual(times);
  }
});
