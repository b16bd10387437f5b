import type {
  Accept, Award, Cancel, Descriptor, FeeTerms, Heartbeat, Job, JobId, Message, PeerId, PriceSheet, QuoteRequest, Refuse, RefusalReason, Result,
} from "../protocol/messages.ts";
import { maxAmountMsat } from "../protocol/units.ts";
import { isReceiptFor, isWithinRequest } from "./bill.ts";
import { type Decision, type Environment, NO_TIMER, type Participant, type Timer } from "./environment.ts";
import { JobMap } from "./job-map.ts";
import type { BusyMeter } from "./mechanism/busy-meter.ts";
import type { GoingPrice } from "./mechanism/going-price.ts";
import { rulesOf } from "./mechanism/index.ts";
import { MarketWatch } from "./mechanism/market-watch.ts";
import type { Floor, Mechanism } from "./mechanism/mechanism.ts";
import type { ModelMarket } from "./model-market.ts";
import { Registry } from "./registry.ts";
import { attemptAt, newJob, NO_NODE, type RoutedJob } from "./routed-job.ts";
import type { RouterOptions } from "./router-options.ts";
import { Selector } from "./selection/selector.ts";
import { WaitingJobs } from "./waiting-jobs.ts";

/** Why an attempt came to nothing: the node's own word, or what the router had to conclude. */
type AttemptFailure = RefusalReason | "accept-timeout" | "job-timeout" | "node-stale" | "node-restarted";

/** Refusals that any node may have to give. Every other one goes against what the node says of itself, or is a failure. */
const FAIR_REFUSALS: ReadonlySet<RefusalReason> = new Set(["queue-full", "shutting-down", "duplicate-job", "unpaid", "payment-expired", "input-over-declared"]);

/**
 * Matches jobs to nodes and says why. A job's way through the router:
 *
 *     job ──> place ──> award ──> accept ──> result
 *               │         └── refused, timed out, or the node is gone ──> place, at another node
 *               ├── every node that could serve it is full ──> wait ──> a node has room ──> place
 *               └── no such node, too many attempts, too long a wait ──> give up
 *
 * The router knows nodes by their descriptors, their heartbeats and its own dispatches ({@link Registry}); rules exclude
 * nodes and a policy picks among the rest ({@link Selector}). It holds no funds: the client pays the node, and pays the
 * router its fee. It forgets a job when its result is in.
 */
export class Router implements Participant {
  /** What the router knows of the nodes. */
  readonly registry: Registry;
  readonly #env: Environment;
  readonly #options: RouterOptions;
  readonly #selector: Selector;
  readonly #jobs = new JobMap<RoutedJob>();
  readonly #waiting = new WaitingJobs<RoutedJob>();
  readonly #takesFee: boolean;
  /** Sets a price for all before the job comes; null where it does not. */
  readonly #going: GoingPrice | null;
  /** Finds prices job by job or in batches; null where they are there before the job comes. */
  readonly #mechanism: Mechanism | null;
  readonly #watch: MarketWatch | null;
  /** Those that want to know of every job at a node. */
  readonly #meters: readonly BusyMeter[];
  #closing = false;

  /** @throws RangeError where a setting of the policy or of the circuit breaker is out of its range. */
  constructor(env: Environment, options: RouterOptions) {
    this.#env = env;
    this.#options = options;
    this.registry = new Registry(options.circuitBreaker, options.forgetAfterUs !== undefined);
    this.#selector = new Selector(this.registry, options.policy, options.fee, options.staleAfterUs, env.random("selection"));
    this.#takesFee = options.fee.shareBps > 0 || options.fee.flatMsat > 0 || (options.fee.minMsat ?? 0) > 0;
    const floor = this.#floor();
    const { going, mechanism } = rulesOf(floor, options.pricing ?? { kind: "posted" });
    const { marketStateUs = 0 } = options;
    this.#going = going;
    this.#mechanism = mechanism;
    this.#watch = marketStateUs === 0 ? null : new MarketWatch(floor, marketStateUs, (model) => going?.prices(model) ?? null);
    this.#meters = [going?.meter, this.#watch?.meter].filter((meter) => meter !== undefined);
  }

  #floor(): Floor {
    const { queueLimit, queueWaitUs, staleAfterUs, fee } = this.#options;
    return {
      env: this.#env, registry: this.registry, selector: this.#selector, waiting: this.#waiting, fee, queueLimit, queueWaitUs, staleAfterUs,
      award: (job, market, offer, prices, terms) => this.#award(job, market, offer, prices, terms),
      enqueue: (job) => this.#enqueue(job),
      dequeue: (job) => { this.#stopWaiting(job); this.#stopTimer(job); },
      giveUp: (job, reason) => this.#giveUp(job, reason),
      fillAll: () => this.#fillAll(),
    };
  }

