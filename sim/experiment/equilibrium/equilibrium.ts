import type { RunTally } from "../../../protocol/result/experiment.ts";
import { Moments, studentQuantile } from "../../kernel/statistics/index.ts";
import type { EquilibriumSpec } from "../../scenario/sections/equilibrium.ts";
import type { BatchEnd, Experiment, RunBatch } from "../plan.ts";
import { FigureEstimates } from "../replications/figure-estimates.ts";
import { figureOf, phaseSeed, RunsPlayed } from "../search/runs.ts";
import { walk } from "./best-replies.ts";
import type { Answer, Step } from "./best-replies.ts";
import { mixedPlay, product, weightOf } from "./mixed.ts";
import type { Mixture } from "./mixed.ts";
import { keyOf, Payoffs, profileTask } from "./payoffs.ts";
import type { Profile } from "./payoffs.ts";

/** What a player would have by one strategy, the others as they are, from runs that had no part in finding the profile. */
export interface Deviation {
  readonly strategy: number;
  readonly payoff: Moments;
  /** Run by run, over what the player has. */
  readonly gain: Moments;
  /** Bounds of the mean gain, at once for all strategies of all players; null where nothing can be said. */
  readonly atLeast: number | null;
  readonly atMost: number | null;
}

/** How a player fares. */
export interface Standing {
  readonly payoff: Moments;
  /** Every strategy of its grid. */
  readonly deviations: readonly Deviation[];
}

export interface EquilibriumOutcome {
  readonly spec: EquilibriumSpec;
  readonly steps: readonly Step[];
  readonly answers: readonly Answer[];
  /** pure: nobody wanted to move. mixed: best replies went in circles, and a mixture was found. cycle: none was. unsettled: rounds or runs were at their end. */
  readonly kind: "pure" | "mixed" | "cycle" | "unsettled";
  /** What is looked at at the end. */
  readonly mixture: Mixture;
  /** The profile, where nobody mixes. */
  readonly profile: Profile | null;
  /** By player; null where no fresh runs were played. */
  readonly standings: readonly Standing[] | null;
  /** Every figure of the profile over fresh runs; null for mixtures. */
  readonly figures: FigureEstimates | null;
  /** Profiles played in looking for it. */
  readonly profiles: number;
  readonly interrupted: boolean;
  readonly tally: RunTally;
}

/**
 * Looks for a profile of strategies that nobody gains by leaving, and measures with fresh random numbers how much anybody
 * gains at most by leaving it: the regret (epsilon of an epsilon-equilibrium on the grid). Null where nothing was played.
 */
export function* equilibrium(spec: EquilibriumSpec, { seed }: { readonly seed: number }): Experiment<EquilibriumOutcome | null> {
  const runs = new RunsPlayed();
  const later = spec.fresh * (1 + spec.players.reduce((sum, { strategies }) => sum + strategies.length - 1, 0));
  const payoffs = new Payoffs(spec, seed, runs, later);
  const { steps, answers, end, cycle } = yield* walk(spec, payoffs);
  let kind: EquilibriumOutcome["kind"] = end === "settled" ? "pure" : end === "cycle" ? "cycle" : "unsettled";
  let mixture: Mixture = pure(spec, steps.at(-1)!.profile);
  let interrupted = end === "interrupted";
  if (end === "cycle") {
    const found = yield* mixedPlay(spec, payoffs, cycle);
    interrupted = found.halt === "interrupted";
    if (found.mixture !== null) {
      mixture = found.mixture;
      kind = found.halt === null ? "mixed" : "cycle";
    }
  }
  const isPure = mixture.every((shares) => shares.some((share) => share === 1));
  const profile = isPure ? mixture.map((shares) => shares.indexOf(1)) : null;
  if (kind === "mixed" && isPure) kind = "pure";
  if (runs.played === 0) return null;
  const result = { spec, steps, answers, kind, mixture, profile, profiles: payoffs.size };
  if (interrupted) return { ...result, standings: null, figures: null, interrupted, tally: runs.tally };
  const look = yield* standingsOf(spec, mixture, profile, runs, seed);
  return { ...result, ...look, tally: runs.tally };
}

