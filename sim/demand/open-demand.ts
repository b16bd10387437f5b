import { distribution } from "../kernel/distributions/index.ts";
import type { Random } from "../kernel/random.ts";
import type { ArrivalsSpec, ClientSpec } from "../scenario/scenario.ts";
import type { ArrivalProcess } from "./arrivals/arrival-process.ts";
import { MarkovArrivals } from "./arrivals/markov.ts";
import { PoissonArrivals } from "./arrivals/poisson.ts";
import { RegularArrivals } from "./arrivals/regular.ts";
import { RenewalArrivals } from "./arrivals/renewal.ts";
import { VaryingArrivals } from "./arrivals/varying.ts";
import { ClosedLoop } from "./closed-loop.ts";
import { DrawnJobs } from "./drawn-jobs.ts";
import type { JobSource } from "./job-source.ts";
import { IndependentLengths, type LengthSource } from "./lengths.ts";
import { type DrawnLength, ReplayedJobs } from "./replayed-jobs.ts";
import { TraceReader } from "./trace/trace-reader.ts";

/** What of a client class decides when its jobs come and how long they are. */
export type DemandSpec = Pick<ClientSpec, "arrivals" | "inputTokens" | "outputTokens">;

/** A class's stream of random numbers for a purpose, such as "arrivals" or "input tokens". */
export type Streams = (purpose: string) => Random;

/** Arrival processes that draw their times. */
export type DrawnArrivals = Exclude<ArrivalsSpec, { readonly kind: "closed" | "trace" }>;

/** How a class's jobs come: by themselves, or each after the end of its user's last one. */
export type Demand =
  | { readonly kind: "open"; readonly jobs: JobSource }
  | { readonly kind: "closed"; readonly loop: ClosedLoop; readonly lengths: LengthSource };

/**
 * Builds a client class's demand.
 *
 * @throws TraceError where a trace cannot be read or lengths are to come from a trace that is not replayed
 */
export function openDemand(spec: DemandSpec, streams: Streams): Demand {
  const { arrivals } = spec;
  if (arrivals.kind === "trace") {
    const trace = new TraceReader(arrivals.file, { format: arrivals.format, limit: arrivals.limit });
    const drawn = (length: DemandSpec["inputTokens"], purpose: string): DrawnLength | null =>
      length === "trace" ? null : { distribution: distribution(length), random: streams(purpose) };
    return { kind: "open", jobs: new ReplayedJobs(trace, arrivals.timeScale, drawn(spec.inputTokens, "input tokens"), drawn(spec.outputTokens, "output tokens")) };
  }
  if (spec.inputTokens === "trace" || spec.outputTokens === "trace") {
    throw new Error(`lengths as in the trace need arrivals from a trace, found arrivals of kind ${arrivals.kind}`);
  }
  const lengths = new IndependentLengths(distribution(spec.inputTokens), distribution(spec.outputTokens), streams("input tokens"), streams("output tokens"));
  if (arrivals.kind === "closed") {
    const loop = new ClosedLoop(arrivals.users, distribution(arrivals.thinkTimeUs), (user) => streams(`think time of user ${user}`));
    return { kind: "closed", loop, lengths };
  }
  return { kind: "open", jobs: new DrawnJobs(arrivalProcess(arrivals, streams), lengths) };
}

/** Builds an arrival process that draws its times. */
export function arrivalProcess(spec: DrawnArrivals, streams: Streams): ArrivalProcess {
  switch (spec.kind) {
    case "regular":
      return new RegularArrivals(spec.ratePerS);
    case "poisson":
      return new PoissonArrivals(spec.ratePerS, streams("arrivals"));
    case "gamma":
    case "weibull":
      if (spec.ratePerS === 0 || spec.cv === 0) return new RegularArrivals(spec.ratePerS);
      return new RenewalArrivals(
        distribution(spec.kind === "gamma" ? { gamma: { mean: 1e6 / spec.ratePerS, cv: spec.cv } } : { weibull: { mean: 1e6 / spec.ratePerS, cv: spec.cv } }),
        streams("arrivals"),
      );
    case "mmpp":
      return new MarkovArrivals(spec.states, streams("arrivals"), streams("arrival states"));
    case "varying":
      return new VaryingArrivals(spec.points, spec.periodUs, streams("arrivals"));
  }
}
