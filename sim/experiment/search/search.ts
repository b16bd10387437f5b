import { Moments, studentQuantile } from "../../kernel/statistics/index.ts";
import { formatFigure } from "../../../protocol/result/metrics.ts";
import type { RunTally } from "../../../protocol/result/experiment.ts";
import { isRange } from "../../scenario/sections/grid.ts";
import type { GridAxis } from "../../scenario/sections/grid.ts";
import { combinations } from "../../scenario/sections/equilibrium.ts";
import type { Constraint, SearchSpec } from "../../scenario/sections/search.ts";
import type { BatchEnd, Experiment, RunBatch } from "../plan.ts";
import { explore, finalists } from "./explore.ts";
import type { TriedPoint } from "./explore.ts";
import { approximateCorrectSelection, ocbaNext } from "./ocba.ts";
import type { Observed } from "./ocba.ts";
import { applyConstraints, contender, note, oriented, race } from "./race.ts";
import type { Contender, RaceEnd, RaceGoal, RaceMoment } from "./race.ts";
import { figureOf, phaseSeed, RunsPlayed, valueText, wantedRun } from "./runs.ts";

/** What is known of an alternative from runs that had no part in the choice. */
export interface FreshLook {
  readonly values: Moments;
  readonly constraints: readonly Moments[];
  /** By how much it is better than the chosen one, run by run, oriented so that better is positive. */
  readonly lead: Moments;
  /** Upper bound of the mean lead, at once for all that were played again; null for the chosen one, and where nothing can be said. */
  readonly atMost: number | null;
}

/** What a search found. */
export interface SearchOutcome {
  readonly spec: SearchSpec;
  readonly indifference: number;
  readonly contenders: readonly Contender[];
  /** Index; null where none could be chosen. */
  readonly chosen: number | null;
  readonly outcome: RaceEnd["outcome"];
  /** Of OCBA alone. */
  readonly approximateProbability: number | null;
  readonly moments: readonly RaceMoment[];
  /** By contender; null where it was not played again. */
  readonly fresh: readonly (FreshLook | null)[];
  /** Of ranges. */
  readonly points: readonly TriedPoint[] | null;
  readonly interrupted: boolean;
  readonly tally: RunTally;
}

export interface SearchOptions {
  /** The experiment's. */
  readonly seed: number;
}

/** Alternatives that are played again with fresh random numbers, at most: the chosen one, and those that looked best. */
const PLAYED_AGAIN = 30;
/** Share of the budget for looking around; the rest is for comparing the best. */
const LOOKING = 0.7;

/**
 * Plans a search: which runs it needs, and what they come to. Null where nothing was played.
 * - kn: Kim and Nelson's selection, all alternatives with the same random numbers.
 * - ocba: runs dealt out by OCBA until the budget is spent, each alternative with random numbers of its own, as OCBA assumes.
 * - direct: DIRECT over the ranges, and Kim and Nelson's selection among the best points.
 *
 * After the choice, it is played again with fresh random numbers, and so are the alternatives: what the chosen one is worth,
 * and by how much others might be better, rests on these runs alone. A value that was chosen for looking best does so partly
 * by luck; fresh runs know nothing of that luck.
 */
