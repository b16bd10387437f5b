import { KEY_METRICS, findMetric } from "../../../protocol/result/metrics.ts";
import type { Metric } from "../../../protocol/result/metrics.ts";
import { REPLICATIONS_SCHEMA, REPLICATIONS_VERSION } from "../../../protocol/result/replications.ts";
import type { ReplicationsReport } from "../../../protocol/result/replications.ts";
import { Moments } from "../../kernel/statistics/index.ts";
import type { Scenario } from "../../scenario/scenario.ts";
import type { ReplicationsSpec } from "../../scenario/sections/replications.ts";
import type { Experiment, RunOutcome, RunTask } from "../plan.ts";
import { withProvenance } from "../question.ts";
import type { ExperimentQuestion } from "../question.ts";
import { replicationSeed } from "../seeds.ts";
import { Bands } from "./bands.ts";
import { Convergence } from "./convergence.ts";
import { FigureEstimates, Tally } from "./figure-estimates.ts";
import { pilots } from "./pilots.ts";
import { look, nextLook } from "./sequential.ts";
import type { Look } from "./sequential.ts";

/** What is to be replicated, and how often. */
export interface ReplicationsQuestion extends ExperimentQuestion {
  readonly replications: ReplicationsSpec;
  /** Of the intervals; 95 % where it is not given and no stopping rule has one. */
  readonly confidence?: number | undefined;
  /** Told of every run, in order. */
  readonly onRun?: ((outcome: RunOutcome) => void) | undefined;
}

/** Windows of the series over time: as many as a plot shows. */
const windows = 100;

/**
 * Plays a market again and again with independent random numbers: a given number of times, or until a figure is known well
 * enough. Looks at the interval come after batches whose size depends on results alone.
 * @returns null where not one run was played without an error
 */
export function* replicate(question: ReplicationsQuestion): Experiment<ReplicationsReport | null> {
  const { replications: { count, until }, seed } = question;
  const warmup = question.scenario.autoWarmup === true ? yield* pilots(question.scenario, count ?? until.atLeast) : undefined;
  if (warmup === null) return null;
  const scenario = warmup === undefined ? question.scenario : { ...question.scenario, warmupUs: warmup.warmupUs };
  const sets = warmup === undefined ? [] : [`warmup=${warmup.warmupUs}us`];
  const left = new Moments();
  const confidence = question.confidence ?? until?.confidence ?? 0.95;
  const estimates = new FigureEstimates();
  const bands = new Bands(windows);
  const followed = keyMetrics(until?.metric ?? null, scenario).map((metric) => new Convergence(metric, confidence));
  const tally = new Tally();
  const take = (outcome: RunOutcome): void => {
    tally.add(outcome);
    if (outcome.figures !== null) {
      estimates.add(outcome.figures);
      const [all, measured] = [outcome.figures["allJobs.submitted"] ?? 0, outcome.figures["overall.jobs.submitted"] ?? 0];
      if (all > 0) left.add((all - measured) / all);
      bands.add(outcome.figures);
      for (const metric of followed) metric.add(outcome.figures);
    }
    question.onRun?.(outcome);
  };
  const looks: Look[] = [];
  let played = 0;
  let goal = count ?? until.atLeast;
  let interrupted = false;
  while (played < goal && !interrupted) {
    ({ interrupted } = yield {
      purpose: until === null ? "replications" : looks.length === 0 ? "first replications" : "more replications",
      count: goal - played, tasks: replicationTasks(seed, sets, played, goal), take, later: 0,
    });
    played = goal;
    if (until === null || interrupted) break;
    const seen = estimates.estimate(until.metric.path, until.confidence);
    // No run has the figure, or none ran at all: more of them will not help.
    if (seen === null || seen.runs === 0) break;
    const now = look(until, seen);
    looks.push(now);
    if (!now.met) goal = nextLook(until, played, now);
  }
  if (estimates.runs === 0) return null;
  const results = {
    schema: REPLICATIONS_SCHEMA,
    schemaVersion: REPLICATIONS_VERSION,
    runs: tally.tally,
    confidence,
    horizonUs: scenario.horizonUs,
    warmupUs: scenario.warmupUs,
    warmup: { share: left.count === 0 ? null : left.mean, found: warmup?.finding ?? null },
    until: until === null ? null : { ...until, metric: { ...until.metric }, met: looks.at(-1)?.met ?? false, looks },
    keyMetrics: followed.flatMap(({ keyMetric }) => keyMetric ?? []),
    figures: Object.fromEntries(estimates.paths().map((path) => [path, estimates.estimate(path, confidence)!])),
    overTime: { windowUs: scenario.horizonUs / windows, windows, series: bands.series(confidence) },
  } as const satisfies Omit<ReplicationsReport, "provenance">;
  return withProvenance(results, { ...question, scenario }, interrupted);
}

/** Runs `from` to `to` of a market. */
function* replicationTasks(seed: number, sets: readonly string[], from: number, to: number): Generator<RunTask> {
  for (let r = from; r < to; r++) yield { name: `replication=${r}`, sets, seed: replicationSeed(seed, r), series: windows };
}

function keyMetrics(first: Metric | null, { clients, operators }: Scenario): Metric[] {
  const classes = { clients: clients.map(({ name }) => name), operators: operators.map(({ name }) => name) };
  const metrics = KEY_METRICS.flatMap((id) => findMetric(id, classes) ?? []);
  return first === null ? metrics : [first, ...metrics.filter(({ path }) => path !== first.path)];
}
