import { describe, expect, test } from "vitest";
import { resolveEquilibrium } from "../../scenario/sections/equilibrium.ts";
import type { EquilibriumSpec } from "../../scenario/sections/equilibrium.ts";
import { conduct } from "../conduct.ts";
import type { RunTask } from "../plan.ts";
import { noise, playBy } from "../search/testing/noisy.ts";
import { equilibrium } from "./equilibrium.ts";
import type { EquilibriumOutcome } from "./equilibrium.ts";

type Input = NonNullable<Parameters<typeof resolveEquilibrium>[0]>;

function specOf(input: Input): EquilibriumSpec {
  const findings: string[] = [];
  const spec = resolveEquilibrium(input, { clients: [], operators: Object.keys(input.players) }, ({ path, found }) => void findings.push(`${path.join(".")}: ${found}`), () => ({ place: [], field: [] }));
  if (spec === null) throw new Error(findings.join("; "));
  return spec;
}

const names = ["a", "b", "c", "d", "e"];
const surplus = (name: string): string => `welfare.operatorClasses.${name}.surplusMsat`;
/** n firms, each with a grid of quantities. */
const firms = (n: number, grid: object): Input["players"] => Object.fromEntries(names.slice(0, n).map((name) => [name, { [`${name}.q`]: grid }])) as Input["players"];
/** Inverse demand 100 - Q with noise on it, marginal cost 20. */
const cournot = (n: number) => playBy((numbers, seed) => {
  const q = names.slice(0, n).map((name) => numbers[`${name}.q`]!);
  const price = 100 - q.reduce((sum, one) => sum + one, 0) + 2 * noise(seed, "demand");
  return Object.fromEntries(q.map((own, i) => [surplus(names[i]!), own * (price - 20)]));
});

/** Index of each player's strategy; null where somebody mixes. */
function settled({ profile, spec }: EquilibriumOutcome): number[] | null {
  return profile === null ? null : profile.map((strategy, p) => Number(spec.players[p]!.strategies[strategy]![0]!.value));
}

describe("Cournot: P = 100 - Q, cost 20", () => {
  test.each([[1, 40], [2, 26.67], [3, 20], [5, 13.33]])("%i firms sell %d each, to the step of the grid", (n, quantity) => {
    const step = 40 / 24;
    const outcome = conduct(equilibrium(specOf({ players: firms(n, { from: 10, to: 50, steps: 25 }), fresh: 10 }), { seed: 1 }), cournot(n))!;
    expect(outcome.kind).toBe("pure");
    // On a grid, several profiles next to each other are in equilibrium: each firm within a step, all together within half of one for each.
    const q = settled(outcome)!;
    for (const own of q) expect(Math.abs(own - quantity)).toBeLessThan(1.01 * step);
    expect(Math.abs(q.reduce((a, b) => a + b, 0) - n * quantity)).toBeLessThan(0.5 * n * step + 0.01);
    // The most that any deviation brings, and what is known of it.
    const gains = outcome.standings!.flatMap(({ deviations }) => deviations.map(({ gain }) => gain.mean));
    expect(Math.max(...gains)).toBeLessThan(step * step + 2 * step);
  });

  test("moves made together settle where they are damped; undamped, three firms go in circles, and the smaller game of the circle finds the place all the same", () => {
    const play = (damping: number): EquilibriumOutcome => conduct(equilibrium(specOf({ players: firms(3, { from: 0, to: 60, steps: 25 }), moves: "together", damping, fresh: 2 }), { seed: 1 }), cournot(3))!;
    const [damped, circles] = [play(0.4), play(1)];
    const visited = ({ steps }: EquilibriumOutcome): string[] => steps.map(({ profile }) => profile.join());
    expect(new Set(visited(damped)).size).toBe(damped.steps.length);
    expect(new Set(visited(circles)).size).toBeLessThan(circles.steps.length);
    for (const outcome of [damped, circles]) {
      expect(outcome.kind).toBe("pure");
      expect(settled(outcome)!.every((own) => Math.abs(own - 20) <= 2.5)).toBe(true);
    }
  });
});

describe("regret", () => {
  /** Two who may be good (0) or bad (1): prisoner's dilemma with payoffs 3, 5, 0, 1 and noise. */
  const dilemma = playBy(({ "a.x": a = 0, "b.x": b = 0 }, seed) => {
    const own = (mine: number, other: number): number => [[3, 0], [5, 1]][mine]![other]! + noise(seed, `${mine}${other}`);
    return { [surplus("a")]: own(a, b), [surplus("b")]: own(b, a) };
  });

  test("at the dilemma's equilibrium, leaving costs 1: the bounds say that nobody gains", () => {
    const outcome = conduct(equilibrium(specOf({ players: { a: { "a.x": [0, 1] }, b: { "b.x": [0, 1] } }, fresh: 60 }), { seed: 1 }), dilemma)!;
    expect(settled(outcome)).toEqual([1, 1]);
    for (const { deviations, payoff } of outcome.standings!) {
      expect(deviations[1]).toMatchObject({ atLeast: 0, atMost: 0 });
      expect(deviations[0]!.atMost).toBeLessThan(0);
      expect(Math.abs(deviations[0]!.gain.mean + 1)).toBeLessThan(0.5);
      expect(Math.abs(payoff.mean - 1)).toBeLessThan(0.4);
    }
  });

  test("its interval holds the true gain in 95 % of 200 games at least", () => {
    // Nobody can gain: a deviation to 2 brings exactly as much as 1 does, one to 0 brings less.
    const flat = playBy(({ "a.x": a = 0 }, seed) => ({ [surplus("a")]: (a === 0 ? 0 : 1) + noise(seed, `${a}`) }));
    let covered = 0;
    for (let seed = 0; seed < 200; seed++) {
      const { standings, profile } = conduct(equilibrium(specOf({ players: { a: { "a.x": [0, 1, 2] } }, fresh: 8, replications: 2 }), { seed }), flat)!;
      const truth = [0, 1, 1];
      const at = profile![0]!;
      if (standings![0]!.deviations.every(({ strategy, atLeast, atMost }) => atLeast! <= truth[strategy]! - truth[at]! && atMost! >= truth[strategy]! - truth[at]!)) covered++;
    }
    expect(covered).toBeGreaterThanOrEqual(190 - 6);
  });
});

