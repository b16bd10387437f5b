import type { Figures } from "../../../protocol/result/figures.ts";
import { absentFigure } from "../../../protocol/result/figures.ts";
import type { Estimate, RunTally } from "../../../protocol/result/experiment.ts";
import { FAILURES_NAMED } from "../../../protocol/result/experiment.ts";
import { RandomStreams } from "../../kernel/random.ts";
import { studentQuantile } from "../../kernel/statistics/index.ts";
import type { Moments } from "../../kernel/statistics/index.ts";
import type { Variation } from "../../scenario/variation.ts";
import { setsOf, setText } from "../../scenario/variation.ts";
import type { BatchEnd, RunBatch, RunOutcome, RunTask } from "../plan.ts";
import { replicationSeed } from "../seeds.ts";

/** A run that is wanted, and what it varies, by path. */
export interface WantedRun {
  readonly task: RunTask;
  readonly factors: Readonly<Record<string, string>>;
}

/** Told of every run, in order: for tables with a row each. */
export type RunSink = (outcome: RunOutcome, factors: Readonly<Record<string, string>>) => void;

/** Asks for an experiment's runs, and counts them. */
export class RunsPlayed {
  readonly #sink: RunSink;
  readonly #failures: RunTally["failures"] = [];
  #played = 0;
  #failed = 0;

  constructor(sink: RunSink = () => {}) {
    this.#sink = sink;
  }

  get played(): number {
    return this.#played;
  }

  get tally(): RunTally {
    return { played: this.#played, failed: this.#failed, failures: this.#failures };
  }

  /**
   * Has runs played.
   * @param take told of each outcome, in order
   * @param later runs that will be wanted after these, as far as is known
   * @returns whether all were played; if not, nothing more can be
   */
  *play(purpose: string, wanted: readonly WantedRun[], later: number, take: (outcome: RunOutcome, index: number) => void): Generator<RunBatch, boolean, BatchEnd> {
    let index = 0;
    const end = yield {
      purpose, count: wanted.length, tasks: wanted.map(({ task }) => task), later,
      take: (outcome) => {
        this.#played++;
        if (outcome.error !== null) {
          this.#failed++;
          if (this.#failures.length < FAILURES_NAMED) this.#failures.push({ name: outcome.task.name, seed: outcome.task.seed, error: outcome.error.slice(0, 2_048) });
        }
        this.#sink(outcome, wanted[index]!.factors);
        take(outcome, index++);
      },
    };
    return !end.interrupted;
  }
}

/** What an outcome says of a figure; null where it says nothing. */
export function figureOf({ figures }: { readonly figures: Figures | null }, path: string): number | null {
  return figures === null ? null : figures[path] ?? (path in figures ? null : absentFigure(path));
}

/**
 * Seed of a run of one phase of an experiment: of the first phase, as in every experiment (`replicationSeed`); of the others,
 * random numbers that had no part in what was decided before.
 * @param phase "" for the first
 */
export function phaseSeed(seed: number, phase: string, replication: number): number {
  if (phase === "") return replicationSeed(seed, replication);
  return Math.floor(new RandomStreams(seed).stream("experiment", `${phase} ${replication}`, "seed").next() * 4_294_967_296);
}

/** A run of a variation. @param name of the variation */
export function wantedRun(phase: string, name: string, variation: Variation, replication: number, seed: number): WantedRun {
  return {
    task: { name: `${phase === "" ? "search" : phase} ${name} replication=${replication}`, sets: setsOf(variation), seed },
    factors: factorsOf(variation),
  };
}

/** Values of a variation by path, as they stand in a scenario. */
export function factorsOf(variation: Variation): Record<string, string> {
  return Object.fromEntries(variation.map((change) => [change.path, valueText(change)]));
}

/** A change's value as it stands in a scenario. */
export function valueText(change: { readonly path: string; readonly value: unknown }): string {
  return typeof change.value === "string" ? change.value : setText(change).slice(change.path.length + 1);
}

/** A figure over runs as reports have it. */
export function estimateOfMoments(moments: Moments, confidence: number): Estimate {
  const { count, mean, variance, min, max } = moments;
  if (count === 0) return { runs: 0, mean: null, sd: null, min: null, max: null, interval: null };
  if (count === 1) return { runs: 1, mean, sd: null, min, max, interval: null };
  const half = studentQuantile((1 + confidence) / 2, count - 1) * Math.sqrt(variance / count);
  return { runs: count, mean, sd: Math.sqrt(variance), min, max, interval: { confidence, low: mean - half, high: mean + half } };
}
