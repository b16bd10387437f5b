import { createHash } from "node:crypto";
import type { PeerId } from "../../protocol/messages.ts";
import { type Account, Books, BooksError } from "./books.ts";
import type { Entry, FailReason, PayeeReason } from "./entry.ts";

/** The terms of a ledger of play money. */
export interface LedgerOptions {
  /** What an account opens with, msat; default: 10^9, a million sat. A function tells accounts apart. */
  readonly creditMsat?: number | ((account: PeerId) => number);
  /** What a payment costs its payer on top, as Lightning's routing does: msat, and millionths of the amount. Default: nothing. */
  readonly feeBaseMsat?: number;
  readonly feePpm?: number;
  /** How long a payment waits for its payee's answer, ms; default: 10,000. */
  readonly offerMs?: number;
  /** How long a payment can be held at most, ms; default: a day. */
  readonly holdMaxMs?: number;
  /** Accounts that are opened at most; default: 100,000. */
  readonly accountsMax?: number;
  /** Payments of one account that are under way or whose end one side has yet to hear of, at most; default: 10,000. */
  readonly openMax?: number;
  /** Payments that have ended and are remembered for a side that has not said to know, at most; default: 100,000. Beyond it the oldest are forgotten. */
  readonly endedMax?: number;
}

/** A payment, from the lock of its money until both sides know how it ended. */
export interface Payment {
  /** The ledger's own number, from 1. */
  readonly number: number;
  /** The payer's name for it. */
  readonly id: string;
  readonly payer: PeerId;
  readonly payee: PeerId;
  readonly amountMsat: number;
  /** Borne by the payer, on top. */
  readonly feeMsat: number;
  readonly paymentHash: string;
  /** Whether the payee is told who pays. */
  readonly showPayer: boolean;
  /** offered -> settled | failed, offered -> held -> settled | failed. */
  readonly state: "offered" | "held" | "settled" | "failed";
  /** Null unless it failed. */
  readonly reason: FailReason | null;
  /** Null unless it is settled. */
  readonly preimage: string | null;
  /** When it goes back to the payer by itself, ms since 1970. */
  readonly untilMs: number;
}

type Record = { -readonly [K in keyof Payment]: Payment[K] } & { payerKnows: boolean; payeeKnows: boolean };

/** What a payer asks for. */
export interface PayOrder {
  readonly id: string;
  readonly payee: PeerId;
  readonly amountMsat: number;
  readonly paymentHash: string;
  readonly showPayer: boolean;
}

/** Hears of what the ledger does. */
export interface LedgerListener {
  /** This happened, and counts. To be written down before anybody is told of it. */
  record?(entry: Entry): void;
  /** A payment has come into another state. */
  changed?(payment: Payment): void;
}

/** Somebody asks for what cannot be asked for: what is wrong with it, in words. Nothing has changed. */
export class OrderError extends Error {
  override readonly name = "OrderError";
}

/**
 * Play money with Lightning's semantics. A payment locks its amount (an HTLC), its payee's wallet gives the preimage of the
 * payment hash, which settles it, or refuses it, or holds it for a time and then does either; what is not answered in time
 * goes back. Accounts are public keys. Double entry: all accounts together come to nothing at every moment.
 *
 * It is a function of its entries: whoever applies them in their order has the same ledger. Payers name their payments, and
 * an order with the same name is the same order: what may have got lost can be sent again and is never paid twice. How a
 * payment ended is kept until both sides have said that they know, or until too many others have ended since.
 */
