import type { Award, JobId, PaymentRequest, PeerId, RefusalReason, SettlementTerms } from "../../protocol/messages.ts";
import { amountMsat } from "../../protocol/units.ts";
import { type Environment, NO_TIMER, type Random, type RunnerEvent, type TimerId, type WalletEvent } from "../environment.ts";
import { Outgoing } from "./outgoing.ts";

type Finished = Extract<RunnerEvent, { kind: "finished" }>;

/** What is paid beforehand for one job at its node. Amounts in msat. */
export interface NodeAdvance {
  readonly award: Award;
  readonly router: PeerId;
  readonly terms: SettlementTerms;
  /** Whether the node is going to take the money and do nothing. */
  readonly cheats: boolean;
  /** Output tokens that the client was asked to pay for so far, and what they cost. */
  calledTokens: number;
  calledMsat: number;
  /** Those that are paid for, or locked. */
  paidTokens: number;
  /** Received for good. */
  paidMsat: number;
  /** Invoices of the present call that are not paid; those of an escrow stay until they are taken or released. */
  open: OpenInvoice[];
  /** Until the present call has to be paid; NO_TIMER where none is open. */
  timer: TimerId;
  /** The runner has the job, or had it. */
  started: boolean;
  /** Output tokens that are there, and that were handed out. */
  generated: number;
  released: number;
  /** Text that is there and not handed out, in order; null where the runner tells no text. */
  held: HeldText[] | null;
  /** What the runner said at the end; null before. */
  finished: Finished | null;
}

interface HeldText {
  readonly text: string;
  /** Output tokens through the end of it: it is handed out when all of them are paid for. */
  readonly throughTokens: number;
}

interface OpenInvoice {
  readonly paymentHash: string;
  readonly amountMsat: number;
  held: boolean;
}

/** An escrow being taken: what is to be done once the money is there. */
interface Taking {
  readonly hashes: Set<string>;
  /** What went back to the client after all: its time was over before the preimage arrived, as can happen on a real network. */
  lapsedMsat: number;
  readonly then: (lapsedMsat: number) => void;
}

/** What the node does when money allows it, or does not. */
export interface NodeAdvanceHost {
  /** Has the runner begin. */
  begin(jobId: JobId): void;
  /** Sends output tokens to the client. */
  handOut(jobId: JobId, firstToken: number, tokens: number, text: string | undefined): void;
  /** Sends the result. */
  deliver(jobId: JobId, event: Finished): void;
  /** The money for a job that was delivered is the node's, without what it pays back. */
  earned(award: Award, router: PeerId, amountMsat: number): void;
  /** Forgets the job, wherever it is, and tells the router why; null: tells nobody. */
  giveUp(jobId: JobId, reason: RefusalReason | null): void;
}

export interface NodeAdvanceOptions {
  /** Share of jobs for which the node takes what is paid beforehand and delivers nothing. */
  readonly nonDeliveryShare: number;
  /** Which of the node's lives this is: each has its own random numbers. */
  readonly incarnation: number;
  /** How often a payment of the node's own is tried, and the pause before the second try, µs. */
  readonly paymentAttempts: number;
  readonly paymentRetryUs: number;
}

/**
 * The node's side of jobs that are paid before their result: it calls for payment, lets work begin when the money is
 * there, hands out what is paid for, takes what it has earned and pays back the rest.
 *
 *     award ──> call ──> paid or locked ──> work ──> (streaming: call ──> paid ──> hand out)* ──> result ──> take, pay back
 *                 └── not in time ──> give up
 */
export class NodeAdvances {
  readonly #env: Environment;
  readonly #host: NodeAdvanceHost;
  readonly #options: NodeAdvanceOptions;
  readonly #advances = new Map<JobId, NodeAdvance>();
  readonly #taking = new Map<JobId, Taking>();
  readonly #outgoing: Outgoing;
  readonly #honesty: Random | null;

  constructor(env: Environment, host: NodeAdvanceHost, options: NodeAdvanceOptions) {
    this.#env = env;
    this.#host = host;
    this.#options = options;
    this.#outgoing = new Outgoing(env, options.paymentAttempts, options.paymentRetryUs);
    this.#honesty = options.nonDeliveryShare > 0 ? env.random(`honesty of incarnation ${options.incarnation}`) : null;
  }

  /** Payments of the node's own that are under way, and escrows being taken. */
  get pending(): number {
    return this.#taking.size + this.#outgoing.size;
  }

  /** Whether the node is going to let this job's client down. */
  cheats(): boolean {
    return this.#honesty !== null && this.#honesty.next() < this.#options.nonDeliveryShare;
  }

  /** The job is admitted; `begin` follows as soon as its terms allow. */
  open(award: Award, router: PeerId, terms: SettlementTerms): NodeAdvance {
    const advance: NodeAdvance = {
      award, router, terms, cheats: this.cheats(), calledTokens: 0, calledMsat: 0, paidTokens: 0, paidMsat: 0, open: [], timer: NO_TIMER,
      started: false, generated: 0, released: 0, held: null, finished: null,
    };
    this.#advances.set(award.job.jobId, advance);
    return advance;
  }

