import { Moments } from "../../kernel/statistics/index.ts";
import type { Constraint } from "../../scenario/sections/search.ts";
import type { Variation } from "../../scenario/variation.ts";
import type { BatchEnd, RunBatch, RunOutcome } from "../plan.ts";
import { KimNelson } from "./kim-nelson.ts";
import { figureOf, phaseSeed, wantedRun } from "./runs.ts";
import type { RunsPlayed } from "./runs.ts";

/** One of several markets among which is chosen, and what is known of it by now. */
export interface Contender {
  readonly name: string;
  readonly variation: Variation;
  /** Of the goal, over the runs of the search. */
  readonly values: Moments;
  /** Of the constraints' metrics, over the same runs. */
  readonly constraints: readonly Moments[];
  eliminated: { readonly after: number; readonly by: number } | null;
  /** Why it can not be chosen. */
  setAside: string | null;
}

export function contender(name: string, variation: Variation, constraints: number): Contender {
  return { name, variation, values: new Moments(), constraints: Array.from({ length: constraints }, () => new Moments()), eliminated: null, setAside: null };
}

/** What is wanted of the contenders. */
export interface RaceGoal {
  readonly path: string;
  readonly label: string;
  readonly direction: "maximise" | "minimise";
  readonly constraints: readonly Constraint[];
}

export interface RaceOptions {
  readonly seed: number;
  /** Names the phase, for seeds; "" for the first. */
  readonly phase: string;
  readonly alpha: number;
  readonly indifference: number;
  readonly first: number;
  /** Runs of this race, at most. */
  readonly budget: number;
  /** Runs that will be wanted after the race. */
  readonly later: number;
}

export interface RaceMoment {
  readonly runs: number;
  readonly means: readonly (number | null)[];
}

export interface RaceEnd {
  /** Index of the contender that is ahead at the end; null where none can be chosen. */
  readonly best: number | null;
  readonly outcome: "decided" | "budget" | "interrupted";
  readonly moments: readonly RaceMoment[];
}

/** Runs asked for at once, so that as many workers have something to do; a fixed number, so that results do not depend on them. */
const TOGETHER = 16;

/** The larger, the better, whatever the goal. */
export function oriented(value: number, direction: RaceGoal["direction"]): number {
  return direction === "maximise" ? value : -value;
}

/** Takes note of what an outcome says of a contender. @returns the goal's value, oriented; null where there is none */
export function note(one: Contender, outcome: RunOutcome, goal: RaceGoal): number | null {
  const value = figureOf(outcome, goal.path);
  if (value === null) {
    one.setAside ??= outcome.error ?? `a run has no figure for ${goal.label}`;
    return null;
  }
  const held = goal.constraints.map(({ metric }) => figureOf(outcome, metric.path));
  const missing = held.indexOf(null);
  if (missing >= 0) {
    one.setAside ??= `a run has no figure for ${goal.constraints[missing]!.metric.label}`;
    return null;
  }
  for (const [i, of] of held.entries()) one.constraints[i]!.add(of!);
  one.values.add(value);
  return oriented(value, goal.direction);
}

/** Sets aside what does not keep a constraint, on average over its runs so far. */
export function applyConstraints(contenders: readonly Contender[], goal: RaceGoal, format: (value: number, constraint: Constraint) => string): void {
  for (const one of contenders) {
    for (const [i, constraint] of goal.constraints.entries()) {
      const { mean } = one.constraints[i]!;
      const kept = constraint.sense === "at least" ? mean >= constraint.bound : mean <= constraint.bound;
      if (one.setAside === null && !kept) one.setAside = `${constraint.metric.label} is ${format(mean, constraint)}, not ${constraint.sense} ${format(constraint.bound, constraint)}`;
    }
  }
}

