import { absentFigure } from "../../../protocol/result/figures.ts";
import type { Figures } from "../../../protocol/result/figures.ts";
import type { ComparedMetric } from "../../../protocol/result/comparison.ts";
import type { Estimate } from "../../../protocol/result/experiment.ts";
import { Moments } from "../../kernel/statistics/index.ts";
import { estimateOf } from "../replications/figure-estimates.ts";
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

  /** Whether each arm has the figure in some run. */
  everyArmHas(metric: ComparedMetric): boolean {
    const m = this.#metrics.indexOf(metric);
    return this.#values.every((row) => row[m]!.count > 0);
  }

  /** Half the width of the widest interval of a difference to the baseline in this metric, as a share of the baseline's mean; null where one is not known. */
  relativeHalfWidth(metric: ComparedMetric, baseline: string, confidence: number): number | null {
    const m = this.#metrics.indexOf(metric);
    let widest: number | null = 0;
    for (const pair of this.#pairs) {
      if (pair.baseline !== baseline) continue;
      const { interval, baselineMean } = pair.cells[m]!.values.measure(confidence);
      if (interval === null || baselineMean === null || baselineMean === 0) return null;
      widest = Math.max(widest, (interval.high - interval.low) / 2 / Math.abs(baselineMean));
    }
    return widest;
  }

  values(metrics: readonly ComparedMetric[], confidence: number): { arm: string; metric: string; estimate: Estimate }[] {
    return this.#arms.flatMap((arm, a) => metrics.map((metric) => ({ arm, metric: metric.id, estimate: estimateOf(this.#values[a]![this.#metrics.indexOf(metric)]!, confidence) })));
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
