import type { JobId, JobRequest, PeerId, PriceSheet } from "../../protocol/messages.ts";
import type { Decision, JobStatus, Telemetry } from "../../scheduler/environment.ts";

/** What a process of a live market saw, µs since the start of the play. All processes of one machine read the same clock. */
export type Fact =
  | { readonly atUs: number; readonly fact: "submitted"; readonly job: JobId; readonly inputTokens: number; readonly maxOutputTokens: number; readonly maxPriceMsat: number }
  | { readonly atUs: number; readonly fact: "assigned"; readonly job: JobId; readonly node: PeerId; readonly attempt: number }
  | { readonly atUs: number; readonly fact: "attempt-failed"; readonly job: JobId; readonly node: PeerId; readonly attempt: number; readonly reason: string }
  | { readonly atUs: number; readonly fact: "started" | "first-token"; readonly job: JobId; readonly attempt: number }
  | {
    readonly atUs: number; readonly fact: "finished"; readonly job: JobId; readonly node: PeerId; readonly attempt: number;
    readonly inputTokens: number; readonly outputTokens: number; readonly amountMsat: number; readonly feeMsat: number;
  }
  | { readonly atUs: number; readonly fact: "ended"; readonly job: JobId; readonly status: JobStatus; readonly reason: string }
  | { readonly atUs: number; readonly fact: "disputed"; readonly job: JobId; readonly claim: string }
  | { readonly atUs: number; readonly fact: "too-dear"; readonly job: JobId }
  | { readonly atUs: number; readonly fact: "waiting-at-router"; readonly change: 1 | -1 }
  /** A node's runner: how many jobs run and wait there. */
  | { readonly atUs: number; readonly fact: "load"; readonly node: PeerId; readonly running: number; readonly waiting: number; readonly kvTokens: number }
  /** Where the tokens are made: the first one, and the last. */
  | { readonly atUs: number; readonly fact: "made-first-token" | "made-last-token"; readonly job: JobId; readonly node: PeerId };

/** A decision and its moment, µs since the start of the play. */
export interface TimedDecision {
  readonly atUs: number;
  readonly decision: Decision;
}

/** Of facts of one instant, the one that comes first in a job's way through the market. */
const ORDER: Readonly<Record<Fact["fact"], number>> = {
  submitted: 0, "waiting-at-router": 1, "too-dear": 1, "attempt-failed": 2, assigned: 3, load: 4, started: 5, "made-first-token": 6, "first-token": 7, "made-last-token": 8, disputed: 9, finished: 10, ended: 11,
};

/** Facts of several processes in order of time. */
export function inOrder(facts: readonly Fact[]): Fact[] {
  return [...facts].sort((a, b) => a.atUs - b.atUs || ORDER[a.fact] - ORDER[b.fact]);
}

/** Keeps what participants tell, in memory: while a market plays, nothing is written or sent that would take its time. */
export class FactLog implements Telemetry {
  readonly facts: Fact[] = [];
  readonly decisions: TimedDecision[] = [];
  readonly #clock: { readonly nowUs: number };
  readonly #onEnded: (job: JobId) => void;

  /** @param onEnded told of every job that ends. */
  constructor(clock: { readonly nowUs: number }, onEnded: (job: JobId) => void = () => {}) {
    this.#clock = clock;
    this.#onEnded = onEnded;
  }

  submitted({ jobId, inputTokens, maxOutputTokens, maxPriceMsat }: JobRequest): void {
    this.facts.push({ atUs: this.#clock.nowUs, fact: "submitted", job: jobId, inputTokens, maxOutputTokens, maxPriceMsat });
  }

  assigned(job: JobId, node: PeerId, attempt: number, _prices: PriceSheet): void {
    this.facts.push({ atUs: this.#clock.nowUs, fact: "assigned", job, node, attempt });
  }

  attemptFailed(job: JobId, node: PeerId, attempt: number, reason: string): void {
    this.facts.push({ atUs: this.#clock.nowUs, fact: "attempt-failed", job, node, attempt, reason });
  }

  started(job: JobId, attempt: number): void {
    this.facts.push({ atUs: this.#clock.nowUs, fact: "started", job, attempt });
  }

  firstToken(job: JobId, attempt: number): void {
    this.facts.push({ atUs: this.#clock.nowUs, fact: "first-token", job, attempt });
  }

  finished(job: JobId, node: PeerId, attempt: number, inputTokens: number, outputTokens: number, amountMsat: number, feeMsat: number): void {
    this.facts.push({ atUs: this.#clock.nowUs, fact: "finished", job, node, attempt, inputTokens, outputTokens, amountMsat, feeMsat });
  }

  ended(job: JobId, status: JobStatus, reason: string): void {
    this.facts.push({ atUs: this.#clock.nowUs, fact: "ended", job, status, reason });
    this.#onEnded(job);
  }

  tooDear(job: JobId): void {
    this.facts.push({ atUs: this.#clock.nowUs, fact: "too-dear", job });
  }

  disputed(job: JobId, claim: string): void {
    this.facts.push({ atUs: this.#clock.nowUs, fact: "disputed", job, claim });
  }

  waitingAtRouter(change: 1 | -1): void {
    this.facts.push({ atUs: this.#clock.nowUs, fact: "waiting-at-router", change });
  }

  wantsDecision(): boolean {
    return true;
  }

  decided(decision: Decision): void {
    this.decisions.push({ atUs: this.#clock.nowUs, decision });
  }

  delivered(): void {}
  reneged(): void {}
  owesFee(): void {}
  writtenOff(): void {}
  priced(): void {}
}