/** Kim and Nelson's selection among contenders, all with the same random numbers. */
export function* race(contenders: readonly Contender[], goal: RaceGoal, runs: RunsPlayed, options: RaceOptions, format: (value: number, constraint: Constraint) => string): Generator<RunBatch, RaceEnd, BatchEnd> {
  const { seed, phase, alpha, indifference, first, budget, later } = options;
  const start = runs.played;
  const seen: number[][] = Array.from({ length: first }, () => contenders.map(() => 0));
  const moments: RaceMoment[] = [];
  const wanted = (i: number, replication: number) => wantedRun(phase, contenders[i]!.name, contenders[i]!.variation, replication, phaseSeed(seed, phase, replication));
  const all = contenders.map((_, i) => i);

  const opening = seen.flatMap((_, r) => all.map((i) => wanted(i, r)));
  const whole = yield* runs.play("first runs of each", opening, later, (outcome, index) => {
    const i = index % contenders.length;
    const value = note(contenders[i]!, outcome, goal);
    if (value !== null) seen[Math.floor(index / contenders.length)]![i] = value;
  });
  const ahead = (): number | null => all
    .filter((i) => contenders[i]!.setAside === null && contenders[i]!.eliminated === null && contenders[i]!.values.count > 0)
    .reduce<number | null>((best, i) => best === null || oriented(contenders[i]!.values.mean, goal.direction) > oriented(contenders[best]!.values.mean, goal.direction) ? i : best, null);
  const remember = (count: number): void => {
    moments.push({ runs: count, means: contenders.map(({ values, setAside, eliminated }) => (setAside === null && eliminated === null && values.count > 0 ? values.mean : null)) });
  };
  if (!whole) return { best: ahead(), outcome: "interrupted", moments };
  applyConstraints(contenders, goal, format);
  const fit = all.filter((i) => contenders[i]!.setAside === null);
  if (fit.length === 0) return { best: null, outcome: "decided", moments };
  const sums = contenders.map(() => 0);
  for (const [r, values] of seen.entries()) {
    for (const i of fit) sums[i]! += oriented(values[i]!, goal.direction);
    if (r > 0 && r < first - 1) moments.push({ runs: r + 1, means: sums.map((sum, i) => (fit.includes(i) ? sum / (r + 1) : null)) });
  }
  remember(first);

  const selection = new KimNelson({ systems: fit.length, alpha, indifference, first });
  const take = (values: readonly number[]): void => {
    const before = selection.eliminations.length;
    selection.take(values);
    for (const { system, at, by } of selection.eliminations.slice(before)) contenders[fit[system]!]!.eliminated = { after: at, by: fit[by]! };
  };
  for (const values of seen) take(fit.map((i) => values[i]!));
  let observed = first;
  let nextMoment = Math.ceil(first * 1.25);
  while (!selection.done) {
    const together = Math.max(1, Math.floor(TOGETHER / selection.survivors.length));
    const survivors = [...selection.survivors];
    const block = Array.from({ length: together }, (_, r) => survivors.map((system) => wanted(fit[system]!, observed + r))).flat();
    if (runs.played - start + block.length > budget) return { best: fit[selection.best]!, outcome: "budget", moments };
    const values: (number | null)[] = [];
    // What is already out by then was played for nothing: its figures are left alone, so that means are those that decided.
    const outcomes: RunOutcome[] = [];
    const go = yield* runs.play(`${survivors.length} still in the race`, block, later + Math.min(budget, selection.most * survivors.length), (outcome) => void outcomes.push(outcome));
    if (!go) return { best: fit[selection.best]!, outcome: "interrupted", moments };
    for (let r = 0; r < together && !selection.done; r++) {
      values.length = 0;
      for (const [j, system] of survivors.entries()) {
        const i = fit[system]!;
        const running = contenders[i]!.eliminated === null && contenders[i]!.setAside === null;
        values[system] = running ? note(contenders[i]!, outcomes[r * survivors.length + j]!, goal) : null;
        if (running && values[system] === null) selection.drop(system);
      }
      take(fit.map((_, system) => values[system] ?? 0));
      observed++;
      if (observed >= nextMoment || selection.done) {
        remember(observed);
        nextMoment = Math.ceil(observed * 1.25);
      }
    }
  }
  return { best: selection.survivors.length === 0 ? ahead() : fit[selection.best]!, outcome: "decided", moments };
}
