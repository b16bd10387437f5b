import { confidenceInterval, type Interval } from "../../kernel/statistics/index.ts";
import { kolmogorovStatistic } from "../../kernel/testing/kolmogorov.ts";
import { type Comparison, FAULT, type TheoryCase } from "./case.ts";
import { comparisonsInSuite } from "./suite.ts";
import { play, type Played } from "./played.ts";

/** What a run says of a closed form. */
export interface Verdict {
  readonly comparison: Comparison;
  readonly theory: number;
  /** 99 % confidence. */
  readonly interval: Interval;
  /** Half-width of the 99 % interval as a share of the comparison's scale. */
  readonly sharpness: number;
  /** Correlation of neighbouring batches: near 0 where the interval can be trusted. */
  readonly lag1: number;
  /** Whether the 99 % interval holds the closed form. */
  readonly holds: boolean;
  /** Whether it holds with the confidence that makes all comparisons of the suite true together with 99 %. */
  readonly holdsJointly: boolean;
  /** Value under the planted fault. */
  readonly faulty: number;
  /** Whether the joint interval excludes the planted fault and every neighbouring model. */
  readonly bites: boolean;
}

export interface Judgement {
  readonly case: TheoryCase;
  readonly played: Played;
  readonly verdicts: readonly Verdict[];
  /** Kolmogorov's statistic under the closed form and under the planted fault; null where no distribution is compared. */
  readonly kolmogorov: { readonly size: number; readonly statistic: number; readonly faulty: number } | null;
}

/** Compares a run with theory. */
export function judge(theoryCase: TheoryCase, seed: number, moreSets: readonly string[] = []): Judgement {
  const played = play(theoryCase.scenario, [...theoryCase.sets, `seed=${seed}`, ...moreSets]);
  const verdicts = theoryCase.comparisons.map((comparison): Verdict => {
    const batches = comparison.measure(played);
    const theory = comparison.theory(1);
    const faulty = comparison.theory(FAULT);
    const interval = confidenceInterval(batches, 0.99);
    // Bonferroni's bound.
    const joint = confidenceInterval(batches, 1 - 0.01 / comparisonsInSuite);
    const wrong = [...(comparison.insensitive === true ? [] : [faulty]), ...(comparison.not ?? []).map(({ value }) => value)];
    return {
      comparison,
      theory,
      interval,
      sharpness: interval.halfWidth / Math.abs(comparison.scale ?? theory),
      lag1: lag1Correlation(batches),
      holds: contains(interval, theory),
      holdsJointly: contains(joint, theory),
      faulty,
      bites: wrong.every((value) => !contains(joint, value)),
    };
  });
  const { distribution } = theoryCase;
  let kolmogorov: Judgement["kolmogorov"] = null;
  if (distribution !== undefined) {
    const sample = distribution.sample(played);
    kolmogorov = {
      size: sample.length,
      statistic: kolmogorovStatistic(sample, (x) => distribution.cdf(x, 1)),
      faulty: kolmogorovStatistic(sample, (x) => distribution.cdf(x, FAULT)),
    };
  }
  return { case: theoryCase, played, verdicts, kolmogorov };
}

function contains(interval: Interval, value: number): boolean {
  return value >= interval.low && value <= interval.high;
}

function lag1Correlation(batches: readonly number[]): number {
  const mean = batches.reduce((sum, x) => sum + x / batches.length, 0);
  let squares = 0;
  let products = 0;
  for (const [i, x] of batches.entries()) {
    squares += (x - mean) * (x - mean);
    if (i > 0) products += (x - mean) * (batches[i - 1]! - mean);
  }
  return products / squares;
}
