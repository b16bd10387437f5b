import type { JobId, JobRequest, PaymentCall, PaymentRequest, PeerId, PriceSheet, Result, TokenChunk } from "../../protocol/messages.ts";
import { amountMsat } from "../../protocol/units.ts";
import { type Environment, NO_TIMER, type TimerId, type WalletEvent } from "../environment.ts";

/** What a client has paid one node for one job before its result. Amounts in msat. */
interface ClientAdvance {
  readonly request: JobRequest;
  readonly router: PeerId;
  readonly node: PeerId;
  readonly attempt: number;
  readonly prices: PriceSheet;
  readonly payments: { readonly request: PaymentRequest; tries: number }[];
  /** Gone for good, under way or locked, and come back. */
  paidMsat: number;
  pendingMsat: number;
  refundedMsat: number;
  /** Output tokens that are paid for, or being paid for; and that have come. */
  coveredTokens: number;
  receivedTokens: number;
  /** What the node has earned: by its result, or by the tokens that it handed out. */
  earnedMsat: number;
  /** `result`: only the money is left to settle. `over`: the job is not with this node any more. */
  state: "open" | "result" | "over";
  /** The result came after the job was given up: nothing is owed for it, and nothing is gained by it. */
  late: boolean;
  /** Until tokens have to come (open), or the money back. */
  timer: TimerId;
  /** A call that waits for money from elsewhere to come back first. */
  waiting: PaymentCall | null;
}

/** What the client does when money says so. */
export interface ClientAdvanceHost {
  /** The job ends without result, and the router is told to stop it. */
  giveUp(jobId: JobId, cancel: "unpaid" | "stalled", reason: string): void;
  /** All is settled that the job's result asked for. */
  settled(jobId: JobId): void;
}

export interface ClientAdvanceOptions {
  readonly paymentAttempts: number;
  readonly paymentRetryUs: number;
  /** From a job's end until the client gives up what it is owed, µs. */
  readonly refundWithinUs: number;
}

/** A payment that its payee does not take is not tried again. */
const FINAL: ReadonlySet<string> = new Set(["released", "escrow-timeout", "invoice-expired", "paid-already"]);

/**
 * The client's side of jobs that are paid before their result: it pays what nodes rightly call for, never more in all than
 * the job's maximum, and sees to it that it gets what it paid for, or the money back. What does not come it writes off,
 * with a dispute.
 */
export class ClientAdvances {
  readonly #env: Environment;
  readonly #host: ClientAdvanceHost;
  readonly #options: ClientAdvanceOptions;
  /** By job: one per node that called for payment, the present one last. */
  readonly #advances = new Map<JobId, ClientAdvance[]>();
  /** By job in progress: what went to nodes that are not looked at any more. */
  readonly #spentMsat = new Map<JobId, number>();
  /** Payments that wait for another try. */
  readonly #retries = new Map<number, { readonly advance: ClientAdvance; readonly request: PaymentRequest }>();
  #retried = 0;

  constructor(env: Environment, host: ClientAdvanceHost, options: ClientAdvanceOptions) {
    this.#env = env;
    this.#host = host;
    this.#options = options;
  }

  /** Jobs over which money is open. */
  get size(): number {
    return this.#advances.size;
  }

