import type {
  Accept, Award, Cancel, Descriptor, FeeTerms, Heartbeat, Job, JobId, JobRequest, Message, PeerId, QuoteRequest, Refuse, RefusalReason, Result,
} from "../protocol/messages.ts";
import { feeMsat, maxAmountMsat } from "../protocol/units.ts";
import type { CircuitBreakerOptions } from "./circuit-breaker.ts";
import type { Environment, Participant, Timer, TimerId } from "./environment.ts";
import { JobMap } from "./job-map.ts";
import type { ModelMarket } from "./model-market.ts";
import { Registry } from "./registry.ts";
import type { PolicyOptions } from "./selection/policy.ts";
import { Selector } from "./selection/selector.ts";
import { WaitingJobs } from "./waiting-jobs.ts";

export interface RouterOptions {
  readonly policy: PolicyOptions;
  readonly fee: FeeTerms;
  /** A node not heard of for longer than this is not considered, and its jobs go elsewhere; µs. */
  readonly staleAfterUs: number;
  /** How often the router looks for stale nodes and for waiting jobs that can now be placed; µs. */
  readonly sweepUs: number;
  /** Nodes tried for one job before it is given up; at least 1. */
  readonly attempts: number;
  /** How long a node may take to accept or refuse, µs. */
  readonly acceptTimeoutUs: number;
  /** How long an accepted job may take until its result, µs. */
  readonly jobTimeoutUs: number;
  /** Jobs that may wait at the router while every node that could serve them is full; 0: none. */
  readonly queueLimit: number;
  /** How long a job may wait there, µs. */
  readonly queueWaitUs: number;
  readonly circuitBreaker: CircuitBreakerOptions;
  /** How long a quote is meant to hold, µs. */
  readonly quoteValidUs: number;
}

/** A job in the router's hands: waiting for a node, or at one. */
interface RoutedJob {
  readonly request: JobRequest;
  readonly prompt: string | undefined;
  /** Attempts made so far; the current one's number while at a node. */
  attempt: number;
  /** Registry index of the node that has it, or -1 while it waits. */
  node: number;
  /** Registry indexes of nodes whose attempt came to nothing. */
  readonly tried: number[];
  /** Accept timeout, then job timeout, or the longest wait in the queue. */
  timer: TimerId;
}

const NO_TIMER: TimerId = -1;

/**
 * Matches jobs to nodes and says why: takes jobs from clients, chooses a node for each among those registered, awards
 * the job, tries another node where one refuses, fails or falls silent, and forgets the job when its result is in.
 * It never holds funds; its fee is paid to it by the client.
 */
export class Router implements Participant {
  readonly registry: Registry;
  readonly #env: Environment;
  readonly #options: RouterOptions;
  readonly #selector: Selector;
  readonly #jobs = new JobMap<RoutedJob>();
  readonly #waiting = new WaitingJobs<RoutedJob>();
  readonly #takesFee: boolean;

  constructor(env: Environment, options: RouterOptions) {
    this.#env = env;
    this.#options = options;
    this.registry = new Registry(options.circuitBreaker);
    this.#selector = new Selector(this.registry, options.policy, options.fee, options.staleAfterUs, env.random("selection"));
    this.#takesFee = options.fee.shareBps > 0 || options.fee.flatMsat > 0;
  }

  /** Jobs waiting at the router for a node. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Begins the regular sweep. */
  start(): void {
    this.#env.after(this.#options.sweepUs, { kind: "sweep", jobId: "", attempt: 0 });
  }

  onMessage(from: PeerId, message: Message): void {
    switch (message.type) {
      case "job": return this.#onJob(from, message);
      case "accept": return this.#onAccept(from, message);
      case "refuse": return this.#onRefuse(from, message);
      case "result": return this.#onResult(from, message);
      case "heartbeat": return this.#onHeartbeat(from, message);
      case "descriptor": return this.#onDescriptor(from, message);
      case "cancel": return this.#onCancel(from, message);
      case "quote-request": return this.#onQuoteRequest(from, message);
      default: return;
    }
  }

