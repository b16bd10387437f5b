import { createHash, randomBytes } from "node:crypto";
import type { Invoice, WalletEvent } from "../../scheduler/environment.ts";
import type { PaymentRequest } from "../../protocol/messages.ts";
import type { LiveWallet } from "./live-wallet.ts";

/** Stands where there is no wallet: it pays nothing and is paid nothing, which suits markets whose jobs are free. */
export class NoWallet implements LiveWallet {
  readonly balanceMsat = 0;
  #onEvent: ((event: WalletEvent) => void) | null = null;

  listen(onEvent: (event: WalletEvent) => void): void {
    this.#onEvent = onEvent;
  }
  start(): Promise<void> {
    return Promise.resolve();
  }
  stop(): Promise<void> {
    this.#onEvent = null;
    return Promise.resolve();
  }

  /** An invoice that nobody can pay: its preimage is not kept. */
  invoice(_jobId: string, _purpose: string, amountMsat: number | null): Invoice {
    return { paymentHash: createHash("sha256").update(randomBytes(32)).digest("hex"), amountMsat };
  }
  holdInvoice(jobId: string, amountMsat: number): Invoice {
    return this.invoice(jobId, "job", amountMsat);
  }
  take(): boolean {
    return false;
  }
  release(): void {}

  pay({ jobId, purpose, payee, amountMsat, paymentHash }: PaymentRequest): void {
    queueMicrotask(() => this.#onEvent?.({ kind: "payment-failed", jobId, purpose, payee, amountMsat, paymentHash, reason: "no-wallet" }));
  }
}
