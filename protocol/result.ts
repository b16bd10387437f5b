import { z } from "zod";
import { digest } from "./canonical.ts";
import { pricingReport } from "./result/pricing.ts";
import { asks } from "./result/asks.ts";
import { settlementReport } from "./result/settlement.ts";
import { intervals, warmup } from "./result/precision.ts";
import { supply } from "./result/supply.ts";
import { structure, welfare } from "./result/welfare.ts";

export type { Supply, SupplyAccount } from "./result/supply.ts";

/** Names this kind of document, whatever its version. */
export const REPORT_SCHEMA = "infernet-lab/run-report";
/** `major.minor`: minor rises when fields are added, major when the meaning of one changes. */
export const REPORT_VERSION = "1.4";

/** How a job ended; together with "still in flight" these add up to the submitted jobs (conservation of jobs). */
export const JOB_STATUSES = ["completed", "failed", "rejected", "expired", "cancelled"] as const;
export type ReportJobStatus = (typeof JOB_STATUSES)[number];

const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const timeUs = count;
const msat = count;
const name = z.string().min(1).max(128);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
/** A finite double, or null where it is undefined, such as the mean of nothing. */
const figure = z.number().nullable();
const share = z.number().min(0).max(1).nullable();

/** Summary of a sample. Quantiles come from a sketch with a relative error of at most 0.5 %; the rest is exact. */
export const distributionSummary = z
  .strictObject({
    count,
    mean: figure,
    sd: figure.describe("Standard deviation of the sample (divisor n - 1); null below two values."),
    min: figure,
    p50: figure,
    p90: figure,
    p95: figure,
    p99: figure,
    max: figure,
  })
  .describe("Summary of a sample; quantiles have a relative error of at most 0.5 %. Null where there is no value.");
export type DistributionSummary = z.infer<typeof distributionSummary>;

/** Counts between edges, for plots. `edges` has one entry more than `counts`; both are empty for an empty sample. */
export const histogram = z
  .strictObject({ edges: z.array(z.number().min(0)), counts: z.array(count) })
  .describe("counts[i] values lie in [edges[i], edges[i + 1]), the last one's end included; edges never fall, from the least value to the greatest.");
export type Histogram = z.infer<typeof histogram>;

/** Latencies of completed jobs, in microseconds, as the client sees them. */
export const latencySummary = z.strictObject({
  ttftUs: distributionSummary.describe("Time to first token: submitted to first output token at the client."),
  tpotUs: distributionSummary.describe("Time per output token after the first; jobs with two tokens or more."),
  endToEndUs: distributionSummary.describe("Submitted to the whole result at the client."),
  queueingUs: distributionSummary.describe("Submitted to start of work at the node that served the job: routing, network and waiting, earlier attempts included."),
});
export type LatencySummary = z.infer<typeof latencySummary>;

export const latencyHistograms = z.strictObject({ ttftUs: histogram, tpotUs: histogram, endToEndUs: histogram, queueingUs: histogram });
export type LatencyHistograms = z.infer<typeof latencyHistograms>;

/** Jobs by how they ended. submitted = completed + failed + rejected + expired + cancelled + inFlight. */
export const jobCounts = z.strictObject({
  submitted: count,
  completed: count,
  failed: count,
  rejected: count,
  expired: count,
  cancelled: count,
  inFlight: count.describe("Neither ended nor lost: still under way when the run stopped."),
});
export type JobCounts = z.infer<typeof jobCounts>;

export const reasonCount = z.strictObject({ status: z.enum(JOB_STATUSES), reason: z.string().max(128), jobs: count });
export type ReasonCount = z.infer<typeof reasonCount>;

export const goalName = z.enum(["ttft", "tpot", "endToEnd"]);
export type GoalName = z.infer<typeof goalName>;

