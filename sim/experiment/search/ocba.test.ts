import { describe, expect, test } from "vitest";
import { RandomStreams } from "../../kernel/random.ts";
import { normalQuantile } from "../../kernel/special.ts";
import { Moments } from "../../kernel/statistics/index.ts";
import { approximateCorrectSelection, bestOf, ocbaNext, ocbaShares } from "./ocba.ts";

function moments(...values: readonly number[]): Moments {
  const result = new Moments();
  for (const value of values) result.add(value);
  return result;
}

test("shares follow the closed form: ratios (sd / lead)^2, the best its root", () => {
  // Means 10, 8, 6 and sd sqrt(2): leads 2 and 4, so N2/N3 = 4, and N1 = sqrt(N2^2 + N3^2).
  const observed = [moments(9, 11), moments(7, 9), moments(5, 7)];
  const [best, second, third] = ocbaShares(observed, 1_000) as [number, number, number];
  expect(second / third).toBeCloseTo(4, 9);
  expect(best).toBeCloseTo(Math.sqrt(second * second + third * third), 9);
  expect(best + second + third).toBeCloseTo(1_000, 9);
});

test("the next observations go where shares are lacking, and sum to what was asked", () => {
  const observed = [moments(9, 11), moments(7, 9), moments(5, 7)];
  const next = ocbaNext(observed, 10);
  expect(next.reduce((a, b) => a + b, 0)).toBe(10);
  expect(next[0]!).toBeGreaterThan(next[2]!);
  expect(ocbaNext([moments(1, 1), moments(1, 1)], 3).reduce((a, b) => a + b, 0)).toBe(3);
});

describe("the approximate probability of a correct selection", () => {
  test("of two systems is the normal closed form; of equal ones, a half", () => {
    // Lead 2, standard error sqrt(2/2 + 2/2).
    expect(approximateCorrectSelection([moments(9, 11), moments(7, 9)])).toBeCloseTo(0.9214, 4);
    expect(approximateCorrectSelection([moments(3, 3), moments(3, 3)])).toBe(0.5);
  });

  test("is met by how often the best is found, in 300 races of ten systems, and equal shares do worse", () => {
    const means = [1, ...Array.from({ length: 9 }, (_, i) => 0.6 - 0.2 * i)];
    const race = (seed: number, deal: (observed: readonly Moments[]) => number[]): { readonly correct: boolean; readonly claimed: number } => {
      const random = new RandomStreams(seed).stream("test", "ocba", "normal");
      const observed = means.map(() => new Moments());
      const see = (counts: readonly number[]): void => counts.forEach((count, i) => {
        for (let j = 0; j < count; j++) observed[i]!.add(means[i]! + normalQuantile(random.next() + 1 / 2 ** 33));
      });
      see(means.map(() => 5));
      for (let stage = 0; stage < 10; stage++) see(deal(observed));
      return { correct: bestOf(observed) === 0, claimed: approximateCorrectSelection(observed) };
    };
    const races = Array.from({ length: 300 }, (_, seed) => race(seed, (observed) => ocbaNext(observed, 20)));
    const equal = Array.from({ length: 300 }, (_, seed) => race(seed, () => means.map(() => 2)));
    const share = (all: typeof races): number => all.filter(({ correct }) => correct).length / all.length;
    expect(share(races)).toBeGreaterThan(races.reduce((sum, { claimed }) => sum + claimed, 0) / races.length - 0.03);
    expect(share(races)).toBeGreaterThan(share(equal) + 0.03);
  });
});
