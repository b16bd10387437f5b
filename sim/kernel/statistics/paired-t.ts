import { Moments } from "./moments.ts";
import { studentQuantile, studentTwoSided } from "./student.ts";

/** A mean difference, and what may be said of it. */
export interface PairedDifference {
  readonly pairs: number;
  readonly mean: number;
  /** Of the differences, divisor n - 1. */
  readonly sd: number;
  readonly halfWidth: number;
  readonly low: number;
  readonly high: number;
  /** Two-sided: how often chance alone makes a difference as large as this or larger where there is none. */
  readonly pValue: number;
}

/**
 * Paired t: the interval of a mean difference, and whether it could be 0. Pairs are independent of each other, and may be as
 * alike within as they like (common random numbers).
 * @param differences second less first, pair by pair
 * @param confidence above 0, below 1
 * @throws RangeError below two pairs
 */
export function pairedT(differences: Iterable<number>, confidence = 0.95): PairedDifference {
  const moments = new Moments();
  for (const difference of differences) moments.add(difference);
  return pairedTOf(moments, confidence);
}

/** The same of differences that were added up before. @throws RangeError below two pairs */
export function pairedTOf(moments: Moments, confidence = 0.95): PairedDifference {
  const { count: pairs, mean, standardDeviation: sd } = moments;
  if (pairs < 2) throw new RangeError(`A paired t test needs two pairs at least; found ${pairs}.`);
  const error = sd / Math.sqrt(pairs);
  const halfWidth = studentQuantile((1 + confidence) / 2, pairs - 1) * error;
  const pValue = mean === 0 ? 1 : error === 0 ? 0 : studentTwoSided(mean / error, pairs - 1);
  return { pairs, mean, sd, halfWidth, low: mean - halfWidth, high: mean + halfWidth, pValue };
}