export function* search(spec: SearchSpec, { seed }: SearchOptions): Experiment<SearchOutcome | null> {
  const runs = new RunsPlayed();
  const goal: RaceGoal = { path: spec.metric.path, label: spec.metric.label, direction: spec.direction, constraints: spec.constraints };
  const alpha = 1 - spec.confidence;
  const ranges = spec.axes.filter(isRange);
  let contenders = ranges.length > 0 ? [] : combinations((spec.axes as readonly GridAxis[]).map(({ values }) => values)).map((variation) => contender(variation.map(valueText).join(", "), variation, spec.constraints.length));
  let points: readonly TriedPoint[] | null = null;
  let indifference = "amount" in spec.indifference ? spec.indifference.amount : 0;
  const cut = (found: Partial<SearchOutcome>): SearchOutcome | null => runs.played === 0 ? null : {
    spec, indifference, contenders, chosen: null, outcome: "interrupted", approximateProbability: null, moments: [], fresh: contenders.map(() => null), points, interrupted: true, tally: runs.tally, ...found,
  };
  const freshRuns = (count: number): number => spec.fresh * Math.min(PLAYED_AGAIN, count);

  if (ranges.length > 0) {
    const explored = yield* explore(ranges, goal, runs, { seed, replications: spec.replications, budget: Math.floor(LOOKING * spec.budget), later: Math.ceil((1 - LOOKING) * spec.budget) + freshRuns(spec.finalists) });
    points = explored.points;
    contenders = finalists(points, ranges, goal, spec.finalists).map(({ contender: one }) => one);
    if ("share" in spec.indifference) indifference = spec.indifference.share * Math.max(0, ...points.filter(({ contender: one }) => contenders.some(({ name }) => name === one.name)).map(({ contender: { values } }) => Math.abs(values.mean)));
    if (explored.interrupted) return cut({});
  } else if ("share" in spec.indifference) {
    // What the share is of must not depend on the runs of the race, or the guarantee would be none.
    let largest = 0;
    const pilot = contenders.map(({ name, variation }) => wantedRun("pilot", name, variation, 0, phaseSeed(seed, "pilot", 0)));
    const whole = yield* runs.play("a first look", pilot, spec.first * contenders.length + freshRuns(contenders.length), (outcome) => {
      largest = Math.max(largest, Math.abs(figureOf(outcome, spec.metric.path) ?? 0));
    });
    indifference = spec.indifference.share * largest;
    if (!whole) return cut({});
  }
  // Where every value is nothing, any difference matters.
  if (!(indifference > 0)) indifference = Number.MIN_VALUE;

  let end: RaceEnd;
  let approximateProbability: number | null = null;
  if (spec.method === "ocba") {
    [end, approximateProbability] = yield* dealt(contenders, goal, runs, spec, seed);
  } else {
    const budget = points === null ? spec.budget : spec.budget - runs.played;
    end = yield* race(contenders, goal, runs, { seed, phase: points === null ? "" : "final", alpha, indifference, first: spec.first, budget, later: freshRuns(contenders.length) }, boundText);
  }
  if (end.outcome === "interrupted" || end.best === null) return cut({ chosen: end.best, outcome: end.outcome, moments: end.moments, approximateProbability, interrupted: end.outcome === "interrupted" });
  const { fresh, whole } = yield* lookAgain(contenders, end.best, goal, runs, spec, seed);
  return { spec, indifference, contenders, chosen: end.best, outcome: end.outcome, approximateProbability, moments: end.moments, fresh, points, interrupted: !whole, tally: runs.tally };
}

function boundText(value: number, { metric }: Constraint): string {
  return formatFigure(Number(value.toPrecision(4)), metric.unit);
}

