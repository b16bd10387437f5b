import type { Message, PeerId } from "../../protocol/messages.ts";
import type { RunnerEvent, RunnerJob, WalletEvent } from "../../scheduler/environment.ts";
import type { LiveRunner, RunnerFacts } from "../runner/live-runner.ts";
import type { LiveWallet } from "../wallet/live-wallet.ts";
import type { Link } from "../link/link.ts";
import type { Watcher } from "./watcher.ts";

/** A runner whose jobs and events a watcher is told of. */
export class WatchedRunner implements LiveRunner {
  readonly #runner: LiveRunner;
  readonly #watcher: Watcher;

  constructor(runner: LiveRunner, watcher: Watcher) {
    this.#runner = runner;
    this.#watcher = watcher;
  }

  get slots(): number { return this.#runner.slots; }
  get kvTokensMax(): number { return this.#runner.kvTokensMax; }
  get running(): number { return this.#runner.running; }
  get waiting(): number { return this.#runner.waiting; }
  get kvTokensUsed(): number { return this.#runner.kvTokensUsed; }

  submit(job: RunnerJob): void {
    this.#watcher.runnerTook?.(job);
    this.#runner.submit(job);
  }

  cancel(jobId: string): boolean {
    const known = this.#runner.cancel(jobId);
    if (known) this.#watcher.runnerForgot?.(jobId);
    return known;
  }

  watch(jobId: string, outputTokens: number): void {
    this.#runner.watch(jobId, outputTokens);
  }

  listen(onEvent: (event: RunnerEvent) => void): void {
    this.#runner.listen((event) => {
      this.#watcher.runnerSaid?.(event);
      onEvent(event);
    });
  }

  start(): Promise<RunnerFacts> {
    return this.#runner.start();
  }

  stop(): Promise<void> {
    return this.#runner.stop();
  }
}

/** A wallet whose events a watcher is told of. */
export class WatchedWallet implements LiveWallet {
  readonly #wallet: LiveWallet;
  readonly #watcher: Watcher;

  constructor(wallet: LiveWallet, watcher: Watcher) {
    this.#wallet = wallet;
    this.#watcher = watcher;
  }

  get balanceMsat(): number { return this.#wallet.balanceMsat; }
  invoice: LiveWallet["invoice"] = (jobId, purpose, amountMsat) => this.#wallet.invoice(jobId, purpose, amountMsat);
  holdInvoice: LiveWallet["holdInvoice"] = (jobId, amountMsat, timeoutUs) => this.#wallet.holdInvoice(jobId, amountMsat, timeoutUs);
  take: LiveWallet["take"] = (paymentHash) => this.#wallet.take(paymentHash);
  release: LiveWallet["release"] = (paymentHash) => this.#wallet.release(paymentHash);
  pay: LiveWallet["pay"] = (request) => this.#wallet.pay(request);

  listen(onEvent: (event: WalletEvent) => void): void {
    this.#wallet.listen((event) => {
      this.#watcher.walletSaid?.(event);
      onEvent(event);
    });
  }

  start(): Promise<void> {
    return this.#wallet.start();
  }

  stop(): Promise<void> {
    return this.#wallet.stop();
  }
}

/** A link of whose messages, as they are sent, a watcher is told. */
export class WatchedLink implements Link {
  readonly #link: Link;
  readonly #watcher: Watcher;

  constructor(link: Link, watcher: Watcher) {
    this.#link = link;
    this.#watcher = watcher;
  }

  send(to: PeerId, message: Message): void {
    this.#watcher.sent?.(to, message);
    this.#link.send(to, message);
  }
}
