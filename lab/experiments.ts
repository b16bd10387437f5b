import { existsSync } from "node:fs";
import { findMetric } from "../protocol/result/metrics.ts";
import type { Metric } from "../protocol/result/metrics.ts";
import type { ComparisonReport } from "../protocol/result/comparison.ts";
import type { EquilibriumReport } from "../protocol/result/equilibrium.ts";
import type { ReplicationsReport } from "../protocol/result/replications.ts";
import type { SearchReport } from "../protocol/result/search.ts";
import type { SensitivityReport } from "../protocol/result/sensitivity.ts";
import type { SweepReport } from "../protocol/result/sweep.ts";
import type { RunReport } from "../protocol/result.ts";
import { comparison } from "../sim/experiment/compare/compare.ts";
import { prepareComparison } from "../sim/experiment/compare/prepare.ts";
import { equilibriumForReport } from "../sim/experiment/equilibrium/report.ts";
import type { Experiment, RunOutcome } from "../sim/experiment/plan.ts";
import { replicate as replications } from "../sim/experiment/replications/replicate.ts";
import { type RunOptions, runScenario } from "../sim/experiment/run.ts";
import { prepareEquilibrium, prepareSearch } from "../sim/experiment/search/prepare.ts";
import { searchForReport } from "../sim/experiment/search/report.ts";
import { sensitivity as sensitivityStudy } from "../sim/experiment/sensitivity/sensitivity.ts";
import { prepareSweep } from "../sim/experiment/sweep/prepare.ts";
import { sweep as sweepStudy } from "../sim/experiment/sweep/sweep.ts";
import { checkVariations } from "../sim/scenario/check-variations.ts";
import { loadScenario } from "../sim/scenario/load.ts";
import type { LoadedScenario } from "../sim/scenario/load.ts";
import type { ScenarioInput } from "../sim/scenario/schema.ts";
import { readUntil, unknownMetric } from "../sim/scenario/sections/replications.ts";
import type { ReplicationsSpec } from "../sim/scenario/sections/replications.ts";
import { sensitivityVariations } from "../sim/scenario/sections/sensitivity.ts";
import { conductOn } from "./conduct.ts";
import type { ConductProgress } from "./conduct.ts";
import { labIdentity } from "./identity.ts";
import { NumberFile } from "./number-file.ts";
import { QueuePlayer } from "./queue/player.ts";

/** Something about an experiment that whoever asks for it can put right. */
export class ExperimentError extends Error {
  override readonly name = "UserError";
}

/** What all experiments can be told. */
export interface ExperimentOptions {
  /** Instead of the scenario's own. */
  readonly seed?: number | undefined;
  /** Runs played side by side, each in a thread of its own. Default: one for each core. The results do not depend on it. */
  readonly workers?: number | undefined;
  /** Address of a Redis, such as `redis://localhost/0`: `infernet worker --queue` on any machines plays the runs. */
  readonly queue?: string | undefined;
  /** Aborted: no more runs; the report is of those that were played, and says that it was interrupted. */
  readonly signal?: AbortSignal | undefined;
  /** Told ten times a second how far it is. */
  readonly onProgress?: ((progress: ConductProgress) => void) | undefined;
  /** Told of every run, in order: its seed, what was changed, its figures or its error. */
  readonly onRun?: ((outcome: RunOutcome) => void) | undefined;
}

/** How often something is played. */
export interface ReplicationOptions {
  /** Runs; with `until`, the most. */
  readonly replications?: number | undefined;
  /** Until a figure is known well enough: `latency.p95 within 2 %`, `... at 99 %`. */
  readonly until?: string | undefined;
}

/** Which figures an experiment is about. */
export interface MetricOptions {
  /** Such as `latency.p95`, `profit`, `utilisation@rtx4090`, or a path in the report's figures. Default: the scenario's, or the usual ones. */
  readonly metrics?: readonly string[] | undefined;
}

/**
 * Plays a scenario once, here and now.
 * @throws InvariantError where a law of the market is broken; PolicyError where a policy of the scenario's own fails
 *
 * @example
 * ```ts
 * import { readFileSync } from "node:fs";
 * import { loadScenario, run } from "infernet-lab";
 *
 * const market = loadScenario(readFileSync("market.yaml"), "market.yaml", { sets: ["router.policy=cheapest"] });
 * const report = run(market, { seed: 7 });
 * console.log(report.overall.latency.ttftUs.p95, report.provenance.resultsDigest);
 * ```
 */