  /** Jobs in the router's hands: at nodes, and waiting. */
  get open(): number {
    return this.#jobs.size;
  }

  /** Jobs waiting at the router for a node. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Begins the regular sweep, and the mechanism's rounds. */
  start(): void {
    this.#going?.start();
    this.#mechanism?.start();
    this.#watch?.start();
    this.#env.after(this.#options.sweepUs, { kind: "sweep", jobId: "", attempt: 0 });
  }

  /** Takes no new jobs from now on, and gives those up that wait here; those at nodes go on. */
  shutDown(): void {
    this.#closing = true;
    this.#giveUpAll((job) => job.node < 0);
  }

  /** Gives up whatever is left: clients and nodes are told. */
  giveUpAll(): void {
    this.#closing = true;
    this.#giveUpAll(() => true);
  }

  onMessage(from: PeerId, message: Message): void {
    switch (message.type) {
      case "job": return this.#onJob(from, message);
      case "accept": return this.#onAccept(from, message);
      case "refuse": return this.#onRefuse(from, message);
      case "result": return this.#onResult(from, message);
      case "cancel": return this.#onCancel(from, message);
      case "heartbeat": return this.#onHeartbeat(from, message);
      case "descriptor": return this.#onDescriptor(from, message);
      case "quote-request": return this.#onQuoteRequest(from, message);
      case "bid": return this.#mechanism?.onBid(from, message);
      default: return;
    }
  }

  onTimer(timer: Timer): void {
    switch (timer.kind) {
      case "accept-timeout":
      case "job-timeout":
      case "queue-wait": return this.#onTimeout(timer.kind, timer.jobId, timer.attempt);
      case "cool-down": return this.#fillAll();
      case "sweep": return this.#sweep();
      case "price-interval": return this.#going?.onInterval();
      case "market-state": return this.#watch?.onInterval();
      case "mechanism": return this.#mechanism?.onTimer(timer.jobId);
      default: return;
    }
  }

  onRunner(): void {}
  onWallet(): void {}

  // A job comes in and finds its node.

