import type { BestPoint, SweptMetric, SweptPoint } from "../../../protocol/result/sweep.ts";
import { Moments, studentQuantile } from "../../kernel/statistics/index.ts";

/** Figures of single runs that are kept for comparing points run by run: 8 MB. */
const mostKept = 1_000_000;

/**
 * The figures of single runs, point by point, as long as they are few enough; memory does not grow beyond that.
 */
export class RunFigures {
  readonly #points: number;
  readonly #replications: number;
  readonly #figures: Float64Array | null;

  constructor(points: number, metrics: number, replications: number) {
    this.#points = points;
    this.#replications = replications;
    const count = points * metrics * replications;
    this.#figures = replications > 1 && count <= mostKept ? new Float64Array(count).fill(NaN) : null;
  }

  /** Null where a run has no such figure. */
  set(point: number, metric: number, replication: number, value: number | null): void {
    if (this.#figures !== null && value !== null) this.#figures[this.#at(point, metric, replication)] = value;
  }

  /** Differences of one point's runs from another's on the same random numbers; null where they were not kept. */
  differences(point: number, other: number, metric: number): Moments | null {
    if (this.#figures === null) return null;
    const moments = new Moments();
    for (let r = 0; r < this.#replications; r++) {
      const difference = this.#figures[this.#at(point, metric, r)]! - this.#figures[this.#at(other, metric, r)]!;
      if (!Number.isNaN(difference)) moments.add(difference);
    }
    return moments;
  }

  #at(point: number, metric: number, replication: number): number {
    return (metric * this.#points + point) * this.#replications + replication;
  }
}

/**
 * The best point of each metric, and those that may be the best in truth: all whose runs are not surely worse than the best
 * one's on the same random numbers. A point is ruled out by a one-sided paired t-test at level (1 - confidence) / (points - 1), so
 * that with at least this confidence the truly best point is none of those (Bonferroni).
 * @param columns of each metric, the number under which its figures were kept
 */
export function bestPoints(metrics: readonly SweptMetric[], columns: readonly number[], points: readonly SweptPoint[], runs: RunFigures, confidence: number): BestPoint[] {
  return metrics.flatMap((metric, m): BestPoint[] => {
    const known = points.filter(({ estimates }) => estimates[m]!.mean !== null);
    if (metric.better === null || known.length < 2) return [];
    const sign = metric.better === "lower" ? -1 : 1;
    const best = known.reduce((found, point) => sign * point.estimates[m]!.mean! > sign * found.estimates[m]!.mean! ? point : found);
    const rivals: number[] = [];
    for (const point of known) {
      if (point === best) continue;
      const differences = runs.differences(best.index, point.index, columns[m]!);
      if (differences === null) return [{ metric: metric.id, point: best.index, rivals: null }];
      const { count, mean, standardDeviation } = differences;
      if (count < 2) {
        rivals.push(point.index);
        continue;
      }
      const needed = studentQuantile(1 - (1 - confidence) / (known.length - 1), count - 1) * standardDeviation / Math.sqrt(count);
      // Equal runs, of which none is worse, have no spread at all.
      if (!(sign * mean > needed)) rivals.push(point.index);
    }
    return [{ metric: metric.id, point: best.index, rivals }];
  });
}
