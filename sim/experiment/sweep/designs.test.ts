import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RandomStreams } from "../../kernel/random.ts";
import { latinHypercube, levelOf, product, sobolPoints } from "./designs.ts";

const random = (seed: number) => new RandomStreams(seed).stream("test", "designs", "draws");

test("a product has every value with every other, the last axis fastest", () => {
  expect([...product([2, 3])]).toEqual([[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]]);
  fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 5 }), (counts) => {
    const points = [...product(counts)];
    expect(points).toHaveLength(counts.reduce((all, count) => all * count, 1));
    expect(new Set(points.map(String)).size).toBe(points.length);
    for (const point of points) expect(point.every((index, i) => index >= 0 && index < counts[i]!)).toBe(true);
  }), { seed: 1, numRuns: 100 });
});

describe("a Latin hypercube", () => {
  test("has one point in each of as many equal parts of each axis as there are points", () => {
    fc.assert(fc.property(fc.integer({ min: 2, max: 200 }), fc.integer({ min: 1, max: 12 }), fc.nat(), (points, dimensions, seed) => {
      const design = latinHypercube(points, dimensions, random(seed));
      for (let d = 0; d < dimensions; d++) expect(new Set(design.map((point) => Math.floor(point[d]! * points))).size).toBe(points);
      expect(design.flat().every((x) => x >= 0 && x < 1)).toBe(true);
    }), { seed: 1, numRuns: 100 });
  });

  test("is another for another seed, and the same for the same", () => {
    expect(latinHypercube(20, 3, random(1))).toEqual(latinHypercube(20, 3, random(1)));
    expect(latinHypercube(20, 3, random(1))).not.toEqual(latinHypercube(20, 3, random(2)));
  });

  test("knows the mean of a sum far better than as many points drawn at random (McKay, Beckman and Conover 1979)", () => {
    // Var of the mean of x1 + x2 over 50 points: 2/12/50 at random, of a Latin hypercube 2/12/50^3.
    const errors = Array.from({ length: 200 }, (_, seed) => latinHypercube(50, 2, random(seed)).reduce((sum, [x, y]) => sum + x! + y!, 0) / 50 - 1);
    const variance = errors.reduce((sum, error) => sum + error * error, 0) / 200;
    expect(variance / (2 / 12 / 50)).toBeLessThan(2 / 2_500);
    expect(variance / (2 / 12 / 50)).toBeGreaterThan(0.5 / 2_500);
  });

  test("pairs its axes at random: no correlation beyond chance", () => {
    const n = 400;
    const correlations = Array.from({ length: 30 }, (_, seed) => 12 * latinHypercube(n, 2, random(seed)).reduce((sum, [x, y]) => sum + (x! - 0.5) * (y! - 0.5), 0) / n);
    // Each has sd 1/sqrt(n) = 0.05.
    expect(Math.max(...correlations.map(Math.abs))).toBeLessThan(0.2);
    expect(Math.abs(correlations.reduce((sum, one) => sum + one, 0) / 30)).toBeLessThan(0.04);
  });
});

test("Sobol points begin at the origin, unless scrambled", () => {
  expect(sobolPoints(2, 3)).toEqual([[0, 0, 0], [0.5, 0.5, 0.5]]);
  expect(sobolPoints(1, 3, random(1))[0]!.every((x) => x > 0)).toBe(true);
});

test("a coordinate stands for each of several values equally often", () => {
  const counts = [0, 0, 0];
  for (const [x] of sobolPoints(300, 1)) counts[levelOf(x!, 3)]!++;
  for (const count of counts) expect(Math.abs(count - 100)).toBeLessThanOrEqual(2);
  expect([levelOf(0, 3), levelOf(1 - 1e-12, 3), levelOf(1, 3)]).toEqual([0, 2, 2]);
});