  #onJob(from: PeerId, message: Job): void {
    const request = message.job;
    if (request.client !== from) {
      this.#env.send(from, { type: "error", code: "bad-message", field: "job.client", detail: "a job is posted by its own client", jobId: request.jobId });
    } else if (this.#jobs.has(request.jobId)) {
      this.#env.send(from, { type: "error", code: "duplicate-job", detail: "a job of this name is in progress", jobId: request.jobId });
    } else if (this.#closing) {
      this.#env.send(from, { type: "refuse", jobId: request.jobId, attempt: 0, reason: "shutting-down" });
    } else {
      const job = newJob(request, message.prompt);
      this.#jobs.set(request.jobId, job);
      this.#place(job);
    }
  }

  /** Finds a node for the job, or lets it wait, or gives it up. */
  #place(job: RoutedJob): void {
    const { request, attempt, tried } = job;
    if (this.#closing) return this.#giveUp(job, "shutting-down");
    const { nowUs, telemetry } = this.#env;
    const market = this.registry.market(request.model);
    if (this.#mechanism !== null) return this.#mechanism.place(job, market);
    if (this.#going !== null && attempt === 0) this.#going.asked(request);
    const chosen = this.#selector.choose(request, market, tried, nowUs);
    if (telemetry.wantsDecision(request.jobId)) telemetry.decided(this.#explained(this.#selector.explain(request, market, attempt + 1, chosen), request.model));
    if (chosen >= 0) this.#award(job, market, chosen, market.prices[chosen]!, this.#options.fee);
    else if (this.#selector.declined) this.#giveUp(job, "declined");
    else if (this.#selector.waitable > 0 && this.#options.queueLimit > 0) this.#enqueue(job);
    else this.#giveUp(job, attempt === 0 ? "no-eligible-node" : "attempts-exhausted");
  }

  #award(job: RoutedJob, market: ModelMarket, offer: number, prices: PriceSheet, fee: FeeTerms): void {
    const env = this.#env;
    const { request, prompt } = job;
    const { jobId } = request;
    const n = market.node[offer]!;
    const node = this.registry.ids[n]!;
    const attempt = ++job.attempt;
    job.node = n;
    job.accepted = false;
    this.registry.own[n] = this.registry.own[n]! + 1;
    market.lastServed = node;
    for (const meter of this.#meters) meter.change(request.model, 1, env.nowUs);
    env.telemetry.assigned(jobId, node, attempt, prices);
    const award: Award = this.#takesFee || fee.flatMsat > 0
      ? { type: "award", job: request, attempt, prices, fee, feePaymentHash: env.wallet.invoice(jobId, "fee", null).paymentHash }
      : { type: "award", job: request, attempt, prices, fee };
    if (prompt !== undefined) award.prompt = prompt;
    env.send(node, award);
    job.timer = env.after(this.#options.acceptTimeoutUs, { kind: "accept-timeout", jobId, attempt });
  }

  /** Where a price is set for all, the decision says how. */
  #explained(decision: Decision, model: string): Decision {
    return this.#going === null || decision.price === "" ? decision : { ...decision, price: `${this.#going.describe(model)}: ${decision.price}` };
  }

  #enqueue(job: RoutedJob): void {
    if (this.#waiting.size >= this.#options.queueLimit) return this.#giveUp(job, "router-queue-full");
    this.#waiting.add(job.request, job);
    this.#env.telemetry.waitingAtRouter(1);
    job.timer = this.#env.after(this.#options.queueWaitUs, { kind: "queue-wait", jobId: job.request.jobId, attempt: job.attempt });
  }

  #giveUp(job: RoutedJob, reason: RefusalReason): void {
    if (reason === "no-eligible-node" && this.#selector.tooDear > 0) this.#env.telemetry.tooDear(job.request.jobId);
    this.#jobs.delete(job.request.jobId);
    this.#env.send(job.request.client, { type: "refuse", jobId: job.request.jobId, attempt: job.attempt, reason });
  }

  #giveUpAll(which: (job: RoutedJob) => boolean): void {
    const given: RoutedJob[] = [];
    for (const [, job] of this.#jobs.entries()) if (which(job)) given.push(job);
    for (const job of given) {
      const { node, request: { jobId } } = job;
      this.#letGo(job);
      if (node >= 0) this.#env.send(this.registry.ids[node]!, { type: "cancel", jobId, reason: "shutdown" });
      this.#giveUp(job, "shutting-down");
    }
  }

  // The node answers, or does not.

  #onAccept(from: PeerId, message: Accept): void {
    const job = this.#jobAt(from, message.jobId, message.attempt);
    // A second word of acceptance buys no more time.
    if (job === undefined || job.accepted) return;
    job.accepted = true;
    this.#stopTimer(job);
    job.timer = this.#env.after(this.#options.jobTimeoutUs, { kind: "job-timeout", jobId: message.jobId, attempt: job.attempt });
  }

  #onRefuse(from: PeerId, { jobId, attempt, reason }: Refuse): void {
    const job = this.#jobAt(from, jobId, attempt);
    if (job === undefined) return;
    const n = job.node;
    if (reason === "shutting-down") this.registry.accepting[n] = 0;
    this.#attemptFailed(job, reason, !FAIR_REFUSALS.has(reason));
    this.#fill(n);
  }

  /** The first result ends the job, also where it comes from an attempt that had been given up. */
  #onResult(from: PeerId, message: Result): void {
    const job = this.#jobs.get(message.jobId);
    if (job === undefined || !isReceiptFor(job.request, from, message)) return;
    const n = job.node >= 0 && this.registry.ids[job.node] === from ? job.node : this.registry.indexOf(from);
    if (n < 0 || message.receipt.attempt !== attemptAt(job, n)) return;
    const holder = job.node;
    this.#letGo(job);
    if (holder >= 0 && holder !== n) this.#env.send(this.registry.ids[holder]!, { type: "cancel", jobId: message.jobId, reason: "superseded" });
    if (isWithinRequest(job.request, message)) {
      this.registry.recordSuccess(n);
      this.registry.market(job.request.model).recordOutputTokens(message.receipt.outputTokens);
    } else {
      this.#blame(n);
    }
    if (holder >= 0) this.#fill(holder);
    if (holder !== n) this.#fill(n);
  }

  #onTimeout(kind: "accept-timeout" | "job-timeout" | "queue-wait", jobId: JobId, attempt: number): void {
    const job = this.#jobs.get(jobId);
    if (job === undefined || job.attempt !== attempt) return;
    job.timer = NO_TIMER;
    if (kind === "queue-wait") {
      this.#stopWaiting(job);
      this.#giveUp(job, "router-wait-too-long");
    } else {
      const n = job.node;
      this.#attemptFailed(job, kind, true);
      this.#fill(n);
    }
  }

  #onCancel(from: PeerId, { jobId, reason }: Cancel): void {
    const job = this.#jobs.get(jobId);
    if (job === undefined || job.request.client !== from) return;
    const n = job.node;
    this.#letGo(job);
    if (n < 0) return;
    this.#env.send(this.registry.ids[n]!, { type: "cancel", jobId, reason });
    this.#fill(n);
  }

  /** The job, if it is at this peer in this attempt; late words of earlier attempts, and strangers' words, change nothing. */
  #jobAt(from: PeerId, jobId: JobId, attempt: number): RoutedJob | undefined {
    const job = this.#jobs.get(jobId);
    return job !== undefined && job.attempt === attempt && job.node >= 0 && this.registry.ids[job.node] === from ? job : undefined;
  }

  /** The node that has the job will not serve it: another one may, while there are attempts left. */
  #attemptFailed(job: RoutedJob, reason: AttemptFailure, nodesFault: boolean): void {
    const env = this.#env;
    const { jobId } = job.request;
    const n = job.node;
    const node = this.registry.ids[n]!;
    this.#stopTimer(job);
    this.#release(n, job.request.model);
    job.node = NO_NODE;
    job.tried.push(n);
    env.telemetry.attemptFailed(jobId, node, job.attempt, reason);
    if (reason === "accept-timeout" || reason === "job-timeout" || reason === "node-stale") {
      env.send(node, { type: "cancel", jobId, reason: "superseded" });
    }
    if (reason === "queue-full") this.registry.markFull(n);
    if (nodesFault) this.#blame(n);
    // Whom the client did not pay, it would not pay elsewhere; nor is a prompt shorter at another node.
    if (reason === "unpaid" || reason === "input-over-declared") this.#giveUp(job, reason);
    else if (job.attempt >= this.#options.attempts) this.#giveUp(job, "attempts-exhausted");
    else this.#place(job);
  }

  #blame(n: number): void {
    const { nowUs } = this.#env;
    const opened = this.registry.recordFailure(n, nowUs);
    // Jobs may wait for this very node: they are to be looked at when its circuit lets one through.
    if (opened && this.#options.queueLimit > 0) {
      this.#env.after(this.registry.breaker.openUntilUs(n) - nowUs, { kind: "cool-down", jobId: "", attempt: 0 });
    }
  }

  /** Forgets a job, wherever it is. */
  #letGo(job: RoutedJob): void {
    this.#jobs.delete(job.request.jobId);
    this.#stopTimer(job);
    if (job.node >= 0) this.#release(job.node, job.request.model);
    else if (this.#mechanism?.withdraw(job) !== true) this.#stopWaiting(job);
  }

  #stopWaiting(job: RoutedJob): void {
    this.#waiting.remove(job.request, job);
    this.#env.telemetry.waitingAtRouter(-1);
  }

  #release(n: number, model: string): void {
    const own = this.registry.own[n]! - 1;
    if (own < 0) throw new Error(`router ${this.#env.self}: node ${this.registry.ids[n]} released more jobs than it was given`);
    this.registry.own[n] = own;
    for (const meter of this.#meters) meter.change(model, -1, this.#env.nowUs);
    this.#mechanism?.released(n);
  }

  #stopTimer(job: RoutedJob): void {
    if (job.timer !== NO_TIMER) this.#env.cancel(job.timer);
    job.timer = NO_TIMER;
  }

  // Nodes come, beat, restart and fall silent.

  #onDescriptor(from: PeerId, message: Descriptor): void {
    if (message.node !== from) {
      this.#env.send(from, { type: "error", code: "bad-message", field: "node", detail: "a descriptor is sent by its own node" });
      return;
    }
    if (!this.#hasRoomFor(from)) {
      this.#env.send(from, { type: "error", code: "rate-limited", detail: "this router has as many nodes as it takes" });
      return;
    }
    const change = this.registry.register(message, this.#env.nowUs);
    if (change === "outdated") return;
    const n = this.registry.indexOf(from);
    if (change === "restarted") this.#lose(n, "node-restarted");
    this.#fill(n);
  }

  #hasRoomFor(node: PeerId): boolean {
    const { nodesMax = Infinity, staleAfterUs } = this.#options;
    if (this.registry.known < nodesMax || this.registry.indexOf(node) >= 0) return true;
    this.#forget(this.#env.nowUs - staleAfterUs);
    return this.registry.known < nodesMax;
  }

  /** Forgets nodes that have been gone since then, but for those that a job remembers to have been at. */
  #forget(beforeUs: number): void {
    const tried = new Set<number>();
    for (const [, job] of this.#jobs.entries()) for (const n of job.tried) tried.add(n);
    this.registry.forget(beforeUs, tried);
    this.#waiting.forgetModels();
    for (const meter of this.#meters) meter.forgetModels();
  }

  #onHeartbeat(from: PeerId, message: Heartbeat): void {
    const heard = this.registry.heartbeat(from, message, this.#env.nowUs);
    if (heard === "taken") this.#fill(this.registry.indexOf(from));
    else if (heard === "unknown") this.#env.send(from, { type: "error", code: "not-registered", detail: "send your descriptor first" });
  }

  #sweep(): void {
    const { nowUs } = this.#env;
    const { ids, own, lastSeenUs, size } = this.registry;
    const stale: number[] = [];
    for (let n = 0; n < size; n++) {
      if (own[n]! > 0 && nowUs - lastSeenUs[n]! > this.#options.staleAfterUs) stale.push(n);
    }
    // By id, not in the order of registration: whose jobs are placed first decides where the others' go.
    stale.sort((a, b) => (ids[a]! < ids[b]! ? -1 : 1));
    for (const n of stale) this.#lose(n, "node-stale");
    if (this.#options.forgetAfterUs !== undefined) this.#forget(nowUs - this.#options.forgetAfterUs);
    this.#fillAll();
    this.#env.after(this.#options.sweepUs, { kind: "sweep", jobId: "", attempt: 0 });
  }

  /** The node is gone: its jobs go elsewhere. However many there were, it failed once. */
  #lose(n: number, reason: AttemptFailure): void {
    if (this.registry.own[n] === 0) return;
    const lost: RoutedJob[] = [];
    for (const [, job] of this.#jobs.entries()) if (job.node === n) lost.push(job);
    lost.sort((a, b) => (a.request.jobId < b.request.jobId ? -1 : 1));
    lost.forEach((job, i) => this.#attemptFailed(job, reason, i === 0));
  }

  // No node has room while a job that it could serve waits here.

  /** Serves jobs that wait for what this node offers, for as long as it has room. */
  #fill(n: number): void {
    if (this.#waiting.size === 0 || this.#mechanism?.fill(n) === true) return;
    for (const { model } of this.registry.descriptors[n]!.offers) {
      const market = this.registry.market(model);
      this.#serveWaiting(model, market, market.indexOf(this.registry.ids[n]!));
    }
  }

  /** The same for all nodes, in the order of their ids. */
  #fillAll(): void {
    if (this.#waiting.size === 0 || this.#mechanism?.fillAll() === true) return;
    for (const model of this.#waiting.models()) {
      const market = this.registry.market(model);
      for (let offer = 0; offer < market.count; offer++) this.#serveWaiting(model, market, offer);
    }
  }

  /** Highest priority first, then the oldest. The node has room, but the policy may still prefer another one. */
  #serveWaiting(model: string, market: ModelMarket, offer: number): void {
    const n = market.node[offer]!;
    if (!this.registry.hasRoom(n)) return;
    const { nowUs } = this.#env;
    this.#waiting.walk(
      model,
      (job) => {
        if (!this.registry.hasRoom(n)) return "stop";
        return this.#selector.fits(job.request, market, offer, job.tried, nowUs) ? "take" : "skip";
      },
      (job) => {
        this.#env.telemetry.waitingAtRouter(-1);
        this.#stopTimer(job);
        this.#place(job);
      },
    );
  }

  // What would it cost?

  /** Answers with the node that the policy would choose now. Nothing is set aside for it. */
  #onQuoteRequest(from: PeerId, { job: request }: QuoteRequest): void {
    const market = this.registry.market(request.model);
    const chosen = this.#selector.choose(request, market, [], this.#env.nowUs);
    if (chosen < 0) {
      this.#env.send(from, { type: "refuse", jobId: request.jobId, attempt: 0, reason: "no-eligible-node" });
      return;
    }
    // Where the price is yet to be found, the quote is what the node asks.
    const prices = this.#mechanism === null ? market.prices[chosen]! : market.offers[chosen]!.prices;
    const { fee } = this.#options;
    this.#env.send(from, {
      type: "quote",
      jobId: request.jobId,
      node: this.registry.ids[market.node[chosen]!]!,
      prices,
      fee,
      maxAmountMsat: maxAmountMsat(prices, fee, request.inputTokens, request.maxOutputTokens),
      validForUs: this.#options.quoteValidUs,
    });
  }
}
