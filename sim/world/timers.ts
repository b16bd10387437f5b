import type { Timer, TimerId } from "../../scheduler/environment.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { EventId } from "../kernel/queue.ts";

/** Slots of a timer id; the rest of the id says which user of the slot is meant. */
const SLOTS = 2 ** 24;

/** The participants' timers: their words kept beside the kernel's integers. Ids are never mistaken for a later timer's. */
export class Timers {
  readonly #kernel: Kernel;
  readonly #eventKind: number;
  readonly #timers: (Timer | null)[] = [];
  readonly #events: EventId[] = [];
  #generations = new Uint32Array(256);
  #epochs = new Int32Array(256);
  readonly #free: number[] = [];

  /** @param eventKind kernel event kind with which the world calls {@link Timers.take}; its payload is (peer, slot). */
  constructor(kernel: Kernel, eventKind: number) {
    this.#kernel = kernel;
    this.#eventKind = eventKind;
  }

  /** @param epoch the peer's present life: a timer of an earlier one is not delivered. */
  set(peer: number, epoch: number, delayUs: number, timer: Timer): TimerId {
    const slot = this.#free.pop() ?? this.#grow();
    this.#timers[slot] = timer;
    this.#epochs[slot] = epoch;
    this.#events[slot] = this.#kernel.after(delayUs, this.#eventKind, peer, slot);
    return this.#generations[slot]! * SLOTS + slot;
  }

  cancel(id: TimerId): boolean {
    if (id < 0) return false;
    const slot = id % SLOTS;
    if (slot >= this.#timers.length || this.#timers[slot] === null || this.#generations[slot] !== Math.floor(id / SLOTS)) return false;
    this.#kernel.cancel(this.#events[slot]!);
    this.#release(slot);
    return true;
  }

  /** The timer in this slot is due. @returns null where its peer has restarted since. */
  take(slot: number, epoch: number): Timer | null {
    const timer = this.#timers[slot]!;
    const current = this.#epochs[slot] === epoch;
    this.#release(slot);
    return current ? timer : null;
  }

  #release(slot: number): void {
    this.#timers[slot] = null;
    this.#generations[slot] = (this.#generations[slot]! + 1) & 0x1fffffff;
    this.#free.push(slot);
  }

  #grow(): number {
    const slot = this.#timers.length;
    if (slot === SLOTS) throw new Error(`more than ${SLOTS} timers are pending`);
    this.#timers.push(null);
    this.#events.push(-1);
    if (slot === this.#generations.length) {
      const generations = new Uint32Array(slot * 2);
      generations.set(this.#generations);
      this.#generations = generations;
      const epochs = new Int32Array(slot * 2);
      epochs.set(this.#epochs);
      this.#epochs = epochs;
    }
    return slot;
  }
}
