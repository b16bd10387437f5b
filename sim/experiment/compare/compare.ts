import { digest } from "../../../protocol/canonical.ts";
import type { ComparedMetric, ComparisonReport } from "../../../protocol/result/comparison.ts";
import { FAILURES_NAMED } from "../../../protocol/result/experiment.ts";
import type { FailedRun } from "../../../protocol/result/experiment.ts";
import type { Figures } from "../../../protocol/result/figures.ts";
import type { Scenario } from "../../scenario/scenario.ts";
import type { Arm } from "../../scenario/sections/arms.ts";
import { setsOf } from "../../scenario/variation.ts";
import type { Experiment, RunTask } from "../plan.ts";
import { replicationSeed } from "../seeds.ts";
import { assembleComparison } from "./assemble.ts";
import { ComparisonTally, pairsOf } from "./tally.ts";

/** Markets to be compared. */
export interface ComparisonQuestion {
  /** The market without any arm's changes, after `sets`. */
  readonly scenario: Scenario;
  /** Two at least. */
  readonly arms: readonly Arm[];
  /** Name of one of them. */
  readonly baseline: string;
  readonly metrics: readonly ComparedMetric[];
  /** Whether somebody asked for these metrics: those that no run has are then told of, otherwise left out. */
  readonly metricsAsked: boolean;
  /** Runs of each arm; 1 or more. */
  readonly replications: number;
  /** Above 0, below 1. */
  readonly confidence: number;
  /** Also the differences between arms none of which is the baseline. */
  readonly allPairs: boolean;
  readonly seed: number;
  /** Changes made on the command line, for the provenance. */
  readonly sets: readonly string[];
  readonly lab: { readonly name: string; readonly version: string };
}

/**
 * Plays every arm with the same random numbers, replication by replication, so that a replication's runs meet in memory and
 * no more need be kept than what they come to.
 * @returns null where no replication was over in all arms
 */
export function* comparison(question: ComparisonQuestion): Experiment<ComparisonReport | null> {
  const { scenario, arms, baseline, metrics, replications, confidence, allPairs, seed, sets, lab } = question;
  const names = arms.map(({ name }) => name);
  const tally = new ComparisonTally(names, pairsOf(names, baseline, allPairs), metrics);
  const runs = arms.map(() => ({ played: 0, failed: 0 }));
  const failures: FailedRun[] = [];
  let row: (Figures | null)[] = [];

  const { interrupted } = yield {
    purpose: "arms", count: arms.length * replications, later: 0, tasks: tasksOf(arms, seed, 0, replications),
    take: ({ task, figures, error }) => {
      const run = runs[row.length]!;
      run.played++;
      if (figures === null) {
        run.failed++;
        if (failures.length < FAILURES_NAMED) failures.push({ name: task.name, seed: task.seed, error: (error ?? "").slice(0, 2048) });
      }
      row.push(figures);
      if (row.length < arms.length) return;
      tally.add(row);
      row = [];
    },
  };
  if (tally.replications === 0) return null;

  const present = metrics.filter((metric) => question.metricsAsked || tally.has(metric));
  const failed = runs.reduce((sum, run) => sum + run.failed, 0);
  return assembleComparison({
    provenance: {
      lab: { ...lab },
      scenario: { name: scenario.name, question: scenario.question, hash: digest(scenario), resolved: scenario as never },
      seed, sets: [...sets], ...(interrupted ? { interrupted } : {}),
    },
    runs: { played: runs.reduce((sum, { played }) => sum + played, 0), failed, failures },
    confidence, baseline, replications: tally.replications,
    arms: arms.map(({ name, variation }, i) => ({ name, changes: setsOf(variation), runs: runs[i]!.played, failed: runs[i]!.failed, source: null })),
    metrics: present, absent: metrics.filter((metric) => !tally.has(metric)).map(({ id }) => id),
    values: tally.values(present, confidence), differences: tally.differences(present, confidence),
    notes: failed === 0 ? [] : [`${failed === 1 ? "1 run" : `${failed} runs`} failed: a replication counts for a difference only where both of its arms were played.`],
  });
}

function* tasksOf(arms: readonly Arm[], seed: number, from: number, to: number): Generator<RunTask> {
  const changed = arms.map(({ name, variation }) => ({ name, sets: setsOf(variation) }));
  for (let replication = from; replication < to; replication++) {
    for (const { name, sets } of changed) yield { name: `arm=${name} replication=${replication}`, sets, seed: replicationSeed(seed, replication) };
  }
}
