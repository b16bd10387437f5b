import { z } from "zod";
import { digest } from "../canonical.ts";

/** Names this kind of document, whatever its version. */
export const VIABILITY_SCHEMA = "infernet-lab/viability-report";
/** `major.minor`: minor rises when fields are added, major when the meaning of one changes. */
export const VIABILITY_VERSION = "1.0";

const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const msat = count;
const name = z.string().min(1).max(256);
const share = z.number().min(0).max(1);
const usd = z.number().describe("US dollars.");
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** Where an estimate's true value lies, as far as chance between replications goes. */
export const estimateInterval = z
  .strictObject({ confidence: z.number().gt(0).lt(1), low: z.number(), high: z.number() })
  .describe("Covers the chance between replications, and nothing of what the assumptions may be wrong by.");
export type EstimateInterval = z.infer<typeof estimateInterval>;

/** A figure over the replications: order statistics, linear in between. */
export const replicated = z.strictObject({
  mean: z.number(),
  sd: z.number().nullable().describe("Divisor n - 1; null for one replication."),
  min: z.number(), p5: z.number(), p50: z.number(), p95: z.number(), max: z.number(),
  meanInterval: estimateInterval.nullable().describe("Of the mean, Student's t; null for one replication."),
});
export type Replicated = z.infer<typeof replicated>;

/** Something that is not known and was assumed. */
export const assumption = z.strictObject({
  id: name,
  name,
  value: z.union([z.number(), z.string()]).nullable(),
  unit: z.string().max(32),
  text: z.string().max(512).describe("The value for people."),
  source: z.string().max(1024).describe("Where it comes from."),
  flag: z.string().max(64).describe("What changes it on the command line."),
  given: z.boolean().describe("Whether it was stated on the command line."),
});
export type Assumption = z.infer<typeof assumption>;

const costShape = {
  electricityUsd: usd,
  depreciationUsd: usd.describe("Purchase price less residual value, spread evenly over the life."),
  rentUsd: usd.describe("Of a machine that is rented, in place of bought."),
  capitalUsd: usd.describe("What the money in machine and stake would earn elsewhere."),
  upkeepUsd: usd,
  otherUsd: usd.describe("Everything else that is due each month."),
};

/** One play of the market, and what a month like it would bring. */
export const viabilityReplication = z.strictObject({
  seed: count,
  jobs: count.describe("Served by the machine in the measured interval."),
  inputTokens: count,
  outputTokens: count,
  revenueMsat: z.int().describe("In the measured interval, less the fees that fell to the operator."),
  utilisation: share.describe("Busy slots over slots."),
  busyShare: share.describe("Time with at least one job."),
  revenueUsd: usd.describe("In a month, as is what follows."),
  ...costShape,
  profitUsd: usd.describe("Revenue less every cost."),
  runningProfitUsd: usd.describe("Profit before depreciation and cost of capital: what it brings if it is yours already."),
  paybackMonths: z.number().min(0).nullable().describe("Until the running profit has paid the purchase price; null: never."),
});
export type ViabilityReplication = z.infer<typeof viabilityReplication>;

/** A price tried in the market, the other assumptions as they are. */
export const pricePoint = z.strictObject({
  factor: z.number().min(0).describe("Times the price asked."),
  inputMsatPerMtok: msat,
  outputMsatPerMtok: msat,
  fixedMsat: msat,
  profitUsd: usd.describe("Per month, mean of the replications."),
  revenueUsd: usd,
  tokens: z.number().min(0).describe("Served in a month, input and output together."),
  utilisation: share,
  replications: count,
});
export type PricePoint = z.infer<typeof pricePoint>;

export const breakEven = z.strictObject({
  heldVolume: z
    .strictObject({ factor: z.number().min(0), usdPerMtok: z.number().min(0), profitUsd: usd })
    .nullable()
    .describe("Price at which the same jobs would just pay: monthly cost over monthly tokens, input and output together. `profitUsd`: the account drawn up again at this price. Null where no job was served."),
  market: z
    .strictObject({ found: z.enum(["price", "none", "not searched"]), point: pricePoint.nullable(), usdPerMtok: z.number().min(0).nullable().describe("Revenue over tokens served at this price.") })
    .describe("The lowest price at which a month just pays when the market is played again with it, so that clients and router answer. none: no price that was tried pays."),
  bestPrice: pricePoint.nullable().describe("Of those tried, the one with the highest profit."),
  prices: z.array(pricePoint).describe("Every price tried, from the lowest."),
  utilisation: z
    .strictObject({ share: z.number().min(0).nullable().describe("Null: not even always full."), profitUsd: usd.nullable().describe("The account drawn up again at this utilisation.") })
    .nullable()
    .describe("Share of the slots that must be busy for a month to pay at the price asked, revenue per busy slot held. Null where no job was served."),
});
export type BreakEven = z.infer<typeof breakEven>;

