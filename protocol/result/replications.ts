import { z } from "zod";
import { warmup } from "./precision.ts";
import { estimate, experimentHead, experimentJsonSchema, interval } from "./experiment.ts";

/** Names this kind of document, whatever its version. */
export const REPLICATIONS_SCHEMA = "infernet-lab/replications-report";
/** `major.minor`: minor rises when fields are added, major when the meaning of one changes. */
export const REPLICATIONS_VERSION = "1.0";

const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const path = z.string().min(1).max(1024);
const figure = z.number().nullable();

/** A well-known metric, or a figure by its path, with what is needed to show it. */
export const metric = z.strictObject({
  id: path,
  path: path.describe("Of the figure, as `figures` has it."),
  label: z.string().max(1024),
  unit: z.enum(["us", "msat", "msatPerMtok", "msatPerHour", "share", "perS", "kwh", "tokens", "count", "number"]),
  better: z.enum(["lower", "higher"]).nullable(),
});

/** When to stop, and how that went. */
export const stoppingRule = z.strictObject({
  metric,
  halfWidth: z.number().gt(0).describe("Wanted half width of the interval, as a share of the true mean."),
  confidence: z.number().gt(0).lt(1),
  atLeast: count,
  atMost: count,
  met: z.boolean().describe("False where it stopped before: at `atMost`, or interrupted."),
  looks: z
    .array(z.strictObject({ runs: count, mean: figure, relativeHalfWidth: z.number().min(0).nullable().describe("Half width over the estimated mean."), met: z.boolean() }))
    .describe("Each look at the interval. It is narrow enough at halfWidth / (1 + halfWidth) of the estimated mean (Law, Simulation Modeling and Analysis, 9.4.2)."),
});
export type StoppingRule = z.infer<typeof stoppingRule>;

/** A key metric's way through the replications. */
export const keyMetric = z.strictObject({
  metric,
  estimate,
  values: z.array(figure).max(1_000).describe("Of the first 1,000 runs, in order."),
  convergence: z
    .array(z.strictObject({ runs: count, mean: z.number(), low: figure, high: figure }))
    .max(256)
    .describe("Mean and interval after so many runs."),
});
export type KeyMetric = z.infer<typeof keyMetric>;

/** A quantity over simulated time, over the replications. */
export const band = z.strictObject({
  name: z.enum(["inSystem", "latencyUs", "perMtokMsat"]),
  mean: z.array(figure),
  low: z.array(figure).describe("Of the mean's interval, window by window."),
  high: z.array(figure),
  least: z.array(figure).describe("Of all runs."),
  most: z.array(figure),
});

/** One market played many times, each time with other random numbers. */
export const replicationsReport = z.strictObject({
  schema: z.literal(REPLICATIONS_SCHEMA),
  schemaVersion: z.string().regex(/^1\.\d+$/),
  ...experimentHead,
  confidence: interval.shape.confidence.describe("Of every interval."),
  horizonUs: count,
  warmupUs: count,
  warmup: z.strictObject({
    share: z.number().min(0).max(1).nullable().describe("Of all jobs submitted, left out; mean over the runs."),
    found: warmup.shape.found,
  }),
  until: stoppingRule.nullable().describe("Null where the number of runs was given."),
  keyMetrics: z.array(keyMetric).describe("The one that the stopping rule is about first."),
  figures: z
    .record(z.string(), estimate)
    .describe("Every figure by its path in report.json, entries of lists by their names. A quantile's estimate is the mean of the runs' quantiles. What is counted by reason or cause is 0 in runs where it did not occur."),
  overTime: z.strictObject({
    windowUs: z.number().gt(0),
    windows: count,
    series: z.array(band).describe("inSystem: jobs submitted and not ended. latencyUs: mean of the completed jobs by the window of their submission. perMtokMsat: what these paid per million tokens. Warm-up included."),
  }),
});
export type ReplicationsReport = z.infer<typeof replicationsReport>;

/** JSON Schema (draft 2020-12) of replications.json, as published in `protocol/replications.schema.json`. */
export function replicationsJsonSchema(): unknown {
  return experimentJsonSchema(replicationsReport, "replications-report", REPLICATIONS_VERSION, "Infernet Lab replications report");
}
