import type { ModelOffer, PeerId, PriceSheet } from "../protocol/messages.ts";
import { coversJob, paysAtLeast, type PriceRule, postedPrice } from "./pricing/posted.ts";

/**
 * All offers for one model, as flat arrays in the order of the nodes' ids: whatever order nodes registered in, a loop
 * or a random draw over the offers sees the same sequence.
 */
export class ModelMarket {
  /** Offers; the columns may be longer. */
  count = 0;
  /** The registry's index of the offering node. */
  node = new Int32Array(16);
  /** Price of a million input tokens, msat: what an award pays, which the market's rule makes of what the node asks. */
  inputMsatPerMtok = new Float64Array(16);
  /** Price of a million output tokens, msat. */
  outputMsatPerMtok = new Float64Array(16);
  /** Price of a job beside its tokens, msat; Infinity where the node does not serve every job at the going price. */
  fixedMsat = new Float64Array(16);
  /** Longest context that one job may use, tokens. */
  contextTokensMax = new Float64Array(16);
  /** Seconds per token, as advertised: reciprocals spare a division per candidate. */
  prefillSPerToken = new Float64Array(16);
  /** As `prefillSPerToken`, for output tokens. */
  decodeSPerToken = new Float64Array(16);
  /** Smoothed output length of this model's jobs as seen in receipts, tokens; 0 until the first. */
  meanOutputTokens = 0;
  /** The node that was given the last job for this model: where a round begins. "" before the first. */
  lastServed: PeerId = "";
  /** The offers as they were made. */
  readonly offers: ModelOffer[] = [];
  /** What an award pays at each offer; null where the node serves no job at the going price. */
  readonly prices: (PriceSheet | null)[] = [];
  #rule: PriceRule = postedPrice;
  #asksCount = false;
  readonly #ids: PeerId[] = [];

  /** Takes in the node's offer, in place of an earlier one. `node` is its index in the registry. */
  insert(id: PeerId, node: number, offer: ModelOffer): void {
    const at = this.#position(id);
    if (this.#ids[at] === id) this.#removeAt(at);
    if (this.count === this.node.length) this.#grow();
    this.#ids.splice(at, 0, id);
    this.offers.splice(at, 0, offer);
    this.prices.splice(at, 0, null);
    for (const column of this.#columns()) column.copyWithin(at + 1, at, this.count);
    this.node[at] = node;
    this.#price(at);
    this.contextTokensMax[at] = offer.contextTokensMax;
    this.prefillSPerToken[at] = 1 / offer.prefillTokensPerS;
    this.decodeSPerToken[at] = 1 / offer.decodeTokensPerS;
    this.count++;
  }

  /**
   * Has awards pay what this rule makes of each ask, from now on; until then they pay the ask itself.
   * @param asksCount whether a node serves only the jobs for which that is at least its ask.
   */
  reprice(rule: PriceRule, asksCount = false): void {
    this.#rule = rule;
    this.#asksCount = asksCount;
    for (let offer = 0; offer < this.count; offer++) this.#price(offer);
  }

  /** Whether any node serves some jobs at the going price and not others. */
  get servesSome(): boolean {
    for (let offer = 0; offer < this.count; offer++) if (this.fixedMsat[offer] === Infinity && this.prices[offer] !== null) return true;
    return false;
  }

  /** Whether the node serves such a job at the going price. */
  serves(offer: number, inputTokens: number, maxOutputTokens: number): boolean {
    if (this.fixedMsat[offer]! < Infinity) return true;
    const prices = this.prices[offer]!;
    return prices !== null && coversJob(prices, this.offers[offer]!.prices, inputTokens, maxOutputTokens);
  }

  #price(at: number): void {
    const ask = this.offers[at]!.prices;
    const prices = this.#rule(ask);
    this.prices[at] = prices;
    this.inputMsatPerMtok[at] = prices === null ? 0 : prices.inputMsatPerMtok;
    this.outputMsatPerMtok[at] = prices === null ? 0 : prices.outputMsatPerMtok;
    this.fixedMsat[at] = prices === null || (this.#asksCount && !paysAtLeast(prices, ask)) ? Infinity : prices.fixedMsat;
  }

  /** Takes the node's offer out, if it has one. */
  remove(id: PeerId): void {
    const at = this.#position(id);
    if (this.#ids[at] === id) this.#removeAt(at);
  }

  /** Position of this node's offer, or -1. */
  indexOf(id: PeerId): number {
    const at = this.#position(id);
    return this.#ids[at] === id ? at : -1;
  }

  /** Position of the first offer whose node's id is above the given one; 0 where there is none. */
  indexAfter(id: PeerId): number {
    const at = this.#position(id);
    const next = this.#ids[at] === id ? at + 1 : at;
    return next < this.count ? next : 0;
  }

  /** A job for this model was answered with so many tokens. */
  recordOutputTokens(outputTokens: number): void {
    this.meanOutputTokens = this.meanOutputTokens === 0 ? outputTokens : this.meanOutputTokens + 0.02 * (outputTokens - this.meanOutputTokens);
  }

  #removeAt(at: number): void {
    this.#ids.splice(at, 1);
    this.offers.splice(at, 1);
    this.prices.splice(at, 1);
    for (const column of this.#columns()) column.copyWithin(at, at + 1, this.count);
    this.count--;
  }

  /** First position whose id is not below the given one. */
  #position(id: PeerId): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ids[middle]! < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #columns(): (Float64Array | Int32Array)[] {
    return [
      this.node, this.inputMsatPerMtok, this.outputMsatPerMtok, this.fixedMsat, this.contextTokensMax,
      this.prefillSPerToken, this.decodeSPerToken,
    ];
  }

  #grow(): void {
    const length = this.node.length * 2;
    const wider = (old: Float64Array<ArrayBuffer>) => { const a = new Float64Array(length); a.set(old); return a; };
    const node = new Int32Array(length);
    node.set(this.node);
    this.node = node;
    this.inputMsatPerMtok = wider(this.inputMsatPerMtok);
    this.outputMsatPerMtok = wider(this.outputMsatPerMtok);
    this.fixedMsat = wider(this.fixedMsat);
    this.contextTokensMax = wider(this.contextTokensMax);
    this.prefillSPerToken = wider(this.prefillSPerToken);
    this.decodeSPerToken = wider(this.decodeSPerToken);
  }
}
