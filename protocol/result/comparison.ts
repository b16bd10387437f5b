import { z } from "zod";
import { FIGURE_UNITS } from "./metrics.ts";
import { estimate, experimentHead, experimentJsonSchema, interval } from "./experiment.ts";

/** Names this kind of document, whatever its version. */
export const COMPARISON_SCHEMA = "infernet-lab/comparison-report";
/** `major.minor`: minor rises when fields are added, major when the meaning of one changes. */
export const COMPARISON_VERSION = "1.0";

const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const name = z.string().min(1).max(256);
const probability = z.number().min(0).max(1);

/** How two arms' runs were held against each other. */
export const METHODS = ["paired", "independent"] as const;

/**
 * What is known of a difference, at the confidence of the comparison.
 * - `better`, `worse`, `changed` (where neither is better): a difference, even after the adjustment for several comparisons
 * - `perhaps`: one that disappears with that adjustment
 * - `none found`: 0 is among the plausible differences
 * - `identical`: the same figure in every pair of runs
 * - `anecdote`: one run each, or one pair
 * - `unknown`: the figure is defined in no pair of runs
 */
export const VERDICTS = ["better", "worse", "changed", "perhaps", "none found", "identical", "anecdote", "unknown"] as const;
export type ComparisonVerdict = (typeof VERDICTS)[number];

/** A figure that arms are compared by. */
export const comparedMetric = z.strictObject({
  id: name.describe("As --metric takes it."),
  path: name.describe("Of the figure, as runs.csv calls it."),
  label: z.string().max(512),
  unit: z.enum(FIGURE_UNITS),
  better: z.enum(["lower", "higher"]).nullable(),
});
export type ComparedMetric = z.infer<typeof comparedMetric>;

/** One of the markets compared. */
export const comparedArm = z.strictObject({
  name,
  changes: z.array(z.string()).describe("What makes it differ from the scenario, as path=value."),
  runs: count.describe("Played, failed ones included."),
  failed: count,
  source: z
    .strictObject({ folder: z.string(), arm: name.nullable(), scenario: name, hash: z.string(), seed: count, sets: z.array(z.string()), version: z.string().max(64) })
    .nullable()
    .describe("The report that its runs were read from; null where they were played for this comparison."),
});
export type ComparedArm = z.infer<typeof comparedArm>;

/** One figure of one arm against that of another. */
export const comparedDifference = z.strictObject({
  baseline: name,
  arm: name,
  metric: name,
  method: z.enum(METHODS).describe("paired: run by run with equal seeds, Student's t. independent: Welch's t."),
  pairs: count.describe("Pairs of runs that it rests on; of independent arms, runs of the smaller one."),
  lacking: z.strictObject({ baseline: count, arm: count, failed: count })
    .describe("Left out: runs of the one or the other in which the figure is undefined, and replications of which a run failed."),
  baselineMean: z.number().nullable().describe("Over the runs that the difference rests on."),
  armMean: z.number().nullable(),
  difference: z.number().nullable().describe("Arm less baseline."),
  interval: interval.nullable().describe("Of the difference."),
  relative: z
    .strictObject({ value: z.number(), low: z.number().nullable(), high: z.number().nullable() })
    .nullable()
    .describe("Difference of the means as a share of the baseline's absolute mean; interval by Fieller's theorem, null where there is no interval. Null where the baseline's mean could be 0."),
  pValue: probability.nullable().describe("Two-sided."),
  adjustedPValue: probability.nullable().describe("By Holm, over all differences of this report that have a p-value."),
  correlation: z.number().min(-1).max(1).nullable().describe("Between the paired runs; null where one of them does not vary."),
  varianceRatio: z.number().min(0).nullable().describe("What pairing gained: variance of the difference of independent arms over that of the paired difference. Without pairing, so many times the runs would be needed for the same interval. Null where the paired difference does not vary."),
  verdict: z.enum(VERDICTS),
  sentence: z.string().max(1024),
});
export type ComparedDifference = z.infer<typeof comparedDifference>;

/** Markets side by side: what differs, by how much, and how sure that is. */
export const comparisonReport = z.strictObject({
  schema: z.literal(COMPARISON_SCHEMA),
  schemaVersion: z.string().regex(/^1\.\d+$/),
  ...experimentHead,
  confidence: z.number().gt(0).lt(1),
  baseline: name,
  replications: count.describe("Of each arm, as far as all were played; of folders, the fewest runs of an arm."),
  arms: z.array(comparedArm).min(2),
  metrics: z.array(comparedMetric).min(1),
  absent: z.array(name).describe("Metrics asked for that are defined in no run, or not asked for and left out for that reason."),
  values: z.array(z.strictObject({ arm: name, metric: name, estimate })).describe("Each arm by itself."),
  differences: z.array(comparedDifference).describe("To the baseline, arm by arm; where all pairs were asked for, the other pairs after them."),
  findings: z.array(z.string().max(1024)).describe("What was found, in plain words."),
  notes: z.array(z.string().max(1024)).describe("What to know about how it was found."),
});
export type ComparisonReport = z.infer<typeof comparisonReport>;

/** JSON Schema (draft 2020-12) of comparison.json, as published in `protocol/comparison.schema.json`. */
export function comparisonJsonSchema(): unknown {
  return experimentJsonSchema(comparisonReport, "comparison-report", COMPARISON_VERSION, "Infernet Lab comparison report");
}
