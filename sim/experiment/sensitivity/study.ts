import type { Figures } from "../../../protocol/result/figures.ts";
import { absentFigure } from "../../../protocol/result/figures.ts";
import type { ResampledFigure, SensitivityOfMetric, SensitivityReport } from "../../../protocol/result/sensitivity.ts";
import { RandomStreams } from "../../kernel/random.ts";
import { Moments } from "../../kernel/statistics/index.ts";
import type { Factor, SensitivityMethod, SensitivitySpec } from "../../scenario/sections/sensitivity.ts";
import { valueAt } from "../../scenario/range.ts";
import type { Experiment, RunTask } from "../plan.ts";
import { Tally } from "../replications/figure-estimates.ts";
import { replicationSeed } from "../seeds.ts";
import type { Resampled } from "./bootstrap.ts";
import type { Design } from "./design.ts";
import { elementaryEffects } from "./elementary-effects.ts";
import type { MorrisDesign } from "./morris-design.ts";
import { radial, trajectories } from "./morris-design.ts";
import { Observations } from "./observations.ts";
import { findingsOf, headlineOf } from "./sentences.ts";
import { sobolDesign } from "./sobol-design.ts";
import { sobolIndices } from "./sobol-indices.ts";
import { tornadoBars } from "./tornado.ts";

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
  const points = design === null ? 2 * factors.length + 1 : design.blocks * design.points;
  const observations = new Observations(metrics.map(({ path }) => path), points, replications, design === null);
  const tally = new Tally();

  const { interrupted } = yield {
    purpose: purposes[method.kind], count: points * replications, later: 0,
    tasks: tasksOf(design === null ? endsOf(factors) : placesOf(design, factors), replications, seed),
    take(outcome) {
      tally.add(outcome);
      observations.add(outcome.figures === null ? null : withAbsent(outcome.figures, metrics));
    },
  };
  const runs = tally.tally;
  if (runs.failed === runs.played) return null;

  const of = (i: number): Omit<SensitivityOfMetric, "metric" | "headline" | "findings"> => {
    const options = { resamples, confidence, random: streams.stream("sensitivity", "bootstrap", "blocks") };
    const values = observations.values(i);
    const chanceVariance = observations.chanceVariance(i);
    const nothing = { mean: null, sd: null, chance: null, screening: null, indices: null, tornado: null };
    if (design === null) {
      const { tornado, used, dropped } = tornadoBars(observations.runs(i), runs.played, factors, replications, confidence);
      const { mean, sd } = tornado.base;
      return { ...nothing, mean, sd, blocks: { used, dropped }, tornado };
    }
    const { used, dropped } = blocksOf(values, design.points, observations.points);
    const moments = momentsOf(values, design.points);
    if (used === 0) return { ...nothing, blocks: { used, dropped } };
    const spread = moments.count < 2 ? null : moments.standardDeviation;
    const summary = { ...nothing, mean: moments.mean, sd: spread, blocks: { used, dropped } };
    const share = chanceVariance === null || spread === null || !(spread > 1e-12 * Math.abs(moments.mean)) ? null : chanceVariance / (spread * spread);
    if (method.kind === "morris") {
      const effects = elementaryEffects(values, design as MorrisDesign, (factor, coordinate) => shareAt(factors[factor]!, coordinate), options);
      return {
        ...summary,
        chance: chanceVariance === null ? null : { sd: Math.sqrt(chanceVariance), share, muStar: effects === null ? null : Math.sqrt(chanceVariance) * effects.amplification },
        screening: effects === null ? null : effects.factors.map(({ steps, mu, muStar, sigma }, factor) => ({
          factor: factors[factor]!.name, steps, mu: resampledOf(mu, confidence), muStar: resampledOf(muStar, confidence), sigma: resampledOf(sigma, confidence),
        })).toSorted((a, b) => b.muStar.value - a.muStar.value),
      };
    }
    const found = sobolIndices(values, factors.length, method.kind === "sobol" && method.secondOrder, options);
    const chanceShare = chanceVariance === null || found === null ? null : chanceVariance / found.variance;
    // Where chance makes up all of the variance, nothing is left to be shared out.
    const adjusted = (value: number, ofChance: number): number | null => (chanceShare === null || chanceShare > 0.9 ? null : (value - ofChance) / (1 - chanceShare));
    return {
      ...summary, ...(found === null ? {} : { mean: found.mean, sd: Math.sqrt(found.variance) }),
      chance: chanceVariance === null ? null : { sd: Math.sqrt(chanceVariance), share: chanceShare, muStar: null },
      indices: found === null ? null : {
        factors: factors.map(({ name }, factor) => ({
          factor: name, first: resampledOf(found.first[factor]!, confidence), total: resampledOf(found.total[factor]!, confidence),
          firstAdjusted: adjusted(found.first[factor]!.value, 0), totalAdjusted: adjusted(found.total[factor]!.value, chanceShare ?? 0),
        })).toSorted((a, b) => b.total.value - a.total.value),
        together: resampledOf(found.together, confidence),
        pairs: found.pairs?.map(({ factors: [a, b], index }) => ({ factors: [factors[a]!.name, factors[b]!.name] as [string, string], index: resampledOf(index, confidence) })).toSorted((a, b) => b.index.value - a.index.value) ?? null,
      },
    };
  };
  const looked = metrics.map((metric, i): SensitivityOfMetric => {
    const found = { metric: { ...metric }, ...of(i) };
    return { ...found, headline: headlineOf(found), findings: findingsOf(found, factors, replications) };
  });
  const results: SensitivityResults = {
    runs,
    method: method.kind === "sobol" ? { ...method, estimators: ESTIMATORS } : method.kind === "morris" ? { ...method, levels: method.design === "radial" ? null : method.levels } : method,
    points, replications, confidence, resamples: design === null ? 0 : resamples,
    factors: factors.map(({ name, moves }) => ({ name, moves: moves.map(({ path, range }) => ({ path, from: valueAt(range, 0).text, to: valueAt(range, 1).text, scale: range.scale })) })),
    // A figure that is undefined in every run, such as a profit where no costs are stated, is nothing to look at.
    metrics: looked.filter(({ mean }) => spec.metricsAsked || mean !== null),
  };
  return { results, interrupted };
}

