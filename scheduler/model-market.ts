import type { ModelOffer, PeerId } from "../protocol/messages.ts";

/**
 * All offers for one model, as flat arrays in the order of the nodes' ids: whatever order nodes registered in, a loop
 * or a random draw over the offers sees the same sequence.
 */
export class ModelMarket {
  count = 0;
  /** The registry's index of the offering node. */
  node = new Int32Array(16);
  inputMsatPerMtok = new Float64Array(16);
  outputMsatPerMtok = new Float64Array(16);
  fixedMsat = new Float64Array(16);
  contextTokensMax = new Float64Array(16);
  /** Seconds per token, as advertised: reciprocals spare a division per candidate. */
  prefillSPerToken = new Float64Array(16);
  decodeSPerToken = new Float64Array(16);
  /** Smoothed output length of this model's jobs as seen in receipts, tokens; 0 until the first. */
  meanOutputTokens = 0;
  readonly offers: ModelOffer[] = [];
  readonly #ids: PeerId[] = [];

  insert(id: PeerId, node: number, offer: ModelOffer): void {
    const at = this.#position(id);
    if (this.#ids[at] === id) this.#removeAt(at);
    if (this.count === this.node.length) this.#grow();
    this.#ids.splice(at, 0, id);
    this.offers.splice(at, 0, offer);
    for (const column of this.#columns()) column.copyWithin(at + 1, at, this.count);
    this.node[at] = node;
    this.inputMsatPerMtok[at] = offer.prices.inputMsatPerMtok;
    this.outputMsatPerMtok[at] = offer.prices.outputMsatPerMtok;
    this.fixedMsat[at] = offer.prices.fixedMsat;
    this.contextTokensMax[at] = offer.contextTokensMax;
    this.prefillSPerToken[at] = 1 / offer.prefillTokensPerS;
    this.decodeSPerToken[at] = 1 / offer.decodeTokensPerS;
    this.count++;
  }

  remove(id: PeerId): void {
    const at = this.#position(id);
    if (this.#ids[at] === id) this.#removeAt(at);
  }

  /** Position of this node's offer, or -1. */
  indexOf(id: PeerId): number {
    const at = this.#position(id);
    return this.#ids[at] === id ? at : -1;
  }

  recordOutputTokens(outputTokens: number): void {
    this.meanOutputTokens = this.meanOutputTokens === 0 ? outputTokens : this.meanOutputTokens + 0.02 * (outputTokens - this.meanOutputTokens);
  }

  #removeAt(at: number): void {
    this.#ids.splice(at, 1);
    this.offers.splice(at, 1);
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