export const tornadoEnd = z.strictObject({ text: z.string().max(128), profitUsd: usd });
export const tornadoBar = z.strictObject({
  id: name,
  name,
  base: z.string().max(128),
  low: tornadoEnd,
  high: tornadoEnd,
  swingUsd: z.number().min(0).describe("Between the two ends."),
  replayed: z.boolean().describe("Whether the market was played again for it; otherwise only the accounts change."),
});
export type TornadoBar = z.infer<typeof tornadoBar>;

export const ANSWERS = ["yes", "probably", "uncertain", "probably not", "no"] as const;
export type ViabilityAnswer = (typeof ANSWERS)[number];

/** Would a machine earn money in a market? Money is US dollars per month unless a name says otherwise. */
export const viabilityReport = z.strictObject({
  schema: z.literal(VIABILITY_SCHEMA),
  schemaVersion: z.string().regex(/^1\.\d+$/),
  provenance: z.strictObject({
    lab: z.strictObject({ name, version: z.string().max(64) }),
    scenario: z.strictObject({
      name, question: z.string(),
      hash: sha256.describe("SHA-256 of the canonical JSON of `resolved`."),
      resolved: z.json().describe("The market with the machine in it, as it was played."),
    }),
    seed: count,
    sets: z.array(z.string()),
    interrupted: z.literal(true).optional().describe("Stopped before its end: fewer replications, and no market played again. Absent otherwise."),
    resultsDigest: sha256.describe("SHA-256 of the canonical JSON of everything outside `provenance`."),
  }),
  answer: z.enum(ANSWERS),
  headline: z.string().max(1024).describe("The answer in a sentence."),
  findings: z.array(z.string().max(1024)),
  machine: z.strictObject({
    name, model: name, engine: name, slots: count, operator: name.describe("Name of its operator class in the scenario."), region: name,
    inputMsatPerMtok: msat, outputMsatPerMtok: msat, fixedMsat: msat,
    measured: z.boolean().describe("Whether its speeds come from a file of measurements, not from the catalogue."),
    wattsScope: z.enum(["board", "machine"]).describe("board: the accelerator alone, without the computer it is in."),
  }),
  hoursPerMonth: z.number().gt(0),
  measuredHours: z.number().gt(0).describe("Of the market, in each replication."),
  profit: replicated,
  independentHours: z
    .strictObject({ low: z.number(), high: z.number() })
    .nullable()
    .describe("Where 90 % of months' profits would lie if a month were made of hours that are independent draws like the replications; `profit` is as if the hour that was drawn went on all month. A month lies between the two. Null for one replication."),
  runningProfit: replicated,
  probabilityOfProfit: z.strictObject({ share, interval: estimateInterval }),
  revenue: replicated,
  costs: z.strictObject(costShape).describe("Means over the replications."),
  utilisation: replicated,
  busyShare: replicated,
  payback: z.strictObject({
    p5: z.number().nullable(), p50: z.number().nullable(), p95: z.number().nullable(),
    neverShare: share.describe("Replications in which it is never paid back."),
    afterLifeShare: share.describe("Replications in which that takes longer than the machine's life, never included."),
    lifeMonths: z.number().gt(0),
  }).describe("Months; null: never."),
  breakEven,
  rental: z
    .strictObject({
      usdPerHour: z.number().min(0).describe("What renters pay per hour."), source: z.string().max(512),
      marketRevenueUsdPerHour: usd.describe("What the machine takes in per hour that it is on."),
      ratio: z.number().min(0).nullable().describe("Market over rent; null where rent is 0."),
    })
    .nullable()
    .describe("Null where no rent is known."),
  tornado: z.array(tornadoBar).describe("Each assumption at a low and a high value, all others as they are; what matters most first."),
  assumptions: z.array(assumption),
  notModelled: z.array(z.string().max(512)),
  replications: z.array(viabilityReplication),
});
export type ViabilityReport = z.infer<typeof viabilityReport>;

/** JSON Schema (draft 2020-12) of viability.json, as published in `protocol/viability.schema.json`. */
export function viabilityJsonSchema(): unknown {
  const schema = z.toJSONSchema(viabilityReport, { target: "draft-2020-12", reused: "inline" });
  return { ...schema, $id: `urn:infernet-lab:viability-report:${VIABILITY_VERSION}`, title: "Infernet Lab viability report" };
}

/** SHA-256 of the canonical JSON of everything outside `provenance`, 64 hexadecimal digits. */
export function viabilityDigest(report: ViabilityReport | Omit<ViabilityReport, "provenance">): string {
  const { provenance: _, ...results } = report as ViabilityReport;
  return digest(results);
}
