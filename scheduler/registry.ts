import type { Descriptor, Heartbeat, PeerId, Utilisation } from "../protocol/messages.ts";
import { CircuitBreaker, type CircuitBreakerOptions } from "./circuit-breaker.ts";
import { hashString } from "./hash.ts";
import { ModelMarket } from "./model-market.ts";

/** Loads are kept as 32-bit integers; what a node claims beyond that counts as this. */
const LOAD_MAX = 2 ** 31 - 1;
/** Weight of the newest outcome in a node's smoothed reliability. */
const RELIABILITY_WEIGHT = 0.05;

/**
 * What a router knows of the nodes: their descriptors, their heartbeats, and its own dispatches; never the truth.
 *
 * Node state is kept in flat arrays indexed by a small integer that a node keeps for life (its registration order),
 * and offers in one {@link ModelMarket} per model, so that a decision over thousands of nodes is a loop over typed arrays.
 * A node that is forgotten ({@link forget}) leaves its index to one that comes later.
 */
export class Registry {
  /** Nodes' ids by index; "" where the node was forgotten. */
  readonly ids: PeerId[] = [];
  /** The newest descriptor of each node. */
  readonly descriptors: Descriptor[] = [];
  /** One circuit breaker per node. */
  readonly breaker: CircuitBreaker;
  /** Time of the last sign of life, µs. */
  lastSeenUs = new Float64Array(64);
  /** Jobs that this router has dispatched to the node and that have not ended. */
  own = new Int32Array(64);
  /** Jobs of others, as far as the last heartbeat tells. */
  others = new Int32Array(64);
  /** Jobs the node runs at once. */
  slots = new Int32Array(64);
  /** Jobs the node can hold, running and waiting together. */
  capacity = new Float64Array(64);
  /** 1 where the node takes new jobs, as far as its last word tells. */
  accepting = new Uint8Array(64);
  /** 1 where the router's operator wants nothing to do with the node. */
  banned = new Uint8Array(64);
  /** msat. */
  stakeMsat = new Float64Array(64);
  /** Where the node is, as {@link region} numbers it. */
  regionIndex = new Int32Array(64);
  /** 1 where hardware and software are attested. */
  attested = new Uint8Array(64);
  /** Smoothed share of dispatches that ended with a result; starts at 1. */
  reliability = new Float64Array(64);
  /** Hash of the node's id, for ties. */
  salt = new Uint32Array(64);
  /** How busy the node's machine is, by its last heartbeat; undefined where it does not say. No rule or policy looks at it. */
  readonly utilisation: (Utilisation | undefined)[] = [];
  /** Number of the last heartbeat of the present incarnation; -1 before the first. */
  #sequence = new Float64Array(64);
  readonly #indexes = new Map<PeerId, number>();
  readonly #markets = new Map<string, ModelMarket>();
  readonly #regions = new Map<string, number>();
  #nextRegion = 0;
  /** Indexes of nodes that were forgotten. */
  readonly #free: number[] = [];
  readonly #forgetsModels: boolean;
  /** What those find who ask for a model that nobody has ever offered. */
  readonly #noOffers = new ModelMarket();
  /** Told of every model that comes up for the first time, before its first offer is in. */
  onNewMarket: ((model: string, market: ModelMarket) => void) | null = null;
  /** What was asked for last, most likely to be asked for again. */
  #lastModel = "";
  #lastMarket = this.#noOffers;

  /**
   * @param forgetsModels models that nobody offers any more are forgotten, with the length of their outputs.
   * @throws RangeError where the breaker's options are out of range.
   */
  constructor(breaker: CircuitBreakerOptions, forgetsModels = false) {
    this.breaker = new CircuitBreaker(breaker);
    this.#forgetsModels = forgetsModels;
  }

  /** Indexes that have been given to nodes. */
  get size(): number {
    return this.ids.length;
  }

  /** Nodes that have registered and were not forgotten. */
  get known(): number {
    return this.#indexes.size;
  }

  /** The node's index, or -1 where it is not registered. */
  indexOf(id: PeerId): number {
    return this.#indexes.get(id) ?? -1;
  }

