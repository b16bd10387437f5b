import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { sha256Hex } from "../../../protocol/canonical.ts";
import type { Invoice } from "../../../scheduler/environment.ts";
import type { EventId } from "../../kernel/queue.ts";
import { CountedNames } from "../counted-names.ts";

/** A hold invoice and what is locked on it. */
export interface Hold {
  readonly payee: number;
  readonly timeoutUs: number;
  /** Payment that is locked; -1: none. */
  slot: number;
  /** What sends it back in time. */
  timer: EventId;
}

/**
 * Payment hashes and what stands behind them. Without signatures they are running numbers in 32 bytes: nobody in the model
 * tries to forge one. With signatures they are SHA-256 of a preimage that its payee alone knows until it is paid.
 */
export class Invoices {
  /** Hold invoices that have not come to an end. */
  readonly holds = new Map<string, Hold>();
  readonly #secret: string | null;
  readonly #preimages = new Map<string, string>();
  readonly #closed = new Set<string>();
  /** By payee: what others do at the same time does not show in a hash. */
  readonly #names: CountedNames[] = [];

  /** @param secret what preimages are derived from; null: running numbers. */
  constructor(secret: string | null) {
    this.#secret = secret;
  }

  make(payee: number, amountMsat: number | null): Invoice {
    const name = (this.#names[payee] ??= this.#namesOf(payee)).next();
    if (this.#secret === null) return { paymentHash: name, amountMsat };
    const preimage = sha256Hex(name);
    const paymentHash = bytesToHex(sha256(hexToBytes(preimage)));
    this.#preimages.set(paymentHash, preimage);
    return { paymentHash, amountMsat };
  }

  hold(payee: number, amountMsat: number, timeoutUs: number): Invoice {
    const invoice = this.make(payee, amountMsat);
    this.holds.set(invoice.paymentHash, { payee, timeoutUs, slot: -1, timer: -1 });
    return invoice;
  }

  /** What proves that it was paid; without signatures the hash itself. */
  preimage(paymentHash: string): string {
    return this.#preimages.get(paymentHash) ?? paymentHash;
  }

  /** Takes no payment any more. */
  close(paymentHash: string): void {
    this.holds.delete(paymentHash);
    this.#preimages.delete(paymentHash);
    this.#closed.add(paymentHash);
  }

  isClosed(paymentHash: string): boolean {
    return this.#closed.size > 0 && this.#closed.has(paymentHash);
  }

  #namesOf(payee: number): CountedNames {
    return this.#secret === null ? new CountedNames(HASH_PREFIX + String(FIRST_HASH + payee), FIRST_HASH + 1) : new CountedNames(`${this.#secret}/${payee}/`, 1);
  }
}

/** Ten digits of payee and ten of running number behind 44 zeros: 32 bytes in hexadecimal. */
const HASH_PREFIX = "0".repeat(44);
const FIRST_HASH = 1_000_000_000;