export function run({ scenario, sets }: LoadedScenario, options: Omit<RunOptions, "sets"> = {}): RunReport {
  return runScenario(scenario, { ...options, sets });
}

/**
 * Plays a scenario again and again with independent random numbers: means with confidence intervals of every figure.
 * @throws ExperimentError where no run could be played, or the rule is none
 *
 * @example
 * ```ts
 * const { figures, runs } = await replicate(market, { until: "latency.p95 within 2 %", replications: 500 });
 * console.log(figures["overall.latency.endToEndUs.p95"]?.mean, "after", runs.played);
 * ```
 */
export async function replicate(market: LoadedScenario, options: ExperimentOptions & ReplicationOptions & { readonly confidence?: number } = {}): Promise<ReplicationsReport> {
  const { scenario, experiment, sets } = market;
  const asked = replicationsOf(market, options) ?? experiment.replications ?? { count: 10, until: null };
  return conducted(market, options, replications({ scenario, replications: asked, seed: seedOf(market, options), sets, confidence: options.confidence, lab: lab() }));
}

/**
 * Plays variations of a scenario on the same random numbers: the differences, with paired confidence intervals, in figures and
 * in words.
 * @throws ExperimentError where there are no arms or no run could be played; ScenarioError where an arm does not fit the scenario
 *
 * @example
 * ```ts
 * const report = await compare(market, {
 *   arms: { cheapest: { "router.policy": "cheapest" }, random: { "router.policy": "random" } },
 *   metrics: ["latency.p95", "profit"],
 *   replications: 30,
 * });
 * ```
 */
export async function compare(market: LoadedScenario, options: ExperimentOptions & ReplicationOptions & MetricOptions & {
  /** Changes by path, by name of the arm. Default: the scenario's `arms`. */
  readonly arms?: ScenarioInput["arms"];
  /** The arm that others are compared with. Default: the scenario's, or the first. */
  readonly baseline?: string;
  readonly allPairs?: boolean;
  readonly confidence?: number;
} = {}): Promise<ComparisonReport> {
  const asked = asking(market, { arms: options.arms });
  const question = prepareComparison(asked, market.fileName, {
    baseline: options.baseline, metrics: metricsOf(market, options.metrics), replications: replicationsOf(market, options), allPairs: options.allPairs,
    confidence: options.confidence, seed: seedOf(market, options), sets: market.sets, fileExists: existsSync, lab: lab(),
  });
  return conducted(asked, options, comparison(question));
}

/**
 * Plays a scenario at many points: lists, grids, Latin hypercubes and Sobol sequences over any of its values.
 * @throws ExperimentError, ScenarioError where what is to be swept does not fit the scenario
 *
 * @example
 * ```ts
 * const { points } = await sweep(market, { sweep: { axes: { "router.fee.share": ["0 %", "1 %", "5 %"] } }, replications: 10, metrics: ["router.revenue"] });
 * ```
 */
export async function sweep(market: LoadedScenario, options: ExperimentOptions & MetricOptions & {
  /** As the scenario's `sweep` has it, and instead of that. */
  readonly sweep?: ScenarioInput["sweep"];
  /** Runs of each point. */
  readonly replications?: number;
} = {}): Promise<SweepReport> {
  const asked = asking(market, { sweep: options.sweep });
  const question = prepareSweep(asked, market.fileName, {
    replications: options.replications, metrics: metricsOf(market, options.metrics), seed: seedOf(market, options), sets: market.sets, fileExists: existsSync, lab: lab(),
  });
  return conducted(asked, options, sweepStudy({ ...question, store: () => new NumberFile() }));
}

/**
 * Finds out which of a scenario's values matter: Morris's screening, Sobol' indices or a tornado.
 * @throws ExperimentError, ScenarioError where what is to be varied does not fit the scenario
 */
export async function sensitivity(market: LoadedScenario, options: ExperimentOptions & {
  /** As the scenario's `sensitivity` has it, and instead of that. */
  readonly sensitivity?: ScenarioInput["sensitivity"];
} = {}): Promise<SensitivityReport> {
  const asked = asking(market, { sensitivity: options.sensitivity });
  const spec = asked.experiment.sensitivity;
  if (spec === null) throw new ExperimentError(`${market.fileName} has no sensitivity: say what to vary as the option sensitivity, or in the file.`);
  checkVariations(asked.source, market.fileName, sensitivityVariations(spec), { sets: market.sets, fileExists: existsSync });
  return conducted(asked, options, sensitivityStudy({ scenario: market.scenario, spec, seed: seedOf(market, options), sets: market.sets, lab: lab() }));
}