  /** Calls for the first payment. */
  start(advance: NodeAdvance): void {
    this.#call(advance);
  }

  /** Pays on the node's own account, and tries again where that fails. */
  pay(request: PaymentRequest): void {
    this.#outgoing.pay(request);
  }

  firstToken(advance: NodeAdvance): void {
    advance.generated = Math.max(1, advance.generated);
    advance.released = 1;
  }

  /** Tokens after the first are there. With streaming payments they are kept until they are paid for. */
  tokens(advance: NodeAdvance, firstToken: number, tokens: number, text: string | undefined): void {
    const throughTokens = firstToken + tokens;
    if (text !== undefined) (advance.held ??= []).push({ text, throughTokens });
    this.progress(advance, throughTokens);
  }

  progress(advance: NodeAdvance, outputTokens: number): void {
    advance.generated = Math.max(advance.generated, outputTokens);
    this.#handOut(advance);
  }

  finished(advance: NodeAdvance, event: Finished): void {
    advance.finished = event;
    advance.generated = event.outputTokens;
    if (advance.paidTokens >= event.outputTokens) this.#complete(advance, event);
    else this.#handOut(advance);
  }

  /** The job is over before its result: withdraws what is not paid, gives back what is locked and what is not earned. */
  close(advance: NodeAdvance): void {
    const { award, open, paidMsat } = advance;
    this.#stopTimer(advance);
    this.#advances.delete(award.job.jobId);
    for (const { paymentHash } of open) this.#env.wallet.release(paymentHash);
    advance.open = [];
    const earnedMsat = advance.terms.kind === "streaming" && advance.released > 0 ? worthMsat(award, advance.released) : 0;
    this.#refund(advance, paidMsat - earnedMsat);
  }

  /** @returns whether it was about a job that is paid beforehand, or about the node's own payments. */
  onWallet(event: WalletEvent): boolean {
    if (event.kind === "paid" || event.kind === "payment-failed") {
      this.#outgoing.onWallet(event);
      return true;
    }
    const taking = this.#taking.get(event.jobId);
    if (taking !== undefined && (event.kind === "received" || event.kind === "lapsed")) {
      if (taking.hashes.delete(event.paymentHash) && event.kind === "lapsed") taking.lapsedMsat += event.amountMsat;
      if (taking.hashes.size > 0) return true;
      this.#taking.delete(event.jobId);
      taking.then(taking.lapsedMsat);
      return true;
    }
    const advance = this.#advances.get(event.jobId);
    if (advance === undefined) return false;
    const at = advance.open.findIndex(({ paymentHash }) => paymentHash === event.paymentHash);
    if (at < 0) return true;
    if (event.kind === "lapsed") {
      advance.open.splice(at, 1);
      this.#host.giveUp(event.jobId, "payment-expired");
      return true;
    }
    if (event.kind === "held") {
      advance.open[at]!.held = true;
      if (!advance.open.every(({ held }) => held)) return true;
    } else {
      advance.open.splice(at, 1);
      advance.paidMsat += event.amountMsat;
      if (advance.open.length > 0) return true;
    }
    this.#callPaid(advance);
    return true;
  }

  /** @returns whether the timer was one of these. */
  onTimer(kind: string, jobId: JobId, attempt: number): boolean {
    if (kind === "pay-out") {
      this.#outgoing.retry(attempt);
      return true;
    }
    if (kind !== "call-expiry") return false;
    const advance = this.#advances.get(jobId);
    if (advance === undefined || advance.award.attempt !== attempt) return true;
    advance.timer = NO_TIMER;
    this.#host.giveUp(jobId, "unpaid");
    return true;
  }

