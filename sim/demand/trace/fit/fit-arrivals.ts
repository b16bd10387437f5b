import { distribution } from "../../../kernel/distributions/index.ts";
import type { ArrivalAnalysis } from "../analysis/analyse.ts";
import type { WindowCounts } from "../analysis/window-counts.ts";
import type { DrawnArrivals } from "../../open-demand.ts";
import type { TraceReader } from "../trace-reader.ts";
import { significant } from "./fit-lengths.ts";

const second = 1_000_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** Gaps that vary less are taken as all alike. */
const smallestCv = 0.01;

/** Kinds of arrival processes that can be fitted. */
export const fittedArrivals = ["regular", "poisson", "gamma", "weibull", "mmpp", "varying"] as const;
export type FittedArrivals = (typeof fittedArrivals)[number];

export interface ArrivalFit {
  readonly spec: DrawnArrivals;
  /** Why this kind, in words. */
  readonly because: string;
}

/**
 * Fits arrivals to a trace. Where windows of a minute or more hold counts that vary no more than the gaps' CV explains, a
 * renewal process. Where they vary more, the rate itself does: a rate that wanders on a time scale much shorter than the
 * trace is a Markov-modulated process, one that does not is copied as a rate that varies with time.
 *
 * @param wanted null: chosen as described
 * @param reopen the trace, from its beginning
 */
export function fitArrivals(arrivals: ArrivalAnalysis, wanted: FittedArrivals | null, reopen: () => TraceReader): ArrivalFit {
  const { kind, because } = wanted === null ? choose(arrivals) : { kind: wanted, because: "as asked for" };
  switch (kind) {
    case "regular":
    case "poisson":
      return { spec: { kind, ratePerS: significant(arrivals.meanRatePerS, 4) }, because };
    case "gamma":
    case "weibull":
      return { spec: { kind, ratePerS: significant(arrivals.meanRatePerS, 4), cv: Math.max(smallestCv, significant(gapCv(arrivals).cv, 3)) }, because };
    case "mmpp":
      return { spec: twoStates(arrivals), because };
    case "varying":
      return { spec: varyingRate(arrivals, reopen), because };
  }
}

function choose(arrivals: ArrivalAnalysis): { readonly kind: FittedArrivals; readonly because: string } {
  const { cv, from, trusted } = gapCv(arrivals);
  const excess = arrivals.windows.find((window) => window.widthUs >= minute && window.windows >= 10 && window.dispersion > dispersionBound(cv, window.windows));
  if (excess !== undefined) {
    const width = widthName(excess.widthUs);
    const varies = `counts per ${width} vary ${excess.dispersion.toFixed(1)} times as much as Poisson's, more than the gaps explain`;
    const memory = rateMemoryUs(arrivals);
    return memory !== null && arrivals.spanUs >= 50 * memory
      ? { kind: "mmpp", because: `${varies}, and the rate forgets its past within ${significant(memory / second, 2)} s` }
      : { kind: "varying", because: `${varies}, and the rate keeps its course for long` };
  }
  if (trusted && cv < smallestCv) return { kind: "regular", because: "the gaps are all alike" };
  if (!trusted) return { kind: "gamma", because: `CV ${cv.toFixed(2)} ${from}; the gaps themselves say little, as ${(arrivals.sameTimeShare * 100).toFixed(0)} % of the requests carry the same time as the one before` };
  if (Math.abs(cv - 1) < 0.03) return { kind: "poisson", because: `CV ${cv.toFixed(2)} ${from} is near 1, and the counts vary no more than that explains` };
  const distance = (kind: "gamma" | "weibull"): number => {
    const gap = { mean: arrivals.gaps.meanUs, cv };
    return arrivals.gaps.distance(distribution(kind === "gamma" ? { gamma: gap } : { weibull: gap }).cdf);
  };
  const gamma = distance("gamma");
  const weibull = distance("weibull");
  return gamma <= weibull
    ? { kind: "gamma", because: `CV ${cv.toFixed(2)} ${from}; the gaps are closer to gamma's (KS ${gamma.toFixed(3)}) than to Weibull's (${weibull.toFixed(3)})` }
    : { kind: "weibull", because: `CV ${cv.toFixed(2)} ${from}; the gaps are closer to Weibull's (KS ${weibull.toFixed(3)}) than to gamma's (${gamma.toFixed(3)})` };
}

/**
 * The CV of the gaps, or, where most requests carry the same time as the one before (a coarse clock, or requests recorded
 * in batches), the one that gives the counts per 10 s, minute or more their dispersion: a renewal process's index of
 * dispersion tends to its squared CV (Cox and Lewis, The Statistical Analysis of Series of Events, 1966, section 4.5).
 */
function gapCv(arrivals: ArrivalAnalysis): { readonly cv: number; readonly from: string; readonly trusted: boolean } {
  if (arrivals.sameTimeShare <= 0.5) return { cv: arrivals.gaps.cv, from: "of the gaps", trusted: true };
  const window = [...arrivals.windows].reverse().find((candidate) => candidate.widthUs <= minute && candidate.windows >= 10);
  return window === undefined
    ? { cv: arrivals.gaps.cv, from: "of the gaps", trusted: true }
    : { cv: Math.sqrt(window.dispersion), from: `by the counts per ${widthName(window.widthUs)}`, trusted: false };
}