/** What the clients asked for and how often they got it. */
export const goodput = z.strictObject({
  jobs: count.describe("Jobs that ended, in whatever way: the denominator of the shares."),
  met: count.describe("Completed jobs that met every latency goal they had."),
  share,
  jobsPerS: figure.describe("Completed jobs that met every goal, per second of the measured interval in which they ended."),
  goals: z
    .array(z.strictObject({ goal: goalName, jobs: count.describe("Ended jobs with such a goal."), met: count, share }))
    .describe("Goal by goal; a goal that nobody has is left out."),
});
export type Goodput = z.infer<typeof goodput>;

/** What completed jobs cost the client, the router's fee included. */
export const priceSummary = z.strictObject({
  perJobMsat: distributionSummary,
  perMtokMsat: distributionSummary.describe("Amount and fee over input and output tokens together, in msat per million tokens."),
});
export type PriceSummary = z.infer<typeof priceSummary>;

export const tokenCounts = z.strictObject({ input: count, output: count });

/** Rates over the measured interval, by the time at which things happened, whenever the job was submitted. */
export const throughput = z.strictObject({
  submittedJobsPerS: figure,
  completedJobsPerS: figure,
  inputTokensPerS: figure.describe("Input tokens of the jobs that completed in the interval, per second."),
  outputTokensPerS: figure.describe("Output tokens of the jobs that completed in the interval, per second."),
});
export type Throughput = z.infer<typeof throughput>;

const groupShape = {
  jobs: jobCounts,
  reasons: z.array(reasonCount).describe("Jobs that did not complete, by status and reason."),
  latency: latencySummary,
  histograms: latencyHistograms,
  goodput,
  throughput,
  prices: priceSummary,
  tokens: tokenCounts.describe("Of completed jobs."),
  paidMsat: msat.describe("By completed jobs, fees included."),
  feesMsat: msat.describe("The router's part of paidMsat."),
  attempts: z.strictObject({
    total: count.describe("Assignments of a job to a node."),
    perJob: figure.describe("Mean attempts of ended jobs."),
    retriedJobs: count.describe("Ended jobs with more than one attempt."),
    failures: z.array(z.strictObject({ reason: z.string().max(128), attempts: count })),
  }),
};

/** All that is said of a set of jobs, from the clients' side. */
export const jobGroup = z.strictObject(groupShape);
export type JobGroup = z.infer<typeof jobGroup>;

export const clientClassReport = z.strictObject({
  name,
  goals: z.strictObject({ ttftUs: timeUs.nullable(), tpotUs: timeUs.nullable(), endToEndUs: timeUs.nullable() }),
  ...groupShape,
});
export type ClientClassReport = z.infer<typeof clientClassReport>;

const supplyShape = {
  attempts: count.describe("Jobs assigned."),
  failedAttempts: count,
  jobs: count.describe("Jobs completed."),
  tokens: tokenCounts,
  revenueMsat: msat.describe("Billed for completed jobs, without the router's fee."),
  utilisation: share.describe("Busy slots over slots while up, mean over the measured interval."),
  kvUtilisation: share.describe("KV cache tokens in use over capacity while up, mean over the measured interval; null where it was not metered."),
  availability: share.describe("Part of the measured interval during which it was up."),
  energyKwh: z.number().min(0).nullable().describe("Over the measured interval: the machine's idle power while it is up, its power under load while it serves at least one job. Null where its power is not known."),
  electricityMsat: msat.nullable().describe("What that energy costs at the operator's price of electricity, rounded up node by node. Null where the power or the price is not known."),
};

export const operatorClassReport = z.strictObject({
  name,
  nodes: count,
  slots: count,
  ...supplyShape,
  latency: latencySummary,
  prices: priceSummary,
});
export type OperatorClassReport = z.infer<typeof operatorClassReport>;

export const nodeReport = z.strictObject({
  name,
  operatorClass: name,
  region: name,
  machine: z.string().max(128),
  model: z.string().max(256),
  slots: count,
  inputMsatPerMtok: msat.nullable().describe("Posted price at the start."),
  outputMsatPerMtok: msat.nullable().describe("Posted price at the start."),
  ...supplyShape,
  downs: count.describe("Times it went down in the measured interval."),
});
export type NodeReport = z.infer<typeof nodeReport>;

