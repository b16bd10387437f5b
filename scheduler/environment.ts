import type { JobId, JobRequest, Message, PaymentPurpose, PaymentRequest, PeerId, PriceSheet, RefusalReason } from "../protocol/messages.ts";

/** Handle of a pending timer, for `cancel`: not negative. Never reused while the timer is pending, but perhaps right after. */
export type TimerId = number;
/**
 * Stands for a timer that is not set. No small integer, as most ids are none: V8 keeps those in another way, and would make over every
 * job's object whose first timer comes after this.
 */
export const NO_TIMER: TimerId = -Infinity;

/** What a participant asked to be reminded of. */
export interface Timer {
  /** The participant's own word for it. */
  readonly kind: string;
  /** The job that it is about; "" where none is. */
  readonly jobId: JobId;
  /** Which attempt at the job, or which try; 0 where it does not matter. */
  readonly attempt: number;
}

/** A named stream of random numbers: the same seed and name give the same numbers. */
export interface Random {
  /** Uniform on [0, 1). */
  next(): number;
}

/** A request that can be paid once. */
export interface Invoice {
  /** SHA-256 of the preimage that proves the payment, 64 hexadecimal digits. */
  readonly paymentHash: string;
  /** msat; null where the payer says how much. */
  readonly amountMsat: number | null;
}

/** A peer's own money. Answers come later, through `Participant.onWallet`. */
export interface Wallet {
  /** What could be paid at once, routing fees included, msat. */
  readonly balanceMsat: number;
  /**
   * Makes an invoice for exactly this amount, or, where `amountMsat` is null, for whatever the payer sends. Settled once; for
   * refunds it is an offer that takes several payments (BOLT 12).
   */
  invoice(jobId: JobId, purpose: PaymentPurpose, amountMsat: number | null): Invoice;
  /**
   * Makes a hold invoice for a job: its payment is locked (`held`) until the payee takes or releases it, and goes back to
   * the payer (`lapsed`) after `timeoutUs`. It is taken whole or not at all.
   */
  holdInvoice(jobId: JobId, amountMsat: number, timeoutUs: number): Invoice;
  /** Takes a held payment by giving its preimage away; `received` follows. False where nothing is held on it. */
  take(paymentHash: string): boolean;
  /** Gives a held payment back, or has an unpaid invoice take no payment any more. */
  release(paymentHash: string): void;
  /** Starts a payment; `paid` or `payment-failed` follows. */
  pay(request: PaymentRequest): void;
}

/**
 * What became of a payment: at the payer `paid` (with its proof) or `payment-failed`, at the payee `received`, and of a
 * payment on a hold invoice `held` before and perhaps `lapsed` instead.
 */
export type WalletEvent =
  | { readonly kind: "paid"; readonly jobId: JobId; readonly purpose: PaymentPurpose; readonly payee: PeerId; readonly amountMsat: number; readonly paymentHash: string; readonly preimage: string }
  | { readonly kind: "payment-failed"; readonly jobId: JobId; readonly purpose: PaymentPurpose; readonly payee: PeerId; readonly amountMsat: number; readonly paymentHash: string; readonly reason: string }
  | {
    readonly kind: "received"; readonly jobId: JobId; readonly purpose: PaymentPurpose; readonly amountMsat: number; readonly paymentHash: string;
    /** Who paid, where the payment says so, as on offers (BOLT 12). */
    readonly payer?: PeerId;
  }
  | { readonly kind: "held" | "lapsed"; readonly jobId: JobId; readonly purpose: PaymentPurpose; readonly amountMsat: number; readonly paymentHash: string };

/** What the node hands to whatever executes the model. */
export interface RunnerJob {
  readonly jobId: JobId;
  readonly model: string;
  /** Of the prompt, as the client declares. An engine that counts more fails the job with `input-over-declared`. */
  readonly inputTokens: number;
  /** Where the output is cut off, tokens. */
  readonly maxOutputTokens: number;
  /** 0 to 9; a higher one first, where the engine has priorities. */
  readonly priority: number;
  /** Absent in the simulation. */
  readonly prompt?: string;
}

