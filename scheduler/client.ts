import type { CancelReason, Dispute, JobId, JobRequest, Message, PaymentPurpose, PaymentRequest, PeerId, Quote, Refuse, Result, TokenChunk } from "../protocol/messages.ts";
import { isReceiptFor, wrongWith } from "./bill.ts";
import { Budget, type BudgetOptions } from "./budget.ts";
import { type Environment, type JobStatus, NO_TIMER, type Participant, type Random, type Timer, type TimerId, type WalletEvent } from "./environment.ts";
import { JobMap } from "./job-map.ts";
import { OutputCheck } from "./output-check.ts";
import { ClientAdvances } from "./settlement/client-advances.ts";
import type { SettlementPlan } from "./settlement/plan.ts";

/** Whom a client works with, and how patient it is with its wallet. */
export interface ClientOptions {
  /** Routers to post to, in turn. */
  readonly routers: readonly PeerId[];
  /** How often a payment is tried before the job counts as failed; at least 1. */
  readonly paymentAttempts: number;
  /** Pause before the second try of a payment, µs; doubled before each further one. */
  readonly paymentRetryUs: number;
  /** What it may spend; absent: whatever its jobs cost. Lightning fees are not in it. */
  readonly budget?: BudgetOptions;
  /** How its jobs are paid; absent: after their result. */
  readonly settlement?: SettlementPlan | undefined;
  /** From a job's end until it gives up what it paid too much, µs; a minute by default. */
  readonly refundWithinUs?: number | undefined;
  /** Share of its jobs that it does not pay, although it could; 0 by default. */
  readonly nonPaymentShare?: number | undefined;
  /** Told of output tokens as they come, of jobs that have not ended; whether they are what the node's result says is seen later. */
  readonly onTokens?: ((chunk: TokenChunk, from: PeerId) => void) | undefined;
  /** Told of the node's result, once it is found to be right and before it is paid. */
  readonly onResult?: ((result: Result, from: PeerId) => void) | undefined;
  /** Told what a job would cost, or why no node would serve it. */
  readonly onQuote?: ((answer: Quote | Refuse, from: PeerId) => void) | undefined;
}

const NO_PAYMENTS: readonly PaymentRequest[] = [];

/** How long a client waits for output that its result says there is, µs: after a connection that broke the node says it again. */
const MISSING_US = 5_000_000;

/** A job as its client sees it, from submission to its terminal state. */
interface ClientJob {
  readonly request: JobRequest;
  /** Whom it was posted to: the only one whose refusal counts. */
  readonly router: PeerId;
  /** Patience; NO_TIMER once it has run out or does not matter any more. */
  timer: TimerId;
  /** Payments not settled yet; -1 before the result. */
  paying: number;
  /** What the result asks for; empty before. */
  payments: readonly PaymentRequest[];
  /** Failed tries by purpose; null before the first. */
  tries: { job: number; fee: number } | null;
  /** What has come of its output; null where neither a prompt went out nor a text came, as in the simulation. */
  output: OutputCheck | null;
  /** The result, where it came before all of the output; null otherwise. */
  early: { readonly from: PeerId; readonly result: Result } | null;
  /** Whether the client means to pay. */
  readonly pays: boolean;
  /** What the budget sets aside for it, in which period, and what was spent of it; null without a budget. */
  readonly aside: { readonly period: number; readonly msat: number; spentMsat: number } | null;
}

/**
 * Buys inference: posts jobs, takes tokens and results, checks what it is charged, pays, and gives up where its patience
 * ends. It is the client that says how a job ended, each exactly once.
 */
export class Client implements Participant {
  readonly #env: Environment;
  readonly #options: ClientOptions;
  readonly #jobs = new JobMap<ClientJob>();
  readonly #budget: Budget | null;
  /** Null where jobs are paid after their result. */
  readonly #advances: ClientAdvances | null;
  readonly #honesty: Random | null;
  /** Names of the quotes asked for, and whom. */
  readonly #quotes = new Map<JobId, PeerId>();
  #turn = 0;

