import { findMetric, KEY_METRICS } from "../../../protocol/result/metrics.ts";
import type { Metric } from "../../../protocol/result/metrics.ts";
import { checkVariations } from "../../scenario/check-variations.ts";
import type { LoadedScenario, LoadOptions } from "../../scenario/load.ts";
import { formatPath } from "../../../input/problem.ts";
import type { Finding } from "../../../input/problem.ts";
import type { ArmsSpec } from "../../scenario/sections/arms.ts";
import type { SweepSpec } from "../../scenario/sections/sweep.ts";
import type { Variation } from "../../scenario/variation.ts";
import type { SweepPoint } from "./points.ts";
import { sweepPoints } from "./points.ts";
import type { SweepQuestion } from "./sweep.ts";

/** Something about a sweep that its user can put right. */
export class SweepError extends Error {
  override readonly name = "UserError";
}

export interface PrepareSweepOptions {
  /** Over which values; left out: what the scenario says. */
  readonly spec?: SweepSpec | null | undefined;
  /** Runs of each point; left out: what the sweep says, then the scenario, then {@link usualReplications}. */
  readonly replications?: number | undefined;
  /** Left out: what the sweep says, then the scenario, then the usual ones. */
  readonly metrics?: readonly Metric[] | undefined;
  /** Left out: the scenario's. */
  readonly seed?: number | undefined;
  /** Changes that the scenario was loaded with. */
  readonly sets?: readonly string[] | undefined;
  readonly fileExists?: LoadOptions["fileExists"] | undefined;
  readonly lab: SweepQuestion["lab"];
  readonly onRun?: SweepQuestion["onRun"];
}

/** Runs of each point where nobody says how many: the fewest with which an interval is worth its name. */
export const usualReplications = 5;
const confidence = 0.95;
/** Points whose markets are loaded before anything is played. */
const mostChecked = 200;

/**
 * Makes a sweep ready to be played, and checks that the markets of its points can be: all of them where they are few, otherwise
 * enough to have every value of every axis among them.
 * @param fileName of the scenario, for messages
 * @throws SweepError, ScenarioError
 */
export function prepareSweep({ scenario, experiment, source }: LoadedScenario, fileName: string, options: PrepareSweepOptions): SweepQuestion {
  const { sets = [], seed = scenario.seed } = options;
  const spec = options.spec ?? experiment.sweep;
  if (spec === null) throw new SweepError(`${fileName} says nothing of a sweep: add \`sweep: {axes: {PATH: [VALUE, VALUE]}}\` to it, or name axes with --axis PATH=VALUE,VALUE.`);
  const points = pointsOf(spec, experiment.arms, seed, fileName);
  checkVariations(source, fileName, toCheck(points).map(({ variation }) => variation), { sets, ...(options.fileExists === undefined ? {} : { fileExists: options.fileExists }) });
  const asked = options.metrics ?? spec.metrics ?? experiment.metrics;
  return {
    scenario, spec, points, seed, sets, confidence,
    arms: spec.arms ? experiment.arms!.arms.map(({ name }) => name) : null,
    metrics: asked ?? KEY_METRICS.flatMap((id) => findMetric(id) ?? []), metricsAsked: asked !== null && asked !== undefined,
    replications: options.replications ?? spec.replications ?? experiment.replications?.count ?? usualReplications,
    lab: options.lab, onRun: options.onRun,
  };
}

/** The markets of a scenario's sweep that are loaded before it is played, to see whether they can be. @throws SweepError */
export function sweepVariations({ scenario, experiment }: Pick<LoadedScenario, "scenario" | "experiment">, fileName: string): Variation[] {
  return experiment.sweep === null ? [] : toCheck(pointsOf(experiment.sweep, experiment.arms, scenario.seed, fileName)).map(({ variation }) => variation);
}

function pointsOf(spec: SweepSpec, arms: ArmsSpec | null, seed: number, fileName: string): SweepPoint[] {
  if (spec.arms && arms === null) throw new SweepError(`${fileName} has no arms to be crossed with the sweep.`);
  const misfits: Finding[] = [];
  const points = sweepPoints(spec, arms, seed, (finding) => void misfits.push(finding));
  if (misfits.length === 0) return points;
  const [{ path, found, allowed }] = misfits as [Finding, ...Finding[]];
  throw new SweepError(`${fileName}: ${formatPath(path)}: found ${found}; allowed: ${allowed}.`);
}

/** Points that have every value of every axis among them, and others up to the most. */
function toCheck(points: readonly SweepPoint[]): readonly SweepPoint[] {
  if (points.length <= mostChecked) return points;
  const seen = new Set<string>();
  const chosen = points.filter(({ arm, factors }) => {
    const fresh = [`arm ${arm}`, ...factors.map((factor, i) => `${i} ${factor}`)].filter((key) => !seen.has(key));
    for (const key of fresh) seen.add(key);
    return fresh.length > 0;
  });
  return chosen.slice(0, mostChecked);
}
