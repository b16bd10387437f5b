import type { PaymentRequest } from "../../protocol/messages.ts";
import type { Environment, WalletEvent } from "../environment.ts";

interface Open {
  readonly request: PaymentRequest;
  tries: number;
}

/** Payments that a node makes of its own accord (refunds, the router's fee), each tried again a few times. */
export class Outgoing {
  readonly #env: Environment;
  readonly #attempts: number;
  readonly #retryUs: number;
  readonly #open = new Map<number, Open>();
  #made = 0;

  constructor(env: Environment, attempts: number, retryUs: number) {
    this.#env = env;
    this.#attempts = attempts;
    this.#retryUs = retryUs;
  }

  get size(): number {
    return this.#open.size;
  }

  pay(request: PaymentRequest): void {
    this.#open.set(this.#made++, { request, tries: 0 });
    this.#env.wallet.pay(request);
  }

  onWallet(event: Extract<WalletEvent, { kind: "paid" | "payment-failed" }>): void {
    for (const [number, open] of this.#open) {
      const { jobId, purpose, payee, amountMsat } = open.request;
      if (jobId !== event.jobId || purpose !== event.purpose || payee !== event.payee || amountMsat !== event.amountMsat) continue;
      open.tries++;
      if (event.kind === "paid" || open.tries >= this.#attempts) this.#open.delete(number);
      else this.#env.after(this.#retryUs * 2 ** (open.tries - 1), { kind: "pay-out", jobId, attempt: number });
      return;
    }
  }

  /** The pause before another try is over. */
  retry(number: number): void {
    const open = this.#open.get(number);
    if (open !== undefined) this.#env.wallet.pay(open.request);
  }
}
