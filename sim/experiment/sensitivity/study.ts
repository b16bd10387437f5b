import type { Figures } from "../../../protocol/result/figures.ts";
import { absentFigure } from "../../../protocol/result/figures.ts";
import type { SensitivityOfMetric, SensitivityReport } from "../../../protocol/result/sensitivity.ts";
import { RandomStreams } from "../../kernel/random.ts";
import type { Factor, SensitivityMethod, SensitivitySpec } from "../../scenario/sections/sensitivity.ts";
import { valueAt } from "../../scenario/range.ts";
import type { Experiment, RunTask } from "../plan.ts";
import { Tally } from "../replications/figure-estimates.ts";
import { replicationSeed } from "../seeds.ts";
import { analyse, designOf } from "./analyse.ts";
import type { Design } from "./design.ts";
import { Observations } from "./observations.ts";
import { findingsOf, headlineOf } from "./sentences.ts";

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
  const observations = new Observations(metrics.map(({ path }) => path), points, replications, design.kind === "ends");
  const tally = new Tally();

  const { interrupted } = yield {
    purpose: purposes[method.kind], count: points * replications, later: 0,
    tasks: tasksOf(design.kind === "ends" ? endsOf(factors) : placesOf(design.design, factors), replications, seed),
    take(outcome) {
      tally.add(outcome);
      observations.add(outcome.figures === null ? null : withAbsent(outcome.figures, metrics));
    },
  };
  const runs = tally.tally;
  if (runs.failed === runs.played) return null;

  const looked = metrics.map((metric, i): SensitivityOfMetric => {
    const options = { resamples, confidence, random: streams.stream("sensitivity", "bootstrap", "blocks") };
    const found = { metric: { ...metric }, ...analyse(spec, design, observations, i, options) };
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

/** Replications of each place, made as they are asked for; they follow each other, so that whoever plays them loads each market once. */
function* tasksOf(places: Iterable<Place>, replications: number, seed: number): Generator<RunTask> {
  const seeds = Array.from({ length: replications }, (_, replication) => replicationSeed(seed, replication));
  for (const { name, sets } of places) {
    for (const [replication, of] of seeds.entries()) yield { name: `${name} replication=${replication}`, sets, seed: of };
  }
}

/** What is counted by reason is 0 where the reason did not occur. */
function withAbsent(figures: Figures, metrics: SensitivitySpec["metrics"]): Figures {
  return Object.fromEntries(metrics.map(({ path }) => [path, figures[path] ?? absentFigure(path)]));
}
