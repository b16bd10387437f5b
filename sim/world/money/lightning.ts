import type { PaymentPurpose, PaymentRequest, PeerId } from "../../../protocol/messages.ts";
import type { Invoice, Wallet, WalletEvent } from "../../../scheduler/environment.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { Random } from "../../kernel/random.ts";
import type { PaymentSpec } from "../../scenario/scenario.ts";
import type { Ledger } from "./ledger.ts";

/** What the Lightning model needs of the world around it. */
export interface LightningHost {
  readonly kernel: Kernel;
  readonly ledger: Ledger;
  /** Account that collects the network's routing fees. */
  readonly routingFeesAccount: number;
  /** Account that holds payments under way. */
  readonly inFlightAccount: number;
  /** Kernel event kind with which the world calls {@link Lightning.settle}. */
  readonly eventKind: number;
  peerIndex(id: PeerId): number;
  accountOf(peer: number): number;
  isUp(peer: number): boolean;
  deliverWallet(peer: number, event: WalletEvent): void;
}

/**
 * Lightning as a wallet model: a payment leaves the payer's balance with its routing fee (base + proportional), is under
 * way for a fixed time, and then arrives or comes back. It fails with the stated probability, where the payee is offline,
 * or where the payer does not have the money.
 *
 * Payment hashes and preimages are running numbers in 32 bytes, not hashes: nobody in the model tries to forge one.
 */
export class Lightning {
  readonly #host: LightningHost;
  readonly #spec: PaymentSpec;
  #requests: (PaymentRequest | null)[] = [];
  #payers = new Int32Array(64);
  #feesMsat = new Float64Array(64);
  readonly #free: number[] = [];
  /** Made so far, by payee. */
  readonly #invoices: number[] = [];

  constructor(host: LightningHost, spec: PaymentSpec) {
    this.#host = host;
    this.#spec = spec;
  }

  /** Payments under way. */
  get inFlight(): number {
    return this.#requests.length - this.#free.length;
  }

  wallet(peer: number, random: Random): Wallet {
    return new SimulatedWallet(this, this.#host, peer, random);
  }

  /** Numbered by payee: what others do at the same time does not show in it. */
  newInvoice(payee: number, amountMsat: number | null): Invoice {
    const number = (this.#invoices[payee] ?? 0) + 1;
    this.#invoices[payee] = number;
    return { paymentHash: HASH_PREFIX + String(FIRST_HASH + payee) + String(FIRST_HASH + number), amountMsat };
  }

  pay(payer: number, request: PaymentRequest, random: Random): void {
    const { ledger, kernel } = this.#host;
    const routingFeeMsat = this.#spec.baseFeeMsat + Math.floor((request.amountMsat * this.#spec.feePpm) / 1_000_000);
    const totalMsat = request.amountMsat + routingFeeMsat;
    const affordable = ledger.balanceMsat(this.#host.accountOf(payer)) >= totalMsat && totalMsat > 0;
    const lost = this.#spec.failureShare > 0 && random.next() < this.#spec.failureShare;
    if (affordable) ledger.transfer(this.#host.accountOf(payer), this.#host.inFlightAccount, totalMsat);
    const slot = this.#free.pop() ?? this.#grow();
    this.#requests[slot] = request;
    this.#payers[slot] = payer;
    this.#feesMsat[slot] = routingFeeMsat;
    kernel.after(this.#spec.latencyUs, this.#host.eventKind, slot, affordable ? (lost ? LOST : SENT) : UNAFFORDABLE);
  }

  /** The payment in this slot has been under way for its time: it arrives or comes back. */
  settle(slot: number, state: number): void {
    const host = this.#host;
    const request = this.#requests[slot]!;
    const payer = this.#payers[slot]!;
    const feeMsat = this.#feesMsat[slot]!;
    this.#requests[slot] = null;
    this.#free.push(slot);
    const { jobId, purpose, payee, amountMsat, paymentHash } = request;
    const payeeIndex = host.peerIndex(payee);
    const reason = state === UNAFFORDABLE ? "insufficient-balance" : state === LOST ? "no-route" : payeeIndex < 0 || !host.isUp(payeeIndex) ? "payee-offline" : "";
    if (reason !== "") {
      if (state !== UNAFFORDABLE) host.ledger.transfer(host.inFlightAccount, host.accountOf(payer), amountMsat + feeMsat);
      host.deliverWallet(payer, { kind: "payment-failed", jobId, purpose, payee, amountMsat, paymentHash, reason });
      return;
    }
    if (amountMsat > 0) host.ledger.transfer(host.inFlightAccount, host.accountOf(payeeIndex), amountMsat);
    if (feeMsat > 0) host.ledger.transfer(host.inFlightAccount, host.routingFeesAccount, feeMsat);
    host.deliverWallet(payeeIndex, { kind: "received", jobId, purpose, amountMsat, paymentHash });
    host.deliverWallet(payer, { kind: "paid", jobId, purpose, payee, amountMsat, paymentHash, preimage: paymentHash });
  }

  #grow(): number {
    const slot = this.#requests.length;
    this.#requests.push(null);
    if (slot === this.#payers.length) {
      const payers = new Int32Array(slot * 2);
      payers.set(this.#payers);
      this.#payers = payers;
      const fees = new Float64Array(slot * 2);
      fees.set(this.#feesMsat);
      this.#feesMsat = fees;
    }
    return slot;
  }
}

/** Ten digits of payee and ten of running number behind 44 zeros: 32 bytes in hexadecimal. */
const HASH_PREFIX = "0".repeat(44);
const FIRST_HASH = 1_000_000_000;

const SENT = 0;
const LOST = 1;
const UNAFFORDABLE = 2;

class SimulatedWallet implements Wallet {
  readonly #lightning: Lightning;
  readonly #host: LightningHost;
  readonly #peer: number;
  readonly #random: Random;

  constructor(lightning: Lightning, host: LightningHost, peer: number, random: Random) {
    this.#lightning = lightning;
    this.#host = host;
    this.#peer = peer;
    this.#random = random;
  }

  get balanceMsat(): number {
    return this.#host.ledger.balanceMsat(this.#host.accountOf(this.#peer));
  }

  invoice(_jobId: string, _purpose: PaymentPurpose, amountMsat: number | null): Invoice {
    return this.#lightning.newInvoice(this.#peer, amountMsat);
  }

  pay(request: PaymentRequest): void {
    this.#lightning.pay(this.#peer, request, this.#random);
  }
}