/**
 * Finds the best values of a few of a scenario's parameters under noise.
 * @throws ExperimentError, ScenarioError where what is to be searched does not fit the scenario
 */
export async function search(market: LoadedScenario, options: ExperimentOptions & {
  /** As the scenario's `search` has it, and instead of that. */
  readonly search?: ScenarioInput["search"];
} = {}): Promise<SearchReport> {
  const asked = asking(market, { search: options.search });
  return conducted(asked, options, searchForReport(prepareSearch(asked, market.fileName, { seed: options.seed, sets: market.sets, fileExists: existsSync, lab: lab() })));
}

/**
 * Has classes of participants answer each other until nobody gains by another strategy, and measures how much anybody would.
 * @throws ExperimentError, ScenarioError where the game does not fit the scenario
 */
export async function equilibrium(market: LoadedScenario, options: ExperimentOptions & {
  /** As the scenario's `equilibrium` has it, and instead of that. */
  readonly equilibrium?: ScenarioInput["equilibrium"];
} = {}): Promise<EquilibriumReport> {
  const asked = asking(market, { equilibrium: options.equilibrium });
  return conducted(asked, options, equilibriumForReport(prepareEquilibrium(asked, market.fileName, { seed: options.seed, sets: market.sets, fileExists: existsSync, lab: lab() })));
}

function lab(): { readonly name: string; readonly version: string } {
  return { name: "infernet-lab", version: labIdentity().version };
}

function seedOf({ scenario }: LoadedScenario, { seed }: ExperimentOptions): number {
  return seed ?? scenario.seed;
}

/** The scenario, asked what the options say instead of what its file says. */
function asking(market: LoadedScenario, sections: Readonly<Record<string, unknown>>): LoadedScenario {
  const sets = Object.entries(sections).flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${JSON.stringify(value)}`]));
  if (sets.length === 0) return market;
  const { source, fileName, sets: earlier } = market;
  return { ...market, experiment: loadScenario(source, fileName, { sets: [...earlier, ...sets], fileExists: existsSync }).experiment };
}

function classesOf({ scenario }: LoadedScenario): Parameters<typeof readUntil>[1] {
  return { clients: scenario.clients.map(({ name }) => name), operators: scenario.operators.map(({ name }) => name) };
}

function metricsOf(market: LoadedScenario, names: readonly string[] | undefined): readonly Metric[] | undefined {
  return names?.map((name) => {
    const metric = findMetric(name, classesOf(market));
    if (metric !== null) return metric;
    const { found, allowed, suggestion } = unknownMetric(name);
    throw new ExperimentError(`metrics: found ${found}; allowed: ${allowed}${suggestion === undefined ? "" : `; did you mean ${suggestion}?`}`);
  });
}

function replicationsOf(market: LoadedScenario, { replications: count, until }: ReplicationOptions): ReplicationsSpec | undefined {
  if (until === undefined) return count === undefined ? undefined : { count, until: null };
  const atMost = count ?? 1_000;
  const rule = readUntil(until, classesOf(market), { atLeast: Math.min(atMost, 10), atMost });
  if (typeof rule === "string") throw new ExperimentError(`until: ${rule}.`);
  return { count: null, until: rule };
}

async function conducted<Report>({ source, fileName, sets }: LoadedScenario, options: ExperimentOptions, experiment: Experiment<Report | null>): Promise<Report> {
  const { workers, queue, signal, onProgress, onRun } = options;
  let failure = "";
  const player = queue === undefined ? null : await QueuePlayer.connect(queue, (text) => void process.stderr.write(text));
  try {
    const report = await conductOn(experiment, { source, fileName, sets }, {
      workers, pool: player ?? undefined, signal, onProgress,
      onRun(outcome) {
        failure ||= outcome.error ?? "";
        onRun?.(outcome);
      },
    });
    if (report === null) throw new ExperimentError(`${fileName}: no run could be played${failure === "" ? "" : ` (${failure})`}; there is nothing to report.`);
    return report;
  } finally {
    await player?.close();
  }
}
