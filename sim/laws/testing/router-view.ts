import type { Descriptor, JobRequest, PeerId, PriceSheet } from "../../../protocol/messages.ts";
import type { ExclusionRule } from "../../../scheduler/environment.ts";
import type { Scenario } from "../../scenario/scenario.ts";
import type { Seen } from "./play.ts";

/** What a router can know of a node: what the node told it, and what it did itself. */
export interface KnownNode {
  descriptor: Descriptor;
  lastSeenUs: number;
  accepting: boolean;
  /** Jobs of this router there. */
  readonly own: Set<string>;
  /** Jobs of others there, by the last heartbeat. */
  others: number;
  failures: number;
  coolDownUs: number;
  openUntilUs: number;
}

export interface KnownJob {
  readonly request: JobRequest;
  /** "" while it waits. */
  node: PeerId;
  attempt: number;
  readonly tried: Set<PeerId>;
  /** Since when it waits at the router, µs; meaningless while it is at a node. */
  waitingSinceUs: number;
}

/**
 * A second opinion on what a router knows: built from the messages delivered to it and sent by it alone, with plain maps
 * and exact integers, and nothing of the router's own code.
 */
export class RouterView {
  readonly peer: number;
  readonly nodes = new Map<PeerId, KnownNode>();
  readonly jobs = new Map<string, KnownJob>();
  readonly #scenario: Scenario;
  #lastLoss = "";

  constructor(scenario: Scenario, peer: number) {
    this.#scenario = scenario;
    this.peer = peer;
  }

  /** Takes in one thing that was seen, if it concerns this router. */
  see(seen: Seen): void {
    if (seen.kind === "attempt-failed") return this.#attemptFailed(seen);
    if ((seen.kind !== "deliver" && seen.kind !== "send") || seen.peer !== this.peer) return;
    const { atUs, message } = seen;
    if (seen.kind === "send") {
      if (message.type === "award") {
        const job = this.jobs.get(message.job.jobId)!;
        job.node = seen.to;
        job.attempt = message.attempt;
        this.nodes.get(seen.to)!.own.add(message.job.jobId);
      } else if (message.type === "refuse") this.jobs.delete(message.jobId);
      return;
    }
    switch (message.type) {
      case "job": {
        const { job } = message;
        if (!this.jobs.has(job.jobId) && job.client === seen.from) this.jobs.set(job.jobId, { request: job, node: "", attempt: 0, tried: new Set(), waitingSinceUs: atUs });
        return;
      }
      case "cancel": return this.#remove(message.jobId);
      case "refuse": {
        const job = this.jobs.get(message.jobId);
        if (message.reason === "shutting-down" && job?.node === seen.from && job.attempt === message.attempt) this.nodes.get(seen.from)!.accepting = false;
        return;
      }
      case "result": {
        const job = this.jobs.get(message.jobId);
        const node = this.nodes.get(seen.from);
        if (job === undefined || node === undefined || (job.node !== seen.from && !job.tried.has(seen.from))) return;
        this.#remove(message.jobId);
        node.failures = node.coolDownUs = node.openUntilUs = 0;
        return;
      }
      case "descriptor": {
        const known = this.nodes.get(seen.from);
        if (known === undefined) {
          this.nodes.set(seen.from, { descriptor: message, lastSeenUs: atUs, accepting: true, own: new Set(), others: 0, failures: 0, coolDownUs: 0, openUntilUs: 0 });
        } else if (message.incarnation >= known.descriptor.incarnation) {
          if (message.incarnation > known.descriptor.incarnation) {
            known.others = 0;
            known.accepting = true;
          }
          known.descriptor = message;
          known.lastSeenUs = atUs;
        }
        return;
      }
      case "heartbeat": {
        const known = this.nodes.get(seen.from);
        if (known === undefined || known.descriptor.incarnation !== message.incarnation) return;
        known.lastSeenUs = atUs;
        known.accepting = message.accepting;
        known.others = Math.max(0, message.running + message.waiting - known.own.size);
      }
    }
  }