/** Which clients' jobs were served by which operators, and what that cost. */
export const flow = z.strictObject({
  clientClass: name,
  operatorClass: name,
  jobs: count,
  tokens: tokenCounts,
  paidMsat: msat,
  perMtokMsat: figure.describe("paidMsat over all tokens of the flow, in msat per million tokens."),
});
export type Flow = z.infer<typeof flow>;

const figures = z.array(figure);
const counts = z.array(count);

/** Equal windows from time 0 to the horizon, warm-up included; column by column. The drain after the horizon has none. */
export const timeSeries = z.strictObject({
  windowUs: timeUs,
  startUs: z.array(timeUs),
  submitted: counts,
  completed: counts,
  failed: counts,
  rejected: counts,
  expired: counts,
  cancelled: counts,
  metGoals: counts.describe("Completed jobs that met every goal, by the time they ended."),
  inputTokens: counts.describe("Of jobs that completed in the window."),
  outputTokens: counts.describe("Of jobs that completed in the window."),
  inSystem: figures.describe("Jobs submitted and not ended, mean over the window."),
  waitingAtRouter: figures.describe("Jobs held by the router, mean over the window."),
  waitingAtNodes: figures.describe("Jobs queued at nodes, mean over the window."),
  running: figures.describe("Jobs running at nodes, mean over the window."),
  nodesUp: figures,
  utilisation: figures.describe("Busy slots over slots that are up."),
  perMtokMsat: figures.describe("What the jobs that completed in the window paid, over their tokens."),
  ttftP50Us: figures.describe("Of the jobs that completed in the window."),
  ttftP95Us: figures.describe("Of the jobs that completed in the window."),
  operatorClasses: z.array(z.strictObject({ name, utilisation: figures, waiting: figures })),
});
export type TimeSeries = z.infer<typeof timeSeries>;

/** A law that was checked while the run went on. A broken law stops the run, so a report only ever counts passes. */
export const lawCheck = z.strictObject({ law: name, passed: count });
export type LawCheck = z.infer<typeof lawCheck>;

export const checks = z.strictObject({
  laws: z.array(lawCheck),
  little: z
    .strictObject({
      jobUs: z.string().regex(/^\d+$/).describe("Integral of jobs in the system over the whole run, in job-microseconds; equals the sum of all sojourn times exactly."),
      meanInSystem: figure.describe("L over the measured interval."),
      arrivalsPerS: figure.describe("lambda over the measured interval."),
      meanSojournUs: figure.describe("W of the jobs submitted in the measured interval that ended."),
      relativeError: figure.describe("(lambda W - L) / L: what the edges of the interval leave over, not an error of bookkeeping."),
    })
    .describe("Little's law, L = lambda W (Little 1961)."),
});
export type Checks = z.infer<typeof checks>;

/** Double entry, summed up by kind of account. */
export const money = z.strictObject({
  accounts: z.array(
    z.strictObject({ kind: name, accounts: count, openingMsat: z.int(), closingMsat: z.int(), changeMsat: z.int() }),
  ),
  openingMsat: z.int(),
  closingMsat: z.int().describe("Equals openingMsat: money is conserved to the millisatoshi."),
});
export type Money = z.infer<typeof money>;

export const provenance = z.strictObject({
  lab: z.strictObject({ name, version: z.string().max(64) }),
  scenario: z.strictObject({
    name,
    question: z.string(),
    hash: sha256.describe("SHA-256 of the canonical JSON of `resolved`."),
    resolved: z.json().describe("The scenario as it was played, after --set, with every default filled in."),
  }),
  seed: z.union([z.int(), z.string().max(256)]),
  sets: z.array(z.string()).describe("Changes made on the command line, as path=value."),
  interrupted: z.literal(true).optional().describe("Stopped before its end: the horizon of this report is where it stopped. Absent otherwise."),
  resultsDigest: sha256.describe("SHA-256 of the canonical JSON of everything outside `provenance`, `intervals` taken for null: they say how well the rest is known. Same scenario, seed and version: same digest."),
});
export type Provenance = z.infer<typeof provenance>;

