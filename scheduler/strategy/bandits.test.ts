import { describe, expect, test } from "vitest";
import fc from "fast-check";
import { type Bandit, EpsilonGreedy, Exp3 } from "./bandits.ts";
import { randomOf } from "./testing/observation.ts";

const MEANS = [0.2, 0.5, 0.35, 0.8, 0.6];

/** Regret per play, against always playing the best arm, where arm i pays 1 with probability MEANS[i]. */
function regretPerPlay(bandit: Bandit, plays: number, seed: number): number {
  const random = randomOf(seed);
  let regret = 0;
  for (let play = 0; play < plays; play++) {
    const arm = bandit.choose();
    regret += 0.8 - MEANS[arm]!;
    bandit.learn(random.next() < MEANS[arm]! ? 1 : 0);
  }
  return regret / plays;
}

describe("EXP3", () => {
  test("has probabilities that sum to 1 and never fall below gamma / K, whatever it is paid", () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 12 }), fc.double({ min: 0.01, max: 1, noNaN: true }), fc.array(fc.double({ min: -1e9, max: 1e15, noNaN: true }), { maxLength: 200 }), (arms, gamma, rewards) => {
      const bandit = new Exp3(arms, gamma, randomOf(5));
      for (const reward of rewards) {
        const arm = bandit.choose();
        expect(arm).toBeGreaterThanOrEqual(0);
        expect(arm).toBeLessThan(arms);
        bandit.learn(reward);
        let sum = 0;
        for (const p of bandit.probabilities) {
          sum += p;
          expect(p).toBeGreaterThanOrEqual(gamma / arms - 1e-12);
        }
        expect(sum).toBeCloseTo(1, 9);
      }
    }), { seed: 1, numRuns: 100 });
  });

  test("weighs by importance: a reward raises the arm's own odds as the paper has it", () => {
    // First play: p = 1/2 each, reward 1, so G = 1 / (1/2) = 2 and w = exp(gamma 2 / 2).
    const bandit = new Exp3(2, 0.5, { next: () => 0 });
    bandit.choose();
    bandit.learn(7); // the largest so far is 7: it counts as 1
    const weight = Math.exp(0.5);
    expect(bandit.probabilities[0]).toBeCloseTo(0.5 * (weight / (weight + 1)) + 0.25, 12);
    // Second play of the same arm, reward half the largest: G = 2 + 0.5 / p.
    const p = bandit.probabilities[0]!;
    bandit.choose();
    bandit.learn(3.5);
    const second = Math.exp((0.5 * (2 + 0.5 / p)) / 2);
    expect(bandit.probabilities[0]).toBeCloseTo(0.5 * (second / (second + 1)) + 0.25, 12);
  });

  test("does not care in what unit it is paid, nor which arm is which", () => {
    const choices = (scale: number): number[] => {
      const bandit = new Exp3(5, 0.1, randomOf(3));
      const random = randomOf(4);
      return Array.from({ length: 300 }, () => {
        const arm = bandit.choose();
        bandit.learn(scale * MEANS[arm]! * random.next());
        return arm;
      });
    };
    expect(choices(1024)).toEqual(choices(1));
    // The arms in another order, played and paid alike: the same odds, in that order.
    const order = [3, 0, 4, 1, 2];
    const odds = (place: (arm: number) => number): number[] => {
      const wanted = { arm: 0, next: (): number => bandit.probabilities.subarray(0, wanted.arm).reduce((sum, p) => sum + p, 0) + bandit.probabilities[wanted.arm]! / 2 };
      const bandit = new Exp3(5, 0.2, wanted);
      for (const arm of [0, 3, 3, 1, 4, 2, 3, 1]) {
        wanted.arm = place(arm);
        expect(bandit.choose()).toBe(place(arm));
        bandit.learn(MEANS[arm]!);
      }
      return MEANS.map((_, arm) => bandit.probabilities[place(arm)]!);
    };
    odds((arm) => order[arm]!).forEach((p, arm) => expect(p).toBeCloseTo(odds((same) => same)[arm]!, 12));
  });

  test("keeps the paper's bound on regret, and regret per play falls", () => {
    const regret = (plays: number): number => {
      // Theorem 3.1's choice of gamma for K arms and this many plays.
      const gamma = Math.min(1, Math.sqrt((5 * Math.log(5)) / ((Math.E - 1) * plays)));
      let sum = 0;
      for (let seed = 1; seed <= 20; seed++) sum += regretPerPlay(new Exp3(5, gamma, randomOf(100 + seed)), plays, seed);
      return sum / 20;
    };
    for (const plays of [300, 3_000]) expect(regret(plays) * plays).toBeLessThan(2 * Math.sqrt(Math.E - 1) * Math.sqrt(plays * 5 * Math.log(5)));
    expect(regret(3_000)).toBeLessThan(regret(300) * 0.6);
  });
});

describe("epsilon-greedy", () => {
  test("tries every arm once, then earns the best but for epsilon", () => {
    const bandit = new EpsilonGreedy(5, 0.1, randomOf(2));
    const first: number[] = [];
    for (let i = 0; i < 5; i++) {
      first.push(bandit.choose());
      bandit.learn(MEANS[first.at(-1)!]!);
    }
    expect(first).toEqual([0, 1, 2, 3, 4]);
    expect(bandit.favourite).toBe(3);
    // Exploring costs epsilon times the mean gap.
    const gap = MEANS.reduce((sum, mean) => sum + (0.8 - mean), 0) / 5;
    let sum = 0;
    for (let seed = 1; seed <= 20; seed++) sum += regretPerPlay(new EpsilonGreedy(5, 0.1, randomOf(seed)), 20_000, seed + 50);
    expect(sum / 20).toBeGreaterThan(0.1 * gap * 0.9);
    expect(sum / 20).toBeLessThan(0.1 * gap * 1.3);
  });

  test("with epsilon 0 never explores after the first round", () => {
    const bandit = new EpsilonGreedy(4, 0, randomOf(1));
    const played = new Set<number>();
    for (let i = 0; i < 100; i++) {
      const arm = bandit.choose();
      if (i >= 4) played.add(arm);
      bandit.learn([1, 4, 2, 3][arm]!);
    }
    expect([...played]).toEqual([1]);
  });
});

test("refuse what is no bandit", () => {
  expect(() => new Exp3(0, 0.1, randomOf(1))).toThrow("at least one arm, found 0");
  expect(() => new Exp3(2, 0, randomOf(1))).toThrow("gamma is above 0");
  expect(() => new EpsilonGreedy(2, 1.1, randomOf(1))).toThrow("epsilon is from 0 to 1, found 1.1");
});
