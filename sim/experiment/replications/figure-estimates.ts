import type { Estimate, FailedRun, RunTally } from "../../../protocol/result/experiment.ts";
import { FAILURES_NAMED } from "../../../protocol/result/experiment.ts";
import type { Figures } from "../../../protocol/result/figures.ts";
import { absentFigure } from "../../../protocol/result/figures.ts";
import { Moments, studentQuantile } from "../../kernel/statistics/index.ts";
import type { RunOutcome } from "../plan.ts";
import { isSeries } from "../series.ts";

/** Every figure over many runs, in memory that does not grow with their number. */
export class FigureEstimates {
  readonly #moments = new Map<string, Moments>();
  #runs = 0;

  /** Runs added. */
  get runs(): number {
    return this.#runs;
  }

  add(figures: Figures): void {
    this.#runs++;
    for (const path in figures) {
      const value = figures[path];
      if (isSeries(path)) continue;
      let moments = this.#moments.get(path);
      if (moments === undefined) this.#moments.set(path, moments = new Moments());
      if (typeof value === "number") moments.add(value);
    }
  }

  /** Figures that a run has had, in order of their first run. */
  paths(): string[] {
    return [...this.#moments.keys()];
  }

  /** @param confidence above 0, below 1 @returns null where no run had such a figure */
  estimate(path: string, confidence: number): Estimate | null {
    const moments = this.#moments.get(path);
    return moments === undefined ? null : estimateOf(absentFigure(path) === 0 ? padded(moments, this.#runs) : moments, confidence);
  }
}

/** What a sample says: its mean, and where the true one lies (Student's t). @param confidence above 0, below 1 */
export function estimateOf(sample: Iterable<number> | Moments, confidence: number): Estimate {
  const moments = sample instanceof Moments ? sample : momentsOf(sample);
  const { count, mean, standardDeviation, min, max } = moments;
  if (count === 0) return { runs: 0, mean: null, sd: null, min: null, max: null, interval: null };
  if (count === 1) return { runs: 1, mean, sd: null, min, max, interval: null };
  const half = studentQuantile((1 + confidence) / 2, count - 1) * standardDeviation / Math.sqrt(count);
  return { runs: count, mean, sd: standardDeviation, min, max, interval: { confidence, low: mean - half, high: mean + half } };
}

/** Counts runs, and names those that failed. */
export class Tally {
  #played = 0;
  #failed = 0;
  readonly #failures: FailedRun[] = [];

  add({ task, error }: RunOutcome): void {
    this.#played++;
    if (error === null) return;
    this.#failed++;
    if (this.#failures.length < FAILURES_NAMED) this.#failures.push({ name: task.name, seed: task.seed, error: error.slice(0, 2_048) });
  }

  get tally(): RunTally {
    return { played: this.#played, failed: this.#failed, failures: [...this.#failures] };
  }
}

function momentsOf(sample: Iterable<number>): Moments {
  const moments = new Moments();
  for (const value of sample) moments.add(value);
  return moments;
}

/** As if 0 had been added for every run that did not mention the figure. */
function padded(moments: Moments, runs: number): Moments {
  const all = new Moments();
  for (let i = moments.count; i < runs; i++) all.add(0);
  all.merge(moments);
  return all;
}
