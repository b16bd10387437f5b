import { z } from "zod";

const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

/** Why a figure has no interval from its run alone. */
export const WITHOUT_INTERVAL = ["seldom", "extreme", "moment", "given", "warmup", "follows", "course", "unknown"] as const;

/** How well one run knows its figures, from batches of it. */
export const intervals = z
  .strictObject({
    method: z.literal("batch means"),
    confidence: z.number().gt(0).lt(1),
    batches: count.describe("Equal parts of the measured interval, by the time at which things happen."),
    figures: z.array(z.strictObject({
      figure: z.string().min(1).max(1024).describe("Path of the figure in this report, entries of lists by their names, such as overall.latency.endToEndUs.mean; or market.utilisation, of all nodes."),
      mean: z.number().describe("The figure, as this report has it."),
      halfWidth: z.number().min(0).describe("Half the width of the interval in which the true figure lies, with this confidence."),
      low: z.number().optional().describe("The interval's ends; the estimate need not be in its middle. Absent where the interval has no width."),
      high: z.number().optional(),
      correlation: z.number().describe("Of neighbouring batches. The interval allows for it."),
      trusted: z.boolean().describe("False where batches are correlated beyond chance: the run is too short for its interval to be trusted."),
    })),
    without: z
      .array(z.strictObject({
        why: z.enum(WITHOUT_INTERVAL).describe("seldom: it happened in fewer than 10 of the batches, or the run is too short for what lies beyond it; extreme: a least or greatest value, which grows with the run; moment: how things stood at one moment; given: the scenario's, or drawn before the run began; warmup: it counts the warm-up too, and a figure of the measured interval has an interval; follows: an identity of others that have one, or bookkeeping; course: a slope over the run's own course; unknown: none of these, and a fault of the program."),
        figures: z.array(z.string().min(1).max(1024)),
      }))
      .optional()
      .describe("Figures of this report that have no interval, by reason."),
  })
  .describe("Confidence intervals from this run alone, of every figure: ratio estimators over batches, with the variance and the degrees of freedom of a first-order autoregression of the batches, and allowance for their skewness; of quantiles by the share of values below them, of standard deviations by a jackknife of their logarithm. Totals are taken for those of an interval as long as the measured one.");
export type IntervalsReport = z.infer<typeof intervals>;
export type WithoutInterval = (typeof WITHOUT_INTERVAL)[number];

/** The interval of a figure: its ends as stated, or where they are not, half its width on either side. */
export const endsOf = ({ mean, halfWidth, low = mean - halfWidth, high = mean + halfWidth }: Pick<IntervalsReport["figures"][number], "mean" | "halfWidth" | "low" | "high">): { readonly low: number; readonly high: number } => ({ low, high });

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
