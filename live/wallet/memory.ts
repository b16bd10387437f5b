import { randomBytes } from "node:crypto";
import type { PeerId } from "../../protocol/messages.ts";
import type { WalletEvent } from "../../scheduler/environment.ts";
import { Bank, type Teller } from "./bank.ts";
import { Ledger, type LedgerOptions } from "./ledger.ts";
import { type LiveWallet, WalletError } from "./live-wallet.ts";
import { Purse, type PurseOptions } from "./purse.ts";

/**
 * A ledger and its wallets in one process, without sockets or files: for tests, and for markets that run in one process.
 * What wallets and ledger say to each other is the same as over a connection.
 */
export class MemoryBank {
  readonly ledger: Ledger;
  readonly #bank: Bank;
  readonly #nowMs: () => number;
  readonly #timer: NodeJS.Timeout;

  /** @param nowMs ms since any moment, never going back; default: the machine's monotonic clock. */
  constructor(options: LedgerOptions = {}, nowMs: () => number = () => Math.floor(performance.now())) {
    this.#nowMs = nowMs;
    this.ledger = new Ledger(options, { changed: (payment) => this.#bank.changed(payment) });
    this.#bank = new Bank(this.ledger, { feeBaseMsat: options.feeBaseMsat ?? 0, feePpm: options.feePpm ?? 0 });
    this.#timer = setInterval(() => this.tick(), 100);
    this.#timer.unref();
  }

  /** A wallet with this account's key; connected once it is started. */
  wallet(account: PeerId, options: PurseOptions = {}): LiveWallet {
    return new MemoryWallet(this.#bank, account, this.#nowMs, options);
  }

  /** Sends back what is due; happens by itself ten times a second. */
  tick(): void {
    this.ledger.expire(this.#nowMs());
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

class MemoryWallet implements LiveWallet {
  readonly #bank: Bank;
  readonly #account: PeerId;
  readonly #nowMs: () => number;
  readonly #purse: Purse;
  readonly #teller: Teller;
  #onEvent: ((event: WalletEvent) => void) | null = null;
  #running = false;

  constructor(bank: Bank, account: PeerId, nowMs: () => number, options: PurseOptions) {
    this.#bank = bank;
    this.#account = account;
    this.#nowMs = nowMs;
    this.#purse = new Purse({
      get nowUs() { return nowMs() * 1_000; },
      randomHex: (bytes) => randomBytes(bytes).toString("hex"),
      onEvent: (event) => this.#onEvent?.(event),
    }, options);
    this.#teller = {
      tell: (message) => this.#later(() => {
        if (message.type === "welcome") this.#purse.connected((said) => this.#later(() => bank.receive(account, said, nowMs())), message);
        else this.#purse.receive(message);
      }),
      replaced: () => this.#leave(),
    };
  }

  listen(onEvent: (event: WalletEvent) => void): void {
    this.#onEvent = onEvent;
  }

  async start(): Promise<void> {
    if (this.#onEvent === null) throw new WalletError("a wallet needs a listener before it starts");
    this.#running = true;
    this.#bank.connect(this.#account, this.#teller, this.#nowMs());
    // After what the bank says first.
    await new Promise<void>((resolve) => queueMicrotask(resolve));
  }

  async stop(): Promise<void> {
    this.#leave();
    this.#bank.disconnect(this.#account, this.#teller, this.#nowMs());
  }

  get balanceMsat(): number { return this.#purse.balanceMsat; }
  invoice: LiveWallet["invoice"] = (jobId, purpose, amountMsat) => this.#purse.invoice(jobId, purpose, amountMsat);
  holdInvoice: LiveWallet["holdInvoice"] = (jobId, amountMsat, timeoutUs) => this.#purse.holdInvoice(jobId, amountMsat, timeoutUs);
  take: LiveWallet["take"] = (paymentHash) => this.#purse.take(paymentHash);
  release: LiveWallet["release"] = (paymentHash) => this.#purse.release(paymentHash);
  pay: LiveWallet["pay"] = (request) => this.#purse.pay(request);

  #leave(): void {
    this.#running = false;
    this.#purse.disconnected();
  }

  /** In the order of the calls, after the present call has returned. */
  #later(what: () => void): void {
    queueMicrotask(() => { if (this.#running) what(); });
  }
}
