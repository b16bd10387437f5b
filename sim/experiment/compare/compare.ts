import type { ComparedMetric, ComparisonReport } from "../../../protocol/result/comparison.ts";
import type { Figures } from "../../../protocol/result/figures.ts";
import { formatNumber, formatPercent } from "../../../protocol/units.ts";
import type { Arm } from "../../scenario/sections/arms.ts";
import type { ReplicationsSpec, UntilRule } from "../../scenario/sections/replications.ts";
import { setsOf } from "../../scenario/variation.ts";
import type { Experiment, RunOutcome, RunTask } from "../plan.ts";
import { originOf } from "../question.ts";
import type { ExperimentQuestion } from "../question.ts";
import { Tally } from "../replications/figure-estimates.ts";
import { nextLook } from "../replications/sequential.ts";
import { replicationSeed } from "../seeds.ts";
import { assembleComparison } from "./assemble.ts";
import { ComparisonTally, pairsOf } from "./tally.ts";

/** Markets to be compared. */
export interface ComparisonQuestion extends ExperimentQuestion {
  /** Two at least. */
  readonly arms: readonly Arm[];
  /** Name of one of them. */
  readonly baseline: string;
  readonly metrics: readonly ComparedMetric[];
  /** Whether somebody asked for these metrics: those that no run has are then told of, otherwise left out. */
  readonly metricsAsked: boolean;
  /** Runs of each arm; or until every arm's difference to the baseline in a metric is known to this share of the baseline's mean. */
  readonly replications: ReplicationsSpec;
  /** Above 0, below 1. */
  readonly confidence: number;
  /** Also the differences between arms none of which is the baseline. */
  readonly allPairs: boolean;
}

/**
 * Plays every arm with the same random numbers, replication by replication, so that a replication's runs meet in memory and
 * no more need be kept than what they come to.
 * @returns null where no replication was over in all arms, or every run failed
 */
export function* comparison(question: ComparisonQuestion): Experiment<ComparisonReport | null> {
  const { arms, baseline, confidence, allPairs, seed, replications: { count, until } } = question;
  const names = arms.map(({ name }) => name);
  const metrics = [...question.metrics];
  let watched = until === null ? undefined : metrics.find(({ path }) => path === until.metric.path);
  if (until !== null && watched === undefined) metrics.unshift(watched = { ...until.metric });
  const tally = new ComparisonTally(names, pairsOf(names, baseline, allPairs), metrics);
  const all = new Tally();
  const runs = arms.map(() => ({ played: 0, failed: 0 }));
  let row: (Figures | null)[] = [];
  const take = (outcome: RunOutcome): void => {
    all.add(outcome);
    const run = runs[row.length]!;
    run.played++;
    if (outcome.figures === null) run.failed++;
    row.push(outcome.figures);
    if (row.length < arms.length) return;
    tally.add(row);
    row = [];
  };

  let goal = count ?? until.atLeast;
  let looks = 0;
  let met = until === null;
  let interrupted = false;
  for (let from = 0; from < goal && !interrupted;) {
    ({ interrupted } = yield { purpose: from === 0 ? "arms" : "more replications", count: arms.length * (goal - from), later: 0, tasks: tasksOf(arms, seed, from, goal), take });
    from = goal;
    if (until === null || interrupted) break;
    looks++;
    const relativeHalfWidth = tally.relativeHalfWidth(watched!, baseline, until.confidence);
    // No run of an arm has the figure: more of them will not help.
    if (!tally.everyArmHas(watched!)) break;
    met = relativeHalfWidth !== null && relativeHalfWidth <= until.halfWidth / (1 + until.halfWidth);
    if (!met) goal = nextLook(until, from, { runs: from, mean: null, relativeHalfWidth, met });
  }
  if (tally.replications === 0 || all.tally.failed === all.tally.played) return null;

  const present = metrics.filter((metric) => question.metricsAsked || tally.has(metric));
  const { failed } = all.tally;
  const notes = failed === 0 ? [] : [`${failed === 1 ? "1 run" : `${failed} runs`} failed: a replication counts for a difference only where both of its arms were played.`];
  if (until !== null && !interrupted) notes.push(untilNote(until, tally.replications, looks, met));
  return assembleComparison({
    provenance: originOf(question, interrupted),
    runs: all.tally,
    confidence, baseline, replications: tally.replications,
    arms: arms.map(({ name, variation }, i) => ({ name, changes: setsOf(variation), runs: runs[i]!.played, failed: runs[i]!.failed, source: null })),
    metrics: present, absent: metrics.filter((metric) => !tally.has(metric)).map(({ id }) => id),
    values: tally.values(present, confidence), differences: tally.differences(present, confidence),
    notes,
  });
}

function untilNote({ metric, halfWidth, confidence, atMost }: UntilRule, replications: number, looks: number, met: boolean): string {
  const wanted = `every difference in ${metric.label} within ${formatPercent(halfWidth)} of the baseline (${formatPercent(confidence)} confidence)`;
  const after = `after ${formatNumber(replications)} replications and ${looks === 1 ? "one look" : `${looks} looks`}`;
  if (met) return `Played until ${wanted}: ${after}. Stopping by what was seen makes intervals a little too narrow.`;
  return replications >= atMost ? `Stopped at the most replications allowed, ${formatNumber(atMost)}, before ${wanted}.` : `Stopped ${after}: there is an arm of which no run has the figure that was to be known.`;
}

function* tasksOf(arms: readonly Arm[], seed: number, from: number, to: number): Generator<RunTask> {
  const changed = arms.map(({ name, variation }) => ({ name, sets: setsOf(variation) }));
  for (let replication = from; replication < to; replication++) {
    for (const { name, sets } of changed) yield { name: `arm=${name} replication=${replication}`, sets, seed: replicationSeed(seed, replication) };
  }
}
