import type { JobId, PaymentPurpose, PaymentRequest, PeerId } from "../../../protocol/messages.ts";
import type { Invoice, Wallet, WalletEvent } from "../../../scheduler/environment.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { Random } from "../../kernel/random.ts";
import { widened } from "../../kernel/widened.ts";
import type { PaymentSpec } from "../../scenario/scenario.ts";
import type { Books } from "./books.ts";
import type { Channels } from "./channels.ts";
import { type Hold, Invoices } from "./invoices.ts";
import type { Ledger } from "./ledger.ts";

/** Who bears Lightning's routing fees: the payer on top, the payee out of the amount, or the market's router, which pays the payer back. */
export type RoutingFeeBearer = "payer" | "payee" | "router";

/** What the Lightning model needs of the world around it. */
export interface LightningHost {
  readonly kernel: Kernel;
  readonly ledger: Ledger;
  readonly books: Books;
  /** Account that collects the network's routing fees. */
  readonly routingFeesAccount: number;
  /** Account that holds payments under way. */
  readonly inFlightAccount: number;
  /** Account that holds what is locked in hold invoices. */
  readonly heldAccount: number;
  /** Kernel event kind with which the world calls {@link Lightning.settle}. */
  readonly eventKind: number;
  peerIndex(id: PeerId): number;
  peerId(peer: number): PeerId;
  accountOf(peer: number): number;
  isUp(peer: number): boolean;
  deliverWallet(peer: number, event: WalletEvent): void;
  /** A payment reached its payee: before anybody hears of it. Peers by their index. */
  moved(jobId: JobId, payer: number, payee: number, amountMsat: number, routingFeeMsat: number): void;
}

/** What the model is told besides the scenario's `payment`. */
export interface LightningOptions {
  readonly feeBearer: RoutingFeeBearer;
  /** The router that reimburses routing fees, where routers bear them. */
  readonly reimburser: number;
  /** Null: liquidity without bounds. */
  readonly channels: Channels | null;
  /** What preimages are derived from; null: payment hashes are running numbers. */
  readonly secret: string | null;
}

/**
 * Lightning as a wallet model: a payment leaves the payer's balance with its routing fee (base + proportional), is under
 * way for a fixed time, and then arrives or comes back. It fails with the stated probability, where the payee is offline
 * or has withdrawn the invoice, where the payer does not have the money, or where a channel has run dry.
 *
 * On a hold invoice it stays locked when it gets there, until the payee gives the preimage away or releases it, which
 * takes the same time to travel back, or until the invoice's time is over (BOLT 2's HTLC with its `cltv_expiry`; LND's
 * `AddHoldInvoice`, `SettleInvoice`, `CancelInvoice`). An HTLC is settled whole or fails whole.
 */
export class Lightning {
  readonly #host: LightningHost;
  readonly #spec: PaymentSpec;
  readonly #options: LightningOptions;
  readonly #invoices: Invoices;
  #requests: (PaymentRequest | null)[] = [];
  #payers = new Int32Array(64);
  /** -1: nobody of this market. Looked up when the payer speaks of it: by the time that the payment is through, others were spoken of. */
  #payees = new Int32Array(64);
  #feesMsat = new Float64Array(64);
  /** What left the payer's account. */
  #totalsMsat = new Float64Array(64);
  readonly #free: number[] = [];

  constructor(host: LightningHost, spec: PaymentSpec, options: LightningOptions) {
    this.#host = host;
    this.#spec = spec;
    this.#options = options;
    this.#invoices = new Invoices(options.secret);
  }

  /** Payments under way or held. */
  get inFlight(): number {
    return this.#requests.length - this.#free.length;
  }