const purposes: Readonly<Record<SensitivityMethod["kind"], string>> = { morris: "screening", sobol: "variance shares", tornado: "one at a time" };

/** @returns null for a tornado, which needs none */
function designOf(method: SensitivityMethod, factors: number, streams: RandomStreams): Design | MorrisDesign | null {
  switch (method.kind) {
    case "morris": return method.design === "radial" ? radial(factors, method.trajectories, streams) : trajectories(factors, method.trajectories, method.levels, streams);
    case "sobol": return sobolDesign(factors, method.points, method.secondOrder, streams);
    case "tornado": return null;
  }
}

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

function shareAt({ moves }: Factor, coordinate: number): number {
  return valueAt(moves[0]!.range, coordinate).share;
}

/** Blocks of which every point has its value, and blocks that were played and have not. */
function blocksOf(values: Float64Array, points: number, played: number): { readonly used: number; readonly dropped: number } {
  let used = 0;
  let dropped = 0;
  for (let start = 0; start + points <= played; start += points) {
    if (values.subarray(start, start + points).some(Number.isNaN)) dropped++;
    else used++;
  }
  return { used, dropped };
}

function momentsOf(values: Float64Array, points: number): Moments {
  const moments = new Moments();
  for (let start = 0; start + points <= values.length; start += points) {
    const block = values.subarray(start, start + points);
    if (!block.some(Number.isNaN)) for (const value of block) moments.add(value);
  }
  return moments;
}

function resampledOf({ value, low, high }: Resampled, confidence: number): ResampledFigure {
  return { value, interval: Number.isNaN(low) || Number.isNaN(high) ? null : { confidence, low, high } };
}