  /**
   * A node calls for payment of a job that is in progress and has no result yet.
   * @param pays whether the client means to pay at all.
   */
  onCall(from: PeerId, call: PaymentCall, request: JobRequest, router: PeerId, pays: boolean): void {
    // Who does not have the job does not know its prompt's hash.
    if (call.promptHash !== request.promptHash || request.settlement === undefined) return;
    const advances = this.#advances.get(call.jobId) ?? [];
    const last = advances.at(-1);
    if (last !== undefined && call.attempt < last.attempt) return;
    let advance = advances.find(({ node, attempt }) => node === from && attempt === call.attempt);
    if (advance === undefined) {
      advance = {
        request, router, node: from, attempt: call.attempt, prices: call.prices, payments: [], paidMsat: 0, pendingMsat: 0, refundedMsat: 0,
        coveredTokens: 0, receivedTokens: 0, earnedMsat: 0, state: "open", late: false, timer: NO_TIMER, waiting: null,
      };
      if (!isRight(advance, call)) return this.#dispute(advance, "over-charged");
      if (!pays && request.settlement.kind !== "streaming") return;
      // The router has given the job to another node: the one before owes what it has of it.
      for (const earlier of advances) if (earlier.state === "open") this.#over(earlier);
      advances.push(advance);
      this.#advances.set(call.jobId, advances);
      if (!this.#spentMsat.has(call.jobId)) this.#spentMsat.set(call.jobId, 0);
    } else if (advance.state !== "open" || advance.waiting !== null) return;
    else if (!isRight(advance, call)) return this.#dispute(advance, "over-charged");
    else if (!pays && advance.coveredTokens > 0) return;
    this.#answer(advance, call);
  }

  /** Output has come; also after the client has given the job up. */
  onTokens(from: PeerId, { jobId, attempt, firstToken, tokens }: TokenChunk): void {
    const advance = this.#of(jobId, from, attempt);
    if (advance === undefined || advance.state === "result" || advance.request.settlement!.kind !== "streaming") return;
    const received = Math.min(firstToken + tokens, advance.coveredTokens);
    if (received <= advance.receivedTokens) return;
    advance.receivedTokens = received;
    advance.earnedMsat = worth(advance, received);
    this.#env.telemetry.delivered(jobId, from, advance.earnedMsat);
    if (advance.state === "open") this.#stopTimer(advance);
    else this.#look(advance);
  }

  /** "" where the result asks for no more than was agreed and paid; else what is wrong with it. */
  wrongWith(from: PeerId, { receipt, payments, jobId }: Result, maxPriceMsat: number): "over-charged" | "" {
    let totalMsat = receipt.amountMsat;
    for (const payment of payments) {
      if (payment.purpose !== "fee") return "over-charged";
      totalMsat += payment.amountMsat;
    }
    if (totalMsat > maxPriceMsat) return "over-charged";
    const advance = this.#of(jobId, from, receipt.attempt);
    if (advance === undefined) return receipt.amountMsat === 0 ? "" : "over-charged";
    return receipt.amountMsat === worth(advance, receipt.outputTokens, receipt.inputTokens) && receipt.amountMsat <= worth(advance, advance.coveredTokens) ? "" : "over-charged";
  }

  /** The result is in, and right: `settled` follows, perhaps at once. */
  onResult(from: PeerId, { jobId, receipt }: Result): void {
    for (const advance of this.#advances.get(jobId)?.slice() ?? []) {
      if (advance.node !== from || advance.attempt !== receipt.attempt) {
        if (advance.state === "open") this.#over(advance);
        continue;
      }
      this.#stopTimer(advance);
      advance.state = "result";
      advance.earnedMsat = receipt.amountMsat;
      advance.timer = this.#after(this.#options.refundWithinUs, advance, "refund-due");
      return this.#look(advance);
    }
    this.#host.settled(jobId);
  }

  /** A result came for a job that has ended. The node has done its part: what is left over is to come back all the same. */
  onLateResult(from: PeerId, { jobId, receipt }: Result): void {
    const advance = this.#of(jobId, from, receipt.attempt);
    if (advance === undefined || advance.state !== "over" || receipt.inputTokens > advance.request.inputTokens || receipt.amountMsat !== worth(advance, receipt.outputTokens, receipt.inputTokens)) return;
    advance.late = true;
    advance.earnedMsat = receipt.amountMsat;
    this.#look(advance);
  }

  /** The job has ended: what is open is waited for, and then written off. */
  onEnd(jobId: JobId): void {
    this.#spentMsat.delete(jobId);
    for (const advance of this.#advances.get(jobId)?.slice() ?? []) if (advance.state === "open") this.#over(advance);
  }

  /** @returns whether it was about a job that is paid beforehand. */
  onWallet(event: WalletEvent): boolean {
    if (event.kind === "held" || event.kind === "lapsed" || event.purpose === "fee") return false;
    const advances = this.#advances.get(event.jobId);
    if (advances === undefined) return event.purpose === "refund";
    if (event.kind === "received") {
      const advance = advances.find(({ node, state, paidMsat, refundedMsat, earnedMsat }) => node === event.payer && (state !== "open" || paidMsat - refundedMsat > earnedMsat));
      if (advance === undefined) return true;
      advance.refundedMsat += event.amountMsat;
      this.#look(advance);
      // Money that came back may be what a call waits for.
      for (const waiting of advances.slice()) if (waiting.waiting !== null) this.#answer(waiting, waiting.waiting);
      return true;
    }
    const advance = advances.find(({ payments }) => payments.some(({ request }) => request.paymentHash === event.paymentHash));
    if (advance === undefined) return true;
    advance.pendingMsat -= event.amountMsat;
    if (event.kind === "paid") {
      advance.paidMsat += event.amountMsat;
      const terms = advance.request.settlement!;
      if (advance.state !== "open") this.#look(advance);
      else if (terms.kind === "streaming" && advance.receivedTokens < advance.coveredTokens) {
        this.#stopTimer(advance);
        advance.timer = this.#after(terms.stallUs, advance, "stall");
      }
      return true;
    }
    if (event.kind === "payment-failed") this.#failed(advance, event.paymentHash, event.reason);
    return true;
  }

  /** @returns whether the timer was one of these. */
  onTimer(kind: string, jobId: JobId, attempt: number): boolean {
    if (kind === "pay-advance") {
      const retry = this.#retries.get(attempt);
      this.#retries.delete(attempt);
      if (retry?.advance.state === "open") this.#pay(retry.advance, retry.request);
      return true;
    }
    if (kind !== "stall" && kind !== "refund-due") return false;
    const advance = this.#advances.get(jobId)?.find((one) => one.attempt === attempt);
    if (advance === undefined) return true;
    advance.timer = NO_TIMER;
    if (kind === "stall") {
      if (advance.state !== "open") return true;
      this.#dispute(advance, "not-delivered");
      this.#host.giveUp(jobId, "stalled", "not-delivered");
    } else if (advance.pendingMsat > 0) {
      // Still locked: it comes back, or is taken, in its own time.
      advance.timer = this.#after(this.#options.refundWithinUs, advance, "refund-due");
    } else {
      this.#dispute(advance, advance.state === "result" ? "over-charged" : "not-delivered");
      this.#env.telemetry.writtenOff(jobId, advance.node, false);
      advance.late = false;
      this.#drop(advance);
    }
    return true;
  }

  #answer(advance: ClientAdvance, call: PaymentCall): void {
    let outMsat = this.#spentMsat.get(call.jobId)!;
    for (const one of this.#advances.get(call.jobId)!) outMsat += one.paidMsat + one.pendingMsat - one.refundedMsat;
    let dueMsat = 0;
    for (const payment of call.payments) dueMsat += payment.amountMsat;
    if (outMsat + dueMsat > advance.request.maxPriceMsat) {
      advance.waiting = call;
      return;
    }
    advance.waiting = null;
    advance.coveredTokens = call.throughTokens;
    for (const request of call.payments) {
      advance.payments.push({ request, tries: 0 });
      this.#pay(advance, request);
    }
  }

  #pay(advance: ClientAdvance, request: PaymentRequest): void {
    advance.pendingMsat += request.amountMsat;
    this.#env.wallet.pay(request);
  }

  #failed(advance: ClientAdvance, paymentHash: string, reason: string): void {
    const { request: { jobId }, payments } = advance;
    const payment = payments.find(({ request }) => request.paymentHash === paymentHash)!;
    payment.tries++;
    if (advance.state !== "open") return this.#look(advance);
    // The node withdrew it, or is gone: the router has the last word on the job.
    if (FINAL.has(reason)) return;
    if (payment.tries < this.#options.paymentAttempts) {
      const number = this.#retried++;
      this.#retries.set(number, { advance, request: payment.request });
      this.#env.after(this.#options.paymentRetryUs * 2 ** (payment.tries - 1), { kind: "pay-advance", jobId, attempt: number });
    } else this.#host.giveUp(jobId, "unpaid", `payment-failed: ${reason}`);
  }

