import { z } from "zod";

const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

/** How well one run knows its means, from batches of it. */
export const intervals = z
  .strictObject({
    method: z.literal("batch means"),
    confidence: z.number().gt(0).lt(1),
    batches: count.describe("Equal parts of the measured interval; jobs count in the part in which they were submitted."),
    figures: z.array(z.strictObject({
      figure: z.string().min(1).max(1024).describe("Path of the figure in this report, entries of lists by their names, such as overall.latency.endToEndUs.mean; or market.utilisation, of all nodes."),
      mean: z.number(),
      halfWidth: z.number().min(0).describe("The true mean lies within mean ± halfWidth, with this confidence."),
      correlation: z.number().describe("Of neighbouring batches. The interval allows for it."),
      trusted: z.boolean().describe("False where batches are correlated beyond chance: the run is too short for its interval to be trusted."),
    })),
  })
  .describe("Confidence intervals of means, from this run alone: ratio estimators over batches, with the variance and the degrees of freedom of a first-order autoregression of the batches. Quantiles have none: replications give theirs.");
export type IntervalsReport = z.infer<typeof intervals>;

/** Series of the pilots that a warm-up was found in. */
export const warmupSeries = z.strictObject({
  name: z.enum(["inSystem", "latencyUs", "perMtokMsat"]),
  values: z.array(z.number().nullable()).describe("Mean over the pilots, window by window; null where no pilot has a value."),
  cutUs: count.describe("Where MSER-5 cuts this series."),
  sufficient: z.boolean().describe("False where the cut would lie in the second half: the series does not settle."),
});

/** What was left out of the statistics at the start. */
export const warmup = z.strictObject({
  jobs: count.describe("Submitted in the warm-up, and left out."),
  share: z.number().min(0).max(1).nullable().describe("Of all jobs submitted; null where there was none."),
  found: z
    .strictObject({
      method: z.literal("MSER-5"),
      pilots: count.describe("Runs with random numbers of their own, whose mean series were looked at."),
      windowUs: z.number().gt(0),
      sufficient: z.boolean().describe("Whether all series settle."),
      series: z.array(warmupSeries),
    })
    .nullable()
    .describe("How it was found; null where the scenario states it."),
});
export type WarmupReport = z.infer<typeof warmup>;
export type WarmupFinding = NonNullable<WarmupReport["found"]>;
