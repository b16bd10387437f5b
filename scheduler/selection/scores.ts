import type { JobRequest } from "../../protocol/messages.ts";
import type { ScorePart } from "../environment.ts";
import type { ModelMarket } from "../model-market.ts";
import type { Registry } from "../registry.ts";

/** How much each part of a weighted score counts; each non-negative, not all zero. */
export interface ScoreWeights {
  readonly price: number;
  readonly latency: number;
  readonly load: number;
  readonly reliability: number;
}

/** Gives an offer a number, higher is better, and can take it apart again. */
export interface Scorer {
  /** The job and the offers that all questions are about until the next call. */
  begin(job: JobRequest, market: ModelMarket): void;
  /** @param amountMsat the most the job can cost there, msat. */
  score(offer: number, amountMsat: number): number;
  /** The same for many: fills `scores` for the first `count` candidates, without a call for each. */
  scoreAll(candidates: Int32Array, amountsMsat: Float64Array, count: number, scores: Float64Array): void;
  /** Parts whose contributions, added in this order, are exactly `score`. */
  parts(offer: number, amountMsat: number): ScorePart[];
}

/** Cheapest first: the score is what the job can cost at most, negated. Unit: msat. */
export class PriceScorer implements Scorer {
  begin(): void {}
  score(_offer: number, amountMsat: number): number {
    return 0 - amountMsat;
  }
  scoreAll(_candidates: Int32Array, amountsMsat: Float64Array, count: number, scores: Float64Array): void {
    for (let i = 0; i < count; i++) scores[i] = 0 - amountsMsat[i]!;
  }
  parts(_offer: number, amountMsat: number): ScorePart[] {
    return [{ name: "price", value: amountMsat, unit: "msat", contribution: 0 - amountMsat }];
  }
}

/** Fewest jobs per slot first, counting the router's own dispatches and what the last heartbeat told of others'. */
export class LoadScorer implements Scorer {
  readonly #registry: Registry;
  #market!: ModelMarket;

  constructor(registry: Registry) {
    this.#registry = registry;
  }
  begin(_job: JobRequest, market: ModelMarket): void {
    this.#market = market;
  }
  score(offer: number): number {
    const n = this.#market.node[offer]!;
    return (0 - this.#registry.own[n]! - this.#registry.others[n]!) / this.#registry.slots[n]!;
  }
  scoreAll(candidates: Int32Array, _amountsMsat: Float64Array, count: number, scores: Float64Array): void {
    const { own, others, slots } = this.#registry;
    const { node } = this.#market;
    for (let i = 0; i < count; i++) {
      const n = node[candidates[i]!]!;
      scores[i] = (0 - own[n]! - others[n]!) / slots[n]!;
    }
  }
  parts(offer: number): ScorePart[] {
    const contribution = this.score(offer);
    return [{ name: "load", value: 0 - contribution, unit: "jobs/slot", contribution }];
  }
}

/**
 * A weighted sum of parts that each lie in [0, 1] and are normalised by figures of the job itself, never by the other
 * candidates, so that one node's offer cannot change another's score:
 * - price: 1 - amount / client's maximum;
 * - latency: goal / (goal + expected time), the expected time being the wait for a slot plus prefill plus decoding at
 *   the advertised speeds; the goal is the job's end-to-end goal, else its patience;
 * - load: slots / (slots + jobs there);
 * - reliability: smoothed share of dispatches that ended well.
 */
export class WeightedScorer implements Scorer {
  readonly #registry: Registry;
  readonly #weights: ScoreWeights;
  #market!: ModelMarket;
  #maxPriceMsat = 1;
  #goalUs = 1;
  #inputUs = 0;
  #outputUs = 0;

  /** @throws RangeError where a weight is negative or not finite, or all are zero. */
  constructor(registry: Registry, weights: ScoreWeights) {
    const all = [weights.price, weights.latency, weights.load, weights.reliability];
    if (all.some((weight) => !(weight >= 0 && weight < Infinity)) || all.every((weight) => weight === 0)) {
      throw new RangeError("score weights must be finite, not negative, and not all zero");
    }
    this.#registry = registry;
    this.#weights = weights;
  }