  /** The job is not with this node any more. */
  #over(advance: ClientAdvance): void {
    this.#stopTimer(advance);
    advance.state = "over";
    advance.waiting = null;
    advance.timer = this.#after(this.#options.refundWithinUs, advance, "refund-due");
    this.#look(advance);
  }

  /** Is all settled? */
  #look(advance: ClientAdvance): void {
    if (advance.state === "open" || advance.pendingMsat > 0 || advance.paidMsat - advance.refundedMsat > advance.earnedMsat) return;
    this.#drop(advance);
  }

  #drop(advance: ClientAdvance): void {
    const { request: { jobId }, state, node, late, paidMsat, refundedMsat } = advance;
    this.#stopTimer(advance);
    const spentMsat = this.#spentMsat.get(jobId);
    if (spentMsat !== undefined) this.#spentMsat.set(jobId, spentMsat + paidMsat - refundedMsat);
    if (late) this.#env.telemetry.writtenOff(jobId, node, true);
    const left = this.#advances.get(jobId)!.filter((one) => one !== advance);
    if (left.length === 0) this.#advances.delete(jobId);
    else this.#advances.set(jobId, left);
    if (state === "result") this.#host.settled(jobId);
  }

  #dispute({ request: { jobId }, router }: ClientAdvance, claim: "not-delivered" | "over-charged"): void {
    this.#env.send(router, { type: "dispute", jobId, claim });
    this.#env.telemetry.disputed(jobId, claim);
  }

  #of(jobId: JobId, from: PeerId, attempt: number): ClientAdvance | undefined {
    return this.#advances.get(jobId)?.find((one) => one.node === from && one.attempt === attempt);
  }

  #after(delayUs: number, { request, attempt }: ClientAdvance, kind: string): TimerId {
    return this.#env.after(delayUs, { kind, jobId: request.jobId, attempt });
  }

  #stopTimer(advance: ClientAdvance): void {
    if (advance.timer !== NO_TIMER) this.#env.cancel(advance.timer);
    advance.timer = NO_TIMER;
  }
}

