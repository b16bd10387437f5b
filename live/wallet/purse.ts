import { createHash } from "node:crypto";
import type { PaymentPurpose, PaymentRequest } from "../../protocol/messages.ts";
import type { Invoice, Wallet, WalletEvent } from "../../scheduler/environment.ts";
import type { PayeeReason } from "./entry.ts";
import type { LedgerMessage, WalletMessage } from "./wire.ts";

/** What a purse needs of the world around it. */
export interface PurseHost {
  /** Integer µs; never goes back. */
  readonly nowUs: number;
  /** So many random bytes in hexadecimal, that nobody can guess. */
  randomHex(bytes: number): string;
  /** Hears of payments; never within a call of one of {@link Wallet}'s methods. */
  onEvent(event: WalletEvent): void;
}

/** How patient a purse is, and how much it remembers. */
export interface PurseOptions {
  /** How long a payment waits for a connection to go out on, µs, before it fails as `wallet-offline`; default: 30 s. */
  readonly unsentUs?: number;
  /** Invoices that nobody has paid, at most: the oldest are forgotten, and take no payment then. Default: 200,000. */
  readonly invoicesMax?: number;
}

interface MadeInvoice {
  readonly paymentHash: string;
  readonly jobId: string;
  readonly purpose: PaymentPurpose;
  readonly amountMsat: number | null;
  readonly preimage: string;
  /** How long a payment stays held, µs; -1: it is taken at once. */
  readonly holdUs: number;
  /** Payment on it, by the ledger's number; 0: none. Offers take several and have none here. */
  payment: number;
}

interface Incoming {
  readonly invoice: MadeInvoice;
  readonly amountMsat: number;
  /** What the ledger was last told, and has not confirmed; `held`: it has confirmed. */
  state: "settling" | "holding" | "held" | "taking" | "releasing";
}

interface Outgoing {
  readonly request: PaymentRequest;
  /** Whether the ledger may know of it. */
  sent: boolean;
  /** Whether the balance that the ledger last told is without it. */
  locked: boolean;
  readonly askedUs: number;
}

/**
 * A wallet of play money, whatever its connection to the ledger: it knows its invoices and their preimages, and what it has
 * asked for. Connections come and go ({@link connected}, {@link disconnected}); after each new one it says again what the
 * ledger has not confirmed, which the ledger takes as said once. Only what was never said can fail on this side alone.
 */
export class Purse implements Wallet {
  readonly #host: PurseHost;
  readonly #unsentUs: number;
  readonly #invoicesMax: number;
  readonly #invoices = new Map<string, MadeInvoice>();
  readonly #incoming = new Map<number, Incoming>();
  readonly #outgoing = new Map<string, Outgoing>();
  /** Null while there is no connection. */
  #send: ((message: WalletMessage) => void) | null = null;
  #balanceMsat = 0;
  #feeBaseMsat = 0;
  #feePpm = 0;

  constructor(host: PurseHost, options: PurseOptions = {}) {
    this.#host = host;
    this.#unsentUs = options.unsentUs ?? 30_000_000;
    this.#invoicesMax = options.invoicesMax ?? 200_000;
  }

