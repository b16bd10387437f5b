import { z } from "zod";
import { digest } from "../canonical.ts";
import { fittedCost } from "../fitted-cost.ts";

/** Names this kind of document, whatever its version. */
export const TWIN_SCHEMA = "infernet-lab/twin-report";
/** `major.minor`: minor rises when fields are added, major when the meaning of one changes. */
export const TWIN_VERSION = "2.0";

const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const msat = count;
const us = z.number().min(0);
const name = z.string().min(1).max(256);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const shares = z.array(z.number().gt(0));
const share = z.number().min(0).max(1);
const error = z.number().nullable().describe("Simulated over real, less one; null where the real figure is 0.");
const correlation = z.number().min(-1).max(1).nullable().describe("Null where one side does not vary.");

/** What is compared of single jobs. */
export const TWIN_METRICS = ["ttft", "tpot", "endToEnd", "queueing", "price"] as const;
export type TwinMetric = (typeof TWIN_METRICS)[number];

const statistics = z.strictObject({ mean: z.number(), p50: z.number(), p95: z.number() });

/** One figure of single jobs, in both worlds. */
export const twinComparison = z.strictObject({
  metric: z.enum(TWIN_METRICS).describe("ttft: submission to first token; tpot: mean time between output tokens after the first; endToEnd: submission to result; queueing: submission to start; price: what the client pays."),
  unit: z.enum(["us", "msat"]),
  jobs: count.describe("Pairs: completed in both worlds."),
  real: statistics,
  simulated: statistics,
  error: z.strictObject({ mean: error, p50: error, p95: error }),
  pearson: correlation.describe("Of real and simulated, job by job."),
  spearman: correlation.describe("The same of their ranks."),
  meanAbsoluteError: z.number().min(0).nullable().describe("Mean of |simulated - real| over the jobs, over the real mean; null where that is 0."),
});
export type TwinComparison = z.infer<typeof twinComparison>;

const rate = z.strictObject({ real: z.number(), simulated: z.number(), error });

/** A part of the play, by the time of submission. */
export const twinPhase = z.strictObject({
  name,
  fromUs: count,
  untilUs: count,
  jobs: count.describe("Submitted."),
  throughput: z.strictObject({ jobsPerS: rate, tokensPerS: rate }).describe("What was completed within the phase, over its length; in and out together."),
  comparisons: z.array(twinComparison),
});
export type TwinPhase = z.infer<typeof twinPhase>;

const jobCounts = z.strictObject({ completed: count, failed: count, rejected: count, expired: count, cancelled: count, inFlight: count });

/** What was aimed at, and what was reached. */
export const twinBar = z.strictObject({
  what: name,
  limit: share.describe("Largest absolute error."),
  error,
  holds: z.boolean(),
});
export type TwinBar = z.infer<typeof twinBar>;

/** One scenario in both worlds, and the difference. Times are µs, money is msat. */
export const twinReport = z.strictObject({
  schema: z.literal(TWIN_SCHEMA),
  schemaVersion: z.string().regex(/^2\.\d+$/),
  provenance: z.strictObject({
    lab: z.strictObject({ name, version: z.string().max(64) }),
    scenario: z.strictObject({ name, question: z.string(), hash: sha256, resolved: z.json().describe("The scenario as it stands, before anything was measured.") }),
    seed: z.union([z.int(), z.string().max(256)]),
    sets: z.array(z.string()),
    interrupted: z.string().optional().describe("Why the live play was stopped before its end; absent: it was not."),
    resultsDigest: sha256.describe("Of everything outside provenance. No two plays give the same: one of the worlds is real."),
  }),
  measuredAt: z.string().max(64).describe("ISO 8601, UTC."),
  machine: z.strictObject({
    cpu: name, cores: count, memoryBytes: count, os: name, runtime: name, engine: name.describe("What executed the models."),
    othersCores: z.strictObject({ play: z.number().min(0), bench: z.number().min(0) }).nullable()
      .describe("Cores that processes outside the twin used on average, during the play and during the bench run: what disturbs the measurement. Null where the system does not say."),
  }),
  headline: z.string(),
  findings: z.array(z.string()),
  bars: z.array(twinBar),
  jobs: z.strictObject({
    planned: count,
    real: jobCounts, simulated: jobCounts,
    alikeShare: share.describe("Jobs that ended alike, of all."),
    sameNodeShare: share.nullable().describe("Jobs that went to the same node, of those that completed in both worlds."),
    sameTokens: count.describe("Of the jobs completed in both worlds, those with equal tokens in and out."),
    sameAmounts: count.describe("Of those that went to the same node, those with equal amount and fee."),
    completedOnSameNode: count,
    completedInBoth: count,
  }),
  decisions: z.strictObject({
    compared: count.describe("First decisions on jobs that both worlds decided on."),
    sameShare: share.nullable().describe("Those with the same node chosen."),
    sameCandidatesShare: share.nullable().describe("Those with the same nodes eligible."),
  }),
  overall: twinPhase,
  phases: z.array(twinPhase),
  nodes: z.array(z.strictObject({
    name, model: name, slots: count,
    real: z.strictObject({ jobs: count, revenueMsat: msat, utilisation: share }),
    simulated: z.strictObject({ jobs: count, revenueMsat: msat, utilisation: share }),
    revenueError: error,
  })),
  quantiles: z.array(z.strictObject({
    metric: z.enum(TWIN_METRICS),
    points: z.array(z.tuple([share, z.number(), z.number()])).describe("Share, the real quantile, the simulated one."),
  })),
  submissionLag: z.strictObject({ meanUs: us, maxUs: us }).describe("How much later than planned jobs were really submitted; times count from the real submission."),
  calibration: z.strictObject({
    stages: count.describe("Measurements of the separate bench run."),
    parts: count.describe("Its parts: before the play, in its intermissions and after it."),
    tookUs: us,
    legsUs: z.strictObject({ toRouter: us, toNode: us, toClient: us }).describe("Mean one-way times of messages, signing and verifying in them."),
    paymentUs: us,
    cores: count,
    shares: shares.describe("Share of its speed in generating that any node has while 1, 2, 3, ... are busy."),
    promptShares: shares.describe("The same in reading prompts."),
    halves: z.strictObject({ firstUs: us, secondUs: us }).nullable()
      .describe("What the simulation's mean time from submission to result would be by the first, third, ... part of the bench run alone, and by the others alone: how well the nodes' speeds are known. Null where all was measured at once."),
    nodes: z.array(z.strictObject({
      name, cost: fittedCost, prompts: count, steps: count,
      promptError: z.number().describe("Mean absolute error of the fit, relative."), stepError: z.number(),
      shares: shares.describe("This node's own share of its speed in generating while 1, 2, 3, ... are busy."),
      promptShares: shares.describe("The same in reading prompts."),
    })),
  }),
});
export type TwinReport = z.infer<typeof twinReport>;

/** JSON Schema (draft 2020-12) of twin.json, as published in `protocol/twin.schema.json`. */
export function twinJsonSchema(): unknown {
  const schema = z.toJSONSchema(twinReport, { target: "draft-2020-12", reused: "inline" });
  return { ...schema, $id: `urn:infernet-lab:twin-report:${TWIN_VERSION}`, title: "Infernet Lab twin report" };
}

/** Digest of a twin report's results. */
export function twinDigest(report: TwinReport): string {
  const { provenance: _, ...results } = report;
  return digest(results);
}
