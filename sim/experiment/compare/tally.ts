import { absentFigure } from "../../../protocol/result/figures.ts";
import type { Figures } from "../../../protocol/result/figures.ts";
import type { ComparedMetric } from "../../../protocol/result/comparison.ts";
import type { Estimate } from "../../../protocol/result/experiment.ts";
import { Moments, studentQuantile } from "../../kernel/statistics/index.ts";
import { PairedValues } from "./difference.ts";
import type { MeasuredDifference } from "./assemble.ts";

/** The value of a figure in a run; null where it is undefined. */
export function valueIn(figures: Figures, path: string): number | null {
  const value = figures[path];
  return value === undefined ? absentFigure(path) : value;
}

/** Two arms whose difference is wanted. */
export interface ArmPair {
  readonly baseline: string;
  readonly arm: string;
}

/** The baseline with each other arm, and where wanted the other pairs after them, in the order of the arms. */
export function pairsOf(arms: readonly string[], baseline: string, all: boolean): ArmPair[] {
  const others = arms.filter((name) => name !== baseline);
  const rest = all ? others.flatMap((first, i) => others.slice(i + 1).map((second) => ({ baseline: first, arm: second }))) : [];
  return [...others.map((arm) => ({ baseline, arm })), ...rest];
}

/** What replications come to, of which all arms played one with the same random numbers; memory does not grow with their number. */
export class ComparisonTally {
  readonly #arms: readonly string[];
  readonly #metrics: readonly ComparedMetric[];
  readonly #pairs: readonly (ArmPair & { readonly from: number; readonly to: number; readonly cells: readonly Cell[]; failed: number })[];
  /** By arm, then by metric. */
  readonly #values: readonly (readonly Moments[])[];
  #replications = 0;

  constructor(arms: readonly string[], pairs: readonly ArmPair[], metrics: readonly ComparedMetric[]) {
    this.#arms = arms;
    this.#metrics = metrics;
    this.#values = arms.map(() => metrics.map(() => new Moments()));
    this.#pairs = pairs.map((pair) => ({ ...pair, from: arms.indexOf(pair.baseline), to: arms.indexOf(pair.arm), cells: metrics.map(() => ({ values: new PairedValues(), baseline: 0, arm: 0 })), failed: 0 }));
  }

  get replications(): number {
    return this.#replications;
  }

  /** @param figures of each arm, in the order of the arms; null where the run failed */
  add(figures: readonly (Figures | null)[]): void {
    this.#replications++;
    const rows = figures.map((row) => row === null ? null : this.#metrics.map(({ path }) => valueIn(row, path)));
    for (const [a, row] of rows.entries()) {
      for (const [m, value] of (row ?? []).entries()) if (value !== null) this.#values[a]![m]!.add(value);
    }
    for (const pair of this.#pairs) {
      const [from, to] = [rows[pair.from]!, rows[pair.to]!];
      if (from === null || to === null) {
        pair.failed++;
        continue;
      }
      for (const [m, cell] of pair.cells.entries()) {
        const [x, y] = [from[m]!, to[m]!];
        if (x === null) cell.baseline++;
        if (y === null) cell.arm++;
        if (x !== null && y !== null) cell.values.add(x, y);
      }
    }
  }

  /** Whether any run has the figure. */
  has(metric: ComparedMetric): boolean {
    const m = this.#metrics.indexOf(metric);
    return this.#values.some((row) => row[m]!.count > 0);
  }

  values(metrics: readonly ComparedMetric[], confidence: number): { arm: string; metric: string; estimate: Estimate }[] {
    return this.#arms.flatMap((arm, a) => metrics.map((metric) => ({ arm, metric: metric.id, estimate: estimateFrom(this.#values[a]![this.#metrics.indexOf(metric)]!, confidence) })));
  }

  differences(metrics: readonly ComparedMetric[], confidence: number): MeasuredDifference[] {
    return this.#pairs.flatMap(({ baseline, arm, cells, failed }) => metrics.map((metric) => {
      const cell = cells[this.#metrics.indexOf(metric)]!;
      return { baseline, arm, metric, lacking: { baseline: cell.baseline, arm: cell.arm, failed }, measured: cell.values.measure(confidence) };
    }));
  }
}

interface Cell {
  readonly values: PairedValues;
  /** Runs of the baseline and of the arm without the figure. */
  baseline: number;
  arm: number;
}

/** A figure over several runs. */
export function estimateFrom(moments: Moments, confidence: number): Estimate {
  const { count: runs, mean, standardDeviation: sd, min, max } = moments;
  if (runs === 0) return { runs, mean: null, sd: null, min: null, max: null, interval: null };
  if (runs === 1) return { runs, mean, sd: null, min, max, interval: null };
  const halfWidth = studentQuantile((1 + confidence) / 2, runs - 1) * sd / Math.sqrt(runs);
  return { runs, mean, sd, min, max, interval: { confidence, low: mean - halfWidth, high: mean + halfWidth } };
}
