import type { TimerId } from "../scheduler/environment.ts";
import type { Clock } from "./clock.ts";

/** Wakes somebody once. */
export interface Alarm {
  /** Calls in at least so many whole milliseconds, 1 to 2^31 - 1; a call set before is forgotten. */
  set(delayMs: number, wake: () => void): void;
  clear(): void;
}

/** The event loop's own timers. */
export class LoopAlarm implements Alarm {
  #handle: NodeJS.Timeout | null = null;

  set(delayMs: number, wake: () => void): void {
    this.clear();
    this.#handle = setTimeout(wake, delayMs);
  }

  clear(): void {
    if (this.#handle !== null) clearTimeout(this.#handle);
    this.#handle = null;
  }
}

/** Longest delay that the event loop's timers take, ms. */
const DELAY_MAX_MS = 2 ** 31 - 1;

interface Pending<T> {
  readonly id: TimerId;
  readonly dueUs: number;
  readonly what: T;
  /** Place in the heap. */
  at: number;
}

/**
 * Timers by one clock, in the order in which they are due and, of one instant, in which they were set. None is early by that
 * clock. A binary heap that knows each timer's place: routers cancel nearly every timer they set.
 */
export class Timers<T> {
  readonly #clock: Clock;
  readonly #alarm: Alarm;
  readonly #onDue: (what: T) => void;
  readonly #heap: Pending<T>[] = [];
  readonly #byId = new Map<TimerId, Pending<T>>();
  #nextId: TimerId = 0;
  /** When the alarm goes off, µs; Infinity where it is not set. */
  #alarmUs = Infinity;

  constructor(clock: Clock, alarm: Alarm, onDue: (what: T) => void) {
    this.#clock = clock;
    this.#alarm = alarm;
    this.#onDue = onDue;
  }

  get pending(): number {
    return this.#heap.length;
  }

  /** @throws RangeError where the delay is no number of at least 0. */
  after(delayUs: number, what: T): TimerId {
    if (!(delayUs >= 0)) throw new RangeError(`a timer is set for 0 us or more from now, not ${delayUs}`);
    const id = this.#nextId++;
    const pending: Pending<T> = { id, dueUs: this.#clock.nowUs + delayUs, what, at: this.#heap.length };
    this.#byId.set(id, pending);
    this.#heap.push(pending);
    this.#up(pending);
    if (pending.at === 0) this.#arm();
    return id;
  }

  cancel(id: TimerId): boolean {
    const pending = this.#byId.get(id);
    if (pending === undefined) return false;
    // The alarm may go off for nothing: cheaper than setting it anew at every cancellation.
    this.#remove(pending);
    return true;
  }

  /** Forgets all timers. */
  clear(): void {
    this.#heap.length = 0;
    this.#byId.clear();
    this.#alarm.clear();
    this.#alarmUs = Infinity;
  }

  #arm(): void {
    const first = this.#heap[0];
    if (first === undefined || first.dueUs >= this.#alarmUs) return;
    const delayMs = Math.min(Math.max(Math.ceil((first.dueUs - this.#clock.nowUs) / 1_000), 1), DELAY_MAX_MS);
    this.#alarmUs = first.dueUs;
    this.#alarm.set(delayMs, () => this.#wake());
  }

  #wake(): void {
    this.#alarmUs = Infinity;
    // What is set for now while these are told comes at the next wake, so that nobody keeps the loop for itself.
    const nowUs = this.#clock.nowUs;
    const lastId = this.#nextId;
    for (let first = this.#heap[0]; first !== undefined && first.dueUs <= nowUs && first.id < lastId; first = this.#heap[0]) {
      this.#remove(first);
      this.#onDue(first.what);
    }
    this.#arm();
  }

  #remove(pending: Pending<T>): void {
    this.#byId.delete(pending.id);
    const last = this.#heap.pop()!;
    if (last === pending) return;
    this.#put(last, pending.at);
    this.#up(last);
    this.#down(last);
  }

  #put(pending: Pending<T>, at: number): void {
    this.#heap[at] = pending;
    pending.at = at;
  }

  #up(pending: Pending<T>): void {
    while (pending.at > 0) {
      const above = this.#heap[(pending.at - 1) >> 1]!;
      if (isBefore(above, pending)) return;
      const { at } = above;
      this.#put(above, pending.at);
      this.#put(pending, at);
    }
  }

  #down(pending: Pending<T>): void {
    for (;;) {
      const left = this.#heap[2 * pending.at + 1];
      const right = this.#heap[2 * pending.at + 2];
      const below = left !== undefined && right !== undefined && isBefore(right, left) ? right : left;
      if (below === undefined || isBefore(pending, below)) return;
      const { at } = below;
      this.#put(below, pending.at);
      this.#put(pending, at);
    }
  }
}

function isBefore<T>(a: Pending<T>, b: Pending<T>): boolean {
  return a.dueUs < b.dueUs || (a.dueUs === b.dueUs && a.id < b.id);
}
