import { z } from "zod";
import type { ClassNames, Metric } from "../../../protocol/result/metrics.ts";
import { findMetric } from "../../../protocol/result/metrics.ts";
import { nearest } from "../../../input/nearest.ts";
import { quoted } from "../../../input/problem.ts";
import type { Finding } from "../../../input/problem.ts";
import { share } from "../../../input/quantities.ts";
import type { FieldLookup } from "../range.ts";
import { alternatives } from "../../../input/units.ts";
import type { Change, Variation } from "../variation.ts";
import { gridValues, isRange, resolveAxis } from "./grid.ts";
import type { GridAxis } from "./grid.ts";
import { metricNamed } from "./goal.ts";
import { confidenceOf } from "./search.ts";

const className = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/).meta({ title: "the name of an operator class or client class" });
const path = z.string().min(1).max(256);

/** How players move. */
export const moves = ["in turn", "together"] as const;
export const starts = ["lowest", "middle", "highest"] as const;

/** The key at the top of a scenario that says who may do what, and what they want. */
export const equilibriumShape = {
  equilibrium: z.strictObject({
    goal: z.string().min(1).max(256).optional().describe("What each player wants as much as possible of: a metric that its class has, such as `surplus.operators` (the default), `profit`, `revenue`, or `surplus.clients`."),
    players: z.record(className, z.record(path, gridValues)).describe("Classes that choose, each with the paths it decides and their values: a list, or `{from, to, steps}`. Several paths: every combination."),
    moves: z.enum(moves).optional().describe("in turn: each player answers what the others do by then (default). together: all at once, each a part of the way."),
    damping: share.optional().describe("For moves made together: the part of the way to the best answer that a player goes in a round (default: 50 %)."),
    start: z.enum(starts).optional().describe("Where on its grid each player begins (default: middle)."),
    rounds: z.int().min(1).max(10_000).optional().describe("Rounds of answers, at most (default: 30)."),
    replications: z.int().min(1).max(10_000).optional().describe("Runs of each profile of strategies, with the same random numbers in all profiles (default: 5)."),
    fresh: z.int().min(2).max(10_000).optional().describe("Runs with fresh random numbers of the profile found and of each deviation from it (default: 20)."),
    confidence: share.optional().describe("Of what is said about the greatest gain of any deviation (default: 95 %)."),
    budget: z.int().min(10).max(10_000_000).optional().describe("Runs for finding the profile, at most, those with fresh random numbers not counted (default: 20000)."),
  }).optional().describe("A game that operators play: best answers to each other over grids of strategies. `infernet equilibrium` looks for the profile that nobody gains by leaving."),
};

/** Who decides something. */
export interface Player {
  readonly name: string;
  /** What it wants as much as possible of. */
  readonly payoff: Metric;
  /** What it decides. */
  readonly axes: readonly GridAxis[];
  /** Every combination of its values, the last path fastest. */
  readonly strategies: readonly Variation[];
}

/** A game, ready to be played. */
export interface EquilibriumSpec {
  readonly goal: string;
  readonly players: readonly Player[];
  readonly moves: (typeof moves)[number];
  /** Above 0, at most 1. */
  readonly damping: number;
  readonly start: (typeof starts)[number];
  readonly rounds: number;
  readonly replications: number;
  readonly fresh: number;
  readonly confidence: number;
  readonly budget: number;
}

/** Strategies of one player, at most. */
export const maxStrategies = 200;
/** Players, at most. */
export const maxPlayers = 20;

type Input = z.output<z.ZodObject<typeof equilibriumShape>>["equilibrium"];

/** @returns null where the scenario has none, or after a finding. */
export function resolveEquilibrium(input: Input, classes: ClassNames, report: (finding: Finding) => void, fieldOf: FieldLookup): EquilibriumSpec | null {
  if (input === undefined) return null;
  let sound = true;
  const finding = (one: Finding): void => {
    sound = false;
    report(one);
  };
  const goal = input.goal ?? "surplus.operators";
  const entries = Object.entries(input.players);
  if (entries.length === 0 || entries.length > maxPlayers) finding({ path: ["equilibrium", "players"], found: entries.length === 0 ? "nobody" : `${entries.length} players`, allowed: `1 to ${maxPlayers} players`, atKey: true });
  const names = [...classes.operators, ...classes.clients];
  const owner = new Map<string, string>();
  const players = entries.flatMap(([name, paths]): Player[] => {
    const at = ["equilibrium", "players", name];
    if (!names.includes(name)) {
      const guess = nearest(name, names);
      finding({ path: at, found: quoted(name), allowed: `the name of a class: ${alternatives(names)}`, atKey: true, ...(guess === undefined ? {} : { suggestion: quoted(guess) }) });
      return [];
    }
    const payoff = findMetric(`${goal}@${name}`, classes);
    if (payoff === null) {
      if (metricNamed(goal, ["equilibrium", "goal"], classes, finding) !== null) finding({ path: ["equilibrium", "goal"], found: quoted(goal), allowed: `a metric that ${name} has as a class, such as surplus.operators, profit or revenue for operators` });
      return [];
    }
    for (const path of Object.keys(paths)) {
      const other = owner.get(path);
      if (other !== undefined) finding({ path: [...at, path], found: `${path}, which ${other} decides`, allowed: "a path that no other player decides", atKey: true });
      owner.set(path, name);
    }
    const axes = Object.entries(paths).flatMap(([path, values]): GridAxis[] => {
      const axis = resolveAxis(path, values, [...at, path], finding, fieldOf);
      return axis === null || isRange(axis) ? [] : [axis];
    });
    const strategies = combinations(axes.map(({ values }) => values));
    if (axes.length > 0 && (strategies.length < 2 || strategies.length > maxStrategies)) finding({ path: at, found: `${strategies.length} ${strategies.length === 1 ? "strategy" : "strategies"}`, allowed: `2 to ${maxStrategies}`, atKey: true });
    if (Object.keys(paths).length === 0) finding({ path: at, found: "nothing to decide", allowed: "one path at least, with its values", atKey: true });
    return [{ name, payoff, axes, strategies }];
  });
  const damping = confidenceOf(input.damping ?? 0.5);
  if (!(damping > 0)) finding({ path: ["equilibrium", "damping"], found: String(input.damping), allowed: "above 0" });
  const confidence = confidenceOf(input.confidence ?? 0.95);
  if (!(confidence > 0.5 && confidence < 1)) finding({ path: ["equilibrium", "confidence"], found: String(input.confidence), allowed: "above 50 % and below 100 %" });
  if (!sound) return null;
  return {
    goal, players, moves: input.moves ?? "in turn", damping, start: input.start ?? "middle", rounds: input.rounds ?? 30, replications: input.replications ?? 5,
    fresh: input.fresh ?? 20, confidence, budget: input.budget ?? 20_000,
  };
}

/** Every way to take one of each, the last list fastest. */
export function combinations(lists: readonly (readonly Change[])[]): Variation[] {
  let all: Change[][] = [[]];
  for (const list of lists) all = all.flatMap((before) => list.map((one) => [...before, one]));
  return all;
}
