import type { Moments } from "./moments.ts";
import { studentQuantile, studentTwoSided } from "./student.ts";

/** A difference of the means of two independent samples, and what may be said of it. */
export interface WelchDifference {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  /** Two-sided: how often chance alone makes a difference as large as this or larger where there is none. */
  readonly pValue: number;
  /** Of freedom, by Welch and Satterthwaite; Infinity where neither sample varies. */
  readonly degrees: number;
}

/**
 * Welch's t: samples of their own size and variance. B. L. Welch, Biometrika 34 (1947) 28-35.
 * @param confidence above 0, below 1
 * @throws RangeError below two observations of either
 */
export function welchT(x: Moments, y: Moments, confidence = 0.95): WelchDifference {
  if (x.count < 2 || y.count < 2) throw new RangeError(`welchT: two observations at least of each; found ${x.count} and ${y.count}.`);
  const [ex, ey] = [x.variance / x.count, y.variance / y.count];
  const mean = y.mean - x.mean;
  const error = Math.sqrt(ex + ey);
  if (error === 0) return { mean, low: mean, high: mean, pValue: mean === 0 ? 1 : 0, degrees: Infinity };
  const degrees = (ex + ey) * (ex + ey) / (ex * ex / (x.count - 1) + ey * ey / (y.count - 1));
  const halfWidth = studentQuantile((1 + confidence) / 2, degrees) * error;
  return { mean, low: mean - halfWidth, high: mean + halfWidth, pValue: mean === 0 ? 1 : studentTwoSided(mean / error, degrees), degrees };
}