  /** As the ledger last said, less what was asked for since. */
  get balanceMsat(): number {
    let balanceMsat = this.#balanceMsat;
    for (const { locked, request } of this.#outgoing.values()) if (!locked) balanceMsat -= request.amountMsat + this.#feeMsat(request.amountMsat);
    return Math.max(0, balanceMsat);
  }

  /** Payments of this wallet's that have not ended, and payments to it that are held or being taken. */
  get open(): { readonly outgoing: number; readonly incoming: number } {
    return { outgoing: this.#outgoing.size, incoming: this.#incoming.size };
  }

  invoice(jobId: string, purpose: PaymentPurpose, amountMsat: number | null): Invoice {
    return this.#make(jobId, purpose, amountMsat, -1);
  }

  holdInvoice(jobId: string, amountMsat: number, timeoutUs: number): Invoice {
    return this.#make(jobId, "job", amountMsat, timeoutUs);
  }

  take(paymentHash: string): boolean {
    const invoice = this.#invoices.get(paymentHash);
    const incoming = this.#incoming.get(invoice?.payment ?? 0);
    if (invoice === undefined || incoming?.state !== "held") return false;
    incoming.state = "taking";
    this.#answer(invoice.payment, incoming);
    return true;
  }

  release(paymentHash: string): void {
    const invoice = this.#invoices.get(paymentHash);
    if (invoice === undefined) return;
    const incoming = this.#incoming.get(invoice.payment);
    // What is being taken is as good as given away.
    if (incoming?.state === "taking" || incoming?.state === "settling") return;
    this.#invoices.delete(paymentHash);
    if (incoming === undefined) return;
    incoming.state = "releasing";
    this.#answer(invoice.payment, incoming);
  }

  pay(request: PaymentRequest): void {
    const id = this.#host.randomHex(16);
    const outgoing: Outgoing = { request, sent: false, locked: false, askedUs: this.#host.nowUs };
    this.#outgoing.set(id, outgoing);
    this.#order(id, outgoing);
  }

  /** There is a connection, and the ledger has said welcome: everything that it has not confirmed is said again. */
  connected(send: (message: WalletMessage) => void, welcome: Extract<LedgerMessage, { type: "welcome" }>): void {
    this.#send = send;
    this.#balanceMsat = welcome.balanceMsat;
    this.#feeBaseMsat = welcome.feeBaseMsat;
    this.#feePpm = welcome.feePpm;
    for (const [id, outgoing] of this.#outgoing) this.#order(id, outgoing);
    for (const [number, incoming] of this.#incoming) if (incoming.state !== "held") this.#answer(number, incoming);
  }

  /** The connection is gone; what was said last may or may not have arrived. */
  disconnected(): void {
    this.#send = null;
  }

  /** Gives up payments that found no connection in time. */
  tick(): void {
    if (this.#send !== null) return;
    for (const [id, { request, sent, askedUs }] of this.#outgoing) {
      if (sent || this.#host.nowUs - askedUs < this.#unsentUs) continue;
      this.#outgoing.delete(id);
      this.#failed(request, "wallet-offline");
    }
  }

  /** The ledger says something. */
  receive(message: LedgerMessage): void {
    if (message.type === "outgoing") this.#onOutgoing(message);
    else if (message.type === "incoming") this.#onIncoming(message);
  }

  #onOutgoing({ id, state, preimage, reason, balanceMsat }: Extract<LedgerMessage, { type: "outgoing" }>): void {
    this.#balanceMsat = balanceMsat;
    const outgoing = this.#outgoing.get(id);
    if (state === "offered") {
      if (outgoing !== undefined) outgoing.locked = true;
      return;
    }
    this.#send?.({ type: "known", outgoing: [id], incoming: [] });
    // A payment of this key's former life: nobody waits for it.
    if (outgoing === undefined) return;
    this.#outgoing.delete(id);
    const { jobId, purpose, payee, amountMsat, paymentHash } = outgoing.request;
    if (state === "settled") this.#host.onEvent({ kind: "paid", jobId, purpose, payee, amountMsat, paymentHash, preimage: preimage! });
    else this.#failed(outgoing.request, reason!);
  }

  #onIncoming(message: Extract<LedgerMessage, { type: "incoming" }>): void {
    const { payment, state, amountMsat, paymentHash, payer, balanceMsat } = message;
    this.#balanceMsat = balanceMsat;
    const incoming = this.#incoming.get(payment);
    switch (state) {
      case "offered": {
        if (incoming !== undefined) return this.#answer(payment, incoming);
        const taken = this.#admit(payment, paymentHash, amountMsat);
        if (typeof taken === "string") this.#send?.({ type: "fail", payment, reason: taken });
        else this.#answer(payment, taken);
        return;
      }
      case "held": {
        // Held in this key's former life, whose invoices are forgotten.
        if (incoming === undefined) return this.#send?.({ type: "fail", payment, reason: "invoice-expired" });
        if (incoming.state === "holding") {
          incoming.state = "held";
          this.#tell("held", incoming);
        } else if (incoming.state !== "held") this.#answer(payment, incoming);
        return;
      }
      case "settled": {
        this.#send?.({ type: "known", outgoing: [], incoming: [payment] });
        if (incoming === undefined) return;
        this.#incoming.delete(payment);
        const { jobId, purpose } = incoming.invoice;
        if (!isOffer(incoming.invoice)) this.#invoices.delete(paymentHash);
        this.#host.onEvent({ kind: "received", jobId, purpose, amountMsat, paymentHash, ...(payer === null ? {} : { payer }) });
        return;
      }
      case "failed": {
        this.#send?.({ type: "known", outgoing: [], incoming: [payment] });
        if (incoming === undefined) return;
        this.#incoming.delete(payment);
        // Never locked here: the invoice can be paid again.
        if (incoming.state === "settling" || incoming.state === "holding") incoming.invoice.payment = 0;
        else if (incoming.state !== "releasing") {
          this.#invoices.delete(incoming.invoice.paymentHash);
          this.#tell("lapsed", incoming);
        }
      }
    }
  }

  /** @returns the payment, to be answered; or why it is not taken. */
  #admit(payment: number, paymentHash: string, amountMsat: number): Incoming | PayeeReason {
    const invoice = this.#invoices.get(paymentHash);
    if (invoice === undefined) return "invoice-expired";
    if (invoice.amountMsat !== null && invoice.amountMsat !== amountMsat) return "wrong-amount";
    if (invoice.payment > 0) return "paid-already";
    if (!isOffer(invoice)) invoice.payment = payment;
    const incoming: Incoming = { invoice, amountMsat, state: invoice.holdUs < 0 ? "settling" : "holding" };
    this.#incoming.set(payment, incoming);
    return incoming;
  }

  #answer(payment: number, { state, invoice }: Incoming): void {
    if (state === "settling" || state === "taking") this.#send?.({ type: "settle", payment, preimage: invoice.preimage });
    else if (state === "releasing") this.#send?.({ type: "fail", payment, reason: "released" });
    else if (state === "holding") this.#send?.({ type: "hold", payment, timeoutUs: invoice.holdUs });
  }

  #order(id: string, outgoing: Outgoing): void {
    if (this.#send === null) return;
    const { payee, amountMsat, paymentHash, purpose } = outgoing.request;
    outgoing.sent = true;
    this.#send({ type: "pay", id, payee, amountMsat, paymentHash, showPayer: purpose === "refund" });
  }

  #make(jobId: string, purpose: PaymentPurpose, amountMsat: number | null, holdUs: number): Invoice {
    const preimage = this.#host.randomHex(32);
    const paymentHash = createHash("sha256").update(preimage, "hex").digest("hex");
    this.#invoices.set(paymentHash, { paymentHash, jobId, purpose, amountMsat, preimage, holdUs, payment: 0 });
    if (this.#invoices.size > this.#invoicesMax) this.#forgetOldest();
    return { paymentHash, amountMsat };
  }

  #forgetOldest(): void {
    for (const [paymentHash, { payment }] of this.#invoices) {
      if (payment > 0) continue;
      this.#invoices.delete(paymentHash);
      return;
    }
  }

  #tell(kind: "held" | "lapsed", { invoice: { jobId, purpose, paymentHash }, amountMsat }: Incoming): void {
    this.#host.onEvent({ kind, jobId, purpose, amountMsat, paymentHash });
  }

  #failed({ jobId, purpose, payee, amountMsat, paymentHash }: PaymentRequest, reason: string): void {
    this.#host.onEvent({ kind: "payment-failed", jobId, purpose, payee, amountMsat, paymentHash, reason });
  }

  #feeMsat(amountMsat: number): number {
    return this.#feeBaseMsat + Math.floor((amountMsat * this.#feePpm) / 1_000_000);
  }
}

/** Refunds go to an offer, which takes several payments (BOLT 12); any other invoice is paid once. */
function isOffer({ purpose, amountMsat }: MadeInvoice): boolean {
  return purpose === "refund" && amountMsat === null;
}