  /** All offers for this model; empty where nobody has any. */
  market(model: string): ModelMarket {
    if (model === this.#lastModel) return this.#lastMarket;
    const market = this.#markets.get(model);
    if (market === undefined) return this.#noOffers;
    this.#lastModel = model;
    return (this.#lastMarket = market);
  }

  /** Models that have ever been offered and were not forgotten, in the order of their names. */
  models(): string[] {
    return [...this.#markets.keys()].sort();
  }

  /** Small integer for a region's name, for comparisons in loops; -1 where no node has ever been. */
  region(name: string): number {
    return this.#regions.get(name) ?? -1;
  }

  /** Whether the node could hold one more job, as far as the router can tell. */
  hasRoom(n: number): boolean {
    return this.own[n]! + this.others[n]! < this.capacity[n]!;
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
    if (n < 0) n = this.#add(descriptor.node);
    const change = before === undefined ? "new" : descriptor.incarnation === before.incarnation ? "updated" : "restarted";
    if (change !== "updated") {
      this.accepting[n] = 1;
      this.others[n] = 0;
      this.utilisation[n] = undefined;
      this.#sequence[n] = -1;
    }
    this.descriptors[n] = descriptor;
    this.lastSeenUs[n] = nowUs;
    this.slots[n] = descriptor.slots;
    this.capacity[n] = descriptor.slots + descriptor.queueLimit;
    this.stakeMsat[n] = descriptor.stakeMsat;
    this.regionIndex[n] = this.#regionNumber(descriptor.region);
    this.attested[n] = descriptor.attested ? 1 : 0;
    if (before !== undefined) for (const offer of before.offers) this.market(offer.model).remove(descriptor.node);
    for (const offer of descriptor.offers) {
      let market = this.#markets.get(offer.model);
      if (market === undefined) {
        this.#markets.set(offer.model, (market = new ModelMarket()));
        this.onNewMarket?.(offer.model, market);
      }
      market.insert(descriptor.node, n, offer);
    }
    if (this.#forgetsModels && before !== undefined) this.#forgetModels(before);
    return change;
  }

  /**
   * Forgets nodes, with what was learned of them, that have not been heard of since this time and have none of this router's
   * jobs; but for those that its operator wants nothing to do with. @param keep indexes that somebody goes by.
   */
  forget(beforeUs: number, keep: ReadonlySet<number>): void {
    const regions = new Set<number>();
    for (const [id, n] of this.#indexes) {
      if (this.lastSeenUs[n]! >= beforeUs || this.own[n]! > 0 || this.banned[n] !== 0 || keep.has(n)) {
        regions.add(this.regionIndex[n]!);
        continue;
      }
      const descriptor = this.descriptors[n]!;
      for (const { model } of descriptor.offers) this.market(model).remove(id);
      if (this.#forgetsModels) this.#forgetModels(descriptor);
      this.#indexes.delete(id);
      this.#free.push(n);
      this.ids[n] = "";
      this.descriptors[n] = { ...descriptor, node: "", offers: [] };
      this.utilisation[n] = undefined;
    }
    for (const [name, index] of this.#regions) if (!regions.has(index)) this.#regions.delete(name);
  }

  #forgetModels({ offers }: Descriptor): void {
    for (const { model } of offers) if (this.#markets.get(model)?.count === 0) this.#markets.delete(model);
    this.#lastModel = "";
    this.#lastMarket = this.#noOffers;
  }

  /**
   * Takes a sign of life and what it says of the node's load.
   * @returns "unknown" where the node is not registered in this incarnation, "outdated" where a later heartbeat came
   * before: neither changes anything.
   */
  heartbeat(node: PeerId, heartbeat: Heartbeat, nowUs: number): "taken" | "unknown" | "outdated" {
    const n = this.indexOf(node);
    if (n < 0 || this.descriptors[n]!.incarnation !== heartbeat.incarnation) return "unknown";
    if (heartbeat.sequence <= this.#sequence[n]!) return "outdated";
    this.#sequence[n] = heartbeat.sequence;
    this.lastSeenUs[n] = nowUs;
    this.accepting[n] = heartbeat.accepting ? 1 : 0;
    this.others[n] = Math.min(LOAD_MAX, Math.max(0, heartbeat.running + heartbeat.waiting - this.own[n]!));
    this.utilisation[n] = heartbeat.utilisation;
    return "taken";
  }

  /** The node said that it is full: believe it until its next heartbeat. */
  markFull(n: number): void {
    this.others[n] = Math.min(LOAD_MAX, Math.max(this.others[n]!, this.capacity[n]! - this.own[n]!));
  }

  /** A dispatch ended with a result. */
  recordSuccess(n: number): void {
    this.reliability[n] = this.reliability[n]! + RELIABILITY_WEIGHT * (1 - this.reliability[n]!);
    this.breaker.success(n);
  }

  /**
   * A dispatch came to nothing through the node's fault.
   * @returns whether this opened the node's circuit.
   */
  recordFailure(n: number, nowUs: number): boolean {
    this.reliability[n] = this.reliability[n]! * (1 - RELIABILITY_WEIGHT);
    return this.breaker.failure(n, nowUs);
  }

  #add(id: PeerId): number {
    const n = this.#free.pop() ?? this.ids.length;
    if (n === this.own.length) this.#grow();
    if (n === this.ids.length) this.breaker.add();
    else this.breaker.success(n);
    this.ids[n] = id;
    this.#indexes.set(id, n);
    this.salt[n] = hashString(id);
    this.reliability[n] = 1;
    return n;
  }

  /** Regions are numbered as nodes bring them up: a client that names others leaves nothing behind. */
  #regionNumber(name: string): number {
    let index = this.#regions.get(name);
    if (index === undefined) this.#regions.set(name, (index = this.#nextRegion++));
    return index;
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
    this.#sequence = float(this.#sequence);
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
