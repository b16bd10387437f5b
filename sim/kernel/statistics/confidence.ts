import { Moments } from "./moments.ts";
import { studentQuantile } from "./student.ts";

/** An estimate of a mean and the interval that holds the true one with the stated confidence. */
export interface Interval {
  readonly mean: number;
  readonly halfWidth: number;
  readonly low: number;
  readonly high: number;
  /** How many (nearly) independent observations it rests on. */
  readonly observations: number;
}

/**
 * Interval for the mean of independent observations, such as replications: Student's t.
 * @param confidence above 0, below 1.
 * @throws RangeError below two observations.
 */
export function confidenceInterval(observations: Iterable<number>, confidence = 0.99): Interval {
  const moments = new Moments();
  for (const x of observations) moments.add(x);
  const n = moments.count;
  if (n < 2) throw new RangeError(`A confidence interval needs two observations at least; found ${n}.`);
  const halfWidth = studentQuantile((1 + confidence) / 2, n - 1) * Math.sqrt(moments.variance / n);
  return { mean: moments.mean, halfWidth, low: moments.mean - halfWidth, high: moments.mean + halfWidth, observations: n };
}