/** Executes a model. It queues what it cannot run at once; answers come through `Participant.onRunner`. */
export interface Runner {
  /** Jobs that run at once. */
  readonly slots: number;
  /** Tokens of context that the KV cache holds. */
  readonly kvTokensMax: number;
  /** Jobs that run now. */
  readonly running: number;
  /** Jobs that wait now. */
  readonly waiting: number;
  /** Tokens of context in the KV cache now. */
  readonly kvTokensUsed: number;
  /** Takes a job. `started`, `first-token` and `finished` follow in this order, or `failed` at any point, and then nothing. */
  submit(job: RunnerJob): void;
  /** Forgets the job, running or waiting; no further event for it. False where it is not known. */
  cancel(jobId: JobId): boolean;
  /**
   * Has the runner say (`progress`) when the job has so many output tokens, once; in place of what was asked for before. A
   * runner whose answers come whole, and one whose job ends before, says nothing.
   */
  watch(jobId: JobId, outputTokens: number): void;
}

/** What the runner did with a job. */
export type RunnerEvent =
  | { readonly kind: "started"; readonly jobId: JobId }
  | {
    readonly kind: "first-token"; readonly jobId: JobId;
    /** The output itself; absent in the simulation. */
    readonly text?: string;
  }
  | {
    /** Output tokens after the first, as they come; runners whose clients want no stream, and the simulation's, leave it out. */
    readonly kind: "tokens"; readonly jobId: JobId;
    /** Index of the first of them; 0 is the first output token. */
    readonly firstToken: number;
    /** How many, at least 1. */
    readonly tokens: number; readonly text?: string;
  }
  | { readonly kind: "progress"; readonly jobId: JobId; readonly outputTokens: number }
  | {
    readonly kind: "finished"; readonly jobId: JobId; readonly outputTokens: number; readonly finishReason: "stop" | "length"; readonly outputHash: string;
    /** Of the prompt, where the engine counted them: at most what was declared. Absent: as declared. */
    readonly inputTokens?: number;
  }
  | { readonly kind: "failed"; readonly jobId: JobId; readonly reason: RefusalReason };

/** How a job ended: exactly one of these for each submitted job that is not in flight any more. */
export type JobStatus = "completed" | "failed" | "rejected" | "expired" | "cancelled";

/** Facts as they happen, at the participant that knows them; the environment stamps the time. */
export interface Telemetry {
  /** client: the job went out. */
  submitted(job: JobRequest): void;
  /** router: the job goes to this node at these prices; attempt counts from 1. */
  assigned(jobId: JobId, node: PeerId, attempt: number, prices: PriceSheet): void;
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
  /** client, of jobs paid before their result: output worth so much in all has arrived from this node, msat. */
  delivered(jobId: JobId, node: PeerId, valueMsat: number): void;
  /** client or node: it has decided not to do its part for this job. Only the lab hears of it. */
  reneged(jobId: JobId): void;
  /** node: the router is to get this fee of it, msat, where operators bear it. */
  owesFee(jobId: JobId, feeMsat: number): void;
  /**
   * client, of jobs paid before their result: it does not expect back any more what this node has of it.
   * @param late the result came after the client had given the job up.
   */
  writtenOff(jobId: JobId, node: PeerId, late: boolean): void;
  /** client, node: a dispute went to the router. */
  disputed(jobId: JobId, claim: string): void;
  /** router: no node is left for the job, and some were excluded by their price alone. Before the job is given up, or rests as an order below every ask. */
  tooDear(jobId: JobId): void;
  /** router: a job began (1) or ceased (-1) to wait there for a node. */
  waitingAtRouter(change: 1 | -1): void;
  /** router: a price was found, or could not be. Only under mechanisms that find prices, and at the interval of market-state messages. */
  priced(event: Priced): void;
  /** router: is anyone going to read this job's decisions? Only then are they built. */
  wantsDecision(jobId: JobId): boolean;
  /** router: why it did what it did. Called only where {@link wantsDecision} says so, before the job is assigned. */
  decided(decision: Decision): void;
}