describe("where best replies go in circles", () => {
  const rules: Readonly<Record<string, (a: number, b: number) => number>> = {
    "matching pennies": (a, b) => (a === b ? 1 : -1),
    "rock, paper, scissors": (a, b) => [0, 1, -1][(a - b + 3) % 3]!,
  };

  test.each([["matching pennies", 2], ["rock, paper, scissors", 3]])("%s: all alike often, and hardly anybody gains by leaving", (name, n) => {
    const strategies = Array.from({ length: n }, (_, i) => i);
    const game = playBy(({ "a.x": a = 0, "b.x": b = 0 }, seed) => ({ [surplus("a")]: rules[name]!(a, b) + 0.1 * noise(seed, `a ${a} ${b}`), [surplus("b")]: -rules[name]!(a, b) + 0.1 * noise(seed, `b ${a} ${b}`) }));
    const outcome = conduct(equilibrium(specOf({ players: { a: { "a.x": strategies }, b: { "b.x": strategies } }, replications: 20, fresh: 40 }), { seed: 1 }), game)!;
    expect(outcome.kind).toBe("mixed");
    expect(outcome.profile).toBeNull();
    for (const shares of outcome.mixture) for (const share of shares) expect(Math.abs(share - 1 / n)).toBeLessThan(0.1);
    for (const { deviations } of outcome.standings!) for (const { atMost } of deviations) expect(atMost).toBeLessThan(0.2);
  });
});

test("where two who move together keep stepping on each other's toes, the circle's own game has the way out, and nobody mixes", () => {
  const apart = playBy(({ "a.x": a = 0, "b.x": b = 0 }, seed) => ({ [surplus("a")]: (a === b ? 0 : 2) + 0.1 * noise(seed, "a"), [surplus("b")]: (a === b ? 0 : 1) + 0.1 * noise(seed, "b") }));
  const outcome = conduct(equilibrium(specOf({ players: { a: { "a.x": [0, 1] }, b: { "b.x": [0, 1] } }, moves: "together", damping: 1, fresh: 4 }), { seed: 1 }), apart)!;
  expect(outcome.steps.map(({ profile }) => profile.join(""))).toEqual(["00", "11", "00"]);
  expect(outcome.kind).toBe("pure");
  expect(new Set(outcome.profile!).size).toBe(2);
});

test("runs have names of their own and the same random numbers in every profile; what fails is never chosen", () => {
  const tasks: RunTask[] = [];
  const outcome = conduct(equilibrium(specOf({ players: firms(2, { from: 10, to: 40, steps: 7 }), fresh: 3 }), { seed: 1 }), (task, index) => {
    tasks.push(task);
    return task.sets[0] === "a.q=25" ? { index, task, figures: null, digest: null, error: "Error: never" } : cournot(2)(task, index);
  })!;
  expect(outcome.kind).toBe("pure");
  expect(settled(outcome)![0]).not.toBe(25);
  expect(outcome.tally.failed).toBeGreaterThan(0);
  expect(outcome.standings![0]!.deviations[3]!.atMost).toBeNull();
  expect(new Set(tasks.map(({ name }) => name)).size).toBe(tasks.length);
  expect(new Set(tasks.filter(({ name }) => name.startsWith("search ")).map(({ seed }) => seed)).size).toBe(5);
  expect(new Set(tasks.filter(({ name }) => name.startsWith("fresh ")).map(({ seed }) => seed)).size).toBe(3);
});

test("stopped early, it says what was reached; without runs, nothing", () => {
  const stopAfter = (count: number): EquilibriumOutcome | null => {
    const experiment = equilibrium(specOf({ players: firms(2, { from: 10, to: 40, steps: 7 }) }), { seed: 1 });
    let left = count;
    let next = experiment.next();
    while (next.done !== true) {
      let index = 0;
      for (const task of next.value.tasks) if (left-- > 0) next.value.take(cournot(2)(task, index++));
      next = experiment.next({ interrupted: left < 0 });
    }
    return next.value;
  };
  expect(stopAfter(0)).toBeNull();
  expect(stopAfter(3)).toMatchObject({ interrupted: true, kind: "unsettled", standings: null });
  expect(stopAfter(10_000)).toMatchObject({ interrupted: false, kind: "pure" });
  const short = conduct(equilibrium({ ...specOf({ players: firms(2, { from: 10, to: 40, steps: 7 }) }), budget: 60 }, { seed: 1 }), cournot(2))!;
  expect(short).toMatchObject({ kind: "unsettled", interrupted: false });
  expect(short.standings).not.toBeNull();
});