  /** Every rule that speaks against giving the job to the node now. */
  objections(request: JobRequest, tried: ReadonlySet<PeerId>, id: PeerId, nowUs: number): ExclusionRule[] {
    const known = this.nodes.get(id);
    if (known === undefined) return ["unregistered"];
    const { descriptor } = known;
    const offer = descriptor.offers.find(({ model }) => model === request.model);
    if (offer === undefined) return ["no-model"];
    const rules: ExclusionRule[] = [];
    if (descriptor.stakeMsat < request.minStakeMsat) rules.push("under-staked");
    if (request.allowedRegions !== undefined && !request.allowedRegions.includes(descriptor.region)) rules.push("wrong-region");
    if (request.privacy === "attested" && !descriptor.attested) rules.push("not-attested");
    if (request.inputTokens + request.maxOutputTokens > offer.contextTokensMax) rules.push("context-too-short");
    const paid = this.#paidAt(offer.prices);
    if (paid !== null && this.#mostMsat(request, paid) > BigInt(request.maxPriceMsat)) rules.push("too-dear");
    const { pricing } = this.#scenario;
    if (pricing.kind === "network" && [0, request.maxOutputTokens].some((output) => worthOf(pricing.prices, request.inputTokens, output) < worthOf(offer.prices, request.inputTokens, output))) rules.push("asks-more");
    if (tried.has(id)) rules.push("already-tried");
    if (nowUs - known.lastSeenUs > this.#scenario.router.staleAfterUs) rules.push("stale");
    if (!known.accepting) rules.push("not-accepting");
    if (known.coolDownUs > 0 && (nowUs < known.openUntilUs || known.own.size > 0)) rules.push("circuit-open");
    if (known.own.size + known.others >= descriptor.slots + descriptor.queueLimit) rules.push("full");
    return rules;
  }

  /** The most the job can cost there, fee included, msat. */
  mostMsat(request: JobRequest, id: PeerId): bigint {
    return this.#mostMsat(request, this.nodes.get(id)!.descriptor.offers.find(({ model }) => model === request.model)!.prices);
  }

  #mostMsat(request: JobRequest, prices: PriceSheet): bigint {
    const amount = amountOf(prices, request.inputTokens, request.maxOutputTokens);
    return amount + feeOf(this.#scenario.router.fee, amount);
  }

  /** Whether prices move in a way that messages do not tell, so that no second opinion on them is possible. */
  get pricesUnseen(): boolean {
    return this.#scenario.pricing.kind === "surge" || this.#scenario.pricing.kind === "base-fee" || this.#scenario.pricing.kind === "custom";
  }

  /** What an award would pay as far as is known beforehand: where bids or a batch decide, anything from nothing on. */
  #paidAt(ask: PriceSheet): PriceSheet | null {
    const { pricing } = this.#scenario;
    switch (pricing.kind) {
      case "posted":
      case "continuous": return ask;
      case "network": return pricing.prices;
      case "surge":
      case "base-fee":
      case "custom": return null;
      case "call-for-bids":
      case "uniform-price":
      case "call-market": return { inputMsatPerMtok: 0, outputMsatPerMtok: 0, fixedMsat: 0 };
    }
  }

  /** Slots of the node that are free, as far as the router knows. */
  freeSlots(id: PeerId): number {
    const { descriptor, own, others } = this.nodes.get(id)!;
    return descriptor.slots - own.size - others;
  }

  #attemptFailed({ jobId, node, attempt, reason, atUs }: Extract<Seen, { kind: "attempt-failed" }>): void {
    const job = this.jobs.get(jobId);
    if (job === undefined || job.node !== node || job.attempt !== attempt) return;
    const known = this.nodes.get(node)!;
    known.own.delete(jobId);
    job.node = "";
    job.tried.add(node);
    job.waitingSinceUs = atUs;
    const loss = `${node} ${reason} ${atUs}`;
    // Where a node is lost with several jobs, that is one failure.
    const another = (reason === "node-stale" || reason === "node-restarted") && loss === this.#lastLoss;
    this.#lastLoss = loss;
    if (!another && !["queue-full", "shutting-down", "duplicate-job"].includes(reason)) this.#trip(known, atUs);
    if (reason === "queue-full") known.others = Math.max(known.others, known.descriptor.slots + known.descriptor.queueLimit - known.own.size);
  }

  /** A circuit breaker: opens at so many failures in a row, again for longer at a failure after the cool-down. */
  #trip(known: KnownNode, nowUs: number): void {
    const { failures, coolDownUs, growth, maxCoolDownUs } = this.#scenario.router.circuitBreaker;
    if (known.coolDownUs === 0 ? ++known.failures < failures : nowUs < known.openUntilUs) return;
    known.coolDownUs = known.coolDownUs === 0 ? coolDownUs : Math.min(maxCoolDownUs, Math.round(known.coolDownUs * growth));
    known.openUntilUs = nowUs + known.coolDownUs;
  }

  #remove(jobId: string): void {
    const job = this.jobs.get(jobId);
    if (job === undefined) return;
    if (job.node !== "") this.nodes.get(job.node)!.own.delete(jobId);
    this.jobs.delete(jobId);
  }
}

/** Amounts in exact integers. Division of BigInts rounds down. */
export function amountOf(prices: { readonly inputMsatPerMtok: number; readonly outputMsatPerMtok: number; readonly fixedMsat: number }, inputTokens: number, outputTokens: number): bigint {
  return (BigInt(inputTokens) * BigInt(prices.inputMsatPerMtok) + BigInt(outputTokens) * BigInt(prices.outputMsatPerMtok)) / 1_000_000n + BigInt(prices.fixedMsat);
}

/** What so many tokens come to, in millionths of an msat, before it is rounded. */
export function worthOf(prices: PriceSheet, inputTokens: number, outputTokens: number): bigint {
  return BigInt(inputTokens) * BigInt(prices.inputMsatPerMtok) + BigInt(outputTokens) * BigInt(prices.outputMsatPerMtok) + 1_000_000n * BigInt(prices.fixedMsat);
}

export function feeOf(fee: { readonly shareBps: number; readonly flatMsat: number }, amountMsat: bigint): bigint {
  return (amountMsat * BigInt(fee.shareBps)) / 10_000n + BigInt(fee.flatMsat);
}