/** What became of a search for a price. */
export type Priced =
  /** How a model's market stands; `going` is null where every node has a price of its own. Utilisation: jobs over slots. */
  | { readonly kind: "state"; readonly model: string; readonly lowestAsk: PriceSheet | null; readonly meanAsk: PriceSheet | null; readonly going: PriceSheet | null; readonly utilisation: number }
  /** A going price was set for the next interval, after one of this utilisation. */
  | { readonly kind: "going"; readonly model: string; readonly prices: PriceSheet; readonly utilisation: number }
  /** A call for bids has closed: how many bids there were, and how many within the reserve; the price, -1 where there was none. */
  | { readonly kind: "auction"; readonly model: string; readonly invited: number; readonly bids: number; readonly withinReserve: number; readonly paidMsat: number; readonly byReserve: boolean }
  /** A batch was cleared: bids and asked units, trades, and the levels (millionths of `unit`) that buyers pay and sellers get. */
  | { readonly kind: "clearing"; readonly model: string; readonly bids: number; readonly asks: number; readonly trades: number; readonly unit: PriceSheet; readonly low: number; readonly high: number; readonly buyersPay: number; readonly sellersGet: number }
  /** A job met a node in a continuous market; whose order had rested. */
  | { readonly kind: "trade"; readonly model: string; readonly rested: "ask" | "bid" };

/** One part of a candidate's score. */
export interface ScorePart {
  /** Such as "price". */
  readonly name: string;
  /** The quantity that was judged, in `unit`. */
  readonly value: number;
  /** Such as "msat"; "share" for a number from 0 to 1. */
  readonly unit: string;
  /** What it adds to the score. */
  readonly contribution: number;
}

/** A node that could have had the job. */
export interface Candidate {
  readonly node: PeerId;
  /** Higher is better; the parts' contributions sum to it. */
  readonly score: number;
  /** Contributions, added in this order, give the score to the last bit. */
  readonly parts: readonly ScorePart[];
}

/** A node that could not. */
export interface Exclusion {
  readonly node: PeerId;
  /** The first rule against it, in the order in which they are judged. */
  readonly rule: ExclusionRule;
  /** In words, with the figures: "costs at most 120 msat, the client pays at most 100 msat". */
  readonly detail: string;
}

/** Why a node cannot have a job. */
export type ExclusionRule =
  | "unregistered" | "stale" | "banned" | "circuit-open" | "under-staked" | "not-accepting" | "full" | "too-dear"
  | "asks-more" | "no-bid" | "wrong-region" | "no-model" | "context-too-short" | "not-attested" | "already-tried";

/** Why the router did what it did with a job, at one attempt. */
export interface Decision {
  readonly jobId: JobId;
  /** The attempt that is decided on, from 1. */
  readonly attempt: number;
  /** The policy's name with its settings. */
  readonly policy: string;
  /** "" where no node was eligible. */
  readonly chosen: PeerId;
  /** In words: how the policy picked among the candidates. */
  readonly how: string;
  /** In words: how the price came about that the node is paid; "" where none was chosen yet. */
  readonly price: string;
  /** Best first; with `excluded` every registered node, once. */
  readonly candidates: readonly Candidate[];
  /** In the order of their ids. */
  readonly excluded: readonly Exclusion[];
}

/** A market participant: a deterministic state machine that touches the outside only through its Environment. */
export interface Participant {
  /** A message arrived. That it is `from` this peer is certain; what it says is not. */
  onMessage(from: PeerId, message: Message): void;
  /** A timer set with {@link Environment.after} is due. */
  onTimer(timer: Timer): void;
  /** News of a job given to the runner. */
  onRunner(event: RunnerEvent): void;
  /** News of a payment or an invoice. */
  onWallet(event: WalletEvent): void;
}

/** All that a participant has of the world. */
export interface Environment {
  /** The participant's own id. */
  readonly self: PeerId;
  /** Integer microseconds since the environment's own start; never goes back. */
  readonly nowUs: number;
  /** Sends and forgets. What is sent to one peer arrives in the order of sending, or not at all. */
  send(to: PeerId, message: Message): void;
  /** Has {@link Participant.onTimer} called in so many µs, at least 0; never before the present call returns. */
  after(delayUs: number, timer: Timer): TimerId;
  /** True where the timer was still pending. */
  cancel(id: TimerId): boolean;
  /** The participant's stream of random numbers for this purpose: to be asked for once and kept. */
  random(purpose: string): Random;
  readonly wallet: Wallet;
  /** Nodes have one; for others, asking is an error. */
  readonly runner: Runner;
  readonly telemetry: Telemetry;
}
