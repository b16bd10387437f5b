import { canonicalJson, sha256Hex } from "../../protocol/canonical.ts";
import type { JobRow, RunReport } from "../../protocol/result.ts";
import type { TwinBar, TwinComparison, TwinMetric, TwinPhase, TwinReport } from "../../protocol/result/twin.ts";
import { TWIN_METRICS, TWIN_SCHEMA, TWIN_VERSION, twinDigest } from "../../protocol/result/twin.ts";
import { formatDurationUs, formatNumber, formatPercent } from "../../protocol/units.ts";
import type { PhaseSpec } from "../../sim/scenario/sections/twin.ts";
import type { Scenario, ShareTables } from "../../sim/scenario/scenario.ts";
import type { NodePlan } from "../../sim/world/supply.ts";
import type { PlannedJob } from "../../sim/world/planned-jobs.ts";
import type { Calibration } from "./calibrate.ts";
import type { TimedDecision } from "./facts.ts";
import { compareJobs, errorOf, type Pair, quantilesOf } from "./pairs.ts";

/** One side of a twin. */
export interface Side {
  readonly report: RunReport;
  readonly rows: readonly JobRow[];
  readonly decisions: readonly TimedDecision[];
}

export interface CompareOptions {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly sets: readonly string[];
  readonly plans: readonly NodePlan[];
  /** What each node runs, in words. */
  readonly models: readonly string[];
  readonly jobs: readonly PlannedJob[];
  readonly phases: readonly PhaseSpec[];
  readonly real: Side;
  readonly simulated: Side;
  readonly calibration: Calibration & { readonly stages: number; readonly parts: number; readonly tookUs: number; readonly cores: number; readonly halves: TwinReport["calibration"]["halves"] };
  readonly machine: TwinReport["machine"];
  readonly measuredAt: string;
  /** Why the live play was stopped before its end; null: it was not. */
  readonly stopped: string | null;
}

/** What the simulation is held to, and the largest error that is let pass. */
const BARS: readonly { readonly what: string; readonly limit: number; readonly error: (overall: TwinPhase) => number | null }[] = [
  { what: "end-to-end, mean", limit: 0.05, error: (overall) => meanError(overall, "endToEnd", "mean") },
  { what: "end-to-end, p95", limit: 0.1, error: (overall) => meanError(overall, "endToEnd", "p95") },
  { what: "time to first token, mean", limit: 0.1, error: (overall) => meanError(overall, "ttft", "mean") },
  { what: "throughput, jobs", limit: 0.03, error: ({ throughput }) => throughput.jobsPerS.error },
  { what: "throughput, tokens", limit: 0.03, error: ({ throughput }) => throughput.tokensPerS.error },
];