  /** Calls for what comes next: all, or a chunk; chunks that cost nothing go with the next. A job that costs nothing counts as paid. */
  #call(advance: NodeAdvance): void {
    const { award, terms, finished } = advance;
    const request = award.job;
    const mostTokens = finished?.outputTokens ?? request.maxOutputTokens;
    const stepTokens = terms.kind === "streaming" ? terms.everyTokens : mostTokens;
    let throughTokens = advance.calledTokens;
    let dueMsat = 0;
    while (dueMsat === 0 && throughTokens < mostTokens) {
      throughTokens = Math.min(mostTokens, throughTokens + stepTokens);
      dueMsat = worthMsat(award, throughTokens) - advance.calledMsat;
    }
    advance.calledTokens = throughTokens;
    advance.calledMsat += dueMsat;
    if (dueMsat === 0) return this.#callPaid(advance);
    const env = this.#env;
    const parts = terms.kind === "escrow" ? partsOf(dueMsat, terms.parts) : [dueMsat];
    const payments = parts.map((part): PaymentRequest => {
      const { paymentHash } = terms.kind === "escrow" ? env.wallet.holdInvoice(request.jobId, part, terms.timeoutUs) : env.wallet.invoice(request.jobId, "job", part);
      advance.open.push({ paymentHash, amountMsat: part, held: false });
      return { type: "payment-request", jobId: request.jobId, purpose: "job", payee: env.self, amountMsat: part, paymentHash, expiresInUs: terms.payWithinUs };
    });
    env.send(request.client, { type: "payment-call", jobId: request.jobId, attempt: award.attempt, promptHash: request.promptHash, prices: award.prices, throughTokens, payments });
    advance.timer = env.after(terms.payWithinUs, { kind: "call-expiry", jobId: request.jobId, attempt: award.attempt });
  }

  #callPaid(advance: NodeAdvance): void {
    const { award: { job: { jobId } }, finished } = advance;
    this.#stopTimer(advance);
    advance.paidTokens = advance.calledTokens;
    if (advance.cheats) return this.#abscond(advance);
    if (!advance.started) {
      advance.started = true;
      this.#host.begin(jobId);
      this.#watch(advance);
    } else if (finished !== null && advance.paidTokens >= finished.outputTokens) this.#complete(advance, finished);
    else {
      this.#watch(advance);
      this.#handOut(advance);
    }
  }

  #watch({ award, terms, paidTokens, generated, finished }: NodeAdvance): void {
    if (terms.kind === "streaming" && finished === null && generated < paidTokens) this.#env.runner.watch(award.job.jobId, paidTokens);
  }

  /** Hands out what is there and paid for; where all that is paid for is out, calls for the next chunk. */
  #handOut(advance: NodeAdvance): void {
    const { award, paidTokens } = advance;
    this.#release(advance);
    if (advance.released === paidTokens && paidTokens === advance.calledTokens && paidTokens < award.job.maxOutputTokens) this.#call(advance);
  }

  #release(advance: NodeAdvance): void {
    const { award, paidTokens, generated, released, held } = advance;
    const through = Math.min(generated, paidTokens);
    if (through <= released) return;
    const { jobId } = award.job;
    advance.released = through;
    if (held === null) return this.#host.handOut(jobId, released, through - released, undefined);
    // Text that reaches beyond what is paid for comes with the tokens that are paid for next.
    let ready = 0;
    while (ready < held.length && held[ready]!.throughTokens <= through) ready++;
    this.#host.handOut(jobId, released, through - released, held.splice(0, ready).map(({ text }) => text).join(""));
  }

  #complete(advance: NodeAdvance, event: Finished): void {
    const { award, terms, open, paidMsat } = advance;
    const { jobId } = award.job;
    this.#advances.delete(jobId);
    if (advance.held !== null) this.#release(advance);
    const dueMsat = worthMsat(award, event.outputTokens, event.inputTokens);
    this.#host.deliver(jobId, event);
    if (terms.kind !== "escrow") {
      this.#refund(advance, paidMsat - dueMsat);
      return this.#host.earned(award, advance.router, dueMsat);
    }
    // As many parts as it takes: each is taken whole or given back whole.
    let takenMsat = 0;
    const hashes = new Set<string>();
    for (const { paymentHash, amountMsat: part } of open) {
      if (takenMsat >= dueMsat) this.#env.wallet.release(paymentHash);
      else if (this.#env.wallet.take(paymentHash)) {
        takenMsat += part;
        hashes.add(paymentHash);
      }
    }
    if (hashes.size > 0) this.#taking.set(jobId, { hashes, lapsedMsat: 0, then: (lapsedMsat) => {
      const gotMsat = takenMsat - lapsedMsat;
      this.#refund(advance, gotMsat - dueMsat);
      if (gotMsat > 0) this.#host.earned(award, advance.router, Math.min(dueMsat, gotMsat));
    } });
  }

  /** Takes the money and is silent. */
  #abscond(advance: NodeAdvance): void {
    const { jobId } = advance.award.job;
    this.#advances.delete(jobId);
    this.#env.telemetry.reneged(jobId);
    for (const { paymentHash } of advance.open) this.#env.wallet.take(paymentHash);
    this.#host.giveUp(jobId, null);
  }

  #refund({ award: { job }, terms }: NodeAdvance, refundMsat: number): void {
    if (refundMsat <= 0) return;
    this.#outgoing.pay({
      type: "payment-request", jobId: job.jobId, purpose: "refund", payee: job.client, amountMsat: refundMsat, paymentHash: terms.refundTo, expiresInUs: terms.payWithinUs,
    });
  }

  #stopTimer(advance: NodeAdvance): void {
    if (advance.timer !== NO_TIMER) this.#env.cancel(advance.timer);
    advance.timer = NO_TIMER;
  }
}

/** What a job costs with so many output tokens, without the router's fee. Differences of it add up to it: no rounding is left over. */
export function worthMsat({ prices, job }: Pick<Award, "prices" | "job">, outputTokens: number, inputTokens: number = job.inputTokens): number {
  return amountMsat(prices, inputTokens, outputTokens);
}

/** An amount in so many nearly equal parts, the larger ones first; fewer where there are not so many msat. */
export function partsOf(amount: number, parts: number): number[] {
  const least = Math.floor(amount / parts);
  const larger = amount - least * parts;
  return Array.from({ length: parts }, (_, i) => (i < larger ? least + 1 : least)).filter((part) => part > 0);
}
