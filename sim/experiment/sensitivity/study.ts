import type { Figures } from "../../../protocol/result/figures.ts";
import { absentFigure } from "../../../protocol/result/figures.ts";
import type { SensitivityOfMetric, SensitivityReport } from "../../../protocol/result/sensitivity.ts";
import { RandomStreams } from "../../kernel/random.ts";
import type { Factor, SensitivityMethod, SensitivitySpec } from "../../scenario/sections/sensitivity.ts";
import { valueAt } from "../../scenario/range.ts";
import type { Experiment, RunTask } from "../plan.ts";
import { Tally } from "../replications/figure-estimates.ts";
import { replicationSeed } from "../seeds.ts";
import { Analyses, type Analysis, designOf, type StudyDesign, tornadoOf } from "./analyse.ts";
import type { Design } from "./design.ts";
import { Observations } from "./observations.ts";
import { findingsOf, headlineOf } from "./sentences.ts";
import type { BootstrapOptions } from "./sobol-indices.ts";
import { TORNADO_ROUND, TornadoSums } from "./tornado.ts";

/** Times that blocks are drawn anew for an interval. */
export const RESAMPLES = 1_000;
/** Which estimators the Sobol' indices come from. */
const ESTIMATORS = "First order: Saltelli et al. 2010, f(B) (f(AB) - f(A)). Total: Jansen 1999, (f(A) - f(AB))^2 / 2. Pairs: Saltelli 2002.";

/** What a study found: its report, but for where it comes from. */
export type SensitivityResults = Omit<SensitivityReport, "schema" | "schemaVersion" | "provenance">;

export interface StudyEnd {
  readonly results: SensitivityResults;
  readonly interrupted: boolean;
}

/** One setting of the market that is looked at. */
interface Place {
  readonly name: string;
  readonly sets: readonly string[];
}

/**
 * Plays the market over the ranges of the factors and says which of them matter. Each point is played with the same random
 * numbers as all others. A block of points is used as a whole or not at all: what fails biases nothing silently.
 * @param seed of the experiment; runs' seeds, the design and the resamples follow from it
 * @returns null where not one run was played without an error
 */
export function* sensitivityStudy(spec: SensitivitySpec, seed: number, resamples = RESAMPLES): Experiment<StudyEnd | null> {
  const { method, metrics, factors, replications, confidence } = spec;
  const streams = new RandomStreams(seed);
  const design = designOf(method, factors.length, streams);
  const points = design.kind === "ends" ? 2 * factors.length + 1 : design.design.blocks * design.design.points;
  const tally = new Tally();
  const { take, analysis } = design.kind === "ends" ? tornado(spec) : blocks(spec, design, { resamples, random: streams.stream("sensitivity", "bootstrap", "blocks") });

  const { interrupted } = yield {
    purpose: purposes[method.kind], count: points * replications, later: 0,
    tasks: design.kind === "ends" ? roundsOf([...endsOf(factors)], replications, seed) : tasksOf(placesOf(design.design, factors), 0, replications, seed),
    take(outcome) {
      tally.add(outcome);
      take(outcome.figures === null ? null : withAbsent(outcome.figures, metrics));
    },
  };
  const runs = tally.tally;
  if (runs.failed === runs.played) return null;

  const looked = metrics.map((metric, i): SensitivityOfMetric => {
    const found = { metric: { ...metric }, ...analysis(i) };
    return { ...found, headline: headlineOf(found), findings: findingsOf(found, factors, replications) };
  });
  const results: SensitivityResults = {
    runs,
    method: method.kind === "sobol" ? { ...method, estimators: ESTIMATORS } : method.kind === "morris" ? { ...method, levels: method.design === "radial" ? null : method.levels } : method,
    points, replications, confidence, resamples: design.kind === "ends" ? 0 : resamples,
    factors: factors.map(({ name, moves }) => ({ name, moves: moves.map(({ path, range }) => ({ path, from: valueAt(range, 0).text, to: valueAt(range, 1).text, scale: range.scale })) })),
    // A figure that is undefined in every run, such as a profit where no costs are stated, is nothing to look at.
    metrics: looked.filter(({ mean }) => spec.metricsAsked || mean !== null),
  };
  return { results, interrupted };
}

