import { createHash } from "node:crypto";
import type { PaymentRequest } from "../../../protocol/messages.ts";
import type { Invoice, WalletEvent } from "../../../scheduler/environment.ts";
import { Bank, type Teller } from "../bank.ts";
import { type Entry, entry as entrySchema } from "../entry.ts";
import { Ledger, type LedgerOptions } from "../ledger.ts";
import { Purse, type PurseOptions } from "../purse.ts";
import { type LedgerMessage, ledgerMessage, type WalletMessage, walletMessage } from "../wire.ts";

/** One wallet of a {@link ShakyBank}, and what happened to it. */
export class ShakyWallet {
  readonly account: string;
  readonly events: WalletEvent[] = [];
  readonly invoices: Invoice[] = [];
  /** Payments asked for, by this life of the wallet. */
  asked: PaymentRequest[] = [];
  purse: Purse;
  /** Frames under way; null while there is no connection. */
  up: WalletMessage[] | null = null;
  down: LedgerMessage[] | null = null;
  teller: Teller | null = null;
  /** Whether it has lost its memory at some point. */
  restarted = false;

  constructor(account: string, purse: (wallet: ShakyWallet) => Purse) {
    this.account = account;
    this.purse = purse(this);
  }
}

/**
 * A ledger and wallets whose every frame is delivered by hand, over connections that break, with processes that are killed:
 * a ledger that is killed comes back from the entries that it had written down.
 */
export class ShakyBank {
  readonly wallets: readonly ShakyWallet[];
  readonly entries: Entry[] = [];
  readonly #options: LedgerOptions;
  readonly #purseOptions: PurseOptions;
  nowMs = 1_000;
  ledger!: Ledger;
  #bank!: Bank;
  #drawn = 0;

  constructor(accounts: readonly string[], options: LedgerOptions = {}, purse: PurseOptions = {}) {
    this.#options = options;
    this.#purseOptions = purse;
    this.wallets = accounts.map((account) => new ShakyWallet(account, (wallet) => this.#purse(wallet)));
    this.#begin();
  }

  connect(wallet: ShakyWallet): void {
    const down: LedgerMessage[] = [];
    wallet.up = [];
    wallet.down = down;
    wallet.teller = { tell: (message) => { down.push(ledgerMessage.parse(message)); }, replaced: () => {} };
    wallet.purse.disconnected();
    this.#bank.connect(wallet.account, wallet.teller, this.nowMs);
  }

  /** What was under way is lost. */
  disconnect(wallet: ShakyWallet): void {
    if (wallet.teller !== null) this.#bank.disconnect(wallet.account, wallet.teller, this.nowMs);
    this.#cut(wallet);
  }

  /** Delivers the oldest frame to the ledger. @returns false where there is none. */
  deliverUp(wallet: ShakyWallet): boolean {
    const message = wallet.up?.shift();
    if (message === undefined) return false;
    this.#bank.receive(wallet.account, message, this.nowMs);
    this.ledger.check();
    return true;
  }

  /** Delivers the oldest frame to the wallet. @returns false where there is none. */
  deliverDown(wallet: ShakyWallet): boolean {
    const message = wallet.down?.shift();
    if (message === undefined) return false;
    const { up } = wallet;
    if (message.type === "welcome") wallet.purse.connected((said) => { up!.push(walletMessage.parse(said)); }, message);
    else wallet.purse.receive(message);
    return true;
  }

  /** Delivers everything until nothing is under way. */
  settle(): void {
    for (let moved = true; moved;) {
      moved = false;
      for (const wallet of this.wallets) while (this.deliverUp(wallet) || this.deliverDown(wallet)) moved = true;
    }
  }

  pass(ms: number): void {
    this.nowMs += ms;
    this.ledger.expire(this.nowMs);
    this.ledger.check();
    for (const { purse } of this.wallets) purse.tick();
  }

  /** kill -9 of the ledger, and a new one from what it had written down. */
  restartLedger(): void {
    for (const wallet of this.wallets) this.#cut(wallet);
    this.#begin();
  }

  /** As after its journal was rewritten: a snapshot in place of all that led to it. */
  compact(): void {
    const snapshot = [...this.ledger.snapshot()];
    this.entries.length = 0;
    this.entries.push(...snapshot);
  }

  /** kill -9 of a wallet's process. */
  restartWallet(wallet: ShakyWallet): void {
    this.disconnect(wallet);
    wallet.purse = this.#purse(wallet);
    wallet.asked = [];
    wallet.events.length = 0;
    wallet.invoices.length = 0;
    wallet.restarted = true;
  }

  #begin(): void {
    this.ledger = new Ledger(this.#options, {
      record: (one) => { this.entries.push(entrySchema.parse(JSON.parse(JSON.stringify(one)))); },
      changed: (payment) => this.#bank.changed(payment),
    });
    this.ledger.replay(this.entries);
    this.#bank = new Bank(this.ledger);
  }

  #cut(wallet: ShakyWallet): void {
    wallet.up = null;
    wallet.down = null;
    wallet.teller = null;
    wallet.purse.disconnected();
  }

  #purse(wallet: ShakyWallet): Purse {
    const nowUs = (): number => this.nowMs * 1_000;
    return new Purse({
      get nowUs() { return nowUs(); },
      randomHex: (bytes) => createHash("sha256").update(`${this.#drawn++}`).digest("hex").slice(0, 2 * bytes),
      onEvent: (event) => wallet.events.push(event),
    }, this.#purseOptions);
  }
}