function worth({ prices, request }: ClientAdvance, outputTokens: number, inputTokens: number = request.inputTokens): number {
  return amountMsat(prices, inputTokens, outputTokens);
}

/** Whether a call asks for what the terms say: all, or the next chunk once the one before has come. */
function isRight(advance: ClientAdvance, { throughTokens, payments, prices }: PaymentCall): boolean {
  const { request, node, coveredTokens, receivedTokens } = advance;
  const terms = request.settlement!;
  if (throughTokens > request.maxOutputTokens || throughTokens <= coveredTokens) return false;
  if (terms.kind === "streaming") {
    if (receivedTokens < coveredTokens) return false;
    // Never more than one chunk, apart from tokens that cost nothing.
    const freeTokens = throughTokens - terms.everyTokens;
    if (freeTokens > coveredTokens && worth(advance, freeTokens) > (coveredTokens === 0 ? 0 : worth(advance, coveredTokens))) return false;
  } else if (coveredTokens > 0 || payments.length > (terms.kind === "escrow" ? terms.parts : 1)) return false;
  let askedMsat = 0;
  for (const payment of payments) {
    if (payment.jobId !== request.jobId || payment.purpose !== "job" || payment.payee !== node) return false;
    askedMsat += payment.amountMsat;
  }
  const before = coveredTokens === 0 ? 0 : worth(advance, coveredTokens);
  return prices.inputMsatPerMtok === advance.prices.inputMsatPerMtok && prices.outputMsatPerMtok === advance.prices.outputMsatPerMtok
    && prices.fixedMsat === advance.prices.fixedMsat && askedMsat === worth(advance, throughTokens) - before;
}