/** The one result schema: a run's report, simulated or live. Times are integer microseconds, money is integer msat. */
export const runReport = z.strictObject({
  schema: z.literal(REPORT_SCHEMA),
  schemaVersion: z.string().regex(/^1\.\d+$/),
  provenance,
  world: z.enum(["simulated", "live"]),
  horizonUs: timeUs.describe("Arrivals stop here, and so does the measured interval."),
  warmupUs: timeUs.describe("The measured interval starts here; jobs submitted before are left out of the statistics."),
  endUs: timeUs.describe("When the run stopped; after the horizon where jobs were drained."),
  allJobs: jobCounts.describe("Every job, those of the warm-up included."),
  jobRows: z.strictObject({ rows: count, digest: sha256.describe("SHA-256 over the packed rows of every job, in order of their ends.") }),
  overall: jobGroup,
  clientClasses: z.array(clientClassReport),
  operatorClasses: z.array(operatorClassReport),
  flows: z.array(flow),
  nodes: z.array(nodeReport),
  overTime: timeSeries,
  checks,
  money: money.nullable().describe("Null where no wallets took part."),
  pricing: pricingReport.nullable().describe("Null where every node has posted prices that do not move."),
  settlement: settlementReport.nullable().describe("Null where no wallets took part."),
  asks: asks.nullable().describe("Null where no operator's prices move."),
  welfare: welfare.nullable(),
  supply: supply.nullable().describe("What operators earned after their costs. Null where the scenario says nothing of costs, and exchange rates stand still."),
  structure,
  intervals: intervals.nullable().describe("Null where too little was measured, or many runs were played to know it from."),
  warmup,
});
export type RunReport = z.infer<typeof runReport>;

/**
 * One job as `jobs.csv` has it. Times are microseconds since the start of the run, -1 (an empty field
 * of the file) where it never came to that.
 * The times of assignment, start and first token are those of the attempt that delivered, or of the last one.
 */
export interface JobRow {
  /** The job's id. */
  job: string;
  clientClass: string;
  /** "in-flight" for a job that had not ended when the run stopped. */
  status: ReportJobStatus | "in-flight";
  reason: string;
  /** "" where the job was never assigned. */
  node: string;
  operatorClass: string;
  attempts: number;
  submittedUs: number;
  assignedUs: number;
  startedUs: number;
  firstTokenUs: number;
  finishedUs: number;
  endedUs: number;
  inputTokens: number;
  outputTokens: number;
  maxOutputTokens: number;
  amountMsat: number;
  feeMsat: number;
  maxPriceMsat: number;
  /** Completed and every latency goal met. */
  metGoals: boolean;
  /** False for a job of the warm-up, which the statistics leave out. */
  measured: boolean;
}

/** JSON Schema (draft 2020-12) of report.json, as published in `protocol/report.schema.json`. */
export function reportJsonSchema(): unknown {
  const schema = z.toJSONSchema(runReport, { target: "draft-2020-12", reused: "inline" });
  return { ...schema, $id: `urn:infernet-lab:run-report:${REPORT_VERSION}`, title: "Infernet Lab run report" };
}

/**
 * Digest of a report's results: SHA-256 of the canonical JSON of everything outside `provenance`, with `intervals` null, 64
 * hexadecimal digits. So a run that is one of many has the same one as alone, when it also says how well it knows its figures.
 * @throws TypeError where the report holds what JSON cannot carry, such as NaN
 */
export function resultsDigest(report: RunReport | Omit<RunReport, "provenance">): string {
  const { provenance: _, ...results } = report as RunReport;
  return digest({ ...results, intervals: null });
}
