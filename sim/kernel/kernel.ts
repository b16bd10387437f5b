import { EventQueue } from "./queue.ts";
import type { EventId } from "./queue.ts";

const LAST_US = Number.MAX_SAFE_INTEGER;

/** Called for each event as it falls due, with the integers it was planned with. */
export type EventHandler = (kind: number, a: number, b: number) => void;

/**
 * The virtual clock and its pending events. Time is integer microseconds from 0; events at the same microsecond
 * happen in the order in which they were planned. Nothing of the world is known here: an event is three integers.
 */
export class Kernel {
  #running = false;
  #stopped = false;
  /** Its `time`, that of the event at hand, is the clock. */
  readonly #queue = new EventQueue();

  /** Virtual time, integer microseconds. Never goes back. */
  get nowUs(): number {
    return this.#queue.time;
  }

  /** How many events are yet to happen. */
  get pending(): number {
    return this.#queue.length;
  }

  /** Time of the next event in microseconds, Infinity where none is pending. */
  get nextUs(): number {
    return this.#queue.peekTime();
  }

  /**
   * Plans an event. `kind`, `a` and `b` are 32-bit signed integers for the handler.
   * @param timeUs integer microseconds, not before `nowUs`.
   * @throws RangeError on a time in the past or not an integer, or a payload that does not fit 32 bits.
   */
  at(timeUs: number, kind: number, a: number, b: number): EventId {
    // Written so that NaN fails too.
    if (!(timeUs >= this.#queue.time && timeUs <= LAST_US && Math.floor(timeUs) === timeUs && (kind | 0) === kind && (a | 0) === a && (b | 0) === b)) {
      refuse(timeUs, this.#queue.time, kind, a, b);
    }
    return this.#queue.push(timeUs, kind, a, b);
  }

  /**
   * Plans an event `delayUs` from now.
   * @param delayUs integer microseconds, 0 or more.
   * @throws RangeError like `at`.
   */
  after(delayUs: number, kind: number, a: number, b: number): EventId {
    const queue = this.#queue;
    const timeUs = queue.time + delayUs;
    if (!(delayUs >= 0 && timeUs <= LAST_US && Math.floor(timeUs) === timeUs && (kind | 0) === kind && (a | 0) === a && (b | 0) === b)) {
      refuse(timeUs, queue.time, kind, a, b);
    }
    return queue.push(timeUs, kind, a, b);
  }

  /** Calls a pending event off, in O(1). False where it has happened or was cancelled already. */
  cancel(id: EventId): boolean {
    return this.#queue.cancel(id);
  }

  /**
   * Plays all events due at `untilUs` or before, those planned on the way included. Afterwards the clock stands at
   * `untilUs`; at the last event where `untilUs` is Infinity, or where `stop` ended the run.
   * @throws Error when called from within a handler; what a handler throws passes through.
   */
  run(handler: EventHandler, untilUs = Infinity): void {
    if (this.#running) throw new Error("Kernel.run called from within a running handler.");
    this.#running = true;
    this.#stopped = false;
    const queue = this.#queue;
    try {
      queue.until = untilUs;
      while (!this.#stopped && queue.next()) handler(queue.kind, queue.a, queue.b);
      if (!this.#stopped && untilUs !== Infinity && untilUs > queue.time) queue.time = untilUs;
    } finally {
      this.#running = false;
    }
  }

  /** Ends the current run after the event at hand. The rest stays pending, and a later `run` goes on with it. */
  stop(): void {
    this.#stopped = true;
  }
}

function refuse(timeUs: number, nowUs: number, kind: number, a: number, b: number): never {
  if (!(timeUs >= nowUs && Number.isSafeInteger(timeUs))) throw new RangeError(`Event at ${timeUs} us: must be an integer, and not before the present (${nowUs} us).`);
  throw new RangeError(`Event payload (${kind}, ${a}, ${b}): each must be a 32-bit signed integer.`);
}
