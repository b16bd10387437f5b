import type { Message, PeerId } from "../../protocol/messages.ts";
import type { Kernel } from "../kernel/kernel.ts";

/** What happens to a message between two peers: nothing, a check against the protocol, or a real signature and its proof. */
export interface Envelope {
  /** @returns what travels: the message itself, or its sealed form. */
  seal(from: number, to: PeerId, message: Message, nowUs: number): Message | string;
  /** @returns the message, or null where it must not reach the receiver. */
  open(to: number, from: PeerId, parcel: Message | string, nowUs: number): Message | null;
}

/** Passes messages as they are. */
export const plainEnvelope: Envelope = {
  seal: (_from, _to, message) => message,
  open: (_to, _from, parcel) => parcel as Message,
};

/** Messages under way, kept beside the kernel's integers. */
export class Mail {
  readonly #kernel: Kernel;
  readonly #parcels: (Message | string | null)[] = [];
  #senders = new Int32Array(256);
  readonly #free: number[] = [];

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Has the kernel call back at `arrivalUs` with (receiver, slot). */
  post(eventKind: number, arrivalUs: number, from: number, to: number, parcel: Message | string): void {
    const slot = this.#free.pop() ?? this.#grow();
    this.#parcels[slot] = parcel;
    this.#senders[slot] = from;
    this.#kernel.at(arrivalUs, eventKind, to, slot);
  }

  sender(slot: number): number {
    return this.#senders[slot]!;
  }

  /** Takes the parcel out; the slot is free. */
  take(slot: number): Message | string {
    const parcel = this.#parcels[slot]!;
    this.#parcels[slot] = null;
    this.#free.push(slot);
    return parcel;
  }

  #grow(): number {
    const slot = this.#parcels.length;
    this.#parcels.push(null);
    if (slot === this.#senders.length) {
      const senders = new Int32Array(slot * 2);
      senders.set(this.#senders);
      this.#senders = senders;
    }
    return slot;
  }
}
