/** A ratio of two means, and the interval that holds it. */
export interface MeanRatio {
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
}

/** Two means and how sure they are: variances and covariance of the means, not of single observations. */
export interface TwoMeans {
  readonly meanX: number;
  readonly meanY: number;
  readonly varianceX: number;
  readonly varianceY: number;
  /** 0 for independent samples. */
  readonly covariance: number;
}

/**
 * Interval for the ratio of means y / x by Fieller's theorem: all ratios r for which y - r x could be 0 on average. It needs no
 * linearisation, and says of r = 1 exactly what the t test of the difference says. Of changes (y - x) / x it says most where it is
 * given x and y - x: then nothing cancels.
 * E. C. Fieller, Some problems in interval estimation, Journal of the Royal Statistical Society B 16 (1954) 175-185.
 * @param t the quantile of Student's t that the confidence asks for; 0 or more
 * @returns null where the mean of x could be 0: then no ratio is excluded
 */
export function fieller({ meanX, meanY, varianceX, varianceY, covariance }: TwoMeans, t: number): MeanRatio | null {
  const t2 = t * t;
  const a = meanX * meanX - t2 * varianceX;
  if (!(a > 0)) return null;
  const b = meanX * meanY - t2 * covariance;
  // b^2 - a c, without the terms that cancel.
  const spread = meanX * meanX * varianceY - 2 * (meanX * meanY * covariance) + meanY * meanY * varianceX - t2 * (varianceX * varianceY - covariance * covariance);
  const root = t * Math.sqrt(Math.max(0, spread));
  return { ratio: meanY / meanX, low: (b - root) / a, high: (b + root) / a };
}
