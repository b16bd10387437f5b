import type { ReportJobStatus } from "../../../protocol/result.ts";
import { BATCHES, ENDS } from "./batches.ts";

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
  /** A row per batch; columns as in `END`. */
  readonly batches = new Float64Array(BATCHES * ENDS);

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
    for (let i = 0; i < this.batches.length; i++) this.batches[i]! += other.batches[i]!;
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

function noJobs(): Record<ReportJobStatus, number> {
  return { completed: 0, failed: 0, rejected: 0, expired: 0, cancelled: 0 };
}
