import { changeAt } from "../../scenario/sections/grid.ts";
import type { RangeAxis } from "../../scenario/sections/grid.ts";
import type { BatchEnd, RunBatch } from "../plan.ts";
import { Direct } from "./direct.ts";
import { contender, note, oriented } from "./race.ts";
import type { Contender, RaceGoal } from "./race.ts";
import { phaseSeed, valueText, wantedRun } from "./runs.ts";
import type { RunsPlayed } from "./runs.ts";

/** A point of the box that was tried. */
export interface TriedPoint {
  readonly contender: Contender;
  readonly numbers: readonly number[];
}

export interface ExploreOptions {
  readonly seed: number;
  /** Runs of each point. */
  readonly replications: number;
  /** Runs of the exploration, at most; the first point is played in any case. */
  readonly budget: number;
  readonly later: number;
}

/** Iterations in a row in which most points asked for are, after rounding, ones that were tried: as fine as values are told apart, the search is over. */
const STALE = 5;
/** Points that the optimiser may ask for, those tried before included: its own work grows with their square. */
const MOST_ASKED = 5_000;

/**
 * Looks for the best of a box of values with DIRECT. Every point is played with the same random numbers, so that what is
 * optimised is one function without noise: the mean over a sample of futures (sample average approximation: A. Shapiro, in
 * Handbooks in Operations Research 10, 2003). Its best point is off the true one by what the sample is off; so the best few
 * are compared again afterwards.
 * @returns points in the order in which they were tried; whether the exploration was cut short by an interruption
 */
export function* explore(axes: readonly RangeAxis[], goal: RaceGoal, runs: RunsPlayed, { seed, replications, budget, later }: ExploreOptions): Generator<RunBatch, { readonly points: readonly TriedPoint[]; readonly interrupted: boolean }, BatchEnd> {
  const optimiser = new Direct(axes.length);
  const tried = new Map<string, TriedPoint>();
  const start = runs.played;
  let stale = 0;
  let askedSoFar = 0;
  let worst = -Infinity;
  while (stale < STALE && askedSoFar < MOST_ASKED) {
    const asked = optimiser.ask().map((point) => {
      const changes = axes.map((axis, d) => changeAt(axis, point[d]!));
      return { key: changes.map(({ number }) => number).join(" "), changes };
    });
    askedSoFar += asked.length;
    const fresh: TriedPoint[] = [];
    for (const { key, changes } of asked) {
      if (tried.has(key)) continue;
      const variation = changes.map(({ path, value, at }) => ({ path, value, at }));
      const point = { contender: contender(changes.map(valueText).join(", "), variation, goal.constraints.length), numbers: changes.map(({ number }) => number) };
      tried.set(key, point);
      fresh.push(point);
    }
    const wanted = fresh.flatMap(({ contender: { name, variation } }) => Array.from({ length: replications }, (_, r) => wantedRun("", name, variation, r, phaseSeed(seed, "", r))));
    if (runs.played > start && runs.played - start + wanted.length > budget) {
      for (const [key, point] of tried) if (fresh.includes(point)) tried.delete(key);
      break;
    }
    stale = 2 * fresh.length < asked.length ? stale + 1 : 0;
    const rest = Math.max(0, budget - (runs.played - start) - wanted.length);
    const whole = wanted.length === 0 || (yield* runs.play("exploring", wanted, later + rest, (outcome, index) => void note(fresh[Math.floor(index / replications)]!.contender, outcome, goal)));
    if (!whole) return { points: [...tried.values()], interrupted: true };
    for (const { contender: one } of fresh) {
      violations(one, goal);
      // What cannot be chosen is as bad as the worst that can: the optimiser takes finite values only.
      if (one.setAside === null) worst = Math.max(worst, -oriented(one.values.mean, goal.direction));
    }
    optimiser.tell(asked.map(({ key }) => {
      const { contender: one } = tried.get(key)!;
      return one.setAside === null ? -oriented(one.values.mean, goal.direction) : Number.isFinite(worst) ? worst : 0;
    }));
  }
  return { points: [...tried.values()], interrupted: false };
}

function violations(one: Contender, { constraints }: RaceGoal): void {
  for (const [i, { metric, sense, bound }] of constraints.entries()) {
    const { mean } = one.constraints[i]!;
    if (!(sense === "at least" ? mean >= bound : mean <= bound)) one.setAside ??= `${metric.label} is not ${sense} what is asked`;
  }
}

/** Finalists are this far from each other, in parts of a range: neighbours tell nothing more than each other. */
const APART = 0.02;

/** The best few of what was tried, apart from each other where there are enough, with nothing noted of them yet. */
export function finalists(points: readonly TriedPoint[], axes: readonly RangeAxis[], goal: RaceGoal, count: number): TriedPoint[] {
  const ranked = points
    .filter(({ contender: one }) => one.setAside === null && one.values.count > 0)
    .map((point, order) => ({ point, order, value: oriented(point.contender.values.mean, goal.direction) }))
    .toSorted((a, b) => b.value - a.value || a.order - b.order)
    .map(({ point }) => point);
  const near = (a: TriedPoint, b: TriedPoint): boolean => axes.every(({ range: { from, to } }, d) => Math.abs(a.numbers[d]! - b.numbers[d]!) < APART * (to - from));
  const kept: TriedPoint[] = [];
  for (const point of ranked) if (kept.length < count && !kept.some((other) => near(point, other))) kept.push(point);
  for (const point of ranked) if (kept.length < count && !kept.includes(point)) kept.push(point);
  return kept.map(({ contender: { name, variation }, numbers }) => ({ contender: contender(name, variation, goal.constraints.length), numbers }));
}