const purposes: Readonly<Record<SensitivityMethod["kind"], string>> = { morris: "screening", sobol: "variance shares", tornado: "one at a time" };

function* placesOf(design: Design, factors: readonly Factor[]): Generator<Place> {
  let block = 0;
  for (const points of design) {
    for (const [i, point] of points.entries()) yield { name: `block=${block} point=${i}`, sets: factors.flatMap((factor, f) => setsAt(factor, point[f]!)) };
    block++;
  }
}

/** The scenario as it stands, then each factor's low and high end. */
function* endsOf(factors: readonly Factor[]): Generator<Place> {
  yield { name: "as it stands", sets: [] };
  for (const factor of factors) {
    yield { name: `${factor.name}=low`, sets: setsAt(factor, 0) };
    yield { name: `${factor.name}=high`, sets: setsAt(factor, 1) };
  }
}

/** The changes that bring a factor to a share of its range; what a range writes needs no quotes. */
function setsAt({ moves }: Factor, share: number): string[] {
  return moves.map(({ path, range }) => `${path}=${valueAt(range, share).text}`);
}

/** Takes the runs of a study in order, and says what they come to for each of its metrics. */
interface Looking {
  readonly take: (figures: Figures | null) => void;
  readonly analysis: (metric: number) => Analysis;
}

function blocks(spec: SensitivitySpec, design: Exclude<StudyDesign, { kind: "ends" }>, options: Pick<BootstrapOptions, "resamples" | "random">): Looking {
  const analyses = new Analyses(spec, design, options);
  const observations = new Observations(spec.metrics.map(({ path }) => path), design.design.points, spec.replications, (values) => analyses.add(values));
  return { take: (figures) => observations.add(figures), analysis: (metric) => analyses.of(metric, observations.chanceVariance(metric)) };
}

function tornado({ metrics, factors, replications, confidence }: SensitivitySpec): Looking {
  const sums = metrics.map(() => new TornadoSums(factors, replications));
  const places = 2 * factors.length + 1;
  let taken = 0;
  return {
    take(figures) {
      const round = Math.floor(taken / (places * TORNADO_ROUND));
      const inRound = taken++ - round * places * TORNADO_ROUND;
      const length = Math.min(TORNADO_ROUND, replications - round * TORNADO_ROUND);
      metrics.forEach(({ path }, metric) => sums[metric]!.add(Math.floor(inRound / length), inRound % length, figures?.[path] ?? NaN));
    },
    analysis: (metric) => tornadoOf(sums[metric]!, confidence),
  };
}

/** Round after round of all places, so that the replications of a round can be paired. */
function* roundsOf(places: readonly Place[], replications: number, seed: number): Generator<RunTask> {
  for (let first = 0; first < replications; first += TORNADO_ROUND) yield* tasksOf(places, first, Math.min(replications, first + TORNADO_ROUND), seed);
}

/** Replications of each place, made as they are asked for; they follow each other, so that whoever plays them loads each market once. */
function* tasksOf(places: Iterable<Place>, first: number, end: number, seed: number): Generator<RunTask> {
  for (const { name, sets } of places) {
    for (let replication = first; replication < end; replication++) yield { name: `${name} replication=${replication}`, sets, seed: replicationSeed(seed, replication) };
  }
}

/** What is counted by reason is 0 where the reason did not occur. */
function withAbsent(figures: Figures, metrics: SensitivitySpec["metrics"]): Figures {
  return Object.fromEntries(metrics.map(({ path }) => [path, figures[path] ?? absentFigure(path)]));
}
