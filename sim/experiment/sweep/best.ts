import type { BestPoint, SweptMetric, SweptPoint } from "../../../protocol/result/sweep.ts";
import { Moments, studentQuantile } from "../../kernel/statistics/index.ts";

/** Figures of single runs that are kept in memory for comparing points run by run: 8 MB. More of them go to a {@link NumberStore}. */
const MOST_HELD = 1_000_000;
/** Replications of a point that are written, or read, at a time. */
const PIECE = 4_096;

/** Numbers outside of memory, by their place from 0 on. What was not written is not read. */
export interface NumberStore {
  write(at: number, values: Float64Array): void;
  read(at: number, values: Float64Array): void;
}

/**
 * The figures of single runs, point by point: in memory as long as they are few enough, then where somebody has room for them.
 */
export class RunFigures {
  readonly #points: number;
  readonly #replications: number;
  readonly #metrics: number;
  /** Null where nobody has room. */
  readonly #store: NumberStore | null;
  /** Of the point at hand: the last replications, one row per metric. */
  readonly #pending: readonly Float64Array[];
  #taken = 0;

  /** @param store of what does not fit into memory @param mostHeld in memory */
  constructor(points: number, metrics: number, replications: number, store?: () => NumberStore, mostHeld = MOST_HELD) {
    const count = points * metrics * replications;
    this.#points = points;
    this.#metrics = metrics;
    this.#replications = replications;
    this.#store = replications < 2 ? null : count <= mostHeld ? held(count) : store?.() ?? null;
    this.#pending = Array.from({ length: this.#store === null ? 0 : metrics }, () => new Float64Array(Math.min(replications, PIECE)));
  }

  /** The next run: replication after replication, point after point. @param values by metric; null where the run has no such figure */
  add(values: readonly (number | null)[]): void {
    const run = this.#taken++;
    if (this.#store === null) return;
    const replication = run % this.#replications;
    const inPiece = replication % PIECE;
    for (let metric = 0; metric < this.#metrics; metric++) this.#pending[metric]![inPiece] = values[metric] ?? NaN;
    if (inPiece === PIECE - 1 || replication === this.#replications - 1) this.#flush(run);
  }

  /** Differences of one point's runs from another's on the same random numbers; null where they were not kept. */
  differences(point: number, other: number, metric: number): Moments | null {
    if (this.#store === null) return null;
    const moments = new Moments();
    const runs = Math.min(this.#over(point), this.#over(other));
    for (let first = 0; first < runs; first += PIECE) {
      const [a, b] = [this.#read(point, metric, first, runs), this.#read(other, metric, first, runs)];
      for (let r = 0; r < a.length; r++) {
        const difference = a[r]! - b[r]!;
        if (!Number.isNaN(difference)) moments.add(difference);
      }
    }
    return moments;
  }

  /** Replications of a point that were played. */
  #over(point: number): number {
    return Math.max(0, Math.min(this.#replications, this.#taken - point * this.#replications));
  }

  #read(point: number, metric: number, first: number, runs: number): Float64Array {
    const values = new Float64Array(Math.min(PIECE, runs - first));
    // The last point's runs may not be written yet, where the sweep was interrupted.
    const pending = this.#taken % this.#replications === 0 ? -1 : Math.floor(this.#taken / this.#replications);
    const piece = Math.floor((this.#taken % this.#replications) / PIECE) * PIECE;
    if (point === pending && first === piece) values.set(this.#pending[metric]!.subarray(0, values.length));
    else this.#store!.read(this.#at(point, metric, first), values);
    return values;
  }

  #flush(run: number): void {
    const point = Math.floor(run / this.#replications);
    const replication = run % this.#replications;
    const first = replication - (replication % PIECE);
    this.#pending.forEach((row, metric) => this.#store!.write(this.#at(point, metric, first), row.subarray(0, replication - first + 1)));
  }

  #at(point: number, metric: number, replication: number): number {
    return (metric * this.#points + point) * this.#replications + replication;
  }
}

function held(count: number): NumberStore {
  const numbers = new Float64Array(count);
  return { write: (at, values) => numbers.set(values, at), read: (at, values) => values.set(numbers.subarray(at, at + values.length)) };
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
