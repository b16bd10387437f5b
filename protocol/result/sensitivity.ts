import { z } from "zod";
import { formatSignificant } from "../units.ts";
import type { FigureUnit } from "./metrics.ts";
import { formatFigure } from "./metrics.ts";
import { estimate, experimentHead, experimentJsonSchema, interval } from "./experiment.ts";

/** Names this kind of document, whatever its version. */
export const SENSITIVITY_SCHEMA = "infernet-lab/sensitivity-report";
/** `major.minor`: minor rises when fields are added, major when the meaning of one changes. */
export const SENSITIVITY_VERSION = "1.0";

const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const name = z.string().min(1).max(256);
const text = z.string().max(256);
const sentence = z.string().max(2048);
const factorName = name.describe("Name of a factor.");

/** An estimate with the interval that drawing the blocks anew gives it. */
export const resampled = z.strictObject({
  value: z.number(),
  interval: interval.nullable().describe("Percentile bootstrap over the blocks; null where they do not give one."),
});
export type ResampledFigure = z.infer<typeof resampled>;

export const sensitivityFactor = z.strictObject({
  name,
  moves: z.array(z.strictObject({ path: name, from: text, to: text, scale: z.enum(["linear", "log"]) })).describe("Fields of the scenario that move together, each from its low to its high end."),
});
export type SensitivityFactor = z.infer<typeof sensitivityFactor>;

/** What a factor does over its whole range, by Morris's elementary effects, in the figure's unit. */
export const screenedFactor = z.strictObject({
  factor: factorName,
  steps: count.describe("Times it was changed, to another value indeed."),
  mu: resampled.describe("Mean effect: rises and falls cancel."),
  muStar: resampled.describe("Mean size of the effect: how much the factor matters."),
  sigma: resampled.describe("Standard deviation of the effect: how much it depends on where it starts and on the other factors."),
});
export type ScreenedFactor = z.infer<typeof screenedFactor>;

export const indexedFactor = z.strictObject({
  factor: factorName,
  first: resampled.describe("Share of the variance that it explains alone."),
  total: resampled.describe("Share of the variance that would be left if all other factors were known: alone and with others."),
  firstAdjusted: z.number().nullable().describe("`first` with the part of chance taken out of the variance; null where that is not known."),
  totalAdjusted: z.number().nullable().describe("`total` with the part of chance taken out; null where that is not known."),
});
export type IndexedFactor = z.infer<typeof indexedFactor>;

/** One end of a factor, all others as the scenario has them. */
export const sensitivityEnd = z.strictObject({
  text: text.describe("The factor's value."),
  estimate,
  difference: estimate.describe("From the scenario as it stands, run by run with the same random numbers."),
});
export type SensitivityEnd = z.infer<typeof sensitivityEnd>;

export const sensitivityBar = z.strictObject({
  factor: factorName,
  low: sensitivityEnd,
  high: sensitivityEnd,
  swing: z.number().min(0).nullable().describe("Between the smallest and the largest of: low end, as it stands, high end. Null where one is not known."),
});
export type SensitivityBar = z.infer<typeof sensitivityBar>;

/** What the factors do to one figure. */
export const sensitivityOfMetric = z.strictObject({
  metric: z.strictObject({ id: name, path: name, label: name, unit: z.enum(["us", "msat", "msatPerMtok", "msatPerHour", "share", "perS", "kwh", "tokens", "count", "number"]), better: z.enum(["lower", "higher"]).nullable() }),
  headline: sentence.describe("What matters, in a sentence."),
  findings: z.array(sentence),
  mean: z.number().nullable().describe("Over the points used; null where there are none."),
  sd: z.number().nullable().describe("Between the points used."),
  blocks: z.strictObject({
    used: count,
    dropped: count.describe("A run of theirs failed, or does not have the figure: nothing of them is used."),
  }).describe("Trajectories, rows of the design, or replications of a tornado: what is used or dropped as a whole."),
  chance: z.strictObject({
    sd: z.number().min(0).describe("That chance gives the mean of a point, apart from what it does to all points alike."),
    share: z.number().min(0).nullable().describe("Its variance over the variance between points: about as much each total index is inflated. Null where the figure is the same everywhere."),
    muStar: z.number().min(0).nullable().describe("The mean size of an effect that chance alone would show; null unless screening."),
  }).nullable().describe("Null with one replication, which cannot tell."),
  screening: z.array(screenedFactor).nullable().describe("Morris; what matters most first."),
  indices: z.strictObject({
    factors: z.array(indexedFactor).describe("What matters most first, by total index."),
    together: resampled.describe("Share of the variance that factors explain only together: what the first-order indices leave."),
    pairs: z.array(z.strictObject({ factors: z.tuple([factorName, factorName]), index: resampled })).nullable().describe("Second order: what two explain together and neither alone; largest first. Null where not asked for."),
  }).nullable().describe("Sobol'."),
  tornado: z.strictObject({ base: estimate.describe("The scenario as it stands."), bars: z.array(sensitivityBar).describe("The widest first.") }).nullable(),
});
export type SensitivityOfMetric = z.infer<typeof sensitivityOfMetric>;

/** Which factors matter for which figures? */
export const sensitivityReport = z.strictObject({
  schema: z.literal(SENSITIVITY_SCHEMA),
  schemaVersion: z.string().regex(/^1\.\d+$/),
  ...experimentHead,
  method: z.union([
    z.strictObject({ kind: z.literal("morris"), trajectories: count, levels: count.nullable().describe("Null in a radial design, which has no grid."), design: z.enum(["trajectories", "radial"]) }),
    z.strictObject({ kind: z.literal("sobol"), points: count, secondOrder: z.boolean(), estimators: z.string().max(512) }),
    z.strictObject({ kind: z.literal("tornado") }),
  ]),
  points: count.describe("Different settings of the factors, as planned."),
  replications: count.describe("Of each point, with the same random numbers at every point."),
  confidence: z.number().gt(0).lt(1),
  resamples: count.describe("Times that blocks were drawn anew for the bootstrap intervals; 0 in a tornado, whose intervals are Student's t."),
  factors: z.array(sensitivityFactor),
  metrics: z.array(sensitivityOfMetric).describe("In the order in which they were asked for."),
});
export type SensitivityReport = z.infer<typeof sensitivityReport>;

/** By how much a figure changes, for people, to three digits: of shares in percentage points. */
export function formatChange(value: number | null, unit: FigureUnit): string {
  if (value === null) return formatFigure(null, unit);
  return unit === "share" ? `${formatSignificant(value * 100)} points` : formatFigure(Number(value.toPrecision(3)), unit);
}

/** Two bounds with their unit once, where they have the same: `10.7 to 14.7 sat`. */
export function formatBounds(low: string, high: string): string {
  const [, number, unit] = /^([+-]?[\d.,]+)( \D*|\/.*)$/.exec(low) ?? [];
  return number !== undefined && /^[+-]?[\d.,]+( \D*|\/.*)$/.exec(high)?.[1] === unit ? `${number} to ${high}` : `${low} to ${high}`;
}

/** JSON Schema (draft 2020-12) of sensitivity.json, as published in `protocol/sensitivity.schema.json`. */
export function sensitivityJsonSchema(): unknown {
  return experimentJsonSchema(sensitivityReport, "sensitivity-report", SENSITIVITY_VERSION, "Infernet Lab sensitivity report");
}