/** What the dispersion of that many windows of a renewal process with this CV exceeds about once in a thousand times. */
function dispersionBound(cv: number, windows: number): number {
  return Math.max(1, cv * cv) * (1 + 3.1 * Math.sqrt(2 / (windows - 1)));
}

/** The widest windows whose neighbours are clearly correlated (by four standard errors), or null: the slowest changes of the rate weigh most. */
function rateWindow(arrivals: ArrivalAnalysis): WindowCounts | null {
  const clear = (window: WindowCounts): boolean =>
    window.windows >= 20 && window.covariance(2) > 0 && window.covariance(1) > (4 / Math.sqrt(window.windows)) * window.dispersion * window.mean;
  return [...arrivals.windows].reverse().find(clear) ?? null;
}

/** Time constant of the rate's autocorrelation, taken as exponential; null where it cannot be told. */
function rateMemoryUs(arrivals: ArrivalAnalysis): number | null {
  const window = rateWindow(arrivals);
  if (window === null) return null;
  const decay = window.covariance(2) / window.covariance(1);
  return decay >= 1 ? null : -window.widthUs / Math.log(decay);
}

/**
 * Two states by moments: the counts' covariances at one and two windows' distance give the variance and the time constant
 * of the rate, free of the counts' own noise; the share of windows above the mean is taken as the busy state's. (For a rate
 * with covariance v exp(-t / tau), windows of width w have covariances v tau² (1 - a)² and a times that, a = exp(-w / tau).)
 */
function twoStates(arrivals: ArrivalAnalysis): DrawnArrivals {
  const mean = arrivals.meanRatePerS;
  const window = rateWindow(arrivals) ?? arrivals.windows.find((candidate) => candidate.mean >= 5) ?? arrivals.windows[0]!;
  const memoryUs = rateMemoryUs(arrivals) ?? arrivals.spanUs / 10;
  const decay = Math.exp(-window.widthUs / memoryUs);
  const memoryS = memoryUs / second;
  const variance = Math.max(0, window.covariance(1)) / (memoryS * memoryS * (1 - decay) * (1 - decay));
  const { counts } = arrivals.series.columns(Math.max(2, Math.ceil(arrivals.spanUs / window.widthUs)));
  const meanCount = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  const busyShare = Math.min(0.95, Math.max(0.05, counts.filter((count) => count > meanCount).length / counts.length));
  // The quiet state's rate cannot be negative: then it is silence, and the busy state's share follows from the variance.
  const down = Math.sqrt(variance * busyShare / (1 - busyShare));
  const share = down <= mean ? busyShare : mean * mean / (mean * mean + variance);
  const busy = down <= mean ? mean + Math.sqrt(variance * (1 - share) / share) : mean / share;
  const quiet = down <= mean ? mean - down : 0;
  return {
    kind: "mmpp",
    states: [
      { ratePerS: significant(busy, 4), meanUs: significant(memoryUs / (1 - share), 3) },
      { ratePerS: significant(quiet, 4), meanUs: significant(memoryUs / share, 3) },
    ],
  };
}

/** Widths of the pieces, of which the narrowest is taken that makes 48 pieces at most. */
const pieceWidthsUs = [second, 2 * second, 5 * second, 10 * second, 20 * second, 30 * second, minute, 2 * minute, 5 * minute, 10 * minute, 15 * minute, 30 * minute, hour];
const mostPieces = 48;

/** The trace's own rates, piece by piece; of a trace of two days or more, the mean rates by the hour of its day. */
function varyingRate(arrivals: ArrivalAnalysis, reopen: () => TraceReader): DrawnArrivals {
  const { spanUs } = arrivals;
  const daily = spanUs >= 2 * day;
  const widthUs = daily ? hour : pieceWidthsUs.find((width) => spanUs / width <= mostPieces) ?? hour;
  const pieces = daily ? 24 : Math.max(1, Math.round(spanUs / widthUs));
  const counts = new Float64Array(pieces);
  const trace = reopen();
  while (trace.next()) {
    const piece = Math.floor(trace.timeUs / widthUs);
    counts[daily ? piece % pieces : Math.min(pieces - 1, piece)]! += 1;
  }
  const points = Array.from(counts, (count, piece) => {
    const coveredUs = daily ? coveredBy(spanUs, piece * widthUs, widthUs) : piece === pieces - 1 ? spanUs - piece * widthUs : widthUs;
    return { atUs: (piece + 0.5) * widthUs, ratePerS: significant(count / (coveredUs / second), 4) };
  });
  return { kind: "varying", points, periodUs: pieces * widthUs };
}

/** How much of the span lies in [from, from + width) of some day. */
function coveredBy(spanUs: number, fromUs: number, widthUs: number): number {
  const days = Math.floor(spanUs / day);
  return days * widthUs + Math.min(widthUs, Math.max(0, spanUs - days * day - fromUs));
}

function widthName(widthUs: number): string {
  return widthUs === second ? "second" : widthUs === minute ? "minute" : widthUs === hour ? "hour" : widthUs < minute ? `${widthUs / second} s` : `${widthUs / minute} minutes`;
}