  begin(job: JobRequest, market: ModelMarket): void {
    this.#market = market;
    this.#maxPriceMsat = Math.max(1, job.maxPriceMsat);
    this.#goalUs = Math.max(1, job.latencyGoal.endToEndUs ?? job.patienceUs);
    const outputTokens = market.meanOutputTokens === 0 ? job.maxOutputTokens : Math.min(job.maxOutputTokens, market.meanOutputTokens);
    this.#inputUs = job.inputTokens * 1e6;
    this.#outputUs = outputTokens * 1e6;
  }

  score(offer: number, amountMsat: number): number {
    const n = this.#market.node[offer]!;
    const load = this.#registry.own[n]! + this.#registry.others[n]!;
    const weights = this.#weights;
    return weights.price * (1 - amountMsat / this.#maxPriceMsat)
      + weights.latency * (this.#goalUs / (this.#goalUs + this.#expectedUs(offer, n, load)))
      + weights.load * (this.#registry.slots[n]! / (this.#registry.slots[n]! + load))
      + weights.reliability * this.#registry.reliability[n]!;
  }

  scoreAll(candidates: Int32Array, amountsMsat: Float64Array, count: number, scores: Float64Array): void {
    const { own, others, slots, reliability } = this.#registry;
    const { node, prefillSPerToken, decodeSPerToken } = this.#market;
    const weights = this.#weights;
    const maxPriceMsat = this.#maxPriceMsat;
    const goalUs = this.#goalUs;
    const inputUs = this.#inputUs;
    const outputUs = this.#outputUs;
    for (let i = 0; i < count; i++) {
      const offer = candidates[i]!;
      const n = node[offer]!;
      const load = own[n]! + others[n]!;
      const nodeSlots = slots[n]!;
      const serviceUs = inputUs * prefillSPerToken[offer]! + outputUs * decodeSPerToken[offer]!;
      const ahead = load - nodeSlots + 1;
      const expectedUs = ahead > 0 ? serviceUs * (1 + ahead / nodeSlots) : serviceUs;
      // The same operations in the same order as in `score`, or a decision could not be explained to the last bit.
      scores[i] = weights.price * (1 - amountsMsat[i]! / maxPriceMsat)
        + weights.latency * (goalUs / (goalUs + expectedUs))
        + weights.load * (nodeSlots / (nodeSlots + load))
        + weights.reliability * reliability[n]!;
    }
  }

  parts(offer: number, amountMsat: number): ScorePart[] {
    const n = this.#market.node[offer]!;
    const load = this.#registry.own[n]! + this.#registry.others[n]!;
    const expectedUs = this.#expectedUs(offer, n, load);
    const slots = this.#registry.slots[n]!;
    const weights = this.#weights;
    return [
      { name: "price", value: amountMsat, unit: "msat", contribution: weights.price * (1 - amountMsat / this.#maxPriceMsat) },
      { name: "latency", value: expectedUs, unit: "us", contribution: weights.latency * (this.#goalUs / (this.#goalUs + expectedUs)) },
      { name: "load", value: load / slots, unit: "jobs/slot", contribution: weights.load * (slots / (slots + load)) },
      { name: "reliability", value: this.#registry.reliability[n]!, unit: "share", contribution: weights.reliability * this.#registry.reliability[n]! },
    ];
  }

  /** Wait for a slot, prefill and decoding, µs, as far as the router can tell. */
  #expectedUs(offer: number, n: number, load: number): number {
    const serviceUs = this.#inputUs * this.#market.prefillSPerToken[offer]! + this.#outputUs * this.#market.decodeSPerToken[offer]!;
    const slots = this.#registry.slots[n]!;
    const ahead = load - slots + 1;
    return ahead > 0 ? serviceUs * (1 + ahead / slots) : serviceUs;
  }
}
