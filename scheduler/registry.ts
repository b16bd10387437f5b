import type { Descriptor, Heartbeat, PeerId } from "../protocol/messages.ts";
import { CircuitBreaker, type CircuitBreakerOptions } from "./circuit-breaker.ts";
import { hashString } from "./hash.ts";
import { ModelMarket } from "./model-market.ts";

/**
 * What a router knows of the nodes: their descriptors, their heartbeats, and its own dispatches; never the truth.
 *
 * Node state is kept in flat arrays indexed by a small integer that a node keeps for life (its registration order),
 * and offers in one {@link ModelMarket} per model, so that a decision over thousands of nodes is a loop over typed arrays.
 */
export class Registry {
  readonly ids: PeerId[] = [];
  readonly descriptors: Descriptor[] = [];
  readonly breaker: CircuitBreaker;
  /** Time of the last sign of life, µs. */
  lastSeenUs = new Float64Array(64);
  /** Jobs that this router has dispatched to the node and that have not ended. */
  own = new Int32Array(64);
  /** Jobs of others, as far as the last heartbeat tells. */
  others = new Int32Array(64);
  slots = new Int32Array(64);
  /** Jobs the node can hold, running and waiting together. */
  capacity = new Float64Array(64);
  accepting = new Uint8Array(64);
  banned = new Uint8Array(64);
  stakeMsat = new Float64Array(64);
  regionIndex = new Int32Array(64);
  attested = new Uint8Array(64);
  /** Smoothed share of dispatches that ended with a result; starts at 1. */
  reliability = new Float64Array(64);
  /** Hash of the node's id, for ties. */
  salt = new Uint32Array(64);
  readonly #indexes = new Map<PeerId, number>();
  readonly #markets = new Map<string, ModelMarket>();
  readonly #regions = new Map<string, number>();

  constructor(breaker: CircuitBreakerOptions) {
    this.breaker = new CircuitBreaker(breaker);
  }

  get size(): number {
    return this.ids.length;
  }

  indexOf(id: PeerId): number {
    return this.#indexes.get(id) ?? -1;
  }

  market(model: string): ModelMarket | undefined {
    return this.#markets.get(model);
  }

  /** Small integer for a region's name, for comparisons in loops. */
  region(name: string): number {
    let index = this.#regions.get(name);
    if (index === undefined) {
      index = this.#regions.size;
      this.#regions.set(name, index);
    }
    return index;
  }

  /**
   * Takes a node in, or replaces what is known of it.
   * @returns whether the node is new, was updated, has restarted (a higher incarnation: all it had is lost), or
   * whether the descriptor is an old one, which changes nothing.
   */
  register(descriptor: Descriptor, nowUs: number): "new" | "updated" | "restarted" | "outdated" {
    let n = this.indexOf(descriptor.node);
    const before = n < 0 ? undefined : this.descriptors[n];
    if (before !== undefined && descriptor.incarnation < before.incarnation) return "outdated";
    if (n < 0) {
      n = this.ids.length;
      if (n === this.own.length) this.#grow();
      this.ids.push(descriptor.node);
      this.#indexes.set(descriptor.node, n);
      this.salt[n] = hashString(descriptor.node);
      this.reliability[n] = 1;
      this.breaker.add();
    } else if (before !== undefined) {
      for (const offer of before.offers) this.#markets.get(offer.model)?.remove(descriptor.node);
    }
    this.descriptors[n] = descriptor;
    this.lastSeenUs[n] = nowUs;
    this.slots[n] = descriptor.slots;
    this.capacity[n] = descriptor.slots + descriptor.queueLimit;
    this.accepting[n] = 1;
    this.stakeMsat[n] = descriptor.stakeMsat;
    this.regionIndex[n] = this.region(descriptor.region);
    this.attested[n] = descriptor.attested ? 1 : 0;
    for (const offer of descriptor.offers) {
      let market = this.#markets.get(offer.model);
      if (market === undefined) this.#markets.set(offer.model, (market = new ModelMarket()));
      market.insert(descriptor.node, n, offer);
    }
    if (before === undefined) return "new";
    if (descriptor.incarnation === before.incarnation) return "updated";
    this.others[n] = 0;
    return "restarted";
  }

  /** @returns false where the node is not registered in this incarnation, and the heartbeat is worth nothing. */
  heartbeat(node: PeerId, heartbeat: Heartbeat, nowUs: number): boolean {
    const n = this.indexOf(node);
    if (n < 0 || this.descriptors[n]!.incarnation !== heartbeat.incarnation) return false;
    this.lastSeenUs[n] = nowUs;
    this.accepting[n] = heartbeat.accepting ? 1 : 0;
    this.others[n] = Math.max(0, heartbeat.running + heartbeat.waiting - this.own[n]!);
    return true;
  }

  /** The node said that it is full: believe it until it says otherwise. */
  markFull(n: number): void {
    this.others[n] = Math.max(this.others[n]!, Math.min(2 ** 30, this.capacity[n]! - this.own[n]!));
  }

  /** Weight of the newest outcome in the smoothed reliability. */
  static readonly reliabilityWeight = 0.05;

  recordOutcome(n: number, succeeded: boolean, nowUs: number): void {
    this.reliability[n] = this.reliability[n]! + Registry.reliabilityWeight * ((succeeded ? 1 : 0) - this.reliability[n]!);
    if (succeeded) this.breaker.success(n);
    else this.breaker.failure(n, nowUs);
  }

  #grow(): void {
    const length = this.own.length * 2;
    const float = (old: Float64Array<ArrayBuffer>) => { const a = new Float64Array(length); a.set(old); return a; };
    const int = (old: Int32Array<ArrayBuffer>) => { const a = new Int32Array(length); a.set(old); return a; };
    const byte = (old: Uint8Array<ArrayBuffer>) => { const a = new Uint8Array(length); a.set(old); return a; };
    this.lastSeenUs = float(this.lastSeenUs);
    this.capacity = float(this.capacity);
    this.stakeMsat = float(this.stakeMsat);
    this.reliability = float(this.reliability);
    this.own = int(this.own);
    this.others = int(this.others);
    this.slots = int(this.slots);
    this.regionIndex = int(this.regionIndex);
    this.accepting = byte(this.accepting);
    this.banned = byte(this.banned);
    this.attested = byte(this.attested);
    const salt = new Uint32Array(length);
    salt.set(this.salt);
    this.salt = salt;
  }
}
