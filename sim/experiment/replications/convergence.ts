import type { KeyMetric } from "../../../protocol/result/replications.ts";
import type { Metric } from "../../../protocol/result/metrics.ts";
import { absentFigure } from "../../../protocol/result/figures.ts";
import type { Figures } from "../../../protocol/result/figures.ts";
import { Moments } from "../../kernel/statistics/index.ts";
import { estimateOf } from "./figure-estimates.ts";

const valuesKept = 1_000;
/** Points of the curve up to which every run has one; from there on each is this much farther than the last. */
const closePoints = 60;
const growth = 1.05;
const pointsKept = 256;

/** Follows a metric from run to run, in bounded memory. */
export class Convergence {
  readonly metric: Metric;
  readonly #confidence: number;
  readonly #moments = new Moments();
  readonly #values: (number | null)[] = [];
  readonly #points: KeyMetric["convergence"] = [];
  #runs = 0;
  #nextPoint = 1;

  constructor(metric: Metric, confidence: number) {
    this.metric = metric;
    this.#confidence = confidence;
  }

  add(figures: Figures): void {
    const value = figures[this.metric.path] ?? absentFigure(this.metric.path);
    this.#runs++;
    if (this.#values.length < valuesKept) this.#values.push(value);
    if (value !== null) this.#moments.add(value);
    if (this.#runs < this.#nextPoint || this.#moments.count === 0 || this.#points.length >= pointsKept - 1) return;
    this.#nextPoint = this.#runs < closePoints ? this.#runs + 1 : Math.ceil(this.#runs * growth);
    this.#addPoint();
  }

  /** @returns null where no run had the figure */
  get keyMetric(): KeyMetric | null {
    if (this.#moments.count === 0) return null;
    if (this.#points.at(-1)?.runs !== this.#runs) this.#addPoint();
    return { metric: { ...this.metric }, estimate: estimateOf(this.#moments, this.#confidence), values: [...this.#values], convergence: [...this.#points] };
  }

  #addPoint(): void {
    const { mean, interval } = estimateOf(this.#moments, this.#confidence);
    this.#points.push({ runs: this.#runs, mean: mean!, low: interval?.low ?? null, high: interval?.high ?? null });
  }
}
