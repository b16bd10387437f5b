import type { Kernel } from "../kernel/kernel.ts";
import { widened } from "../kernel/widened.ts";
import type { Parcel } from "./envelopes.ts";

/** Messages under way, kept beside the kernel's integers. */
export class Mail {
  readonly #kernel: Kernel;
  readonly #parcels: (Parcel | null)[] = [];
  #senders = new Int32Array(256);
  readonly #free: number[] = [];

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Has the kernel call back at `arrivalUs` with (receiver, slot). */
  post(eventKind: number, arrivalUs: number, from: number, to: number, parcel: Parcel): void {
    const slot = this.#free.pop() ?? this.#grow();
    this.#parcels[slot] = parcel;
    this.#senders[slot] = from;
    this.#kernel.at(arrivalUs, eventKind, to, slot);
  }

  sender(slot: number): number {
    return this.#senders[slot]!;
  }

  /** Takes the parcel out; the slot is free. */
  take(slot: number): Parcel {
    const parcel = this.#parcels[slot]!;
    this.#parcels[slot] = null;
    this.#free.push(slot);
    return parcel;
  }

  #grow(): number {
    const slot = this.#parcels.length;
    this.#parcels.push(null);
    if (slot === this.#senders.length) this.#senders = widened(this.#senders);
    return slot;
  }
}
