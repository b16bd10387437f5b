import type { Figures } from "../../../protocol/result/figures.ts";
import { absentFigure } from "../../../protocol/result/figures.ts";
import type { RunTally } from "../../../protocol/result/experiment.ts";
import { RandomStreams } from "../../kernel/random.ts";
import type { Variation } from "../../scenario/variation.ts";
import { setsOf, setText } from "../../scenario/variation.ts";
import type { BatchEnd, RunBatch, RunOutcome, RunTask } from "../plan.ts";
import { Tally } from "../replications/figure-estimates.ts";
import { replicationSeed } from "../seeds.ts";

/** Asks for an experiment's runs, and counts them. */
export class RunsPlayed {
  readonly #tally = new Tally();
  #played = 0;

  get played(): number {
    return this.#played;
  }

  get tally(): RunTally {
    return this.#tally.tally;
  }

  /**
   * Has runs played.
   * @param take told of each outcome, in order
   * @param later runs that will be wanted after these, as far as is known
   * @returns whether all were played; if not, nothing more can be
   */
  *play(purpose: string, wanted: readonly RunTask[], later: number, take: (outcome: RunOutcome, index: number) => void): Generator<RunBatch, boolean, BatchEnd> {
    let index = 0;
    const end = yield {
      purpose, count: wanted.length, tasks: wanted, later,
      take: (outcome) => {
        this.#played++;
        this.#tally.add(outcome);
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
export function wantedRun(phase: string, name: string, variation: Variation, replication: number, seed: number): RunTask {
  return { name: `${phase === "" ? "search" : phase} ${name} replication=${replication}`, sets: setsOf(variation), seed };
}

/** A change's value as it stands in a scenario. */
export function valueText(change: { readonly path: string; readonly value: unknown }): string {
  return typeof change.value === "string" ? change.value : setText(change).slice(change.path.length + 1);
}
