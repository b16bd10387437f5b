import type { Award, CallForBids, Cancel, Descriptor, ErrorMessage, Heartbeat, JobId, MarketState, Message, ModelOffer, PaymentRequest, PeerId, PriceSheet, RefusalReason, Result, Utilisation } from "../protocol/messages.ts";
import { amountMsat, feeMsat } from "../protocol/units.ts";
import { Deliveries, REPEATED_MAX } from "./deliveries.ts";
import type { Environment, Participant, RunnerEvent, Timer, WalletEvent } from "./environment.ts";
import { JobMap } from "./job-map.ts";
import { type NodeAdvance, NodeAdvances } from "./settlement/node-advances.ts";
import { OpenBids } from "./open-bids.ts";
import { PostedOffers } from "./posted-offers.ts";
import { coversJob } from "./pricing/posted.ts";
import type { Operator } from "./strategy/operator.ts";

/** How a node presents itself and keeps time. */
export interface NodeOptions {
  /** Descriptor without what the environment knows: its own id. */
  readonly descriptor: Omit<Descriptor, "type" | "node">;
  /** Routers it works with. */
  readonly routers: readonly PeerId[];
  /** Interval of heartbeats, µs. */
  readonly heartbeatUs: number;
  /** Delay of the first heartbeat after the descriptor, so that nodes do not beat in unison; µs. */
  readonly heartbeatOffsetUs: number;
  /** How long a client may take to pay, µs; looked after at each heartbeat. */
  readonly invoiceExpiryUs: number;
  /** How often it tries a payment of its own (a refund, the router's fee), and the pause before the second try, µs. Default: 3, 1 s. */
  readonly paymentAttempts?: number | undefined;
  readonly paymentRetryUs?: number | undefined;
  /** Share of jobs that it takes on and does not serve, keeping what is paid beforehand; 0 by default. */
  readonly nonDeliveryShare?: number | undefined;
  /**
   * What the node bids when it is called and has room: by default its posted prices.
   * @param posted its present prices for the job's model.
   * @returns undefined: it does not bid.
   */
  readonly bidFor?: ((call: CallForBids, posted: PriceSheet) => PriceSheet | undefined) | undefined;
  /** Told how a market stands, whenever one of its routers says so. */
  readonly onMarketState?: ((state: MarketState) => void) | undefined;
  /** Who sets prices as the market goes on; without it they stay as the descriptor has them. Keeps its books through restarts. */
  readonly operator?: Operator | undefined;
  /** Told of every change of prices. */
  readonly onReprice?: ((offers: readonly ModelOffer[]) => void) | undefined;
  /** How busy the machine was since it was asked last, for each heartbeat; undefined where that is not known. Absent in the simulation. */
  readonly utilisation?: (() => Utilisation | undefined) | undefined;
}

/** How long after a change of prices awards at the old ones are still taken, µs: time for the news to reach the routers. */
export const HONOUR_US = 10_000_000;

/** How long a bid holds after the call has closed, µs: time for the award to arrive. */
const BID_HOLDS_US = 10_000_000;

/** A job at the node, from its award until it is paid or written off. */
interface NodeJob {
  /** Without its prompt once the result is out. */
  award: Award;
  readonly router: PeerId;
  readonly acceptedUs: number;
  /** When the runner began, µs; -1 before. */
  startedUs: number;
  /** When the first token was there, µs; -1 before. */
  firstTokenUs: number;
  /** What the client owes once the result is out, msat; -1 before. */
  owedMsat: number;
  /** When the result went out, µs. */
  deliveredUs: number;
  /** Hash of the invoice that went with it. */
  paymentHash: string;
  /** Null where the job is paid after its result. */
  advance: NodeAdvance | null;
  /** The output as far as it was handed out, and its tokens; null where the runner tells no text, or too much of it, and once the result is out. */
  output: string | null;
  outputTokens: number;
}

/**
 * An operator's node: registers with its routers, beats, admits or refuses awards, has the runner execute them, sends
 * tokens and the result with its metering receipt to the client, and waits for its money.
 */
