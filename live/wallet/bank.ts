import type { PeerId } from "../../protocol/messages.ts";
import type { Ledger, Payment } from "./ledger.ts";
import type { LedgerMessage, WalletMessage } from "./wire.ts";

/** A wallet's connection, as the ledger's side sees it. */
export interface Teller {
  /** Says something to the wallet; never within a call of {@link Bank} in which that wallet is still saying something. */
  tell(message: LedgerMessage): void;
  /** Another connection has come with the same key: this one is over. */
  replaced(): void;
}

/**
 * Joins wallets' connections to a ledger: passes orders on, and tells both sides of a payment what becomes of it, once it
 * is written down. There is one connection per key; the newest wins, so that what an older one still holds back is lost
 * for good and can never be taken for new.
 */
export class Bank {
  readonly #ledger: Ledger;
  readonly #terms: { readonly feeBaseMsat: number; readonly feePpm: number };
  readonly #tellers = new Map<PeerId, Teller>();
  /** Of payments, so far. */
  #changes = 0;

  /** @param ledger one whose listener calls {@link changed}. */
  constructor(ledger: Ledger, terms: { readonly feeBaseMsat: number; readonly feePpm: number } = { feeBaseMsat: 0, feePpm: 0 }) {
    this.#ledger = ledger;
    this.#terms = terms;
  }

  /** Wallets that are connected. */
  get connections(): number {
    return this.#tellers.size;
  }

  /** A wallet has shown whose it is. It is told of every payment whose end it has not said to know. @throws OrderError where there is no room for its account. */
  connect(account: PeerId, teller: Teller, nowMs: number): void {
    this.#ledger.open(account, nowMs);
    this.#tellers.get(account)?.replaced();
    this.#tellers.set(account, teller);
    teller.tell({ type: "welcome", balanceMsat: this.#ledger.balanceMsat(account), ...this.#terms });
    for (const payment of this.#ledger.paymentsOf(account)) {
      if (payment.payer === account && !payment.payerKnows) teller.tell(this.#outgoing(payment));
      if (payment.payee === account && !payment.payeeKnows) teller.tell(this.#incoming(payment));
    }
  }

  /** The connection is gone. */
  disconnect(account: PeerId, teller: Teller, nowMs: number): void {
    if (this.#tellers.get(account) !== teller) return;
    this.#tellers.delete(account);
    this.#ledger.leave(account, nowMs);
  }

  /** A wallet says something. @throws OrderError for what no right wallet says. */
  receive(account: PeerId, message: WalletMessage, nowMs: number): void {
    const ledger = this.#ledger;
    const before = this.#changes;
    switch (message.type) {
      case "pay": {
        const payment = ledger.pay(account, message, nowMs);
        if (typeof payment === "string") this.#tell(account, { type: "outgoing", id: message.id, state: "failed", preimage: null, reason: payment, balanceMsat: ledger.balanceMsat(account) });
        else if (this.#changes === before) this.#tell(account, this.#outgoing(payment));
        return;
      }
      case "settle": return this.#answered(account, message.payment, ledger.settle(account, message.payment, message.preimage, nowMs), before);
      case "hold": return this.#answered(account, message.payment, ledger.hold(account, message.payment, Math.ceil(message.timeoutUs / 1_000), nowMs), before);
      case "fail": return this.#answered(account, message.payment, ledger.fail(account, message.payment, message.reason, nowMs), before);
      case "known": {
        for (const id of message.outgoing) ledger.knownToPayer(account, id, nowMs);
        for (const payment of message.incoming) ledger.knownToPayee(account, payment, nowMs);
      }
    }
  }

  /** The ledger has changed this payment: {@link Ledger}'s listener. */
  changed(payment: Payment): void {
    this.#changes++;
    if (payment.state !== "held") this.#tell(payment.payer, this.#outgoing(payment));
    this.#tell(payment.payee, this.#incoming(payment));
  }

  /** An answer that changed nothing, as it was given before or came too late: the wallet is told how it is. */
  #answered(account: PeerId, number: number, payment: Payment | undefined, before: number): void {
    if (this.#changes > before) return;
    if (payment === undefined) {
      this.#tell(account, { type: "incoming", payment: number, state: "failed", paymentHash: NO_HASH, amountMsat: 0, payer: null, balanceMsat: this.#ledger.balanceMsat(account) });
    } else this.#tell(account, this.#incoming(payment));
  }

  #outgoing({ id, payer, state, preimage, reason }: Payment): LedgerMessage {
    return { type: "outgoing", id, state: state === "held" ? "offered" : state, preimage, reason, balanceMsat: this.#ledger.balanceMsat(payer) };
  }

  #incoming({ number, payer, payee, showPayer, state, amountMsat, paymentHash }: Payment): LedgerMessage {
    return { type: "incoming", payment: number, state, paymentHash, amountMsat, payer: showPayer ? payer : null, balanceMsat: this.#ledger.balanceMsat(payee) };
  }

  #tell(account: PeerId, message: LedgerMessage): void {
    this.#tellers.get(account)?.tell(message);
  }
}

/** Of a payment that the ledger does not know any more. */
const NO_HASH = "0".repeat(64);