  wallet(peer: number, random: Random): Wallet {
    return new SimulatedWallet(this, this.#host, peer, random);
  }

  newInvoice(payee: number, amountMsat: number | null): Invoice {
    return this.#invoices.make(payee, amountMsat);
  }

  newHoldInvoice(payee: number, amountMsat: number, timeoutUs: number): Invoice {
    return this.#invoices.hold(payee, amountMsat, timeoutUs);
  }

  pay(payer: number, request: PaymentRequest, random: Random): void {
    const { ledger, kernel, books } = this.#host;
    const { amountMsat } = request;
    const routingFeeMsat = this.#spec.baseFeeMsat + Math.floor((amountMsat * this.#spec.feePpm) / 1_000_000);
    const fromAmount = this.#options.feeBearer === "payee";
    const feeMsat = fromAmount ? Math.min(routingFeeMsat, amountMsat) : routingFeeMsat;
    const totalMsat = fromAmount ? amountMsat : amountMsat + feeMsat;
    const { channels } = this.#options;
    const payee = this.#host.peerIndex(request.payee);
    channels?.update(payer, payee, kernel.nowUs);
    const affordable = ledger.balanceMsat(this.#host.accountOf(payer)) >= totalMsat && totalMsat > 0;
    const lost = this.#spec.failureShare > 0 && random.next() < this.#spec.failureShare;
    const dry = affordable && channels !== null && !channels.reserve(payer, payee, totalMsat, totalMsat - feeMsat, kernel.nowUs);
    const goes = affordable && !dry;
    if (goes) {
      ledger.transfer(this.#host.accountOf(payer), this.#host.inFlightAccount, totalMsat);
      books.sent(kernel.nowUs, request.jobId, payer, totalMsat);
    }
    const slot = this.#free.pop() ?? this.#grow();
    this.#requests[slot] = request;
    this.#payers[slot] = payer;
    this.#payees[slot] = payee;
    this.#feesMsat[slot] = feeMsat;
    this.#totalsMsat[slot] = totalMsat;
    kernel.after(this.#spec.latencyUs, this.#host.eventKind, slot, goes ? (lost ? LOST : SENT) : dry ? DRY : UNAFFORDABLE);
  }

  /** The payment in this slot has been under way for its time, or what is held comes to its end. */
  settle(slot: number, state: number): void {
    const host = this.#host;
    const request = this.#requests[slot]!;
    const payeeIndex = this.#payees[slot]!;
    switch (state) {
      case UNAFFORDABLE: return this.#failed(slot, payeeIndex, "insufficient-balance", host.accountOf(this.#payers[slot]!));
      case DRY: return this.#failed(slot, payeeIndex, "no-liquidity", host.accountOf(this.#payers[slot]!));
      case LOST: return this.#failed(slot, payeeIndex, "no-route", host.inFlightAccount);
      case SENT: {
        if (payeeIndex < 0 || !host.isUp(payeeIndex)) return this.#failed(slot, payeeIndex, "payee-offline", host.inFlightAccount);
        if (this.#invoices.isClosed(request.paymentHash)) return this.#failed(slot, payeeIndex, "invoice-expired", host.inFlightAccount);
        const hold = this.#invoices.holds.size > 0 ? this.#invoices.holds.get(request.paymentHash) : undefined;
        if (hold === undefined) return this.#arrived(slot, payeeIndex, host.inFlightAccount);
        if (hold.slot >= 0) return this.#failed(slot, payeeIndex, "paid-already", host.inFlightAccount);
        return this.#hold(slot, payeeIndex, hold);
      }
      case TAKEN: return this.#arrived(slot, payeeIndex, host.heldAccount);
      case RELEASED: return this.#failed(slot, payeeIndex, "released", host.heldAccount);
      default: {
        const { jobId, purpose, amountMsat, paymentHash } = request;
        this.#invoices.close(paymentHash);
        this.#failed(slot, payeeIndex, "escrow-timeout", host.heldAccount);
        host.deliverWallet(payeeIndex, { kind: "lapsed", jobId, purpose, amountMsat, paymentHash });
      }
    }
  }

  /** The payee gives the preimage of a held payment away. */
  take(payee: number, paymentHash: string): boolean {
    return this.#finish(payee, paymentHash, TAKEN);
  }

  /** The payee gives a held payment back, or withdraws an invoice. */
  release(payee: number, paymentHash: string): void {
    if (!this.#finish(payee, paymentHash, RELEASED)) this.#invoices.close(paymentHash);
  }

  #finish(payee: number, paymentHash: string, state: number): boolean {
    const hold = this.#invoices.holds.get(paymentHash);
    if (hold === undefined || hold.slot < 0 || hold.payee !== payee) return false;
    const { kernel } = this.#host;
    kernel.cancel(hold.timer);
    this.#invoices.holds.delete(paymentHash);
    kernel.after(this.#spec.latencyUs, this.#host.eventKind, hold.slot, state);
    return true;
  }

  #hold(slot: number, payee: number, hold: Hold): void {
    const { ledger, kernel, books, inFlightAccount, heldAccount, eventKind } = this.#host;
    const { jobId, purpose, amountMsat, paymentHash } = this.#requests[slot]!;
    const totalMsat = this.#totalsMsat[slot]!;
    ledger.transfer(inFlightAccount, heldAccount, totalMsat);
    books.locked(kernel.nowUs, jobId, payee, totalMsat, amountMsat);
    hold.slot = slot;
    hold.timer = kernel.after(hold.timeoutUs, eventKind, slot, LAPSED);
    this.#host.deliverWallet(payee, { kind: "held", jobId, purpose, amountMsat, paymentHash });
  }

  #arrived(slot: number, payee: number, account: number): void {
    const host = this.#host;
    const { books, ledger } = host;
    const { nowUs } = host.kernel;
    const { jobId, purpose, payee: payeeId, amountMsat, paymentHash } = this.#requests[slot]!;
    const payer = this.#payers[slot]!;
    const feeMsat = this.#feesMsat[slot]!;
    const totalMsat = this.#totalsMsat[slot]!;
    this.#release(slot);
    if (totalMsat > feeMsat) ledger.transfer(account, host.accountOf(payee), totalMsat - feeMsat);
    if (feeMsat > 0) ledger.transfer(account, host.routingFeesAccount, feeMsat);
    let rebate = false;
    let bearer = this.#options.feeBearer === "payee" ? payee : payer;
    if (feeMsat > 0 && this.#options.feeBearer === "router") {
      const { reimburser } = this.#options;
      // A router that has not earned so much yet leaves the fee with the payer.
      if (ledger.balanceMsat(host.accountOf(reimburser)) >= feeMsat) {
        ledger.transfer(host.accountOf(reimburser), host.accountOf(payer), feeMsat);
        host.moved(jobId, reimburser, payer, feeMsat, 0);
        bearer = reimburser;
        rebate = true;
      }
    }
    this.#options.channels?.moved(payer, payee, totalMsat, totalMsat - feeMsat);
    books.arrived(nowUs, purpose, jobId, payer, payee, totalMsat, amountMsat, feeMsat, bearer, rebate);
    if (account === host.heldAccount) books.locked(nowUs, jobId, payee, -totalMsat, -amountMsat);
    host.moved(jobId, payer, payee, totalMsat - feeMsat, feeMsat);
    const preimage = this.#options.secret === null ? paymentHash : this.#invoices.preimage(paymentHash);
    host.deliverWallet(payee, purpose === "refund"
      ? { kind: "received", jobId, purpose, amountMsat, paymentHash, payer: host.peerId(payer) }
      : { kind: "received", jobId, purpose, amountMsat, paymentHash });
    host.deliverWallet(payer, { kind: "paid", jobId, purpose, payee: payeeId, amountMsat, paymentHash, preimage });
  }

  /** @param account where the money is; the payer's own where it never left. */
  #failed(slot: number, payeeIndex: number, reason: string, account: number): void {
    const host = this.#host;
    const { nowUs } = host.kernel;
    const { jobId, purpose, payee, amountMsat, paymentHash } = this.#requests[slot]!;
    const payer = this.#payers[slot]!;
    const feeMsat = this.#feesMsat[slot]!;
    const totalMsat = this.#totalsMsat[slot]!;
    this.#release(slot);
    if (account !== host.accountOf(payer)) {
      host.ledger.transfer(account, host.accountOf(payer), totalMsat);
      if (account === host.heldAccount) host.books.locked(nowUs, jobId, payeeIndex, -totalMsat, -amountMsat);
      host.books.returned(nowUs, jobId, payer, totalMsat);
      this.#options.channels?.restored(payer, payeeIndex, totalMsat, totalMsat - feeMsat);
    }
    host.books.failed(reason, amountMsat);
    host.deliverWallet(payer, { kind: "payment-failed", jobId, purpose, payee, amountMsat, paymentHash, reason });
  }

  #release(slot: number): void {
    this.#requests[slot] = null;
    this.#free.push(slot);
  }

  #grow(): number {
    const slot = this.#requests.length;
    this.#requests.push(null);
    if (slot === this.#payers.length) {
      this.#payers = widened(this.#payers);
      this.#payees = widened(this.#payees);
      this.#feesMsat = widened(this.#feesMsat);
      this.#totalsMsat = widened(this.#totalsMsat);
    }
    return slot;
  }
}

const SENT = 0;
const LOST = 1;
const UNAFFORDABLE = 2;
const DRY = 3;
const TAKEN = 4;
const RELEASED = 5;
const LAPSED = 6;

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

  holdInvoice(_jobId: string, amountMsat: number, timeoutUs: number): Invoice {
    return this.#lightning.newHoldInvoice(this.#peer, amountMsat, timeoutUs);
  }

  take(paymentHash: string): boolean {
    return this.#lightning.take(this.#peer, paymentHash);
  }

  release(paymentHash: string): void {
    this.#lightning.release(this.#peer, paymentHash);
  }

  pay(request: PaymentRequest): void {
    this.#lightning.pay(this.#peer, request, this.#random);
  }
}