export class Node implements Participant {
  /** Value delivered that the client has not paid for in time, msat. */
  unpaidMsat = 0;
  readonly #env: Environment;
  readonly #options: NodeOptions;
  readonly #jobs = new JobMap<NodeJob>();
  readonly #advances: NodeAdvances;
  /** Null before the first. */
  #bids: OpenBids | null = null;
  readonly #posted: PostedOffers;
  /** Null before the first whose text is known: in the simulation nothing has a text. */
  #deliveries: Deliveries | null = null;
  /** Kept at hand, off the options: what an award asks for, and who may send one. */
  readonly #operator: NodeOptions["operator"];
  readonly #queueLimit: number;
  readonly #firstRouter: PeerId;
  /** Jobs that run at once, as far as it lets them. */
  #slots: number;
  /** Jobs at the runner whose outcome is still open. The runner's own count may lag behind by those just cancelled. */
  #admitted = 0;
  #sequence = 0;
  /** Smoothed time from start to result, µs; 0 before the first. */
  #serviceUs = 0;
  #accepting = true;

  /** @throws RangeError where the descriptor offers a model twice. */
  constructor(env: Environment, options: NodeOptions) {
    const { operator, descriptor } = options;
    this.#env = env;
    this.#options = options;
    this.#operator = operator;
    this.#queueLimit = descriptor.queueLimit;
    this.#firstRouter = options.routers[0] ?? "";
    this.#advances = new NodeAdvances(env, {
      begin: (jobId) => this.#submit(this.#jobs.get(jobId)!.award),
      handOut: (jobId, firstToken, tokens, text) => this.#stream(this.#jobs.get(jobId)!, firstToken, tokens, text),
      deliver: (jobId, event) => this.#deliver(this.#jobs.get(jobId)!, event),
      earned: (award, router, earnedMsat) => { if (award.fee.bearer === "operator") this.#payFee(award, router, earnedMsat); },
      giveUp: (jobId, reason) => this.#abandon(this.#jobs.get(jobId)!, reason),
    }, { nonDeliveryShare: options.nonDeliveryShare ?? 0, incarnation: options.descriptor.incarnation, paymentAttempts: options.paymentAttempts ?? 3, paymentRetryUs: options.paymentRetryUs ?? 1_000_000 });
    this.#posted = new PostedOffers(operator?.offers ?? descriptor.offers, HONOUR_US);
    this.#slots = operator?.offered ?? descriptor.slots;
  }

  /** Jobs not yet paid or written off. */
  get open(): number {
    return this.#jobs.size + this.#advances.pending;
  }

  /** Jobs handed to the runner whose outcome is not known yet. */
  *jobsAtRunner(): Generator<JobId> {
    for (const [jobId, { owedMsat, advance }] of this.#jobs.entries()) if (owedMsat < 0 && (advance === null || isAtRunner(advance))) yield jobId;
  }

  /** Registers with every router and begins to beat. */
  start(): void {
    const { operator, routers, heartbeatOffsetUs } = this.#options;
    for (const router of routers) this.#register(router);
    this.#env.after(heartbeatOffsetUs, { kind: "heartbeat", jobId: "", attempt: 0 });
    if (operator === undefined) return;
    operator.start(this.#env.nowUs);
    if (operator.firstUs < Infinity) this.#env.after(operator.firstUs, { kind: "reprice", jobId: "", attempt: 0 });
  }

  /** Asks other prices from now on, for the same models; awards at the former ones are taken for {@link HONOUR_US} more. */
  reprice(offers: readonly ModelOffer[]): void {
    this.#posted.change(offers, this.#env.nowUs);
    this.#options.onReprice?.(offers);
    for (const router of this.#options.routers) this.#register(router);
  }

  /** Takes no new jobs from now on; those admitted are finished. */
  shutDown(): void {
    this.#accepting = false;
    this.#beat();
  }

  /**
   * Gives jobs back to their routers, which may try other nodes: those that the runner has not begun with, or all that have
   * no result yet.
   * @returns how many
   */
  handBack(which: "waiting" | "all"): number {
    const given: NodeJob[] = [];
    for (const [, job] of this.#jobs.entries()) if (job.owedMsat < 0 && (which === "all" || job.startedUs < 0)) given.push(job);
    for (const job of given) this.#abandon(job, "shutting-down");
    return given.length;
  }

  /**
   * A router can be reached again, and may have forgotten the node: it registers anew. Jobs go on; what the connection may have
   * swallowed as it broke is said again.
   */
  reconnected(router: PeerId): void {
    if (!this.#options.routers.includes(router)) return;
    this.#register(router);
    for (const [jobId, { router: through, owedMsat, output, outputTokens, award: { job: { client }, attempt } }] of this.#jobs.entries()) {
      if (through === router && owedMsat < 0 && output !== null) this.#env.send(client, { type: "token-chunk", jobId, attempt, firstToken: 0, tokens: outputTokens, text: output });
    }
    for (const { output, outputTokens, result } of this.#deliveries?.through(router) ?? []) {
      const { jobId, client, attempt } = result.receipt;
      this.#env.send(client, { type: "token-chunk", jobId, attempt, firstToken: 0, tokens: outputTokens, text: output });
      this.#env.send(client, result);
      this.#env.send(router, { ...result, payments: NO_PAYMENTS });
    }
  }

  onMessage(from: PeerId, message: Message): void {
    switch (message.type) {
      case "award": return this.#onAward(from, message);
      case "cancel": return this.#onCancel(from, message);
      case "call-for-bids": return this.#onCallForBids(from, message);
      case "market-state":
        if (!this.#options.routers.includes(from)) return;
        this.#options.operator?.heard(message);
        return this.#options.onMarketState?.(message);
      case "error": return this.#onError(from, message);
      default: return;
    }
  }

  onTimer(timer: Timer): void {
    if (timer.kind === "reprice") return this.#decide();
    if (timer.kind !== "heartbeat") return void this.#advances.onTimer(timer.kind, timer.jobId, timer.attempt);
    this.#beat();
    this.#writeOff();
    this.#deliveries?.sweep(this.#env.nowUs);
    if (this.#bids !== null) this.#bids.sweep(this.#env.nowUs);
    this.#env.after(this.#options.heartbeatUs, { kind: "heartbeat", jobId: "", attempt: 0 });
  }

  onRunner(event: RunnerEvent): void {
    const job = this.#jobs.get(event.jobId);
    if (job === undefined) return;
    const env = this.#env;
    switch (event.kind) {
      case "started":
        job.startedUs = env.nowUs;
        env.telemetry.started(event.jobId, job.award.attempt);
        return;
      case "first-token":
        job.firstTokenUs = env.nowUs;
        if (job.advance !== null) this.#advances.firstToken(job.advance);
        this.#stream(job, 0, 1, event.text);
        return;
      case "tokens":
        if (job.advance?.terms.kind === "streaming") this.#advances.tokens(job.advance, event.firstToken, event.tokens, event.text);
        else this.#stream(job, event.firstToken, event.tokens, event.text);
        return;
      case "progress":
        if (job.advance !== null) this.#advances.progress(job.advance, event.outputTokens);
        return;
      case "finished":
        if (job.advance === null) return this.#deliver(job, event);
        if (event.outputTokens > job.award.job.maxOutputTokens) return this.#fail(job, "runner-failed");
        return (event.inputTokens ?? 0) > job.award.job.inputTokens ? this.#fail(job, "input-over-declared") : this.#advances.finished(job.advance, event);
      case "failed": return this.#fail(job, event.reason);
    }
  }

  onWallet(event: WalletEvent): void {
    const job = this.#jobs.get(event.jobId);
    if (job === undefined || job.owedMsat < 0 || event.kind !== "received" || event.purpose !== "job") return void this.#advances.onWallet(event);
    this.#jobs.delete(event.jobId);
    this.#deliveries?.forget(event.jobId);
    if (job.award.fee.bearer === "operator") this.#payFee(job.award, job.router, job.owedMsat);
  }

  /** Gives up what clients owe beyond their invoices' expiry. */
  #writeOff(): void {
    if (this.#jobs.size === this.#admitted) return;
    const dueUs = this.#env.nowUs - this.#options.invoiceExpiryUs;
    const lost: JobId[] = [];
    for (const [jobId, job] of this.#jobs.entries()) if (job.owedMsat > 0 && job.deliveredUs <= dueUs) lost.push(jobId);
    for (const jobId of lost) {
      const { owedMsat, router, paymentHash } = this.#jobs.get(jobId)!;
      this.unpaidMsat += owedMsat;
      this.#jobs.delete(jobId);
      this.#deliveries?.forget(jobId);
      this.#env.wallet.release(paymentHash);
      this.#env.send(router, { type: "dispute", jobId, claim: "not-paid", paymentHash });
      this.#env.telemetry.disputed(jobId, "not-paid");
    }
  }

  #register(router: PeerId): void {
    this.#env.send(router, { type: "descriptor", node: this.#env.self, ...this.#options.descriptor, slots: this.#slots, offers: this.#posted.offers as ModelOffer[] });
  }

  /** The operator looks at what came of its prices, and sets new ones. */
  #decide(): void {
    const operator = this.#options.operator!;
    this.#env.after(operator.repriceUs, { kind: "reprice", jobId: "", attempt: 0 });
    if (!operator.decide(this.#env.nowUs)) return;
    this.#slots = operator.offered;
    this.reprice(operator.offers);
  }

  #beat(): void {
    const runner = this.#env.runner;
    const beat: Heartbeat = {
      type: "heartbeat",
      incarnation: this.#options.descriptor.incarnation,
      sequence: this.#sequence++,
      running: runner.running,
      waiting: runner.waiting,
      kvTokensUsed: runner.kvTokensUsed,
      accepting: this.#accepting,
    };
    const utilisation = this.#options.utilisation?.();
    const message = utilisation === undefined ? beat : { ...beat, utilisation };
    for (const router of this.#options.routers) this.#env.send(router, message);
  }

  /** Bids where it could take the job at once or into its queue; otherwise it keeps silent. */
  #onCallForBids(from: PeerId, call: CallForBids): void {
    const { job: request, closesInUs } = call;
    const { runner, nowUs } = this.#env;
    const { descriptor, routers, bidFor } = this.#options;
    const offer = this.#posted.of(request.model);
    if (!routers.includes(from) || !this.#accepting || offer === undefined || this.#jobs.has(request.jobId)) return;
    if (request.inputTokens + request.maxOutputTokens > offer.contextTokensMax || this.#admitted >= this.#slots + descriptor.queueLimit) return;
    const prices = bidFor === undefined ? offer.prices : bidFor(call, offer.prices);
    if (prices === undefined) return;
    const validForUs = closesInUs + BID_HOLDS_US;
    this.#bids ??= new OpenBids();
    this.#bids.add(request.jobId, prices, nowUs + validForUs);
    const expectedStartUs = this.#admitted < this.#slots ? 0 : Math.round(((runner.waiting + 1) / this.#slots) * this.#serviceUs);
    this.#env.send(from, { type: "bid", jobId: request.jobId, prices, expectedStartUs, validForUs });
  }

  #onAward(from: PeerId, award: Award): void {
    if (from !== this.#firstRouter && !this.#options.routers.includes(from)) return;
    const reason = this.#reasonToRefuse(award);
    if (this.#bids !== null) this.#bids.drop(award.job.jobId);
    if (reason !== undefined) return this.#refuse(from, award, reason);
    const request = award.job;
    this.#jobs.set(request.jobId, {
      award, router: from, acceptedUs: this.#env.nowUs, startedUs: -1, firstTokenUs: -1, owedMsat: -1, deliveredUs: 0, paymentHash: "", output: null, outputTokens: 0,
      advance: request.settlement === undefined ? null : this.#advances.open(award, from, request.settlement),
    });
    this.#env.send(from, { type: "accept", jobId: request.jobId, attempt: award.attempt });
    this.#admit(1);
    if (request.settlement !== undefined) return this.#advances.start(this.#jobs.get(request.jobId)!.advance!);
    if (this.#options.nonDeliveryShare !== undefined && this.#advances.cheats()) return this.#abandon(this.#jobs.get(request.jobId)!, null);
    this.#submit(award);
  }

  #submit({ job: request, prompt }: Award): void {
    const { jobId, model, inputTokens, maxOutputTokens, priority } = request;
    this.#env.runner.submit(prompt === undefined
      ? { jobId, model, inputTokens, maxOutputTokens, priority }
      : { jobId, model, inputTokens, maxOutputTokens, priority, prompt });
  }

  #stream(job: NodeJob, firstToken: number, tokens: number, text: string | undefined): void {
    const { award: { job: { jobId, client }, attempt } } = job;
    const chunk = { type: "token-chunk" as const, jobId, attempt, firstToken, tokens };
    if (text === undefined) return this.#env.send(client, chunk);
    if (firstToken === 0) job.output = text;
    else if (job.output !== null) job.output = job.output.length + text.length > REPEATED_MAX ? null : job.output + text;
    job.outputTokens = firstToken + tokens;
    this.#env.send(client, { ...chunk, text });
  }

  #admit(change: 1 | -1): void {
    this.#admitted += change;
    if (this.#operator !== undefined) this.#operator.held(change, this.#env.nowUs);
  }

  #reasonToRefuse(award: Award): RefusalReason | undefined {
    const request = award.job;
    const offer = this.#posted.of(request.model);
    if (!this.#accepting) return "shutting-down";
    if (offer === undefined) return "unknown-model";
    if (this.#jobs.has(request.jobId)) return "duplicate-job";
    const { nowUs } = this.#env;
    const bid = this.#bids === null ? undefined : this.#bids.prices(request.jobId, nowUs);
    const asked = bid ?? offer.prices;
    // A bid holds whatever was posted before it.
    if (award.prices !== asked && !coversJob(award.prices, asked, request.inputTokens, request.maxOutputTokens) && (bid !== undefined || !this.#posted.honours(request, award.prices, nowUs))) return "price-changed";
    if (request.inputTokens + request.maxOutputTokens > offer.contextTokensMax) return "context-too-long";
    if (this.#admitted >= this.#slots + this.#queueLimit) return "queue-full";
    return undefined;
  }

  #refuse(router: PeerId, award: Award, reason: RefusalReason): void {
    this.#env.send(router, { type: "refuse", jobId: award.job.jobId, attempt: award.attempt, reason });
  }

  #deliver(job: NodeJob, event: Extract<RunnerEvent, { kind: "finished" }>): void {
    const env = this.#env;
    const { award } = job;
    const request = award.job;
    const { inputTokens = request.inputTokens } = event;
    // More than was allowed is not what the client asked for, and nothing that it would pay for.
    if (event.outputTokens > request.maxOutputTokens) return this.#fail(job, "runner-failed");
    if (inputTokens > request.inputTokens) return this.#fail(job, "input-over-declared");
    this.#admit(-1);
    const finishedUs = env.nowUs;
    const firstTokenUs = job.firstTokenUs < 0 ? finishedUs : job.firstTokenUs;
    const startedUs = job.startedUs < 0 ? firstTokenUs : job.startedUs;
    const heldUs = finishedUs - startedUs;
    this.#serviceUs += this.#serviceUs === 0 ? heldUs : 0.05 * (heldUs - this.#serviceUs);
    const owedMsat = amountMsat(award.prices, inputTokens, event.outputTokens);
    if (this.#operator !== undefined) this.#operator.delivered(request.jobId, request.model, owedMsat, inputTokens, event.outputTokens);
    const receipt = {
      type: "metering-receipt" as const,
      jobId: request.jobId,
      attempt: award.attempt,
      node: env.self,
      client: request.client,
      model: request.model,
      inputTokens,
      outputTokens: event.outputTokens,
      prices: award.prices,
      amountMsat: owedMsat,
      queuedUs: startedUs - job.acceptedUs,
      prefillUs: firstTokenUs - startedUs,
      decodeUs: finishedUs - firstTokenUs,
      promptHash: request.promptHash,
      outputHash: event.outputHash,
    };
    // A literal of the right length: a list that grows from empty takes room for seventeen.
    let payments = NO_PAYMENTS;
    if (owedMsat > 0 && job.advance === null) {
      const { paymentHash } = env.wallet.invoice(request.jobId, "job", owedMsat);
      job.paymentHash = paymentHash;
      payments = [this.#paymentRequest(request.jobId, "job", env.self, owedMsat, paymentHash)];
    }
    const fee = feeMsat(award.fee, owedMsat);
    if (fee > 0 && award.feePaymentHash !== undefined && award.fee.bearer !== "operator") {
      const payment = this.#paymentRequest(request.jobId, "fee", job.router, fee, award.feePaymentHash);
      payments = payments.length === 0 ? [payment] : [payments[0]!, payment];
    }
    const result: Result = { type: "result", jobId: request.jobId, finishReason: event.finishReason, receipt, payments };
    env.send(request.client, result);
    if (job.output !== null) {
      this.#deliveries ??= new Deliveries();
      this.#deliveries.add({ router: job.router, output: job.output, outputTokens: job.outputTokens, result }, finishedUs);
    }
    env.send(job.router, { type: "result", jobId: request.jobId, finishReason: event.finishReason, receipt, payments: NO_PAYMENTS });
    if (owedMsat === 0 || job.advance !== null) {
      this.#jobs.delete(request.jobId);
      return;
    }
    job.owedMsat = owedMsat;
    job.deliveredUs = finishedUs;
    // It waits for its money alone, perhaps for long.
    job.output = null;
    if (award.prompt !== undefined) job.award = withoutPrompt(award);
  }

  /** The runner gave the job up: the router may try another node. */
  #fail(job: NodeJob, reason: RefusalReason): void {
    this.#admit(-1);
    this.#jobs.delete(job.award.job.jobId);
    if (job.advance !== null) this.#advances.close(job.advance);
    this.#refuse(job.router, job.award, reason);
  }

  /** The node lets go of a job of its own accord; null: without a word. */
  #abandon(job: NodeJob, reason: RefusalReason | null): void {
    const { jobId } = job.award.job;
    if (job.advance === null || isAtRunner(job.advance)) this.#env.runner.cancel(jobId);
    if (reason !== null) return this.#fail(job, reason);
    this.#admit(-1);
    this.#jobs.delete(jobId);
    if (job.advance === null) this.#env.telemetry.reneged(jobId);
  }

  /** Where operators bear it, the node pays the router's fee out of what it was paid. */
  #payFee({ job: { jobId }, fee, feePaymentHash }: Award, router: PeerId, owedMsat: number): void {
    const dueMsat = feeMsat(fee, owedMsat);
    if (dueMsat === 0 || feePaymentHash === undefined) return;
    this.#env.telemetry.owesFee(jobId, dueMsat);
    this.#advances.pay(this.#paymentRequest(jobId, "fee", router, dueMsat, feePaymentHash));
  }

  #paymentRequest(jobId: JobId, purpose: "job" | "fee", payee: PeerId, amount: number, paymentHash: string): PaymentRequest {
    return { type: "payment-request", jobId, purpose, payee, amountMsat: amount, paymentHash, expiresInUs: this.#options.invoiceExpiryUs };
  }

  #onCancel(from: PeerId, message: Cancel): void {
    const job = this.#jobs.get(message.jobId);
    if (job === undefined || job.owedMsat >= 0) return;
    if (from !== job.router && from !== job.award.job.client) return;
    this.#env.runner.cancel(message.jobId);
    this.#admit(-1);
    this.#jobs.delete(message.jobId);
    if (job.advance !== null) this.#advances.close(job.advance);
  }

  #onError(from: PeerId, message: ErrorMessage): void {
    if (message.code === "not-registered" && this.#options.routers.includes(from)) this.#register(from);
  }
}

const NO_PAYMENTS: PaymentRequest[] = [];

function withoutPrompt(award: Award): Award {
  const rest = { ...award };
  delete rest.prompt;
  return rest;
}

/** Whether the runner has it: it has been paid for, and not been served yet. */
function isAtRunner({ started, finished }: NodeAdvance): boolean {
  return started && finished === null;
}
