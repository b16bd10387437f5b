import type { EquilibriumSpec } from "../../scenario/sections/equilibrium.ts";
import type { BatchEnd, RunBatch } from "../plan.ts";
import type { Halt, Payoffs, Profile } from "./payoffs.ts";

/** How often each player takes each of its strategies; sums to 1. */
export type Mixture = readonly (readonly number[])[];

/** Rounds of fictitious play: pure arithmetic, so that many are cheap. */
const ROUNDS = 20_000;
/** What is played less often than this is left out: fictitious play never quite forgets how it began. */
const LEAST = 0.02;
/** Profiles of a restricted game, at most. */
const MOST_PROFILES = 2_000;

/**
 * Where best replies go round in circles: a profile that nobody gains by leaving in the game of the strategies that the circle
 * went through, or else a mixture that is nearly in equilibrium there, by fictitious play (G. W. Brown, 1951). A player's best
 * answer to it is added to that game until none is missing (double oracle: McMahan, Gordon and Blum, 2003). How near it is,
 * fresh runs say.
 * @returns null, and why, where the game is too large or runs are at their end
 */
export function* mixedPlay(spec: EquilibriumSpec, payoffs: Payoffs, through: readonly Profile[]): Generator<RunBatch, { readonly mixture: Mixture | null; readonly halt: Halt | "size" | null }, BatchEnd> {
  const { players } = spec;
  const kept = players.map((_, p) => [...new Set(through.map((profile) => profile[p]!))].toSorted((a, b) => a - b));
  for (;;) {
    const table = product(kept);
    if (table.length > MOST_PROFILES) return { mixture: null, halt: "size" };
    const halt = yield* payoffs.ask("a smaller game", table);
    if (halt !== null) return { mixture: null, halt };
    const mixture = settledIn(spec, payoffs, kept, table) ?? fictitiousPlay(spec, payoffs, kept);
    const support = mixture.map((shares) => shares.flatMap((share, s) => (share > 0 ? [s] : [])));
    const answers = players.flatMap(({ strategies }, p) => strategies.flatMap((_, s) => product(support.map((own, q) => (q === p ? [s] : own)))));
    const further = yield* payoffs.ask("answers to a mixture", answers);
    if (further !== null) return { mixture, halt: further };
    let added = false;
    for (const [p, { strategies }] of players.entries()) {
      const values = strategies.map((_, s) => expected(payoffs, mixture, p, s));
      const best = values.reduce<number>((ahead, value, s) => (value !== null && (values[ahead] === null || value > values[ahead]!) ? s : ahead), 0);
      if (kept[p]!.includes(best)) continue;
      kept[p] = [...kept[p]!, best].toSorted((a, b) => a - b);
      added = true;
    }
    if (!added) return { mixture, halt: null };
  }
}

/** The first profile of a smaller game that nobody gains by leaving within it, as a mixture; null where there is none. */
function settledIn({ players }: EquilibriumSpec, payoffs: Payoffs, kept: readonly (readonly number[])[], table: readonly Profile[]): Mixture | null {
  const still = table.find((profile) => players.every((_, p) => {
    const own = payoffs.of(profile, p);
    return own !== null && kept[p]!.every((strategy) => (payoffs.of(profile.map((other, q) => (q === p ? strategy : other)), p) ?? -Infinity) <= own);
  }));
  return still === undefined ? null : players.map(({ strategies }, p) => strategies.map((_, strategy) => (strategy === still[p] ? 1 : 0)));
}

/** What a player gets with a strategy where the others mix, independently of each other; null where it cannot be said. */
function expected(payoffs: Payoffs, mixture: Mixture, player: number, strategy: number): number | null {
  let sum = 0;
  for (const profile of product(mixture.map((shares, q) => (q === player ? [strategy] : shares.flatMap((share, s) => (share > 0 ? [s] : [])))))) {
    const value = payoffs.of(profile, player);
    if (value === null) return null;
    sum += value * weightOf(mixture, profile, player);
  }
  return sum;
}

/** Probability that all but one player play as in a profile. */
export function weightOf(mixture: Mixture, profile: Profile, except: number | null): number {
  return profile.reduce((weight, strategy, q) => (q === except ? weight : weight * mixture[q]![strategy]!), 1);
}

function fictitiousPlay({ players }: EquilibriumSpec, payoffs: Payoffs, kept: readonly (readonly number[])[]): Mixture {
  const counts = players.map(({ strategies }) => strategies.map(() => 0));
  /** What each kept strategy would have brought against what the others played so far. */
  const sums = kept.map((own) => own.map(() => 0));
  const current = kept.map((own) => own[0]!);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [p, strategy] of current.entries()) counts[p]![strategy]!++;
    for (const [p, own] of kept.entries()) {
      for (const [i, strategy] of own.entries()) {
        const value = payoffs.of(current.map((other, q) => (q === p ? strategy : other)), p);
        sums[p]![i]! += value ?? -Infinity;
      }
    }
    for (const [p, own] of kept.entries()) current[p] = own[sums[p]!.reduce((best, sum, i) => (sum > sums[p]![best]! ? i : best), 0)]!;
  }
  return counts.map((own) => {
    const left = own.map((count) => (count / ROUNDS < LEAST ? 0 : count));
    const total = left.reduce((sum, count) => sum + count, 0);
    return left.map((count) => count / total);
  });
}

/** Every way to take one of each. */
export function product(lists: readonly (readonly number[])[]): number[][] {
  let all: number[][] = [[]];
  for (const list of lists) all = all.flatMap((before) => list.map((one) => [...before, one]));
  return all;
}
