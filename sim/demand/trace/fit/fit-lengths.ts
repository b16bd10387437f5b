import { distribution, type DistributionSpec } from "../../../kernel/distributions/index.ts";
import type { TokenHistogram } from "../analysis/token-histogram.ts";

/** A family of one or two parameters is preferred to a list of quantiles as long as it comes this close. */
const closeEnough = 0.03;
/** Quantiles are added until they come this close, or there are so many. */
const quantilesCloseEnough = 0.01;
const mostPoints = 32;
/** Sum of what the stretches between points may miss of the mean, relative to it. */
const meanCloseEnough = 0.005;
/** Points that a list of quantiles always has: the middle and the upper tail, which the largest distance does not see. */
const fixedPoints = [0.5, 0.9, 0.95, 0.99, 0.999];

/** A distribution proposed for lengths, and how far it is off. */
export interface LengthFit {
  readonly family: string;
  readonly spec: Exclude<DistributionSpec, number>;
  /** Largest distance between the distributions, draws rounded to whole tokens (Kolmogorov-Smirnov). */
  readonly distance: number;
}

/** All families that were tried, the chosen one first, then by distance. */
export function fitLengths(histogram: TokenHistogram): readonly LengthFit[] {
  if (histogram.min === histogram.max) return [{ family: "constant", spec: { constant: histogram.min }, distance: 0 }];
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

function parametric(histogram: TokenHistogram): readonly (readonly [string, Exclude<DistributionSpec, number>])[] {
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

/** A quantile function through points of the trace's own, added where the lines are farthest off, in height and then in area. */
function quantilePoints(histogram: TokenHistogram): readonly (readonly [number, number])[] {
  const steps: Steps = { tokens: [], shares: [], sums: [] };
  let sum = 0;
  histogram.forEach((tokens, times, upTo) => {
    sum += tokens * (times / histogram.count);
    steps.tokens.push(tokens);
    steps.shares.push(upTo / histogram.count);
    steps.sums.push(sum);
  });
  const chosen = new Set<number>([steps.tokens.length - 1]);
  for (const p of fixedPoints) chosen.add(steps.shares.findIndex((share) => share >= p));
  for (const worst of [worstByHeight, worstByArea]) {
    for (;;) {
      const sorted = [...chosen].sort((a, b) => a - b);
      const at = sorted.length < mostPoints ? worst(steps, sorted) : -1;
      if (at < 0) break;
      chosen.add(at);
    }
  }
  return toPoints([...chosen].sort((a, b) => a - b), steps);
}

/** The values that occur, in rising order, with the share of jobs that do not exceed each, and those jobs' part of the mean. */
interface Steps {
  readonly tokens: number[];
  readonly shares: number[];
  readonly sums: number[];
}

/** The step not yet chosen where the distribution functions are farthest apart; -1 where they are close enough everywhere. */
function worstByHeight({ tokens, shares }: Steps, chosen: readonly number[]): number {
  const { cdf } = distribution({ quantiles: toPoints(chosen, { tokens, shares, sums: [] }) });
  const isChosen = new Set(chosen);
  let worst = -1;
  let distance = quantilesCloseEnough;
  for (let at = 0; at < tokens.length; at += 1) {
    // The function is flat up to the next value: it may be off at either end.
    const next = tokens[at + 1] ?? tokens[at]! + 1;
    const off = Math.max(Math.abs(shares[at]! - cdf(tokens[at]! + 0.5)), Math.abs(shares[at]! - cdf(next - 0.5)));
    if (off > distance && !isChosen.has(at)) {
      distance = off;
      worst = at;
    }
  }
  return worst;
}

/** The middle, by share, of the stretch between chosen steps whose part of the mean is farthest off; -1 where the parts are close. */
function worstByArea({ tokens, shares, sums }: Steps, chosen: readonly number[]): number {
  const mean = sums[sums.length - 1]!;
  let worst = -1;
  let error = meanCloseEnough * mean / chosen.length;
  let from = -1;
  for (const to of chosen) {
    const fromShare = from < 0 ? 0 : shares[from]!;
    const fromX = (from < 0 ? tokens[0]! - 1 : tokens[from]!) + 0.5;
    const width = shares[to]! - fromShare;
    const off = Math.abs(sums[to]! - (from < 0 ? 0 : sums[from]!) - width * (fromX + tokens[to]! + 0.5) / 2);
    if (off > error && to - from > 1) {
      const middle = shares.findIndex((share) => share >= fromShare + width / 2);
      const inside = Math.min(to - 1, Math.max(from + 1, middle));
      if (shares[inside]! - fromShare > 1e-4 && shares[to]! - shares[inside]! > 1e-4) {
        error = off;
        worst = inside;
      }
    }
    from = to;
  }
  return worst;
}

/** A draw up to k + 0.5 is rounded to k tokens at most. */
function toPoints(chosen: readonly number[], { tokens, shares }: Steps): readonly (readonly [number, number])[] {
  const points: (readonly [number, number])[] = [[0, tokens[0]! - 0.5]];
  for (const at of chosen) {
    const share = at === tokens.length - 1 ? 1 : Math.round(shares[at]! * 1e4) / 1e4;
    const [lastShare] = points[points.length - 1]!;
    if (share > lastShare && (share < 1 || at === tokens.length - 1)) points.push([share, tokens[at]! + 0.5]);
  }
  return points;
}

/** Rounded to so many significant digits, as it is written into a scenario. */
export function significant(value: number, digits: number): number {
  return Number(value.toPrecision(digits));
}
