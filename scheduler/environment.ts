import type { JobId, JobRequest, Message, PaymentPurpose, PaymentRequest, PeerId, RefusalReason } from "../protocol/messages.ts";

/** Handle of a pending timer, for `cancel`. Never reused while the timer is pending. */
export type TimerId = number;

/** What a participant asked to be reminded of. `kind` is the participant's own word; `jobId` is "" where none applies. */
export interface Timer {
  readonly kind: string;
  readonly jobId: JobId;
  readonly attempt: number;
}

/** A named stream of random numbers: the same seed and name give the same numbers. */
export interface Random {
  /** Uniform on [0, 1). */
  next(): number;
}

export interface Invoice {
  readonly paymentHash: string;
  readonly amountMsat: number | null;
}

/** A peer's own money. Answers come later, through `Participant.onWallet`. */
export interface Wallet {
  readonly balanceMsat: number;
  /** Makes an invoice for exactly this amount, or, where `amountMsat` is null, for whatever the payer sends. Settled once. */
  invoice(jobId: JobId, purpose: PaymentPurpose, amountMsat: number | null): Invoice;
  /** Starts a payment; `paid` or `payment-failed` follows. */
  pay(request: PaymentRequest): void;
}

export type WalletEvent =
  | { readonly kind: "paid"; readonly jobId: JobId; readonly purpose: PaymentPurpose; readonly payee: PeerId; readonly amountMsat: number; readonly paymentHash: string; readonly preimage: string }
  | { readonly kind: "payment-failed"; readonly jobId: JobId; readonly purpose: PaymentPurpose; readonly payee: PeerId; readonly amountMsat: number; readonly paymentHash: string; readonly reason: string }
  | { readonly kind: "received"; readonly jobId: JobId; readonly purpose: PaymentPurpose; readonly amountMsat: number; readonly paymentHash: string };

/** What the node hands to whatever executes the model. */
export interface RunnerJob {
  readonly jobId: JobId;
  readonly model: string;
  readonly inputTokens: number;
  readonly maxOutputTokens: number;
  readonly priority: number;
  readonly prompt?: string;
}

/** Executes a model. It queues what it cannot run at once; answers come through `Participant.onRunner`. */
export interface Runner {
  readonly slots: number;
  readonly kvTokensMax: number;
  readonly running: number;
  readonly waiting: number;
  readonly kvTokensUsed: number;
  submit(job: RunnerJob): void;
  /** Forgets the job, running or waiting; no further event for it. False where it is not known. */
  cancel(jobId: JobId): boolean;
}

export type RunnerEvent =
  | { readonly kind: "started"; readonly jobId: JobId }
  | { readonly kind: "first-token"; readonly jobId: JobId }
  | { readonly kind: "finished"; readonly jobId: JobId; readonly outputTokens: number; readonly finishReason: "stop" | "length"; readonly outputHash: string }
  | { readonly kind: "failed"; readonly jobId: JobId; readonly reason: RefusalReason };

/** How a job ended: exactly one of these for each submitted job that is not in flight any more. */
export type JobStatus = "completed" | "failed" | "rejected" | "expired" | "cancelled";

/** Facts as they happen, at the participant that knows them; the environment stamps the time. */
export interface Telemetry {
  /** client: the job went out. */
  submitted(job: JobRequest): void;
  /** router: the job goes to this node; attempt counts from 1. */
  assigned(jobId: JobId, node: PeerId, attempt: number): void;
  /** router: that attempt came to nothing. */
  attemptFailed(jobId: JobId, node: PeerId, attempt: number, reason: string): void;
  /** node: the runner began with it. */
  started(jobId: JobId, attempt: number): void;
  /** client: the first output token arrived. */
  firstToken(jobId: JobId, attempt: number): void;
  /** client: the result arrived, from this attempt. */
  finished(jobId: JobId, node: PeerId, attempt: number, inputTokens: number, outputTokens: number, amountMsat: number, feeMsat: number): void;
  /** client: the terminal state. `reason` is "" for a completed job. */
  ended(jobId: JobId, status: JobStatus, reason: string): void;
  /** router: a job began (1) or ceased (-1) to wait there for a node. */
  waitingAtRouter(change: 1 | -1): void;
  /** router: is anyone going to read this job's decisions? Only then are they built. */
  wantsDecision(jobId: JobId): boolean;
  decided(decision: Decision): void;
}

/** One part of a candidate's score. */
export interface ScorePart {
  readonly name: string;
  /** The quantity that was judged, in `unit`. */
  readonly value: number;
  readonly unit: string;
  /** What it adds to the score. */
  readonly contribution: number;
}

export interface Candidate {
  readonly node: PeerId;
  /** Higher is better; the parts' contributions sum to it. */
  readonly score: number;
  readonly parts: readonly ScorePart[];
}

export interface Exclusion {
  readonly node: PeerId;
  readonly rule: ExclusionRule;
  /** In words, with the figures: "costs at most 120 msat, the client pays at most 100 msat". */
  readonly detail: string;
}

export type ExclusionRule =
  | "unregistered" | "stale" | "banned" | "circuit-open" | "under-staked" | "not-accepting" | "full" | "too-dear"
  | "wrong-region" | "no-model" | "context-too-short" | "not-attested" | "already-tried";

/** Why the router did what it did with a job, at one attempt. */
export interface Decision {
  readonly jobId: JobId;
  readonly attempt: number;
  readonly policy: string;
  /** "" where no node was eligible. */
  readonly chosen: PeerId;
  /** In words: how the policy picked among the candidates. */
  readonly how: string;
  readonly candidates: readonly Candidate[];
  readonly excluded: readonly Exclusion[];
}

/** A market participant: a deterministic state machine that touches the outside only through its Environment. */
export interface Participant {
  onMessage(from: PeerId, message: Message): void;
  onTimer(timer: Timer): void;
  onRunner(event: RunnerEvent): void;
  onWallet(event: WalletEvent): void;
}

/** All that a participant has of the world. */
export interface Environment {
  readonly self: PeerId;
  /** Integer microseconds since the environment's own start; never goes back. */
  readonly nowUs: number;
  send(to: PeerId, message: Message): void;
  after(delayUs: number, timer: Timer): TimerId;
  /** True where the timer was still pending. */
  cancel(id: TimerId): boolean;
  random(purpose: string): Random;
  readonly wallet: Wallet;
  readonly runner: Runner;
  readonly telemetry: Telemetry;
}
