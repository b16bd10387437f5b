/**
 * Demand: when jobs come and how long they are, drawn or from a trace.
 *
 * @packageDocumentation
 */
export type { ArrivalProcess } from "./arrivals/arrival-process.ts";
export type { ClosedLoop } from "./closed-loop.ts";
export type { JobSource } from "./job-source.ts";
export { IndependentLengths, JointLengths, type LengthSource } from "./lengths.ts";
export { arrivalProcess, type Demand, type DemandSpec, openDemand, type Streams } from "./open-demand.ts";
export { analyseTrace, type ArrivalAnalysis, type PrefixAnalysis, type TraceAnalysis } from "./trace/analysis/analyse.ts";
export type { TokenHistogram } from "./trace/analysis/token-histogram.ts";
export { fittedArrivals, type FittedArrivals } from "./trace/fit/fit-arrivals.ts";
export { type FitOptions, fitTrace, type TraceFit } from "./trace/fit/fit-trace.ts";
export { fitYaml } from "./trace/fit/fit-yaml.ts";
export { traceFormats } from "./trace/formats.ts";
export { TraceError } from "./trace/trace-error.ts";
export { type TraceOptions, TraceReader } from "./trace/trace-reader.ts";
