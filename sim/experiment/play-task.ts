import { readFileSync } from "node:fs";
import { figuresOf } from "../../protocol/result/figures.ts";
import type { LoadOptions } from "../scenario/load.ts";
import { loadScenario } from "../scenario/load.ts";
import type { Scenario } from "../scenario/scenario.ts";
import type { RunOutcome, RunTask } from "./plan.ts";
import type { RunOptions } from "./run.ts";
import { findWarmup, startRun } from "./run.ts";
import { SeriesTally, withSeries } from "./series.ts";

/** The scenario that an experiment is about. Plain data: it crosses threads and machines. */
export interface Subject {
  /** YAML. */
  readonly source: string;
  /** For messages; files that the scenario names are looked up beside it. */
  readonly fileName: string;
  /** Changes that hold for every run. */
  readonly sets: readonly string[];
  /** Where files that the scenario names lie, those that do not lie where it says. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Scenarios that a player keeps: as many as arms are usually compared. */
const mostKept = 16;

/** Plays the tasks of one experiment, one after the other. */
export class TaskPlayer {
  readonly #subject: Subject;
  readonly #load: LoadOptions;
  /** Scenarios by their changes, the one used longest ago first. */
  readonly #scenarios = new Map<string, Scenario>();

  constructor(subject: Subject, load: LoadOptions = {}) {
    this.#subject = subject;
    const { files } = subject;
    const at = (path: string): string => files?.[path] ?? path;
    this.#load = files === undefined ? load : { readText: (path) => readFileSync(at(path), "utf8"), locate: at, ...load };
  }

  /**
   * Plays a task; a run that throws is an outcome too.
   * @param index the task's place in its batch
   * @param onProgress told now and then which share of the horizon was played, 0 to 1
   */
  play(task: RunTask, index: number, options: RunOptions = {}, onProgress?: (share: number) => void): RunOutcome {
    try {
      const scenario = this.#scenarioOf(task);
      const warmup = scenario.autoWarmup === true ? findWarmup(scenario, () => onProgress?.(0)) : undefined;
      const tally = task.series === undefined ? null : new SeriesTally(task.series, scenario.horizonUs);
      const run = startRun(scenario, {
        intervals: false, ...options, warmup, seed: task.seed, sets: [...this.#subject.sets, ...task.sets],
        ...(tally === null ? {} : { onJobRow: (row) => { tally.add(row); options.onJobRow?.(row); } }),
      });
      while (!run.step()) onProgress?.(Math.min(1, run.progress.nowUs / run.progress.horizonUs));
      const report = run.finish();
      const figures = figuresOf(report);
      return { index, task, figures: tally === null ? figures : withSeries(figures, tally.series()), digest: report.provenance.resultsDigest, error: null };
    } catch (error) {
      const { name, message } = error instanceof Error ? error : new Error(String(error));
      return { index, task, figures: null, digest: null, error: `${name}: ${message.split("\n")[0]}` };
    }
  }

  /** Replications of a point follow each other, and arms take turns: what was loaded lately will do again. */
  #scenarioOf(task: RunTask): Scenario {
    const sets = JSON.stringify(task.sets);
    const { source, fileName } = this.#subject;
    const scenario = this.#scenarios.get(sets)
      ?? loadScenario(source, fileName, { ...this.#load, marketOnly: true, sets: this.#subject.sets, innerSets: task.sets }).scenario;
    this.#scenarios.delete(sets);
    this.#scenarios.set(sets, scenario);
    if (this.#scenarios.size > mostKept) this.#scenarios.delete(this.#scenarios.keys().next().value!);
    return scenario;
  }
}
