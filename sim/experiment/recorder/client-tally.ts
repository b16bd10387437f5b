import { JOB_STATUSES, type ReportJobStatus } from "../../../protocol/result.ts";
import type { AddTotal } from "./marks.ts";

/** Counts of one client class. "Measured" means: of jobs submitted at or after the warm-up. */
export class ClientTally {
  /** Of every job, the warm-up's included. */
  submittedAll = 0;
  readonly endedAll: Record<ReportJobStatus, number> = noJobs();
  submitted = 0;
  readonly ended: Record<ReportJobStatus, number> = noJobs();
  readonly reasons = new Map<string, { readonly status: ReportJobStatus; readonly reason: string; jobs: number }>();
  /** Measured completed jobs that met every goal, and each. */
  metAll = 0;
  metTtft = 0;
  metTpot = 0;
  metEndToEnd = 0;
  attempts = 0;
  attemptsOfEnded = 0;
  retriedJobs = 0;
  readonly attemptFailures = new Map<string, number>();
  /** By the time at which things happened, within the measured interval. */
  submissions = 0;
  completions = 0;
  goodCompletions = 0;
  inputTokens = 0;
  outputTokens = 0;

  /** Totals so far. @param prefix of their names */
  totals(prefix: string, add: AddTotal): void {
    add(`${prefix}.jobs.submitted`, this.submitted);
    for (const status of JOB_STATUSES) add(`${prefix}.jobs.${status}`, this.ended[status]);
    add(`${prefix}.goodput.met`, this.metAll);
    add(`${prefix}.goodput.goals.ttft.met`, this.metTtft);
    add(`${prefix}.goodput.goals.tpot.met`, this.metTpot);
    add(`${prefix}.goodput.goals.endToEnd.met`, this.metEndToEnd);
    add(`${prefix}.goodput.jobsPerS`, this.goodCompletions);
    add(`${prefix}.throughput.submittedJobsPerS`, this.submissions);
    add(`${prefix}.throughput.completedJobsPerS`, this.completions);
    add(`${prefix}.throughput.inputTokensPerS`, this.inputTokens);
    add(`${prefix}.throughput.outputTokensPerS`, this.outputTokens);
    add(`${prefix}.attempts.total`, this.attempts);
    add(`${prefix}.attempts.ofEnded`, this.attemptsOfEnded);
    add(`${prefix}.attempts.retriedJobs`, this.retriedJobs);
    for (const [reason, attempts] of this.attemptFailures) add(`${prefix}.attempts.failures.${reason}.attempts`, attempts);
    for (const { status, reason, jobs } of this.reasons.values()) add(`${prefix}.reasons.${status}.${reason}.jobs`, jobs);
  }

  merge(other: ClientTally): void {
    this.submittedAll += other.submittedAll;
    this.submitted += other.submitted;
    for (const status of Object.keys(other.ended) as ReportJobStatus[]) {
      this.ended[status] += other.ended[status];
      this.endedAll[status] += other.endedAll[status];
    }
    for (const { status, reason, jobs } of other.reasons.values()) this.addReason(status, reason, jobs);
    this.metAll += other.metAll;
    this.metTtft += other.metTtft;
    this.metTpot += other.metTpot;
    this.metEndToEnd += other.metEndToEnd;
    this.attempts += other.attempts;
    this.attemptsOfEnded += other.attemptsOfEnded;
    this.retriedJobs += other.retriedJobs;
    for (const [reason, attempts] of other.attemptFailures) this.addAttemptFailure(reason, attempts);
    this.submissions += other.submissions;
    this.completions += other.completions;
    this.goodCompletions += other.goodCompletions;
    this.inputTokens += other.inputTokens;
    this.outputTokens += other.outputTokens;
  }

  addReason(status: ReportJobStatus, reason: string, jobs: number): void {
    const key = `${status} ${reason}`;
    const known = this.reasons.get(key);
    if (known === undefined) this.reasons.set(key, { status, reason, jobs });
    else known.jobs += jobs;
  }

  addAttemptFailure(reason: string, attempts: number): void {
    this.attemptFailures.set(reason, (this.attemptFailures.get(reason) ?? 0) + attempts);
  }
}

/** Counts one more job, which ended so. */
export function countEnd(jobs: Record<ReportJobStatus, number>, status: ReportJobStatus): void {
  // Most jobs end so, and to name a field is much faster than to look for one.
  if (status === "completed") jobs.completed++;
  else jobs[status]++;
}

function noJobs(): Record<ReportJobStatus, number> {
  return { completed: 0, failed: 0, rejected: 0, expired: 0, cancelled: 0 };
}