  constructor(env: Environment, options: ClientOptions) {
    if (options.routers.length === 0) throw new RangeError("a client needs at least one router");
    this.#env = env;
    this.#options = options;
    this.#budget = options.budget === undefined ? null : new Budget(options.budget);
    const { paymentAttempts, paymentRetryUs, refundWithinUs = 60_000_000, nonPaymentShare = 0 } = options;
    this.#honesty = nonPaymentShare > 0 ? env.random("honesty") : null;
    this.#advances = options.settlement === undefined ? null : new ClientAdvances(env, {
      giveUp: (jobId, cancel, reason) => {
        const job = this.#jobs.get(jobId)!;
        this.#withdraw(job, cancel);
        this.#end(job, "failed", reason);
      },
      settled: (jobId) => {
        const job = this.#jobs.get(jobId);
        if (job !== undefined) this.#paid(job);
      },
    }, { paymentAttempts, paymentRetryUs, refundWithinUs });
  }

  /** Jobs that have not ended. */
  get open(): number {
    return this.#jobs.size;
  }

  /**
   * Posts a job, at a lower maximum price where its budget asks for that.
   * @returns false where the budget forbids it: nothing was posted.
   * @throws RangeError where the request is not in this client's name or its id is in use.
   */
  submit(request: JobRequest, prompt?: string): boolean {
    const env = this.#env;
    if (request.client !== env.self) throw new RangeError(`job ${request.jobId} is in another client's name`);
    if (this.#jobs.has(request.jobId)) throw new RangeError(`job ${request.jobId} is in progress already`);
    let aside: ClientJob["aside"] = null;
    if (this.#budget !== null) {
      const msat = this.#budget.setAside(env.nowUs, request.maxPriceMsat);
      if (msat < 0) return false;
      if (msat < request.maxPriceMsat) request = { ...request, maxPriceMsat: msat };
      aside = { period: this.#budget.periodAt(env.nowUs), msat, spentMsat: 0 };
    }
    const { settlement, nonPaymentShare = 0 } = this.#options;
    if (settlement !== undefined) {
      request = { ...request, settlement: { ...settlement, refundTo: env.wallet.invoice(request.jobId, "refund", null).paymentHash } };
    }
    const pays = this.#honesty === null || this.#honesty.next() >= nonPaymentShare;
    const router = this.#options.routers[this.#turn]!;
    this.#turn = (this.#turn + 1) % this.#options.routers.length;
    const timer = env.after(request.patienceUs, { kind: "patience", jobId: request.jobId, attempt: 0 });
    this.#jobs.set(request.jobId, { request, router, timer, paying: -1, payments: NO_PAYMENTS, tries: null, output: prompt === undefined ? null : new OutputCheck(), early: null, pays, aside });
    env.telemetry.submitted(request);
    env.send(router, prompt === undefined ? { type: "job", job: request } : { type: "job", job: request, prompt });
    return true;
  }

  /** Asks what such a job would cost now; `onQuote` hears the answer. @throws RangeError where the request is not in this client's name. */
  askQuote(request: JobRequest): void {
    if (request.client !== this.#env.self) throw new RangeError(`job ${request.jobId} is in another client's name`);
    const router = this.#options.routers[this.#turn]!;
    this.#quotes.set(request.jobId, router);
    this.#env.send(router, { type: "quote-request", job: request });
  }

  /** An answer to this quote's request is not waited for any more. */
  forgetQuote(jobId: JobId): void {
    this.#quotes.delete(jobId);
  }

  /** Gives a job up by the user's wish, or because the client shuts down. False where it has ended or its result is in. */
  cancel(jobId: JobId, reason: "user" | "shutdown" = "user"): boolean {
    const job = this.#jobs.get(jobId);
    if (job === undefined || job.paying >= 0) return false;
    this.#withdraw(job, reason);
    this.#end(job, "cancelled", reason);
    return true;
  }

  onMessage(from: PeerId, message: Message): void {
    switch (message.type) {
      case "token-chunk": return this.#onTokens(from, message);
      case "payment-call": {
        const job = this.#jobs.get(message.jobId);
        if (job !== undefined && job.paying < 0) this.#advances?.onCall(from, message, job.request, job.router, job.pays);
        return;
      }
      case "result": return this.#onResult(from, message);
      case "refuse": return this.#onRefuse(from, message);
      case "quote": return this.#onQuote(from, message);
      case "error": {
        const job = message.jobId === undefined ? undefined : this.#jobs.get(message.jobId);
        if (job !== undefined && from === job.router && job.paying < 0) this.#end(job, "failed", message.code);
        return;
      }
      default: return;
    }
  }

  onTimer(timer: Timer): void {
    if (this.#advances?.onTimer(timer.kind, timer.jobId, timer.attempt) === true) return;
    const job = this.#jobs.get(timer.jobId);
    if (job === undefined) return;
    if (timer.kind === "pay-job" || timer.kind === "pay-fee") {
      const purpose = timer.kind === "pay-job" ? "job" : "fee";
      if (job.tries?.[purpose] === timer.attempt) this.#pay(job, purpose);
      return;
    }
    if (timer.kind === "missing" && job.early?.result.receipt.attempt === timer.attempt) return this.#dispute(job, "not-delivered");
    if (timer.kind !== "patience" || job.paying >= 0) return;
    job.timer = NO_TIMER;
    this.#withdraw(job, "patience");
    this.#end(job, "expired", "patience");
  }

  onRunner(): void {}

  onWallet(event: WalletEvent): void {
    const job = this.#jobs.get(event.jobId);
    if (job !== undefined && job.aside !== null) {
      if (event.kind === "paid") job.aside.spentMsat += event.amountMsat;
      else if (event.kind === "received") job.aside.spentMsat -= event.amountMsat;
    }
    if (this.#advances?.onWallet(event) === true || job === undefined) return;
    if (event.kind !== "paid" && event.kind !== "payment-failed") return;
    if (job.paying < 0) return;
    if (event.kind === "payment-failed") return this.#onPaymentFailed(job, event.purpose, event.reason);
    // The router sees its fee arrive in its own wallet; that the node was paid it learns from the payer alone.
    if (event.purpose === "job") {
      this.#env.send(job.router, {
        type: "payment-receipt", jobId: event.jobId, purpose: event.purpose, payer: this.#env.self, payee: event.payee,
        amountMsat: event.amountMsat, paymentHash: event.paymentHash, preimage: event.preimage,
      });
    }
    this.#paid(job);
  }

  #onPaymentFailed(job: ClientJob, purpose: PaymentPurpose, reason: string): void {
    job.tries ??= { job: 0, fee: 0 };
    if (purpose === "refund") return;
    const tried = ++job.tries[purpose];
    if (tried < this.#options.paymentAttempts) {
      const delayUs = this.#options.paymentRetryUs * 2 ** (tried - 1);
      this.#env.after(delayUs, { kind: purpose === "fee" ? "pay-fee" : "pay-job", jobId: job.request.jobId, attempt: tried });
    } else if (purpose === "fee") {
      // The client has its result and the node its money: an unpaid fee is the router's loss, not the job's failure.
      this.#paid(job);
    } else {
      this.#end(job, "failed", `payment-failed: ${reason}`);
    }
  }

  #pay(job: ClientJob, purpose: PaymentPurpose): void {
    for (const payment of job.payments) if (payment.purpose === purpose) this.#env.wallet.pay(payment);
  }

  #paid(job: ClientJob): void {
    job.paying--;
    if (job.paying === 0) this.#end(job, "completed", "");
  }

  #onTokens(from: PeerId, message: TokenChunk): void {
    this.#advances?.onTokens(from, message);
    const job = this.#jobs.get(message.jobId);
    if (job === undefined) return;
    let isFirst = message.firstToken === 0;
    if (job.output !== null || message.text !== undefined) isFirst = (job.output ??= new OutputCheck()).add(from, message) && isFirst;
    if (isFirst) this.#env.telemetry.firstToken(message.jobId, message.attempt);
    this.#options.onTokens?.(message, from);
    if (job.early !== null) this.#onResult(job.early.from, job.early.result);
  }

  #onResult(from: PeerId, message: Result): void {
    const job = this.#jobs.get(message.jobId);
    if (job === undefined) return this.#advances?.onLateResult(from, message);
    if (job.paying >= 0 || !isReceiptFor(job.request, from, message)) return;
    const { receipt } = message;
    const env = this.#env;
    const wrong = wrongWith(job.request, job.router, from, message) || (this.#advances?.wrongWith(from, message, job.request.maxPriceMsat) ?? "")
      || (job.output?.wrongWith(from, receipt) ?? "");
    if (wrong === "not-delivered") {
      if (job.early === null) env.after(MISSING_US, { kind: "missing", jobId: message.jobId, attempt: receipt.attempt });
      job.early = { from, result: message };
      return;
    }
    if (wrong !== "") return this.#dispute(job, wrong);
    job.early = null;
    this.#stopTimer(job);
    env.telemetry.finished(message.jobId, from, receipt.attempt, receipt.inputTokens, receipt.outputTokens, receipt.amountMsat, feeOf(message.payments));
    this.#options.onResult?.(message, from);
    if (!job.pays && this.#advances === null && message.payments.length > 0) return this.#end(job, "failed", "not-paid");
    // Paid in advance, a job is over when its advance is settled.
    job.paying = message.payments.length + (this.#advances === null ? 0 : 1);
    if (job.paying === 0) return this.#end(job, "completed", "");
    job.payments = message.payments;
    for (const payment of message.payments) env.wallet.pay(payment);
    this.#advances?.onResult(from, message);
  }

  #dispute(job: ClientJob, claim: Dispute["claim"]): void {
    const { jobId } = job.request;
    this.#env.send(job.router, { type: "dispute", jobId, claim });
    this.#env.telemetry.disputed(jobId, claim);
    this.#end(job, "failed", claim);
  }

  #onQuote(from: PeerId, answer: Quote | Refuse): void {
    if (this.#quotes.get(answer.jobId) !== from) return;
    this.#quotes.delete(answer.jobId);
    this.#options.onQuote?.(answer, from);
  }

  #onRefuse(from: PeerId, message: Refuse): void {
    if (this.#quotes.has(message.jobId)) return this.#onQuote(from, message);
    const job = this.#jobs.get(message.jobId);
    if (job === undefined || from !== job.router || job.paying >= 0) return;
    this.#end(job, message.reason === "attempts-exhausted" ? "failed" : "rejected", message.reason);
  }

  #withdraw(job: ClientJob, reason: CancelReason): void {
    this.#env.send(job.router, { type: "cancel", jobId: job.request.jobId, reason });
  }

  #stopTimer(job: ClientJob): void {
    if (job.timer !== NO_TIMER) this.#env.cancel(job.timer);
    job.timer = NO_TIMER;
  }

  #end(job: ClientJob, status: JobStatus, reason: string): void {
    this.#stopTimer(job);
    if (job.aside !== null) this.#budget!.giveBack(this.#env.nowUs, job.aside.period, job.aside.msat - job.aside.spentMsat);
    this.#jobs.delete(job.request.jobId);
    this.#env.telemetry.ended(job.request.jobId, status, reason);
    this.#advances?.onEnd(job.request.jobId);
  }
}

function feeOf(payments: readonly PaymentRequest[]): number {
  let fee = 0;
  for (const payment of payments) if (payment.purpose === "fee") fee += payment.amountMsat;
  return fee;
}
