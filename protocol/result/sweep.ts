import { z } from "zod";
import { formatNumber, formatSignificant } from "../units.ts";
import { estimate, experimentHead, experimentJsonSchema, interval } from "./experiment.ts";
import type { Estimate } from "./experiment.ts";
import { FIGURE_UNITS, formatFigure } from "./metrics.ts";
import type { FigureUnit } from "./metrics.ts";

/** Names this kind of document, whatever its version. */
export const SWEEP_SCHEMA = "infernet-lab/sweep-report";
/** `major.minor`: minor rises when fields are added, major when the meaning of one changes. */
export const SWEEP_VERSION = "1.0";

const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const name = z.string().min(1).max(256);
const factor = z.union([z.number(), z.string()]);

/** How the axes of a sweep are combined. */
export const SWEEP_DESIGNS = ["product", "zip", "latin-hypercube", "sobol"] as const;
export type SweepDesign = (typeof SWEEP_DESIGNS)[number];

/** What a sweep varies. */
export const sweepAxis = z.strictObject({
  name: name.describe("As runs.csv and points.csv call its column."),
  paths: z.array(name).min(1).describe("Of the scenario; of several, all move together."),
  unit: z.string().max(64).describe('Of its numbers, as the scenario has it; "x": multiples of what the scenario has there; "": bare numbers, or texts.'),
  scale: z.enum(["linear", "log"]),
  whole: z.boolean().describe("Whether its values are whole numbers, the nearest to what the design asks for."),
  levels: z.array(factor).nullable().describe("In the order of the scenario; null where any value between the ends may be taken."),
  ends: z.tuple([z.number(), z.number()]).nullable().describe("Least and greatest; null where levels are texts."),
});
export type SweptAxis = z.infer<typeof sweepAxis>;

/** A figure that a sweep looks at. */
export const sweepMetric = z.strictObject({
  id: name.describe("As --metric takes it."),
  path: name.describe("Of the figure, as runs.csv calls it."),
  label: z.string().max(512),
  unit: z.enum(FIGURE_UNITS),
  better: z.enum(["lower", "higher"]).nullable(),
});
export type SweptMetric = z.infer<typeof sweepMetric>;

/** A place at which the market was played. */
export const sweptPoint = z.strictObject({
  index: count,
  arm: name.nullable().describe("Null where the sweep crosses no arms."),
  factors: z.array(factor).describe("A value of each axis."),
  runs: count.describe("Played, failed ones included."),
  failed: count,
  estimates: z.array(estimate).describe("Of each metric."),
});
export type SweptPoint = z.infer<typeof sweptPoint>;

/** Where a metric is best. */
export const bestPoint = z.strictObject({
  metric: name,
  point: count.describe("Index of the point whose mean is the best."),
  rivals: z.array(count).nullable().describe("Indexes of the others that may be the best in truth: with the report's confidence, the truly best point is among these and `point`. Null where points cannot be compared run by run: one run each, or too many to be kept."),
});
export type BestPoint = z.infer<typeof bestPoint>;

/** What one axis does to one metric, whatever the others are. */
export const mainEffect = z
  .strictObject({
    metric: name,
    axis: name,
    share: z.number().min(0).max(1).nullable().describe("Of the variance between points, what the means below explain; null where points do not differ. Of a random design it is too high by about means over points."),
    means: z
      .array(z.strictObject({ from: factor, to: factor, points: count, mean: z.number() }))
      .describe("Mean of the points at each value of the axis, or in each of some equal parts of it; parts without a point are left out."),
  })
  .describe("Mean over all other axes.");
export type MainEffect = z.infer<typeof mainEffect>;

/** One market at many points, on the same random numbers at each. */
export const sweepReport = z.strictObject({
  schema: z.literal(SWEEP_SCHEMA),
  schemaVersion: z.string().regex(/^1\.\d+$/),
  ...experimentHead,
  design: z.strictObject({
    kind: z.enum(SWEEP_DESIGNS),
    scrambled: z.boolean().nullable().describe("Of a Sobol sequence; null elsewhere."),
    arms: z.array(name).nullable().describe("Arms in each of which every point was played; null where none were crossed."),
    points: count.describe("Wanted, all arms included."),
    replications: count.describe("Wanted at each point. Replication r has the same random numbers at every point."),
  }),
  confidence: interval.shape.confidence.describe("Of every interval."),
  axes: z.array(sweepAxis).min(1),
  metrics: z.array(sweepMetric),
  findings: z.array(z.string().max(2048)).describe("What the points say of each metric, in sentences."),
  points: z.array(sweptPoint).describe("Those that were played, in order."),
  best: z.array(bestPoint).describe("Of each metric of which higher or lower is better."),
  effects: z.array(mainEffect).describe("Of designs in which several axes are varied independently of each other."),
});
export type SweepReport = z.infer<typeof sweepReport>;

/** Where a point lies, in words: `router.fee.flat = 400 msat, arm auction`. */
export function placeOf(axes: readonly SweptAxis[], { factors, arm }: Pick<SweptPoint, "factors" | "arm">): string {
  return [...axes.map((axis, i) => `${axis.name} = ${formatFactor(factors[i]!, axis)}`), ...(arm === null ? [] : [`arm ${arm}`])].join(", ");
}

/** An estimate for people, as exact as its interval is narrow. Where there is none, or runs do not differ, `low`, `high` and `half` are null. */
export function formatEstimate({ mean, interval: range }: Estimate, unit: FigureUnit): { readonly text: string; readonly low: string | null; readonly high: string | null; readonly half: string | null } {
  if (mean === null || range === null) return { text: formatFigure(mean, unit), low: null, high: null, half: null };
  const half = (range.high - range.low) / 2;
  if (half === 0) return { text: formatFigure(mean, unit), low: null, high: null, half: null };
  // Two digits of the half width; what is smaller is chance.
  const step = Number(`1e${Math.floor(Math.log10(half)) - 1}`);
  const exact = (value: number): string => formatFigure(Number((Math.round(value / step) * step).toPrecision(12)), unit);
  return { text: exact(mean), low: exact(range.low), high: exact(range.high), half: exact(half) };
}

/** A value of an axis for people. */
export function formatFactor(value: number | string, { unit }: Pick<SweptAxis, "unit">): string {
  if (typeof value === "string") return value;
  const number = Math.abs(value) >= 10_000 ? formatNumber(value, 1) : formatSignificant(value, 4);
  return unit === "x" ? `x ${number}` : unit === "" ? number : `${number}${unit.startsWith("/") ? "" : " "}${unit}`;
}

/** JSON Schema (draft 2020-12) of sweep.json, as published in `protocol/sweep.schema.json`. */
export function sweepJsonSchema(): unknown {
  return experimentJsonSchema(sweepReport, "sweep-report", SWEEP_VERSION, "Infernet Lab sweep report");
}
