import { describe, expect, test } from "vitest";
import { RandomStreams } from "../random.ts";
import { batchRatio, mser5, studentQuantile } from "./index.ts";

describe("batch means as ratios", () => {
  test("by hand, where batches have no correlation", () => {
    // Residuals 1, 1, -1, -1, 1, 1, -1, -1 have correlation 1/8, and with 1/8 for their sum of 0 it is 1/4.
    const { mean, halfWidth, correlation, trusted } = batchRatio([11, 11, 9, 9, 11, 11, 9, 9], [1, 1, 1, 1, 1, 1, 1, 1], 0.95)!;
    expect([mean, correlation, trusted]).toEqual([10, 0.25, true]);
    // Variance 8/7 / 8, times 5/3, with 8 x 3/5 - 1 = 3.8 degrees of freedom: t = 2.8342.
    expect(halfWidth).toBeCloseTo(2.8342 * Math.sqrt((8 / 7 / 8) * (5 / 3)), 3);
  });

  test("by hand, where batches are skew", () => {
    // Residuals 6, -2, -2, -2 by turns with none: mean 2, variance 48/7 / 8; third moment 192, fourth 1344, over 8 batches.
    const { mean, low, high, halfWidth } = batchRatio([8, 0, 0, 0, 2, 2, 2, 2], [1, 1, 1, 1, 1, 1, 1, 1], 0.95)!;
    expect(mean).toBe(2);
    expect(high - mean).toBeGreaterThan(mean - low);
    // Correlation (-12 + 4 + 4) / 48 + 1/8 = 1/24. Excess kurtosis 7/30 (9 (8 x 1344 / 48^2 - 3) + 6) = 4.9: 1 / (1 + 4.9 x 7 / 16) of the degrees.
    const degrees = 8 * (23 / 25) - 1;
    const error = Math.sqrt((48 / 7 / 8) * (25 / 23));
    expect(halfWidth).toBeCloseTo(studentQuantile(0.975, degrees / (1 + (4.9 * 7) / 16)) * error, 9);
    // Skewness 192 x 8 / (7 x 6) / (48/7)^1.5 = 2.04 brings 1.5 x 2.04^2 = 6.2 of kurtosis along: there is none beyond.
    const t = studentQuantile(0.975, degrees);
    const skew = (192 * 8) / (7 * 6) / Math.sqrt(48 / 7) ** 3 / (6 * Math.sqrt(8));
    expect((Math.cbrt(1 + 6 * skew * (t - skew)) - 1) / (2 * skew)).toBeCloseTo((mean - low) / error, 9);
    expect((Math.cbrt(1 - 6 * skew * (t + skew)) - 1) / (2 * skew)).toBeCloseTo((mean - high) / error, 9);
  });

  test("batches weigh as much as they hold", () => {
    expect(batchRatio([10, 0, 30, 5], [1, 0, 3, 0.5], 0.95)).toMatchObject({ mean: 10, halfWidth: 0, trusted: true });
    expect(batchRatio([10, 20, 30], [1, 1, 1], 0.95)).toBeNull();
    expect(batchRatio([10, 0, 0, 0], [1, 0, 0, 0], 0.95)).toBeNull();
  });

  test("a course that is not level is told", () => {
    expect(batchRatio(Array.from({ length: 20 }, (_, i) => i), new Array<number>(20).fill(1), 0.95)!.trusted).toBe(false);
    expect(batchRatio(Array.from({ length: 20 }, (_, i) => Math.sin(i / 3)), new Array<number>(20).fill(1), 0.95)!.trusted).toBe(false);
  });
});

/** Sojourn times of M/M/1, mean service 1, by Lindley's recursion, from `start` units of work on; by time of arrival. */
function mm1(seed: number, rho: number, fromTime: number, untilTime: number, start: number, each: (atTime: number, sojourn: number) => void): void {
  const streams = new RandomStreams(seed);
  const gaps = streams.stream("mm1", "gaps", "draw");
  const services = streams.stream("mm1", "services", "draw");
  let work = start;
  for (let time = 0; ;) {
    const gap = -Math.log(1 - gaps.next()) / rho;
    time += gap;
    if (time >= untilTime) return;
    work = Math.max(0, work - gap) - Math.log(1 - services.next());
    if (time >= fromTime) each(time, work);
  }
}

describe("1,000 seeded runs of M/M/1 at rho 0.8", () => {
  /** Sojourn time: 1 / (1 - rho). */
  const truth = 5;

  test("95 % intervals by batch means of one run of 40,000 customers cover the truth in 93 to 97 % of cases", () => {
    let [covered, reachesUp] = [0, 0];
    const [from, until] = [2_000, 52_000];
    for (let seed = 1; seed <= 1_000; seed++) {
      const sums = new Float64Array(20);
      const weights = new Float64Array(20);
      mm1(seed, 0.8, from, until, 0, (time, sojourn) => {
        const batch = Math.floor((time - from) / (until - from) * 20);
        sums[batch]! += sojourn;
        weights[batch]! += 1;
      });
      const { mean, low, high } = batchRatio(sums, weights, 0.95)!;
      if (low <= truth && truth <= high) covered++;
      if (high - mean > mean - low) reachesUp++;
    }
    // A queue has long busy times now and then: who has seen few of them estimates too little, and has to look up.
    expect(reachesUp).toBeGreaterThan(700);
    expect(covered).toBeGreaterThanOrEqual(930);
    expect(covered).toBeLessThanOrEqual(970);
  });

  test("MSER-5 cuts what a queue that begins with 200 customers has too much, and little of one that begins in equilibrium", () => {
    let [before, after, cuts, idle, settled] = [0, 0, 0, 0, 0];
    for (let seed = 1; seed <= 100; seed++) {
      const series: number[] = [];
      mm1(seed, 0.8, 0, 10_000, 200, (_, sojourn) => void series.push(sojourn));
      const { cut, sufficient } = mser5(series);
      if (sufficient) settled++;
      const mean = (from: number): number => series.slice(from).reduce((sum, x) => sum + x, 0) / (series.length - from);
      before += mean(0) / 100;
      after += mean(cut) / 100;
      cuts += cut / 100;
      const steady: number[] = [];
      mm1(seed, 0.8, 2_000, 12_000, 0, (_, sojourn) => void steady.push(sojourn));
      idle += mser5(steady).cut / 100;
    }
    // The backlog of 200 goes at a rate of 1 - rho: it takes 1,000 units of time, 800 customers, give or take.
    expect(settled).toBeGreaterThanOrEqual(95);
    expect(before).toBeGreaterThan(10);
    expect(Math.abs(after / truth - 1)).toBeLessThan(0.1);
    expect(cuts).toBeGreaterThan(650);
    expect(cuts).toBeLessThan(1_500);
    expect(idle).toBeLessThan(600);
  });
});
