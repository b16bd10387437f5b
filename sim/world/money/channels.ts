import type { Random } from "../../kernel/random.ts";
import type { ChannelSpec } from "../../scenario/sections/settlement.ts";

/** What channels need of the world around them. */
export interface ChannelHost {
  /** Charges a peer for moving its channel's balance; less where it does not have so much. */
  chargeRebalancing(peer: number, costMsat: number): void;
  stream(peer: number): Random;
}

/**
 * Directional liquidity: a peer's channel to the rest of the network holds `capacityMsat`, of which it can send what is on
 * its own side and receive what is on the other. A payment moves its amount from one side to the other; while it is under
 * way it is on neither. A peer without a channel here has no bounds.
 *
 * Other traffic of the peer moves the balance by equal steps in either direction (a random walk between reflecting
 * ends), worked out when a payment asks for it: nobody looks at a channel in between.
 */
export class Channels {
  readonly #host: ChannelHost;
  /** By peer; null: no bounds. */
  readonly #specs: readonly (ChannelSpec | null)[];
  readonly #outMsat: Float64Array;
  readonly #inMsat: Float64Array;
  readonly #nextTrafficUs: Float64Array;
  readonly #nextRebalanceUs: Float64Array;
  readonly #random: (Random | null)[];

  constructor(host: ChannelHost, specs: readonly (ChannelSpec | null)[]) {
    this.#host = host;
    this.#specs = specs;
    const zero = (): Float64Array => new Float64Array(specs.length);
    this.#outMsat = zero();
    this.#inMsat = zero();
    this.#nextTrafficUs = zero().fill(Infinity);
    this.#nextRebalanceUs = zero().fill(Infinity);
    this.#random = specs.map((spec, peer) => {
      if (spec === null) return null;
      this.#outMsat[peer] = Math.floor(spec.capacityMsat * spec.outboundShare);
      this.#inMsat[peer] = spec.capacityMsat - this.#outMsat[peer]!;
      if (spec.rebalance !== null) this.#nextRebalanceUs[peer] = spec.rebalance.everyUs;
      if (spec.traffic === null) return null;
      const random = host.stream(peer);
      this.#nextTrafficUs[peer] = gapUs(spec.traffic.ratePerS, random);
      return random;
    });
  }

  /** What the peer could send now, and receive, msat; Infinity without bounds. */
  outMsat(peer: number, nowUs: number): number {
    return this.#bounded(peer, nowUs) ? this.#outMsat[peer]! : Infinity;
  }
  inMsat(peer: number, nowUs: number): number {
    return this.#bounded(peer, nowUs) ? this.#inMsat[peer]! : Infinity;
  }

  /** Brings both ends up to now, so that what they owe for rebalancing is settled. */
  update(payer: number, payee: number, nowUs: number): void {
    this.#bounded(payer, nowUs);
    if (payee >= 0) this.#bounded(payee, nowUs);
  }

  /** Sets liquidity aside for a payment. False, and nothing is set aside, where one side has not enough. */
  reserve(payer: number, payee: number, totalMsat: number, amountMsat: number, nowUs: number): boolean {
    const sends = this.#bounded(payer, nowUs);
    const receives = payee >= 0 && this.#bounded(payee, nowUs);
    if (sends && this.#outMsat[payer]! < totalMsat) return false;
    if (receives && this.#inMsat[payee]! < amountMsat) return false;
    if (sends) this.#outMsat[payer]! -= totalMsat;
    if (receives) this.#inMsat[payee]! -= amountMsat;
    return true;
  }

  /** The payment that it was set aside for arrived. */
  moved(payer: number, payee: number, totalMsat: number, amountMsat: number): void {
    if (this.#specs[payer] !== null) this.#inMsat[payer]! += totalMsat;
    if (payee >= 0 && this.#specs[payee] !== null) this.#outMsat[payee]! += amountMsat;
  }

  /** It came back. */
  restored(payer: number, payee: number, totalMsat: number, amountMsat: number): void {
    if (this.#specs[payer] !== null) this.#outMsat[payer]! += totalMsat;
    if (payee >= 0 && this.#specs[payee] !== null) this.#inMsat[payee]! += amountMsat;
  }

  /** Brings a channel up to now. @returns false for a peer without bounds. */
  #bounded(peer: number, nowUs: number): boolean {
    const spec = this.#specs[peer]!;
    if (spec === null) return false;
    for (;;) {
      const trafficUs = this.#nextTrafficUs[peer]!;
      const rebalanceUs = this.#nextRebalanceUs[peer]!;
      if (Math.min(trafficUs, rebalanceUs) > nowUs) return true;
      if (trafficUs <= rebalanceUs) this.#traffic(peer, spec);
      else this.#rebalance(peer, spec);
    }
  }

  /** One payment of the peer's other business, where the channel allows it. */
  #traffic(peer: number, { traffic }: ChannelSpec): void {
    const { ratePerS, amountMsat, outwardShare } = traffic!;
    const random = this.#random[peer]!;
    this.#nextTrafficUs[peer]! += gapUs(ratePerS, random);
    const outward = random.next() < outwardShare;
    const [from, to] = outward ? [this.#outMsat, this.#inMsat] : [this.#inMsat, this.#outMsat];
    if (from[peer]! < amountMsat) return;
    from[peer]! -= amountMsat;
    to[peer]! += amountMsat;
  }

  /** Brings the free balance back to the share it began with, at a price. */
  #rebalance(peer: number, { rebalance, outboundShare }: ChannelSpec): void {
    const { everyUs, feePpm } = rebalance!;
    this.#nextRebalanceUs[peer]! += everyUs;
    const freeMsat = this.#outMsat[peer]! + this.#inMsat[peer]!;
    const wantedMsat = Math.floor(freeMsat * outboundShare);
    const movedMsat = Math.abs(wantedMsat - this.#outMsat[peer]!);
    this.#outMsat[peer] = wantedMsat;
    this.#inMsat[peer] = freeMsat - wantedMsat;
    const costMsat = Math.ceil((movedMsat * feePpm) / 1_000_000);
    if (costMsat > 0) this.#host.chargeRebalancing(peer, costMsat);
  }
}

function gapUs(ratePerS: number, random: Random): number {
  return (-Math.log(1 - random.next()) / ratePerS) * 1e6;
}