  onTimer(timer: Timer): void {
    if (timer.kind === "sweep") return this.#sweep();
    const job = this.#jobs.get(timer.jobId);
    if (job === undefined || job.attempt !== timer.attempt) return;
    job.timer = NO_TIMER;
    if (timer.kind === "queue-wait") {
      if (job.node >= 0) return;
      this.#waiting.remove(job.request, job);
      this.#env.telemetry.waitingAtRouter(-1);
      this.#giveUp(job, "router-wait-too-long");
    } else {
      this.#attemptFailed(job, timer.kind, true);
    }
  }

  onRunner(): void {}
  onWallet(): void {}

  #onJob(from: PeerId, message: Job): void {
    const request = message.job;
    if (request.client !== from) {
      this.#env.send(from, { type: "error", code: "bad-message", field: "job.client", detail: "a job is posted by its own client", jobId: request.jobId });
      return;
    }
    if (this.#jobs.has(request.jobId)) {
      this.#env.send(from, { type: "error", code: "duplicate-job", detail: "a job of this name is in progress", jobId: request.jobId });
      return;
    }
    const job: RoutedJob = { request, prompt: message.prompt, attempt: 0, node: -1, tried: [], timer: NO_TIMER };
    this.#jobs.set(request.jobId, job);
    this.#place(job);
  }

  /** Finds a node for the job, or lets it wait, or gives it up. */
  #place(job: RoutedJob): void {
    const request = job.request;
    const market = this.registry.market(request.model);
    const env = this.#env;
    if (market === undefined) return this.#giveUp(job, job.attempt === 0 ? "no-eligible-node" : "attempts-exhausted");
    const chosen = this.#selector.choose(request, market, job.tried, env.nowUs);
    if (env.telemetry.wantsDecision(request.jobId)) {
      env.telemetry.decided(this.#selector.explain(request, market, job.attempt + 1, chosen));
    }
    if (chosen < 0) {
      if (this.#selector.waitable > 0 && this.#options.queueLimit > 0) return this.#enqueue(job);
      return this.#giveUp(job, job.attempt === 0 ? "no-eligible-node" : "attempts-exhausted");
    }
    this.#award(job, market, chosen);
  }

  #award(job: RoutedJob, market: ModelMarket, offer: number): void {
    const request = job.request;
    const n = market.node[offer]!;
    job.attempt++;
    job.node = n;
    this.registry.own[n] = this.registry.own[n]! + 1;
    const env = this.#env;
    const node = this.registry.ids[n]!;
    env.telemetry.assigned(request.jobId, node, job.attempt);
    const { prices } = market.offers[offer]!;
    const { fee } = this.#options;
    const { attempt } = job;
    const award: Award = this.#takesFee
      ? { type: "award", job: request, attempt, prices, fee, feePaymentHash: env.wallet.invoice(request.jobId, "fee", null).paymentHash }
      : { type: "award", job: request, attempt, prices, fee };
    if (job.prompt !== undefined) award.prompt = job.prompt;
    env.send(node, award);
    job.timer = env.after(this.#options.acceptTimeoutUs, { kind: "accept-timeout", jobId: request.jobId, attempt: job.attempt });
  }

  #enqueue(job: RoutedJob): void {
    if (this.#waiting.size >= this.#options.queueLimit) return this.#giveUp(job, "router-queue-full");
    job.node = -1;
    this.#waiting.add(job.request, job);
    this.#env.telemetry.waitingAtRouter(1);
    job.timer = this.#env.after(this.#options.queueWaitUs, { kind: "queue-wait", jobId: job.request.jobId, attempt: job.attempt });
  }

  #onAccept(from: PeerId, message: Accept): void {
    const job = this.#at(from, message.jobId, message.attempt);
    if (job === undefined) return;
    this.#stopTimer(job);
    job.timer = this.#env.after(this.#options.jobTimeoutUs, { kind: "job-timeout", jobId: message.jobId, attempt: job.attempt });
  }

  #onRefuse(from: PeerId, message: Refuse): void {
    const job = this.#at(from, message.jobId, message.attempt);
    if (job === undefined) return;
    this.#attemptFailed(job, message.reason, message.reason === "runner-failed");
  }

  #onResult(from: PeerId, message: Result): void {
    const job = this.#jobs.get(message.jobId);
    const n = this.registry.indexOf(from);
    if (job === undefined || n < 0 || message.receipt.node !== from) return;
    const current = job.node;
    if (current !== n && !job.tried.includes(n)) return;
    this.#stopTimer(job);
    this.#jobs.delete(message.jobId);
    if (current < 0) {
      this.#waiting.remove(job.request, job);
      this.#env.telemetry.waitingAtRouter(-1);
    } else {
      // The first result ends the job, also where it comes from an attempt that had been given up.
      if (current !== n) this.#env.send(this.registry.ids[current]!, { type: "cancel", jobId: message.jobId, reason: "superseded" });
      this.#release(current);
    }
    this.registry.recordOutcome(n, true, this.#env.nowUs);
    this.registry.market(job.request.model)?.recordOutputTokens(message.receipt.outputTokens);
    if (current >= 0) this.#fill(current);
  }

  #onHeartbeat(from: PeerId, message: Heartbeat): void {
    if (this.registry.heartbeat(from, message, this.#env.nowUs)) {
      if (this.#waiting.size > 0) this.#fill(this.registry.indexOf(from));
    } else {
      this.#env.send(from, { type: "error", code: "not-registered", detail: "send your descriptor first" });
    }
  }

  #onDescriptor(from: PeerId, message: Descriptor): void {
    if (message.node !== from) {
      this.#env.send(from, { type: "error", code: "bad-message", field: "node", detail: "a descriptor is sent by its own node" });
      return;
    }
    const change = this.registry.register(message, this.#env.nowUs);
    if (change === "outdated") return;
    const n = this.registry.indexOf(from);
    if (change === "restarted") this.#lose(n, "node-restarted");
    this.#fill(n);
  }

  #onCancel(from: PeerId, message: Cancel): void {
    const job = this.#jobs.get(message.jobId);
    if (job === undefined || job.request.client !== from) return;
    this.#jobs.delete(message.jobId);
    this.#stopTimer(job);
    if (job.node < 0) {
      this.#waiting.remove(job.request, job);
      this.#env.telemetry.waitingAtRouter(-1);
      return;
    }
    const n = job.node;
    this.#env.send(this.registry.ids[n]!, { type: "cancel", jobId: message.jobId, reason: message.reason });
    this.#release(n);
    this.#fill(n);
  }

  #onQuoteRequest(from: PeerId, message: QuoteRequest): void {
    const request = message.job;
    const env = this.#env;
    const market = this.registry.market(request.model);
    const chosen = market === undefined ? -1 : this.#selector.choose(request, market, [], env.nowUs);
    if (market === undefined || chosen < 0) {
      env.send(from, { type: "refuse", jobId: request.jobId, attempt: 0, reason: "no-eligible-node" });
      return;
    }
    const prices = market.offers[chosen]!.prices;
    env.send(from, {
      type: "quote",
      jobId: request.jobId,
      node: this.registry.ids[market.node[chosen]!]!,
      prices,
      fee: this.#options.fee,
      maxAmountMsat: maxAmountMsat(prices, this.#options.fee, request.inputTokens, request.maxOutputTokens),
      validForUs: this.#options.quoteValidUs,
    });
  }

  /** The job, if it is at this peer in this attempt; late words of earlier attempts change nothing. */
  #at(from: PeerId, jobId: JobId, attempt: number): RoutedJob | undefined {
    const job = this.#jobs.get(jobId);
    if (job === undefined || job.attempt !== attempt || job.node < 0 || this.registry.ids[job.node] !== from) return undefined;
    return job;
  }

  #attemptFailed(job: RoutedJob, reason: string, nodesFault: boolean): void {
    const n = job.node;
    const env = this.#env;
    const node = this.registry.ids[n]!;
    this.#stopTimer(job);
    env.telemetry.attemptFailed(job.request.jobId, node, job.attempt, reason);
    if (reason === "accept-timeout" || reason === "job-timeout" || reason === "node-stale") {
      env.send(node, { type: "cancel", jobId: job.request.jobId, reason: "superseded" });
    }
    if (nodesFault) this.registry.recordOutcome(n, false, env.nowUs);
    job.node = -1;
    job.tried.push(n);
    this.#release(n);
    if (reason === "queue-full") this.registry.markFull(n);
    if (job.attempt >= this.#options.attempts) this.#giveUp(job, "attempts-exhausted");
    else this.#place(job);
    this.#fill(n);
  }

  #giveUp(job: RoutedJob, reason: RefusalReason): void {
    this.#stopTimer(job);
    this.#jobs.delete(job.request.jobId);
    this.#env.send(job.request.client, { type: "refuse", jobId: job.request.jobId, attempt: job.attempt, reason });
  }

  #release(n: number): void {
    const own = this.registry.own[n]! - 1;
    if (own < 0) throw new Error(`router ${this.#env.self}: node ${this.registry.ids[n]} released more jobs than it was given`);
    this.registry.own[n] = own;
  }

  #stopTimer(job: RoutedJob): void {
    if (job.timer !== NO_TIMER) this.#env.cancel(job.timer);
    job.timer = NO_TIMER;
  }

  /** Gives the node as many waiting jobs as it can take, oldest of the highest priority first. */
  #fill(n: number): void {
    if (this.#waiting.size === 0) return;
    const nowUs = this.#env.nowUs;
    for (const modelOffer of this.registry.descriptors[n]!.offers) {
      const market = this.registry.market(modelOffer.model)!;
      const offer = market.indexOf(this.registry.ids[n]!);
      this.#waiting.walk(
        modelOffer.model,
        (job) => {
          if (this.registry.own[n]! + this.registry.others[n]! >= this.registry.capacity[n]!) return "stop";
          return this.#selector.fits(job.request, market, offer, job.tried, nowUs) ? "take" : "skip";
        },
        (job) => {
          this.#env.telemetry.waitingAtRouter(-1);
          this.#stopTimer(job);
          this.#place(job);
        },
      );
      if (this.#waiting.size === 0) return;
    }
  }

  /** The node is gone: its jobs go elsewhere. */
  #lose(n: number, reason: string): void {
    if (this.registry.own[n] === 0) return;
    const lost = [...this.#jobs.entries()].map(([, job]) => job).filter((job) => job.node === n).sort((a, b) => (a.request.jobId < b.request.jobId ? -1 : 1));
    let first = true;
    for (const job of lost) {
      this.#attemptFailed(job, reason, first);
      first = false;
    }
  }

  #sweep(): void {
    const nowUs = this.#env.nowUs;
    const registry = this.registry;
    for (let n = 0; n < registry.size; n++) {
      if (registry.own[n]! > 0 && nowUs - registry.lastSeenUs[n]! > this.#options.staleAfterUs) this.#lose(n, "node-stale");
    }
    if (this.#waiting.size > 0) for (let n = 0; n < registry.size; n++) this.#fill(n);
    this.#env.after(this.#options.sweepUs, { kind: "sweep", jobId: "", attempt: 0 });
  }

  /** The fee on an amount, msat: for whoever checks what the router earned. */
  feeMsat(amountMsat: number): number {
    return feeMsat(this.#options.fee, amountMsat);
  }
}
