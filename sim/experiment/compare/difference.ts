import type { ComparedDifference } from "../../../protocol/result/comparison.ts";
import { fieller, pairedTOf, studentQuantile, welchT } from "../../kernel/statistics/index.ts";
import { Moments, PairMoments } from "../../kernel/statistics/index.ts";
import type { MeanRatio } from "../../kernel/statistics/index.ts";

/** What the numbers say of one figure of two arms, before anybody has adjusted it or put it into words. */
export type Measured = Pick<ComparedDifference, "method" | "pairs" | "baselineMean" | "armMean" | "difference" | "interval" | "relative" | "pValue" | "correlation" | "varianceRatio"> & {
  /** Whether the figure was the same in every pair. */
  readonly identical: boolean;
};

/** Two arms' values of one figure, pair by pair, in constant memory. */
export class PairedValues {
  readonly #both = new PairMoments();
  /** The baseline and the difference: their covariance says what a relative difference is worth, without cancellation. */
  readonly #change = new PairMoments();
  readonly #differences = new Moments();
  #equal = 0;

  add(baseline: number, arm: number): void {
    this.#both.add(baseline, arm);
    this.#change.add(baseline, arm - baseline);
    this.#differences.add(arm - baseline);
    if (arm === baseline) this.#equal++;
  }

  get pairs(): number {
    return this.#differences.count;
  }

  measure(confidence: number): Measured {
    const both = this.#both;
    const { count: pairs } = both;
    if (pairs < 2) return lone("paired", pairs, pairs === 0 ? null : both.meanX, pairs === 0 ? null : both.meanY);
    const { mean, low, high, pValue } = pairedTOf(this.#differences, confidence);
    const { meanX, meanY, varianceX, varianceY, covariance } = this.#change;
    const ratio = fieller({ meanX, meanY, varianceX: varianceX / pairs, varianceY: varianceY / pairs, covariance: covariance / pairs }, studentQuantile((1 + confidence) / 2, pairs - 1));
    const { variance } = this.#differences;
    const apart = both.varianceX + both.varianceY;
    return {
      method: "paired", pairs, baselineMean: both.meanX, armMean: both.meanY,
      difference: mean, interval: { confidence, low, high }, relative: share(both.meanX, ratio), pValue,
      correlation: Number.isFinite(both.correlation) ? both.correlation : null,
      varianceRatio: variance > 0 && Number.isFinite(apart / variance) ? apart / variance : null,
      identical: this.#equal === pairs,
    };
  }
}

/** Two arms' values of one figure whose runs have nothing to do with each other. */
export function measureIndependent(baseline: Moments, arm: Moments, confidence: number): Measured {
  const pairs = Math.min(baseline.count, arm.count);
  if (pairs < 2) return lone("independent", pairs, baseline.count === 0 ? null : baseline.mean, arm.count === 0 ? null : arm.mean);
  const { mean, low, high, pValue, degrees } = welchT(baseline, arm, confidence);
  // Of the change: what the baseline varies by, the difference varies by the other way.
  const varianceX = baseline.variance / baseline.count;
  const ratio = fieller({
    meanX: baseline.mean, meanY: mean, varianceX, varianceY: varianceX + arm.variance / arm.count, covariance: -varianceX,
  }, degrees === Infinity ? 0 : studentQuantile((1 + confidence) / 2, degrees));
  return {
    method: "independent", pairs, baselineMean: baseline.mean, armMean: arm.mean, difference: mean, interval: { confidence, low, high },
    relative: share(baseline.mean, ratio), pValue, correlation: null, varianceRatio: null,
    identical: baseline.variance === 0 && arm.variance === 0 && mean === 0,
  };
}

/** Too few runs for an interval. */
function lone(method: Measured["method"], pairs: number, baselineMean: number | null, armMean: number | null): Measured {
  const known = baselineMean !== null && armMean !== null;
  return {
    method, pairs, baselineMean, armMean, difference: known ? armMean - baselineMean : null, interval: null,
    relative: known && baselineMean !== 0 ? { value: (armMean - baselineMean) / Math.abs(baselineMean), low: null, high: null } : null,
    pValue: null, correlation: null, varianceRatio: null, identical: known && armMean === baselineMean,
  };
}

/** A change per mean of the baseline, as a share of its size: a loss that halves has risen by 50 %. */
function share(baselineMean: number, change: MeanRatio | null): Measured["relative"] {
  if (change === null) return null;
  const { ratio, low, high } = change;
  return baselineMean > 0 ? { value: ratio, low, high } : { value: -ratio, low: -high, high: -low };
}