/** OCBA: a fixed number of runs, dealt out in rounds. */
function* dealt(contenders: readonly Contender[], goal: RaceGoal, runs: RunsPlayed, spec: SearchSpec, seed: number): Generator<RunBatch, [RaceEnd, number | null], BatchEnd> {
  const moments: RaceMoment[] = [];
  const fit = (): Contender[] => contenders.filter(({ setAside }) => setAside === null);
  const observed = (): Observed[] => fit().map(({ values }) => (goal.direction === "maximise" ? values : negated(values)));
  let left = Math.max(spec.budget, 2 * contenders.length);
  const deal = function* (counts: ReadonlyMap<Contender, number>, purpose: string): Generator<RunBatch, boolean, BatchEnd> {
    const players = [...counts].flatMap(([one, count]) => Array.from({ length: count }, (_, i) => ({ one, replication: one.values.count + i })));
    left -= players.length;
    return yield* runs.play(purpose, players.map(({ one, replication }) => wantedRun("", one.name, one.variation, replication, phaseSeed(seed, `of ${one.name}`, replication))), left + spec.fresh * Math.min(PLAYED_AGAIN, contenders.length), (outcome, index) => void note(players[index]!.one, outcome, goal));
  };
  const status = (outcome: RaceEnd["outcome"]): [RaceEnd, number | null] => {
    const sound = fit().filter(({ values }) => values.count > 1);
    const best = sound.reduce<Contender | null>((ahead, one) => ahead === null || oriented(one.values.mean, goal.direction) > oriented(ahead.values.mean, goal.direction) ? one : ahead, null);
    return [{ best: best === null ? null : contenders.indexOf(best), outcome, moments }, sound.length > 0 && sound.length === fit().length ? approximateCorrectSelection(observed()) : null];
  };
  const remember = (): void => void moments.push({ runs: runs.played, means: contenders.map(({ values, setAside }) => (setAside === null ? values.mean : null)) });

  const first = Math.max(2, Math.min(spec.first, Math.floor(left / contenders.length)));
  if (!(yield* deal(new Map(contenders.map((one) => [one, first])), "first runs of each"))) return status("interrupted");
  applyConstraints(contenders, goal, boundText);
  if (fit().length === 0) return status("decided");
  remember();
  while (left > 0 && fit().length > 1) {
    const share = Math.min(left, Math.max(8, 2 * contenders.length));
    const sound = fit();
    const next = ocbaNext(observed(), share);
    if (!(yield* deal(new Map(sound.map((one, i) => [one, next[i]!])), "where it tells most"))) return status("interrupted");
    if (fit().length === 0) break;
    remember();
  }
  return status("decided");
}

/** Moments of the same values with their signs turned. */
function negated({ count, mean, variance, standardDeviation }: Moments): Observed {
  return { count, mean: -mean, variance, standardDeviation };
}

/** Plays the chosen one and the others once more, with random numbers of which nothing is known yet. */
function* lookAgain(contenders: readonly Contender[], chosen: number, goal: RaceGoal, runs: RunsPlayed, { fresh: replications, confidence }: SearchSpec, seed: number): Generator<RunBatch, { readonly fresh: readonly (FreshLook | null)[]; readonly whole: boolean }, BatchEnd> {
  const again = contenders
    .map((one, i) => ({ one, i }))
    .filter(({ one, i }) => i === chosen || (one.setAside === null && one.values.count > 0))
    .toSorted((a, b) => Number(b.i === chosen) - Number(a.i === chosen) || oriented(b.one.values.mean, goal.direction) - oriented(a.one.values.mean, goal.direction) || a.i - b.i)
    .slice(0, PLAYED_AGAIN);
  const looks = again.map(() => ({ values: new Moments(), constraints: goal.constraints.map(() => new Moments()), lead: new Moments() }));
  const wanted = Array.from({ length: replications }, (_, r) => again.map(({ one: { name, variation } }) => wantedRun("fresh", name, variation, r, phaseSeed(seed, "fresh", r)))).flat();
  let ofChosen: number | null = null;
  const whole = yield* runs.play("with fresh random numbers", wanted, 0, (outcome, index) => {
    const j = index % again.length;
    const value = figureOf(outcome, goal.path);
    // The chosen one comes first in each replication.
    if (j === 0) ofChosen = value;
    if (value === null) return;
    const look = looks[j]!;
    look.values.add(value);
    for (const [i, { metric }] of goal.constraints.entries()) {
      const held = figureOf(outcome, metric.path);
      if (held !== null) look.constraints[i]!.add(held);
    }
    if (ofChosen !== null) look.lead.add(oriented(value, goal.direction) - oriented(ofChosen, goal.direction));
  });
  const others = looks.slice(1).filter(({ lead }) => lead.count > 1).length;
  const fresh = contenders.map((_, i): FreshLook | null => {
    const j = again.findIndex(({ i: index }) => index === i);
    const look = looks[j];
    if (look === undefined || look.values.count === 0) return null;
    const { lead } = look;
    const t = j === 0 || lead.count < 2 ? null : studentQuantile(1 - (1 - confidence) / Math.max(1, others), lead.count - 1);
    return { ...look, atMost: t === null ? null : lead.mean + t * Math.sqrt(lead.variance / lead.count) };
  });
  return { fresh, whole };
}
