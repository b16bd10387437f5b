import type { EquilibriumSpec, Player } from "../../scenario/sections/equilibrium.ts";
import type { BatchEnd, RunBatch } from "../plan.ts";
import type { Halt, Payoffs, Profile } from "./payoffs.ts";
import { keyOf } from "./payoffs.ts";

/** A profile on the way, and who moved to get there. */
export interface Step {
  readonly round: number;
  /** Index of the player that moved; null at the start, and where all moved at once. */
  readonly mover: number | null;
  readonly profile: Profile;
  /** What the mover expected to gain by its move. */
  readonly gain: number | null;
}

/** A player's best strategy against what the others do. */
export interface Answer {
  readonly player: number;
  /** What all did by then. */
  readonly to: Profile;
  readonly strategy: number;
}

export interface Walk {
  readonly steps: readonly Step[];
  /** Best answers that were looked for, in order. */
  readonly answers: readonly Answer[];
  /** settled: nobody moves any more. cycle: a profile came back. */
  readonly end: "settled" | "cycle" | "rounds" | Halt;
  /** Profiles of the cycle. */
  readonly cycle: readonly Profile[];
}

/** Where the walk begins. */
export function startOf({ players, start }: EquilibriumSpec): Profile {
  return players.map(({ axes }) => indexOf(axes.map(({ values: { length } }) => start === "lowest" ? 0 : start === "highest" ? length - 1 : (length - 1) >> 1), axes.map(({ values }) => values.length)));
}

/** The profile with one player's strategy exchanged. */
export function withStrategy(profile: Profile, player: number, strategy: number): number[] {
  return profile.map((own, p) => (p === player ? strategy : own));
}

/** Every strategy of a player, the others as they are. */
export function repliesOf({ players }: EquilibriumSpec, profile: Profile, player: number): Profile[] {
  return players[player]!.strategies.map((_, strategy) => withStrategy(profile, player, strategy));
}

/** A player's best strategy against what the others do: its own where none is better. */
function bestReply(spec: EquilibriumSpec, payoffs: Payoffs, profile: Profile, player: number): { readonly strategy: number; readonly gain: number | null } {
  const own = payoffs.of(profile, player);
  let strategy = profile[player]!;
  let most = own;
  for (const reply of repliesOf(spec, profile, player)) {
    const value = payoffs.of(reply, player);
    if (value !== null && (most === null || value > most)) {
      most = value;
      strategy = reply[player]!;
    }
  }
  return { strategy, gain: most === null || own === null ? null : most - own };
}

/**
 * Lets players answer each other until nobody wants to move, a profile comes back, or rounds or runs are at their end.
 * In turn, each takes its best answer to what the others do by then; together, all go a part of the way at once.
 */
export function* walk(spec: EquilibriumSpec, payoffs: Payoffs): Generator<RunBatch, Walk, BatchEnd> {
  const { players, moves, rounds, damping } = spec;
  let profile = startOf(spec);
  const steps: Step[] = [{ round: 0, mover: null, profile, gain: null }];
  // Profiles as they were after each round.
  const seen = new Map([[keyOf(profile), 0]]);
  const answers: Answer[] = [];
  const ending = (end: Walk["end"], cycle: readonly Profile[] = []): Walk => ({ steps, answers, end, cycle });
  const answer = (to: Profile, player: number): ReturnType<typeof bestReply> => {
    const found = bestReply(spec, payoffs, to, player);
    answers.push({ player, to, strategy: found.strategy });
    return found;
  };
  for (let round = 1; round <= rounds; round++) {
    const before = profile;
    if (moves === "in turn") {
      for (const p of players.keys()) {
        const halt = yield* payoffs.ask(`round ${round}`, repliesOf(spec, profile, p));
        if (halt !== null) return ending(halt);
        const { strategy, gain } = answer(profile, p);
        if (strategy === profile[p]) continue;
        profile = withStrategy(profile, p, strategy);
        steps.push({ round, mover: p, profile, gain });
      }
    } else {
      const halt = yield* payoffs.ask(`round ${round}`, [...players.keys()].flatMap((p) => repliesOf(spec, profile, p)));
      if (halt !== null) return ending(halt);
      profile = profile.map((own, p) => toward(players[p]!, own, answer(before, p).strategy, damping));
      if (keyOf(profile) !== keyOf(before)) steps.push({ round, mover: null, profile, gain: null });
    }
    if (keyOf(profile) === keyOf(before)) return ending("settled");
    const first = seen.get(keyOf(profile));
    if (first !== undefined) return ending("cycle", steps.filter((step) => step.round > first).map((step) => step.profile));
    seen.set(keyOf(profile), round);
  }
  return ending("rounds");
}

/** A part of the way from one strategy to another on the grid, one place of each path at least. */
function toward({ axes }: Player, from: number, to: number, damping: number): number {
  const sizes = axes.map(({ values }) => values.length);
  const ends = placesOf(to, sizes);
  return indexOf(placesOf(from, sizes).map((place, axis) => {
    const way = ends[axis]! - place;
    return place + Math.sign(way) * Math.ceil(Math.abs(way) * damping - 1e-9);
  }), sizes);
}

/** Places on each path of the strategy with this index; the last path goes fastest. */
function placesOf(index: number, sizes: readonly number[]): number[] {
  const places: number[] = [];
  let rest = index;
  for (const size of sizes.toReversed()) {
    places.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return places;
}

function indexOf(places: readonly number[], sizes: readonly number[]): number {
  return places.reduce((index, place, axis) => index * sizes[axis]! + place, 0);
}
