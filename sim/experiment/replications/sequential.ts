import type { Estimate } from "../../../protocol/result/experiment.ts";
import type { UntilRule } from "../../scenario/sections/replications.ts";

/** What a look at the interval of the metric says. */
export interface Look {
  readonly runs: number;
  readonly mean: number | null;
  /** Half width of the interval over the mean; null where there is no interval, or the mean is 0. */
  readonly relativeHalfWidth: number | null;
  readonly met: boolean;
}

/** How much a first look at so few runs is to be believed: none of the rule's looks comes before, and each adds so many runs at least. */
const leastStep = 5;

/**
 * Whether to stop: the relative half width is at most gamma / (1 + gamma). Of a true mean m and an estimate x whose relative
 * error as measured against x is at most gamma', the error against m is at most gamma' / (1 - gamma'); so it is gamma.
 * A. M. Law, Simulation Modeling and Analysis, 5th ed., 9.4.2; Law, Kelton and Koenig, Operations Research 29 (1981).
 * A metric that is exactly the same in every run is known.
 */
export function look({ halfWidth }: UntilRule, { runs, mean, sd, interval }: Estimate): Look {
  const relativeHalfWidth = interval === null || mean === null || mean === 0 ? null : (interval.high - interval.low) / 2 / Math.abs(mean);
  const met = relativeHalfWidth === null ? runs >= 2 && sd === 0 : relativeHalfWidth <= halfWidth / (1 + halfWidth);
  return { runs, mean, relativeHalfWidth, met };
}

/**
 * Runs to have played before the next look: as many as would do if their spread stays as it is, though at least 5 and a tenth
 * more than now, and at most twice as many. Few looks: each is a chance to stop on an interval that is narrow by luck, which
 * is why sequential intervals cover less than they say.
 */
export function nextLook({ halfWidth, atMost }: UntilRule, played: number, { relativeHalfWidth }: Look): number {
  const wanted = relativeHalfWidth === null ? 2 * played : played * (relativeHalfWidth * (1 + halfWidth) / halfWidth) * (relativeHalfWidth * (1 + halfWidth) / halfWidth);
  const least = played + Math.max(leastStep, Math.ceil(played / 10));
  return Math.min(atMost, Math.max(least, Math.min(2 * played, Math.ceil(wanted))));
}
