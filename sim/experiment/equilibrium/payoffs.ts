import type { EquilibriumSpec } from "../../scenario/sections/equilibrium.ts";
import type { Variation } from "../../scenario/variation.ts";
import { setsOf } from "../../scenario/variation.ts";
import type { BatchEnd, RunBatch, RunTask } from "../plan.ts";
import { figureOf, phaseSeed, valueText } from "../search/runs.ts";
import type { RunsPlayed } from "../search/runs.ts";

/** What each player does: the index of its strategy. */
export type Profile = readonly number[];

/** A profile as a key, and as runs are named. */
export function keyOf(profile: Profile): string {
  return profile.join(",");
}

/** A strategy for people: its values. */
export function strategyText(strategy: Variation): string {
  return strategy.map(valueText).join(", ");
}

/** A run of a profile. */
export function profileTask(spec: EquilibriumSpec, profile: Profile, phase: string, replication: number, seed: number): RunTask {
  const variation = spec.players.flatMap(({ strategies }, p) => strategies[profile[p]!]!);
  const name = spec.players.map(({ name: player, strategies }, p) => `${player}: ${strategyText(strategies[profile[p]!]!)}`).join("; ");
  return { name: `${phase === "" ? "search" : phase} ${name} replication=${replication}`, sets: setsOf(variation), seed };
}

/** Why more payoffs cannot be had. */
export type Halt = "interrupted" | "budget";

/**
 * What each player gets in each profile that was asked for: the mean over runs whose random numbers are the same in all
 * profiles. So the game that is looked at is one game, the sample's, and who moves in it moves for a reason.
 */
export class Payoffs {
  readonly #spec: EquilibriumSpec;
  readonly #seed: number;
  readonly #runs: RunsPlayed;
  /** By profile: a mean per player; null where a run failed or had no such figure. */
  readonly #means = new Map<string, readonly (number | null)[]>();
  /** Runs that are wanted after the search, for whoever waits. */
  readonly #later: number;

  constructor(spec: EquilibriumSpec, seed: number, runs: RunsPlayed, later: number) {
    this.#spec = spec;
    this.#seed = seed;
    this.#runs = runs;
    this.#later = later;
  }

  /** Profiles that were played. */
  get size(): number {
    return this.#means.size;
  }

  /** What a player gets in a profile that was asked for; null where it cannot be said. */
  of(profile: Profile, player: number): number | null {
    return this.#means.get(keyOf(profile))![player]!;
  }

  /** Has profiles played that were not yet. @returns why not all of them are known now; null where they are */
  *ask(purpose: string, profiles: readonly Profile[]): Generator<RunBatch, Halt | null, BatchEnd> {
    const { replications, players, budget } = this.#spec;
    const fresh = new Map(profiles.filter((profile) => !this.#means.has(keyOf(profile))).map((profile) => [keyOf(profile), profile]));
    if (fresh.size === 0) return null;
    const count = fresh.size * replications;
    if (this.#runs.played + count > budget) return "budget";
    const wanted = [...fresh.values()].flatMap((profile) => Array.from({ length: replications }, (_, r) => profileTask(this.#spec, profile, "", r, phaseSeed(this.#seed, "", r))));
    let sums: (number | null)[] = [];
    const whole = yield* this.#runs.play(purpose, wanted, this.#later, (outcome, index) => {
      if (index % replications === 0) sums = players.map(() => 0);
      for (const [p, { payoff }] of players.entries()) {
        const value = figureOf(outcome, payoff.path);
        sums[p] = value === null || sums[p] === null || sums[p] === undefined ? null : sums[p] + value / replications;
      }
      if (index % replications === replications - 1) this.#means.set([...fresh.keys()][Math.floor(index / replications)]!, sums);
    });
    return whole ? null : "interrupted";
  }
}
