import { distribution, type DistributionSpec } from "../../../kernel/distributions/index.ts";
import type { TokenHistogram } from "../analysis/token-histogram.ts";

/** A family of one or two parameters is preferred to a list of quantiles as long as it comes this close. */
const closeEnough = 0.03;
/** Quantiles are added until they come this close, or there are so many. */
const quantilesCloseEnough = 0.01;
const mostPoints = 36;
/** Shares are written with four digits. */
const finestShare = 1e-4;
/** Sum of what the stretches between points may miss of the mean, relative to it. */
const meanCloseEnough = 0.005;
/** Points that a list of quantiles always has: the middle and the upper tail, which the largest distance does not see. */
const fixedPoints = [0.5, 0.9, 0.95, 0.99, 0.999];

/** A distribution proposed for lengths, and how far it is off. */
export interface LengthFit {
  readonly family: string;
  readonly spec: DistributionSpec;
  /** Largest distance between the distributions, draws rounded to whole tokens (Kolmogorov-Smirnov). */
  readonly distance: number;
}

/** All families that were tried, the chosen one first, then by distance. */
export function fitLengths(histogram: TokenHistogram): readonly LengthFit[] {
  if (histogram.min === histogram.max) return [{ family: "constant", spec: histogram.min, distance: 0 }];
  const tried = parametric(histogram).map(([family, spec]) => ({ family, spec, distance: lengthDistance(histogram, spec) }));
  tried.sort((a, b) => a.distance - b.distance);
  if (tried[0]!.distance <= closeEnough) return tried;
  const spec = { quantiles: quantilePoints(histogram) };
  return [{ family: "quantiles", spec, distance: lengthDistance(histogram, spec) }, ...tried];
}

/** Largest distance between the trace's lengths and draws from `spec` rounded to whole tokens of at least 1. */
export function lengthDistance(histogram: TokenHistogram, spec: DistributionSpec): number {
  const { cdf } = distribution(spec);
  let distance = 0;
  let before = 0;
  histogram.forEach((tokens, _times, upTo) => {
    const share = upTo / histogram.count;
    distance = Math.max(distance, Math.abs(share - cdf(tokens + 0.5)), tokens > 1 ? Math.abs(before - cdf(tokens - 0.5)) : 0);
    before = share;
  });
  return distance;
}

function parametric(histogram: TokenHistogram): readonly (readonly [string, DistributionSpec])[] {
  const mean = significant(histogram.mean, 4);
  const cv = significant(histogram.cv, 3);
  let logMean = 0;
  histogram.forEach((tokens, times) => (logMean += times * Math.log(tokens) / histogram.count));
  let logVariance = 0;
  histogram.forEach((tokens, times) => (logVariance += times * (Math.log(tokens) - logMean) * (Math.log(tokens) - logMean) / histogram.count));
  return [
    ["lognormal by its moments", { lognormal: { mean, cv } }],
    ["lognormal by its logarithms", { lognormal: { median: significant(Math.exp(logMean), 4), sigma: significant(Math.sqrt(logVariance), 3) } }],
    ["gamma", { gamma: { mean, cv } }],
    ["Weibull", { weibull: { mean, cv } }],
    ["exponential", { exponential: { mean } }],
  ];
}

/**
 * A corner of the lengths' distribution function, drawn so that draws up to k + 0.5 are rounded to k tokens at most: the
 * value k takes the stretch from k - 0.5 to k + 0.5, and where the next value is far off, the function is flat in between.
 */
interface Corner {
  readonly x: number;
  /** Of the jobs below. */
  readonly share: number;
  /** What the jobs below add to the mean. */
  readonly sum: number;
  /** Begins a value's stretch; the others end one. */
  readonly begins: boolean;
}

/** A quantile function through corners of the trace's own, added where the lines are farthest off, in height and then in area. */
function quantilePoints(histogram: TokenHistogram): readonly (readonly [number, number])[] {
  const corners: Corner[] = [];
  let share = 0;
  let sum = 0;
  histogram.forEach((tokens, times, upTo) => {
    corners.push({ x: tokens - 0.5, share, sum, begins: true });
    share = upTo / histogram.count;
    sum += tokens * (times / histogram.count);
    corners.push({ x: tokens + 0.5, share, sum, begins: false });
  });
  const chosen = new Set<number>([0, corners.length - 1]);
  for (const p of fixedPoints) chosen.add(corners.findIndex((corner) => corner.share >= p && !corner.begins));
  for (const worst of [worstByHeight, worstByArea]) {
    while (chosen.size < mostPoints) {
      const at = worst(corners, chosen);
      if (at < 0) break;
      chosen.add(at);
    }
  }
  return toPoints(corners, chosen);
}

/** The corner not yet chosen that the lines miss by most; -1 where they miss none by much. */
function worstByHeight(corners: readonly Corner[], chosen: ReadonlySet<number>): number {
  const { cdf } = distribution({ quantiles: toPoints(corners, chosen) });
  let worst = -1;
  let distance = quantilesCloseEnough;
  for (const [at, corner] of corners.entries()) {
    const off = Math.abs(corner.share - cdf(corner.x));
    if (off > distance && !chosen.has(at)) {
      distance = off;
      worst = at;
    }
  }
  return worst;
}

/** The middle, by share, of the stretch between chosen corners whose part of the mean is farthest off; -1 where all are close. */
function worstByArea(corners: readonly Corner[], chosen: ReadonlySet<number>): number {
  let worst = -1;
  let error = (meanCloseEnough * corners.at(-1)!.sum) / chosen.size;
  let from = 0;
  for (const to of inOrder(chosen)) {
    const [low, high] = [corners[from]!, corners[to]!];
    const off = Math.abs(high.sum - low.sum - ((high.share - low.share) * (low.x + high.x)) / 2);
    if (off > error) {
      const half = (low.share + high.share) / 2;
      for (let at = from + 1; at < to; at += 1) {
        if (corners[at]!.share < half && at < to - 1) continue;
        if (corners[at]!.share - low.share > finestShare && high.share - corners[at]!.share > finestShare) {
          error = off;
          worst = at;
        }
        break;
      }
    }
    from = to;
  }
  return worst;
}

function toPoints(corners: readonly Corner[], chosen: ReadonlySet<number>): readonly (readonly [number, number])[] {
  const points: (readonly [number, number])[] = [];
  for (const at of inOrder(chosen)) {
    const { x, share, begins } = corners[at]!;
    const last = points.at(-1);
    if (at === corners.length - 1) {
      points.push([1, x]);
    } else {
      const rounded = Math.round(share / finestShare) * finestShare;
      // A jump takes the smallest step of the share that is written.
      const p = Number((last !== undefined && begins ? Math.max(rounded, last[0] + finestShare) : rounded).toFixed(4));
      if (last === undefined || (p > last[0] && p < 1 && x > last[1])) points.push([p, x]);
    }
  }
  return points;
}

function inOrder(chosen: ReadonlySet<number>): number[] {
  return [...chosen].sort((a, b) => a - b);
}

/** Rounded to so many significant digits, as it is written into a scenario. */
export function significant(value: number, digits: number): number {
  return Number(value.toPrecision(digits));
}