/** Sets the two sides of a twin against each other, job by job. */
export function compareSides(options: CompareOptions): { readonly report: TwinReport; readonly pairs: readonly Pair[] } {
  const { scenario, real, simulated, calibration, plans, jobs } = options;
  const others = new Map(simulated.rows.map((row) => [row.job, row]));
  const pairs = real.rows.flatMap((row): Pair[] => {
    const other = others.get(row.job);
    return other === undefined ? [] : [{ real: row, simulated: other }];
  });
  const measured = pairs.filter((pair) => pair.real.measured && pair.simulated.measured);
  const both = pairs.filter((pair) => pair.real.status === "completed" && pair.simulated.status === "completed");
  const sameNode = both.filter((pair) => pair.real.node === pair.simulated.node);
  // A play that was stopped has no more to compare than what was played.
  const endUs = Math.min(scenario.horizonUs, real.report.horizonUs);
  const overall = phaseOf({ name: "all", fromUs: scenario.warmupUs, untilUs: endUs }, pairs, measured, real.rows, simulated.rows);
  const phases = options.phases.filter(({ fromUs }) => fromUs < endUs).map((phase) => phaseOf({ ...phase, untilUs: Math.min(phase.untilUs, endUs) }, pairs, measured, real.rows, simulated.rows));
  const bars = BARS.map(({ what, limit, error }): TwinBar => {
    const found = error(overall);
    return { what, limit, error: found, holds: found !== null && Math.abs(found) <= limit };
  });
  const planned = new Map(jobs.map(({ atUs, request }) => [request.jobId, atUs]));
  const lags = real.rows.map((row) => Math.max(0, row.submittedUs - (planned.get(row.job) ?? row.submittedUs)));
  const report: TwinReport = {
    schema: TWIN_SCHEMA, schemaVersion: TWIN_VERSION,
    provenance: {
      lab: real.report.provenance.lab,
      scenario: { name: scenario.name, question: scenario.question, hash: sha256Hex(canonicalJson(scenario)), resolved: scenario as never },
      seed: options.seed, sets: [...options.sets], ...(options.stopped === null ? {} : { interrupted: options.stopped }), resultsDigest: "0".repeat(64),
    },
    measuredAt: options.measuredAt,
    machine: options.machine,
    headline: headline(overall, bars),
    findings: [],
    bars,
    jobs: {
      planned: jobs.length,
      real: countsOf(real.rows), simulated: countsOf(simulated.rows),
      alikeShare: pairs.length === 0 ? 0 : pairs.filter((pair) => pair.real.status === pair.simulated.status).length / pairs.length,
      sameNodeShare: both.length === 0 ? null : sameNode.length / both.length,
      sameTokens: both.filter((pair) => pair.real.inputTokens === pair.simulated.inputTokens && pair.real.outputTokens === pair.simulated.outputTokens).length,
      sameAmounts: sameNode.filter((pair) => pair.real.amountMsat === pair.simulated.amountMsat && pair.real.feeMsat === pair.simulated.feeMsat).length,
      completedOnSameNode: sameNode.length,
      completedInBoth: both.length,
    },
    decisions: decisionsOf(real.decisions, simulated.decisions),
    overall, phases,
    nodes: plans.map((plan, i) => {
      const sideOf = ({ rows, report }: Side): TwinReport["nodes"][number]["real"] => {
        const served = rows.filter((row) => row.node === plan.name && row.status === "completed");
        return { jobs: served.length, revenueMsat: served.reduce((sum, row) => sum + row.amountMsat, 0), utilisation: report.nodes[i]?.utilisation ?? 0 };
      };
      const [a, b] = [sideOf(real), sideOf(simulated)];
      return { name: plan.name, model: options.models[i]!, slots: plan.descriptor.slots, real: a, simulated: b, revenueError: errorOf(a.revenueMsat, b.revenueMsat) };
    }),
    quantiles: TWIN_METRICS.flatMap((metric) => {
      const points = quantilesOf(metric, measured);
      return points.length < 2 ? [] : [{ metric, points }];
    }),
    submissionLag: { meanUs: lags.length === 0 ? 0 : lags.reduce((sum, lag) => sum + lag, 0) / lags.length, maxUs: Math.max(0, ...lags) },
    calibration: {
      stages: calibration.stages, parts: calibration.parts, tookUs: calibration.tookUs, legsUs: { ...calibration.legsUs }, paymentUs: calibration.paymentUs, cores: calibration.cores, ...tables(calibration.shares.all),
      halves: calibration.halves,
      nodes: calibration.nodes.map(({ fit, prefill, decode }, i) => ({
        name: plans[i]!.name, cost: fit.cost, prompts: prefill.length, steps: decode.length, promptError: fit.promptError, stepError: fit.stepError,
        ...tables(calibration.shares.byClass[plans[i]!.operatorClass]!),
      })),
    },
  };
  report.findings.push(...findings(report));
  report.provenance.resultsDigest = twinDigest(report);
  return { report, pairs };
}

function phaseOf({ name, fromUs, untilUs }: PhaseSpec, pairs: readonly Pair[], measured: readonly Pair[], real: readonly JobRow[], simulated: readonly JobRow[]): TwinPhase {
  // Which phase a job belongs to is a matter of the plan, and so of the simulated submission, which keeps to it.
  const within = ({ simulated: { submittedUs } }: Pair): boolean => submittedUs >= fromUs && submittedUs < untilUs;
  const lengthS = (untilUs - fromUs) / 1e6;
  const rates = (rows: readonly JobRow[]): { jobs: number; tokens: number } => {
    const done = rows.filter(({ status, finishedUs }) => status === "completed" && finishedUs >= fromUs && finishedUs < untilUs);
    return { jobs: done.length / lengthS, tokens: done.reduce((sum, row) => sum + row.inputTokens + row.outputTokens, 0) / lengthS };
  };
  const [a, b] = [rates(real), rates(simulated)];
  return {
    name, fromUs, untilUs, jobs: pairs.filter(within).length,
    throughput: { jobsPerS: { real: a.jobs, simulated: b.jobs, error: errorOf(a.jobs, b.jobs) }, tokensPerS: { real: a.tokens, simulated: b.tokens, error: errorOf(a.tokens, b.tokens) } },
    comparisons: compareJobs(measured.filter(within)),
  };
}

function countsOf(rows: readonly JobRow[]): TwinReport["jobs"]["real"] {
  const counts = { completed: 0, failed: 0, rejected: 0, expired: 0, cancelled: 0, inFlight: 0 };
  for (const { status } of rows) counts[status === "in-flight" ? "inFlight" : status]++;
  return counts;
}

function decisionsOf(real: readonly TimedDecision[], simulated: readonly TimedDecision[]): TwinReport["decisions"] {
  // A job may be decided on again and again while it waits; what counts is where its first attempt went.
  const first = (all: readonly TimedDecision[]): Map<string, TimedDecision["decision"]> => {
    const found = new Map<string, TimedDecision["decision"]>();
    for (const { decision } of all) if (decision.attempt === 1 && decision.chosen !== "" && !found.has(decision.jobId)) found.set(decision.jobId, decision);
    return found;
  };
  const [a, b] = [first(real), first(simulated)];
  let [compared, same, sameCandidates] = [0, 0, 0];
  for (const [jobId, decision] of a) {
    const other = b.get(jobId);
    if (other === undefined) continue;
    compared++;
    if (other.chosen === decision.chosen) same++;
    const nodes = (one: typeof decision): string => one.candidates.map(({ node }) => node).sort().join();
    if (nodes(other) === nodes(decision)) sameCandidates++;
  }
  return { compared, sameShare: compared === 0 ? null : same / compared, sameCandidatesShare: compared === 0 ? null : sameCandidates / compared };
}

