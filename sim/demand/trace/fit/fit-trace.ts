import { RandomStreams } from "../../../kernel/random.ts";
import { analyseTrace, type ArrivalAnalysis, type TraceAnalysis } from "../analysis/analyse.ts";
import { GapHistogram } from "../analysis/gap-histogram.ts";
import { TokenHistogram } from "../analysis/token-histogram.ts";
import { WindowCounts } from "../analysis/window-counts.ts";
import { arrivalProcess, type DrawnArrivals } from "../../open-demand.ts";
import { IndependentLengths } from "../../lengths.ts";
import { distribution } from "../../../kernel/distributions/index.ts";
import { TraceError } from "../trace-error.ts";
import { TraceReader, type TraceOptions } from "../trace-reader.ts";
import { type ArrivalFit, fitArrivals, type FittedArrivals } from "./fit-arrivals.ts";
import { fitLengths, type LengthFit } from "./fit-lengths.ts";

/** Jobs drawn to measure a fit's error. */
const drawnJobs = 200_000;
const minute = 60_000_000;
/** Fewer rows say too little. */
const fewestRows = 20;

export interface FitOptions extends TraceOptions {
  /** Absent or null: chosen by what the trace shows. */
  readonly arrivals?: FittedArrivals | null;
}

/** A workload fitted to a trace, and how far draws from it are off. */
export interface TraceFit {
  readonly trace: TraceAnalysis;
  /** null: the trace has no times. */
  readonly arrivals: (ArrivalFit & { readonly error: ArrivalError }) | null;
  readonly input: LengthFit & { readonly error: LengthError; readonly others: readonly LengthFit[] };
  readonly output: LengthFit & { readonly error: LengthError; readonly others: readonly LengthFit[] };
  /** Jobs drawn for the errors. */
  readonly drawn: number;
}

/** What was measured in the trace and in draws from the fit. */
export interface Measured {
  readonly trace: number;
  readonly fit: number;
}

export interface LengthError {
  /** Largest distance between the two distributions (Kolmogorov-Smirnov). */
  readonly distance: number;
  readonly mean: Measured;
  readonly cv: Measured;
  readonly p50: Measured;
  readonly p95: Measured;
  readonly p99: Measured;
}

export interface ArrivalError {
  readonly ratePerS: Measured;
  readonly gapCv: Measured;
  /** Variance over mean of the counts per minute. */
  readonly dispersionPerMinute: Measured;
  readonly peakPerMinute: Measured;
}

/**
 * Fits a workload to a trace, in two passes and bounded memory.
 *
 * @throws TraceError where the file cannot be read or holds fewer than 20 requests
 */
export function fitTrace(file: string, options: FitOptions = {}): TraceFit {
  const trace = analyseTrace(new TraceReader(file, options));
  if (trace.rows < fewestRows) throw new TraceError(file, 0, `found ${trace.rows} requests, a fit needs at least ${fewestRows}`);
  const streams = new RandomStreams(1);
  const stream = (purpose: string) => streams.stream("demand", "fit", purpose);
  const [input, ...otherInputs] = fitLengths(trace.input);
  const [output, ...otherOutputs] = fitLengths(trace.output);
  const lengths = new IndependentLengths(distribution(input!.spec), distribution(output!.spec), stream("input tokens"), stream("output tokens"));
  const drawnInput = new TokenHistogram();
  const drawnOutput = new TokenHistogram();
  for (let job = 0; job < drawnJobs; job += 1) {
    const { inputTokens, outputTokens } = lengths.next();
    drawnInput.add(inputTokens);
    drawnOutput.add(outputTokens);
  }
  const arrivals = trace.arrivals === null || !(trace.arrivals.spanUs > 0) ? null : fitArrivals(trace.arrivals, options.arrivals ?? null, () => new TraceReader(file, options));
  return {
    trace,
    arrivals: arrivals === null ? null : { ...arrivals, error: arrivalError(trace.arrivals!, arrivals.spec, stream) },
    input: { ...input!, others: otherInputs, error: lengthError(trace.input, drawnInput) },
    output: { ...output!, others: otherOutputs, error: lengthError(trace.output, drawnOutput) },
    drawn: drawnJobs,
  };
}

/** Compares a trace's lengths with draws. */
export function lengthError(trace: TokenHistogram, drawn: TokenHistogram): LengthError {
  const quantile = (p: number): Measured => ({ trace: trace.quantile(p), fit: drawn.quantile(p) });
  return {
    distance: histogramDistance(trace, drawn),
    mean: { trace: trace.mean, fit: drawn.mean },
    cv: { trace: trace.cv, fit: drawn.cv },
    p50: quantile(0.5),
    p95: quantile(0.95),
    p99: quantile(0.99),
  };
}

function histogramDistance(a: TokenHistogram, b: TokenHistogram): number {
  const steps: { readonly tokens: number; readonly a: number; readonly b: number }[] = [];
  a.forEach((tokens, times) => steps.push({ tokens, a: times / a.count, b: 0 }));
  b.forEach((tokens, times) => steps.push({ tokens, a: 0, b: times / b.count }));
  steps.sort((left, right) => left.tokens - right.tokens);
  let difference = 0;
  let distance = 0;
  for (let at = 0; at < steps.length; at += 1) {
    difference += steps[at]!.a - steps[at]!.b;
    if (steps[at + 1]?.tokens !== steps[at]!.tokens) distance = Math.max(distance, Math.abs(difference));
  }
  return distance;
}

function arrivalError(trace: ArrivalAnalysis, spec: DrawnArrivals, stream: (purpose: string) => ReturnType<RandomStreams["stream"]>): ArrivalError {
  const process = arrivalProcess(spec, stream);
  const gaps = new GapHistogram();
  const minutes = new WindowCounts(minute);
  // As long as the trace, again and again, so that chance plays little part; the peak is that of one span's length.
  const spans = Math.max(1, Math.round(drawnJobs / (trace.gaps.count + 1)));
  let count = 0;
  let firstUs = 0;
  let lastUs = 0;
  let peaks = 0;
  let peak = new WindowCounts(minute);
  let span = 0;
  for (;;) {
    const timeUs = process.nextUs();
    const index = Math.floor(timeUs / trace.spanUs);
    if (index !== span) {
      peaks += peak.peak;
      peak = new WindowCounts(minute);
      span = index;
    }
    if (index >= spans) break;
    if (count === 0) firstUs = timeUs;
    else gaps.add(timeUs - lastUs);
    minutes.add(timeUs);
    peak.add(timeUs - span * trace.spanUs);
    lastUs = timeUs;
    count += 1;
  }
  const traceMinutes = trace.windows.find((window) => window.widthUs === minute)!;
  return {
    ratePerS: { trace: trace.meanRatePerS, fit: (count - 1) / ((lastUs - firstUs) / 1e6) },
    gapCv: { trace: trace.gaps.cv, fit: gaps.cv },
    dispersionPerMinute: { trace: traceMinutes.dispersion, fit: minutes.dispersion },
    peakPerMinute: { trace: trace.peakPerMinute, fit: Math.round(peaks / spans) },
  };
}
