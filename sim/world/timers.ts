import type { Timer, TimerId } from "../../scheduler/environment.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { EventId } from "../kernel/queue.ts";
import { widened } from "../kernel/widened.ts";
import { Lane } from "./lane.ts";

/** Slots of a timer id; the rest of the id says which user of the slot is meant. */
const SLOTS = 2 ** 24;
/** Of every slot's first timer: no id is a small integer, for which objects that keep ids would have another shape. */
const FIRST_GENERATION = 2 ** 31 / SLOTS;
/** A delay asked for this often gets a lane of its own. */
const LANE_AFTER = 16;
/** Lanes among which a look is quicker than a table. */
const LOOKED_AT = 8;
/** Delays whose askers are counted at once; beyond it, counting starts anew. */
const COUNTED_DELAYS = 1_024;
/** No kernel event of its own: the timer waits in a lane. */
const IN_LANE: EventId = -1;

/**
 * The participants' timers: their words kept beside the kernel's integers. Ids are never mistaken for a later timer's.
 *
 * Most timers are time-outs of a few fixed lengths that are called off long before they are due. Those of one length fall
 * due in the order in which they were set, so they queue in a {@link Lane}, of which the kernel sees the first alone.
 */
export class Timers {
  readonly #kernel: Kernel;
  readonly #eventKind: number;
  readonly #timers: (Timer | null)[] = [];
  readonly #events: EventId[] = [];
  readonly #lanes: Lane[] = [];
  readonly #laneOfDelay = new Map<number, Lane>();
  readonly #asked = new Map<number, number>();
  #generations = new Int32Array(256);
  #epochs = new Int32Array(256);
  #peers = new Int32Array(256);
  readonly #free: number[] = [];

  /** @param eventKind kernel event kind with which the world calls {@link Timers.due}; its payload is (lane or -1, slot). */
  constructor(kernel: Kernel, eventKind: number) {
    this.#kernel = kernel;
    this.#eventKind = eventKind;
  }

  /** @param epoch the peer's present life: a timer of an earlier one is not delivered. */
  set(peer: number, epoch: number, delayUs: number, timer: Timer): TimerId {
    const slot = this.#free.pop() ?? this.#grow();
    const generation = this.#generations[slot]!;
    this.#timers[slot] = timer;
    this.#epochs[slot] = epoch;
    this.#peers[slot] = peer;
    const lane = this.#laneOf(delayUs) ?? this.#countAsker(delayUs);
    if (lane === undefined) {
      this.#events[slot] = this.#kernel.after(delayUs, this.#eventKind, -1, slot);
    } else {
      this.#events[slot] = IN_LANE;
      lane.dropDead(this.#generations);
      lane.add(this.#kernel.nowUs + delayUs, slot, generation);
      this.#arm(lane);
    }
    return generation * SLOTS + slot;
  }

  cancel(id: TimerId): boolean {
    if (id < 0) return false;
    const slot = id % SLOTS;
    if (slot >= this.#timers.length || this.#timers[slot] === null || this.#generations[slot] !== Math.floor(id / SLOTS)) return false;
    const event = this.#events[slot]!;
    if (event !== IN_LANE) this.#kernel.cancel(event);
    this.#release(slot);
    return true;
  }

  /**
   * A kernel event of this kind is due. @returns the slot of the timer that is due with it, or -1 where that was called off;
   * {@link Timers.take} takes it out.
   */
  due(laneIndex: number, slot: number): number {
    if (laneIndex < 0) return slot;
    const lane = this.#lanes[laneIndex]!;
    lane.armed = false;
    lane.dropDead(this.#generations);
    let dueSlot = -1;
    if (lane.size > 0 && lane.headUs <= this.#kernel.nowUs) dueSlot = lane.shift();
    lane.dropDead(this.#generations);
    this.#arm(lane);
    return dueSlot;
  }

  peer(slot: number): number {
    return this.#peers[slot]!;
  }

  /** Takes the timer in this slot out. @returns null where its peer has restarted since. */
  take(slot: number, epoch: number): Timer | null {
    const timer = this.#timers[slot]!;
    const current = this.#epochs[slot] === epoch;
    this.#release(slot);
    return current ? timer : null;
  }

  #laneOf(delayUs: number): Lane | undefined {
    const lanes = this.#lanes;
    for (let i = 0; i < lanes.length && i < LOOKED_AT; i++) if (lanes[i]!.delayUs === delayUs) return lanes[i];
    return this.#laneOfDelay.get(delayUs);
  }

  #arm(lane: Lane): void {
    if (lane.armed || lane.size === 0) return;
    lane.armed = true;
    this.#kernel.at(lane.headUs, this.#eventKind, lane.index, 0);
  }

  #countAsker(delayUs: number): Lane | undefined {
    const askers = (this.#asked.get(delayUs) ?? 0) + 1;
    if (askers < LANE_AFTER) {
      if (this.#asked.size >= COUNTED_DELAYS) this.#asked.clear();
      this.#asked.set(delayUs, askers);
      return undefined;
    }
    this.#asked.delete(delayUs);
    const lane = new Lane(this.#lanes.length, delayUs);
    this.#lanes.push(lane);
    this.#laneOfDelay.set(delayUs, lane);
    return lane;
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
    this.#events.push(IN_LANE);
    if (slot === this.#generations.length) {
      this.#generations = widened(this.#generations);
      this.#epochs = widened(this.#epochs);
      this.#peers = widened(this.#peers);
    }
    this.#generations[slot] = FIRST_GENERATION;
    return slot;
  }
}