function comparisonOf({ comparisons }: TwinPhase, metric: TwinMetric): TwinComparison | undefined {
  return comparisons.find((one) => one.metric === metric);
}

function meanError(phase: TwinPhase, metric: TwinMetric, statistic: "mean" | "p95"): number | null {
  return comparisonOf(phase, metric)?.error[statistic] ?? null;
}

const signed = (value: number | null): string => (value === null ? "unknown" : `${value >= 0 ? "+" : "−"}${formatPercent(Math.abs(value))}`);

function tables({ shares, promptShares }: ShareTables): { shares: number[]; promptShares: number[] } {
  return { shares: [...shares], promptShares: [...promptShares] };
}

function headline(overall: TwinPhase, bars: readonly TwinBar[]): string {
  const held = bars.filter(({ holds }) => holds).length;
  const endToEnd = comparisonOf(overall, "endToEnd");
  if (endToEnd === undefined) return "No job was completed in both worlds: there is nothing to compare.";
  return `Over ${formatNumber(endToEnd.jobs)} jobs the simulated mean time from submission to result is ${signed(endToEnd.error.mean)} off the real one, and its 95th percentile ${signed(endToEnd.error.p95)}; ${held} of ${bars.length} bars hold.`;
}

function findings({ jobs, decisions, calibration, phases, submissionLag, machine, provenance }: TwinReport): string[] {
  const found: string[] = [];
  if (provenance.interrupted !== undefined) found.push(`The live play was stopped before its end: ${provenance.interrupted}.`);
  found.push(`Of ${formatNumber(jobs.planned)} jobs, ${formatNumber(jobs.real.completed)} completed for real and ${formatNumber(jobs.simulated.completed)} in the simulation; ${formatPercent(jobs.alikeShare)} ended alike.`);
  if (jobs.sameNodeShare !== null) found.push(`${formatPercent(jobs.sameNodeShare)} of the jobs that completed in both worlds went to the same node in both; of those, ${jobs.sameAmounts === jobs.completedOnSameNode ? "all" : `${formatNumber(jobs.sameAmounts)} of ${formatNumber(jobs.completedOnSameNode)}`} cost the same to the millisatoshi. ${jobs.sameTokens === jobs.completedInBoth ? "All" : `${formatNumber(jobs.sameTokens)} of ${formatNumber(jobs.completedInBoth)}`} metered the same tokens.`);
  if (decisions.sameShare !== null) found.push(`The router's first decision on a job was the same in ${formatPercent(decisions.sameShare)} of ${formatNumber(decisions.compared)} cases. Where decisions are close, a job that ends a millisecond sooner or later turns them.`);
  for (const phase of phases) {
    const one = comparisonOf(phase, "endToEnd");
    if (one !== undefined) found.push(`${phase.name}: ${formatNumber(phase.throughput.jobsPerS.real, 2)} jobs/s; end-to-end ${signed(one.error.mean)} in the mean, ${signed(one.error.p95)} at p95.`);
  }
  const all = calibration.nodes.length;
  if (all > 1) found.push(`While all ${all} nodes were busy, ${calibration.nodes.map(({ name, shares, promptShares }) => `${name} had ${formatPercent(shares.at(-1)!)} of its speed in generating and ${formatPercent(promptShares.at(-1)!)} in reading prompts`).join(", ")}, on ${machine.cores} cores that they share with the router, the clients and the ledger.`);
  if (calibration.halves !== null) found.push(`By the first, third, ... of the measurements alone, the simulation's mean time to the result would be ${formatDurationUs(Math.round(calibration.halves.firstUs))}, and by the others alone ${formatDurationUs(Math.round(calibration.halves.secondUs))}: so well is the nodes' speed known, for the machine's own moves.`);
  if (submissionLag.maxUs > 5_000) found.push(`Jobs were submitted up to ${formatNumber(submissionLag.maxUs / 1_000, 1)} ms later than planned, ${formatNumber(submissionLag.meanUs / 1_000, 2)} ms on average${calibration.parts > 2 ? ": after an intermission, for all jobs of the act before have to end first" : ""}.`);
  const { othersCores } = machine;
  if (othersCores !== null && Math.max(othersCores.play, othersCores.bench) > 0.1) found.push(`The machine had other work to do: processes outside the twin used ${formatNumber(othersCores.play, 2)} cores during the play and ${formatNumber(othersCores.bench, 2)} during the bench run, which is in all the errors.`);
  return found;
}
