import { describe, expect, test } from "vitest";
import { normalQuantile } from "../../kernel/special.ts";
import { RandomStreams } from "../../kernel/random.ts";
import { KimNelson } from "./kim-nelson.ts";

/** Standard normal numbers from a named stream. */
function normals(seed: number, name: string): () => number {
  const random = new RandomStreams(seed).stream("test", name, "normal");
  return () => normalQuantile(random.next() + 1 / 2 ** 33);
}

interface Trial {
  readonly picked: number;
  readonly observations: number;
}

/** Picks among systems with these means and standard deviations, of which a part of the noise is common. */
function trial(seed: number, means: readonly number[], sd: readonly number[], common: number, options: { readonly alpha: number; readonly indifference: number; readonly first: number }): Trial {
  const race = new KimNelson({ systems: means.length, ...options });
  const noise = normals(seed, "own");
  const shared = normals(seed, "common");
  let observations = 0;
  while (!race.done) {
    const together = Math.sqrt(common) * shared();
    const values = means.map((mean, i) => mean + sd[i]! * (together + Math.sqrt(1 - common) * noise()));
    observations += race.survivors.length;
    race.take(values);
  }
  return { picked: race.best, observations };
}

const repetitions = 500;
/** How often the best, the first, is picked, and the mean number of observations. */
function rate(means: readonly number[], sd: readonly number[], common: number, options: { readonly alpha: number; readonly indifference: number; readonly first: number }): { readonly correct: number; readonly observations: number } {
  let correct = 0;
  let observations = 0;
  for (let seed = 0; seed < repetitions; seed++) {
    const one = trial(seed, means, sd, common, options);
    if (one.picked === 0) correct++;
    observations += one.observations / repetitions;
  }
  return { correct: correct / repetitions, observations };
}

/** The best is ahead of all others by exactly the indifference: the least favourable case. */
const slippage = (systems: number, lead: number): number[] => Array.from({ length: systems }, (_, i) => (i === 0 ? lead : 0));
const equal = (systems: number): number[] => Array.from({ length: systems }, () => 1);

describe("the best of several normal systems in the slippage configuration", () => {
  const options = { alpha: 0.1, indifference: 0.5, first: 10 };
  // One-sided 99 %: what 500 trials would still give were the true rate 90 %.
  const least = 0.9 - 2.326 * Math.sqrt((0.9 * 0.1) / repetitions);

  test.each([[2, 0], [5, 0], [10, 0], [5, 0.8]])("%i systems, %d of the noise in common: picked nine times of ten at least", (systems, common) => {
    const { correct } = rate(slippage(systems, 0.5), equal(systems), common, options);
    expect(correct).toBeGreaterThan(least);
  });

  test("unequal variances, the best the noisiest", () => {
    expect(rate(slippage(5, 0.5), [2, 1, 1, 0.5, 0.5], 0, options).correct).toBeGreaterThan(least);
  });

  test("the guarantee is not had for nothing: with a quarter of the indifference as lead it is broken", () => {
    expect(rate(slippage(5, 0.125), equal(5), 0, options).correct).toBeLessThan(0.85);
  });

  test("common random numbers and a larger lead save observations", () => {
    const plain = rate(slippage(5, 0.5), equal(5), 0, options).observations;
    expect(rate(slippage(5, 0.5), equal(5), 0.8, options).observations).toBeLessThan(0.5 * plain);
    expect(rate(slippage(5, 2), equal(5), 0, options).observations).toBeLessThan(0.5 * plain);
  });
});

test("the constants are the paper's: k = 2, alpha = 0.05, n0 = 10, so eta = (0.1^(-2/9) - 1)/2 and h^2 = 18 eta", () => {
  const h2 = 9 * (Math.exp((-2 / 9) * Math.log(0.1)) - 1);
  const race = new KimNelson({ systems: 2, alpha: 0.05, indifference: 0.1, first: 10 });
  // Differences of +1/2 and -1/2 in turn: variance (10/9)/4 over the first ten; after an odd number, the sum is 1/2 apart.
  let taken = 0;
  while (!race.done) race.take([taken++ % 2, 0.5]);
  // The region at r is delta/2 (h^2 S^2 / delta^2 - r) wide: below 1/2 from r = h^2 S^2 / delta^2 - 10 on.
  const least = Math.floor((h2 * (10 / 36)) / 0.01 - 10) + 1;
  expect(taken).toBe(least % 2 === 1 ? least : least + 1);
});

test("what does not vary ends with the first observations; a system that fails drops out", () => {
  const race = new KimNelson({ systems: 3, alpha: 0.05, indifference: 1, first: 2 });
  race.take([1, 2, 3]);
  expect(race.done).toBe(false);
  race.take([1, 2, 3]);
  expect([race.done, race.best, race.survivors]).toEqual([true, 2, [2]]);
  expect(race.eliminations.map(({ system, at }) => [system, at])).toEqual([[0, 2], [1, 2]]);
  const other = new KimNelson({ systems: 2, alpha: 0.05, indifference: 1, first: 2 });
  other.drop(1);
  expect([other.done, other.best]).toEqual([true, 0]);
  expect(() => new KimNelson({ systems: 3, alpha: 1, indifference: 1, first: 2 })).toThrow(RangeError);
});