function pure({ players }: EquilibriumSpec, profile: Profile): Mixture {
  return players.map(({ strategies }, p) => strategies.map((_, s) => (s === profile[p] ? 1 : 0)));
}

/** Plays the profile or mixture, and every strategy that a single player might take instead, with fresh random numbers. */
function* standingsOf(spec: EquilibriumSpec, mixture: Mixture, profile: Profile | null, runs: RunsPlayed, seed: number): Generator<RunBatch, Pick<EquilibriumOutcome, "standings" | "figures" | "interrupted">, BatchEnd> {
  const { players, fresh, confidence } = spec;
  const support = mixture.map((shares) => shares.flatMap((share, s) => (share > 0 ? [s] : [])));
  const wanted = new Map<string, Profile>();
  for (const one of product(support)) wanted.set(keyOf(one), one);
  for (const [p, { strategies }] of players.entries()) {
    for (const one of product(support.map((own, q) => (q === p ? strategies.map((_, s) => s) : own)))) wanted.set(keyOf(one), one);
  }
  const profiles = [...wanted.values()];
  const keys = [...wanted.keys()];
  const payoff = players.map(() => new Moments());
  const ofStrategy = players.map(({ strategies }) => strategies.map(() => ({ payoff: new Moments(), gain: new Moments() })));
  const figures = profile === null ? null : new FigureEstimates();
  let values = new Map<string, (number | null)[]>();
  const tasks = Array.from({ length: fresh }, (_, r) => profiles.map((one) => profileTask(spec, one, "fresh", r, phaseSeed(seed, "fresh", r)))).flat();
  const whole = yield* runs.play("with fresh random numbers", tasks, 0, (outcome, index) => {
    const j = index % profiles.length;
    if (j === 0) values = new Map();
    values.set(keys[j]!, players.map(({ payoff: { path } }) => figureOf(outcome, path)));
    if (figures !== null && j === 0 && outcome.figures !== null) figures.add(outcome.figures);
    if (j === profiles.length - 1) tellApart();
  });
  const others = ofStrategy.reduce((sum, all, p) => sum + all.length - (support[p]!.length === 1 ? 1 : 0), 0);
  const standings = players.map((_, p): Standing => ({
    payoff: payoff[p]!,
    deviations: ofStrategy[p]!.map(({ payoff: own, gain }, strategy) => {
      const same = support[p]!.length === 1 && support[p]![0] === strategy;
      const room = same ? 0 : gain.count < 2 ? null : studentQuantile(1 - (1 - confidence) / (2 * Math.max(1, others)), gain.count - 1) * Math.sqrt(gain.variance / gain.count);
      return { strategy, payoff: own, gain, atLeast: room === null ? null : gain.mean - room, atMost: room === null ? null : gain.mean + room };
    }),
  }));
  return { standings: payoff.every(({ count }) => count === 0) ? null : standings, figures, interrupted: !whole };

  /** What one replication says of every player and strategy. */
  function tellApart(): void {
    for (const p of players.keys()) {
      const mixed = mean(product(support), p, null);
      if (mixed === null) continue;
      payoff[p]!.add(mixed);
      for (const [s, { payoff: own, gain }] of ofStrategy[p]!.entries()) {
        const value = mean(product(support.map((of, q) => (q === p ? [s] : of))), p, p);
        if (value === null) continue;
        own.add(value);
        gain.add(value - mixed);
      }
    }
  }

  function mean(over: readonly Profile[], p: number, except: number | null): number | null {
    let sum = 0;
    for (const one of over) {
      const value = values.get(keyOf(one))?.[p] ?? null;
      if (value === null) return null;
      sum += value * weightOf(mixture, one, except);
    }
    return sum;
  }
}