export class Ledger {
  readonly #creditMsat: (account: PeerId) => number;
  readonly #feeBaseMsat: number;
  readonly #feePpm: number;
  readonly #offerMs: number;
  readonly #holdMaxMs: number;
  readonly #accountsMax: number;
  readonly #openMax: number;
  readonly #endedMax: number;
  readonly #listener: LedgerListener;
  readonly #books = new Books();
  readonly #issue = this.#books.open("the issue of money", true);
  readonly #inFlight = this.#books.open("payments in flight");
  readonly #held = this.#books.open("payments held");
  readonly #fees = this.#books.open("fees");
  readonly #accounts = new Map<PeerId, Account & { creditMsat: number }>();
  readonly #payments = new Map<number, Record>();
  readonly #byName = new Map<string, Record>();
  /** Offered or held: those that time may end. */
  readonly #pending = new Set<Record>();
  /** The others, those that ended first before. */
  readonly #ended = new Set<Record>();
  /** By account, as payer or payee. */
  readonly #involving = new Map<PeerId, Set<Record>>();
  #nextPayment = 1;

  constructor(options: LedgerOptions = {}, listener: LedgerListener = {}) {
    const { creditMsat = 1_000_000_000, feeBaseMsat = 0, feePpm = 0, offerMs = 10_000, holdMaxMs = 86_400_000, accountsMax = 100_000, openMax = 10_000, endedMax = 100_000 } = options;
    this.#creditMsat = typeof creditMsat === "function" ? creditMsat : () => creditMsat;
    this.#feeBaseMsat = feeBaseMsat;
    this.#feePpm = feePpm;
    this.#offerMs = offerMs;
    this.#holdMaxMs = holdMaxMs;
    this.#accountsMax = accountsMax;
    this.#openMax = openMax;
    this.#endedMax = endedMax;
    this.#listener = listener;
  }

  /** Brings a new ledger to where these entries lead. @throws BooksError or OrderError where they lead nowhere. */
  replay(entries: Iterable<Entry>): void {
    for (const one of entries) this.#apply(one);
    this.check();
  }

