import type { JobId } from "../../protocol/messages.ts";
import { JobMap } from "../../scheduler/job-map.ts";
import { widened } from "../kernel/widened.ts";

/**
 * What only the simulator knows of each job: its true output length, its true service time, whether its node will fail
 * it. Participants never see this table; the runners ask it.
 *
 * A job occupies a slot from its submission until its client has seen it end and no engine holds it; slots are reused, so
 * memory grows with the jobs in flight.
 */
export class Oracle {
  /** By slot; "" where it is free. */
  readonly ids: JobId[] = [];
  clientClass = new Int32Array(256);
  /** User of a closed loop, or -1. */
  user = new Int32Array(256);
  outputTokens = new Int32Array(256);
  maxOutputTokens = new Int32Array(256);
  /** 1 while the client waits for the job's end. */
  waited = new Uint8Array(256);
  /** Seed of the job's own random numbers, from which a service-time engine draws its work: the same at every node. */
  workSeed = new Uint32Array(256);
  /** Engines that hold the job, plus one while its client waits for its end. */
  holders = new Int32Array(256);
  inFlight = 0;
  readonly #slots = new JobMap<number>();
  /** Where the job was that was asked for last: facts about one job come in rows. */
  #last = 0;
  readonly #free: number[] = [];

  /** @returns the job's slot. */
  add(id: JobId, clientClass: number, user: number, outputTokens: number, maxOutputTokens: number, workSeed: number): number {
    const slot = this.#free.pop() ?? this.#grow();
    this.ids[slot] = id;
    this.#slots.set(id, slot);
    this.clientClass[slot] = clientClass;
    this.user[slot] = user;
    this.outputTokens[slot] = outputTokens;
    this.maxOutputTokens[slot] = maxOutputTokens;
    this.waited[slot] = 1;
    this.workSeed[slot] = workSeed;
    this.holders[slot] = 1;
    this.inFlight++;
    return slot;
  }

  /** The slot of a job that its client still waits for, or -1. */
  slotOf(id: JobId): number {
    if (this.ids[this.#last] === id) return this.waited[this.#last] === 1 ? this.#last : -1;
    const slot = this.#slots.get(id);
    if (slot === undefined) return -1;
    this.#last = slot;
    return this.waited[slot] === 1 ? slot : -1;
  }

  /** The slot of a job that its client waits for or an engine holds, or -1. */
  heldSlotOf(id: JobId): number {
    return this.#slots.get(id) ?? -1;
  }

  hold(slot: number): void {
    this.holders[slot] = this.holders[slot]! + 1;
  }

  /** An engine has no more to do with the job. */
  release(slot: number): void {
    const holders = this.holders[slot]! - 1;
    if (holders < 0) throw new Error(`job slot ${slot} was released more often than it was held`);
    this.holders[slot] = holders;
    if (holders === 0) {
      this.#slots.delete(this.ids[slot]!);
      this.ids[slot] = "";
      this.#free.push(slot);
    }
  }

  /** The client saw the job end. */
  end(slot: number): void {
    this.waited[slot] = 0;
    this.inFlight--;
    this.release(slot);
  }

  /**
   * A slot for a job that reached an engine after its client had given it up; its cancellation is on the way. Its output
   * is taken to be as long as allowed.
   */
  addOrphan(id: JobId, maxOutputTokens: number): number {
    const slot = this.#free.pop() ?? this.#grow();
    this.ids[slot] = id;
    this.#slots.set(id, slot);
    this.clientClass[slot] = -1;
    this.user[slot] = -1;
    this.outputTokens[slot] = maxOutputTokens;
    this.maxOutputTokens[slot] = maxOutputTokens;
    this.waited[slot] = 0;
    this.workSeed[slot] = 0;
    this.holders[slot] = 0;
    return slot;
  }

  #grow(): number {
    const slot = this.ids.length;
    this.ids.push("");
    if (slot === this.user.length) {
      this.clientClass = widened(this.clientClass);
      this.user = widened(this.user);
      this.outputTokens = widened(this.outputTokens);
      this.maxOutputTokens = widened(this.maxOutputTokens);
      this.waited = widened(this.waited);
      this.holders = widened(this.holders);
      this.workSeed = widened(this.workSeed);
    }
    return slot;
  }
}