  /** Entries that lead a new ledger to where this one is. */
  *snapshot(): Generator<Entry> {
    for (const [account, { creditMsat, balanceMsat }] of this.#accounts) yield { entry: "account", account, creditMsat, balanceMsat };
    yield { entry: "sums", feesMsat: this.#fees.balanceMsat, nextPayment: this.#nextPayment };
    for (const { number, ...payment } of this.#payments.values()) yield { entry: "payment", payment: number, ...payment };
  }

  /** Opens the account where there is none. @throws OrderError where there is no room for another. */
  open(account: PeerId, nowMs: number): void {
    if (this.#accounts.has(account)) return;
    if (this.#accounts.size >= this.#accountsMax) throw new OrderError(`this ledger has its ${this.#accountsMax} accounts`);
    const creditMsat = this.#creditMsat(account);
    if (!Number.isSafeInteger(this.#issue.balanceMsat - creditMsat)) throw new OrderError("this ledger has no money left to open an account with");
    this.#do({ entry: "open", atMs: nowMs, account, creditMsat });
  }

  /** The account's wallet has gone. Where nothing has come of the account, it is closed: whoever comes and goes leaves nothing behind. */
  leave(account: PeerId, nowMs: number): void {
    const left = this.#accounts.get(account);
    if (left !== undefined && left.balanceMsat === left.creditMsat && this.#openOf(account) === 0) this.#do({ entry: "close", atMs: nowMs, account });
  }

  /**
   * Locks the money for a payment and offers it to its payee. A payment of that name is looked up instead.
   * @returns the payment, or why there is none: then nothing has changed.
   * @throws OrderError for a name that stands for another payment.
   */
  pay(payer: PeerId, order: PayOrder, nowMs: number): Payment | FailReason {
    const { id, payee, amountMsat, paymentHash, showPayer } = order;
    const known = this.#byName.get(nameOf(payer, id));
    if (known !== undefined) {
      if (known.payee !== payee || known.amountMsat !== amountMsat || known.paymentHash !== paymentHash) throw new OrderError("this name is another payment's");
      return known;
    }
    const feeMsat = this.#feeBaseMsat + Math.floor((amountMsat * this.#feePpm) / 1_000_000);
    if (amountMsat === 0 || this.balanceMsat(payer) < amountMsat + feeMsat) return "insufficient-balance";
    if (this.#openOf(payer) >= this.#openMax || this.#openOf(payee) >= this.#openMax) return "busy";
    this.#do({ entry: "lock", atMs: nowMs, payment: this.#nextPayment, id, payer, payee, amountMsat, feeMsat, paymentHash, showPayer, untilMs: nowMs + this.#offerMs });
    return this.#payments.get(this.#nextPayment - 1)!;
  }

  /** The payee keeps an offered payment locked, for so many ms at most. @returns the payment; undefined: there is none such. */
  hold(payee: PeerId, number: number, forMs: number, nowMs: number): Payment | undefined {
    const payment = this.#at(payee, number);
    if (payment?.state === "offered") this.#do({ entry: "hold", atMs: nowMs, payment: number, untilMs: nowMs + Math.min(forMs, this.#holdMaxMs) });
    return payment;
  }

  /** The payee takes a payment. @returns the payment, which may have ended otherwise before; undefined: there is none such. @throws OrderError for a preimage that is none. */
  settle(payee: PeerId, number: number, preimage: string, nowMs: number): Payment | undefined {
    const payment = this.#at(payee, number);
    if (payment === undefined) return undefined;
    if (createHash("sha256").update(preimage, "hex").digest("hex") !== payment.paymentHash) throw new OrderError("the preimage's SHA-256 is not the payment hash");
    if (isPending(payment)) this.#do({ entry: "settle", atMs: nowMs, payment: number, preimage });
    return payment;
  }

  /** The payee refuses a payment or gives it back. @returns the payment, which may have ended otherwise before; undefined: there is none such. */
  fail(payee: PeerId, number: number, reason: PayeeReason, nowMs: number): Payment | undefined {
    const payment = this.#at(payee, number);
    if (payment !== undefined && isPending(payment)) this.#do({ entry: "fail", atMs: nowMs, payment: number, reason });
    return payment;
  }

  /** The payer knows how the payment of this name ended. */
  knownToPayer(payer: PeerId, id: string, nowMs: number): void {
    const payment = this.#byName.get(nameOf(payer, id));
    if (payment !== undefined && !isPending(payment) && !payment.payerKnows) this.#do({ entry: "known", atMs: nowMs, payment: payment.number, by: "payer" });
  }

  /** The payee knows how the payment of this number ended. */
  knownToPayee(payee: PeerId, number: number, nowMs: number): void {
    const payment = this.#at(payee, number);
    if (payment !== undefined && !isPending(payment) && !payment.payeeKnows) this.#do({ entry: "known", atMs: nowMs, payment: number, by: "payee" });
  }

  /** Sends back what was not answered, taken or released in time. */
  expire(nowMs: number): void {
    for (const { number, state, untilMs } of this.#pending) {
      if (untilMs <= nowMs) this.#do({ entry: "fail", atMs: nowMs, payment: number, reason: state === "held" ? "escrow-timeout" : "payee-offline" });
    }
  }

  /** What the account could pay now, msat; 0 where there is none. */
  balanceMsat(account: PeerId): number {
    return this.#accounts.get(account)?.balanceMsat ?? 0;
  }

  /** Every account with its opening credit and what it has now, msat, in the order of opening. */
  *accounts(): Generator<{ readonly account: PeerId; readonly creditMsat: number; readonly balanceMsat: number }> {
    for (const [account, { creditMsat, balanceMsat }] of this.#accounts) yield { account, creditMsat, balanceMsat };
  }

  /** Payments that this account pays or is paid, and that are under way or whose end it has not said to know. */
  *paymentsOf(account: PeerId): Generator<Payment & { readonly payerKnows: boolean; readonly payeeKnows: boolean }> {
    yield* this.#involving.get(account) ?? [];
  }

  /** Where the money is, msat: `issuedMsat` is the sum of the others and of the accounts. */
  get sums(): { readonly issuedMsat: number; readonly inFlightMsat: number; readonly heldMsat: number; readonly feesMsat: number } {
    return { issuedMsat: 0 - this.#issue.balanceMsat, inFlightMsat: this.#inFlight.balanceMsat, heldMsat: this.#held.balanceMsat, feesMsat: this.#fees.balanceMsat };
  }

  get accountCount(): number {
    return this.#accounts.size;
  }

  /** Payments that are remembered; and those of them that are under way. */
  get size(): { readonly payments: number; readonly pending: number } {
    return { payments: this.#payments.size, pending: this.#pending.size };
  }

  /** All accounts together come to nothing, and what is locked is what the payments under way say. @throws BooksError otherwise. */
  check(): void {
    if (this.#books.sumMsat() !== 0) throw new BooksError(`the accounts come to ${this.#books.sumMsat()} msat together, not to nothing`);
    let inFlightMsat = 0;
    let heldMsat = 0;
    for (const { state, amountMsat, feeMsat } of this.#pending) {
      if (state === "held") heldMsat += amountMsat + feeMsat;
      else inFlightMsat += amountMsat + feeMsat;
    }
    if (inFlightMsat !== this.#inFlight.balanceMsat || heldMsat !== this.#held.balanceMsat) {
      throw new BooksError(`${this.#inFlight.balanceMsat} and ${this.#held.balanceMsat} msat are locked, payments say ${inFlightMsat} and ${heldMsat}`);
    }
  }

  #do(one: Entry): void {
    const payment = this.#apply(one);
    this.#listener.record?.(one);
    if (payment === undefined) return;
    this.#listener.changed?.(payment);
    if (this.#ended.size > this.#endedMax && "atMs" in one) this.#forgetOldest(one.atMs);
  }

  /** Nobody has asked after it for as long as all the others took to end. */
  #forgetOldest(nowMs: number): void {
    for (const { number, payerKnows, payeeKnows } of this.#ended) {
      if (!payerKnows) this.#do({ entry: "known", atMs: nowMs, payment: number, by: "payer" });
      if (!payeeKnows) this.#do({ entry: "known", atMs: nowMs, payment: number, by: "payee" });
      return;
    }
  }

  /** @returns the payment that has changed its state. */
  #apply(one: Entry): Payment | undefined {
    switch (one.entry) {
      case "open": {
        this.#books.move(this.#issue, this.#newAccount(one.account, one.creditMsat), one.creditMsat);
        return undefined;
      }
      case "close": {
        const account = this.#account(one.account);
        this.#books.move(account, this.#issue, account.creditMsat);
        this.#books.close(account);
        this.#accounts.delete(one.account);
        return undefined;
      }
      case "lock": {
        const { entry: _, atMs: __, payment: number, ...rest } = one;
        if (number !== this.#nextPayment) throw new OrderError(`payment ${number} follows on ${this.#nextPayment - 1}`);
        this.#books.move(this.#account(one.payer), this.#inFlight, one.amountMsat + one.feeMsat);
        this.#nextPayment++;
        return this.#remember({ number, ...rest, state: "offered", reason: null, preimage: null, payerKnows: false, payeeKnows: false });
      }
      case "hold": {
        const payment = this.#pendingAt(one.payment);
        if (payment.state !== "offered") throw new OrderError(`payment ${one.payment} is held already`);
        this.#books.move(this.#inFlight, this.#held, payment.amountMsat + payment.feeMsat);
        payment.state = "held";
        payment.untilMs = one.untilMs;
        return payment;
      }
      case "settle": {
        const payment = this.#pendingAt(one.payment);
        const from = payment.state === "held" ? this.#held : this.#inFlight;
        this.#books.move(from, this.#account(payment.payee), payment.amountMsat);
        this.#books.move(from, this.#fees, payment.feeMsat);
        payment.state = "settled";
        payment.preimage = one.preimage;
        this.#end(payment);
        return payment;
      }
      case "fail": {
        const payment = this.#pendingAt(one.payment);
        this.#books.move(payment.state === "held" ? this.#held : this.#inFlight, this.#account(payment.payer), payment.amountMsat + payment.feeMsat);
        // What never was the payee's it need not hear of.
        payment.payeeKnows = payment.state === "offered";
        payment.state = "failed";
        payment.reason = one.reason;
        this.#end(payment);
        return payment;
      }
      case "known": {
        const payment = this.#payments.get(one.payment);
        if (payment === undefined || isPending(payment)) throw new OrderError(`nobody can know yet how payment ${one.payment} ended`);
        payment[one.by === "payer" ? "payerKnows" : "payeeKnows"] = true;
        this.#forgetFor(payment, one.by === "payer" ? payment.payer : payment.payee);
        return undefined;
      }
      case "account": {
        this.#books.move(this.#issue, this.#newAccount(one.account, one.creditMsat), one.balanceMsat);
        return undefined;
      }
      case "sums": {
        this.#books.move(this.#issue, this.#fees, one.feesMsat);
        this.#nextPayment = one.nextPayment;
        return undefined;
      }
      case "payment": {
        const { entry: _, payment: number, ...rest } = one;
        if (isPending(rest)) this.#books.move(this.#issue, rest.state === "held" ? this.#held : this.#inFlight, rest.amountMsat + rest.feeMsat);
        this.#remember({ number, ...rest });
        return undefined;
      }
    }
  }

  #newAccount(account: PeerId, creditMsat: number): Account {
    if (this.#accounts.has(account)) throw new OrderError(`account ${account} is open already`);
    const opened = Object.assign(this.#books.open(`account ${account}`), { creditMsat });
    this.#accounts.set(account, opened);
    return opened;
  }

  #account(account: PeerId): Account & { readonly creditMsat: number } {
    const found = this.#accounts.get(account);
    if (found === undefined) throw new OrderError(`there is no account ${account}`);
    return found;
  }

  #end(payment: Record): void {
    this.#pending.delete(payment);
    this.#ended.add(payment);
  }

  #remember(payment: Record): Payment {
    this.#payments.set(payment.number, payment);
    this.#byName.set(nameOf(payment.payer, payment.id), payment);
    (isPending(payment) ? this.#pending : this.#ended).add(payment);
    if (!payment.payerKnows) this.#involve(payment.payer, payment);
    if (!payment.payeeKnows) this.#involve(payment.payee, payment);
    return payment;
  }

  #involve(account: PeerId, payment: Record): void {
    let involving = this.#involving.get(account);
    if (involving === undefined) this.#involving.set(account, (involving = new Set()));
    involving.add(payment);
  }

  #forgetFor(payment: Record, account: PeerId): void {
    const involving = this.#involving.get(account);
    const itself = payment.payer === payment.payee && !(payment.payerKnows && payment.payeeKnows);
    if (!itself && involving?.delete(payment) === true && involving.size === 0) this.#involving.delete(account);
    if (!payment.payerKnows || !payment.payeeKnows) return;
    this.#payments.delete(payment.number);
    this.#ended.delete(payment);
    this.#byName.delete(nameOf(payment.payer, payment.id));
    const other = account === payment.payer ? payment.payee : payment.payer;
    // A payee that need not know how it failed has not said so.
    const theirs = this.#involving.get(other);
    if (theirs?.delete(payment) === true && theirs.size === 0) this.#involving.delete(other);
  }

  #openOf(account: PeerId): number {
    return this.#involving.get(account)?.size ?? 0;
  }

  #at(payee: PeerId, number: number): Record | undefined {
    const payment = this.#payments.get(number);
    return payment?.payee === payee ? payment : undefined;
  }

  #pendingAt(number: number): Record {
    const payment = this.#payments.get(number);
    if (payment === undefined || !isPending(payment)) throw new OrderError(`payment ${number} is not under way`);
    return payment;
  }
}

function isPending({ state }: Pick<Payment, "state">): boolean {
  return state === "offered" || state === "held";
}

function nameOf(payer: PeerId, id: string): string {
  return `${payer}/${id}`;
}
