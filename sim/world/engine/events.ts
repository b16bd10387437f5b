import type { Arena } from "./arena.ts";
import type { EngineSink } from "./engine.ts";

export const STARTED = 0;
export const FIRST_TOKEN = 1;
export const FINISHED = 2;
export const PREEMPTED = 3;
export const PROGRESS = 4;

/**
 * Events that have happened and that the sink has not heard of yet, all of one moment: an engine never passes the time of
 * an event before it is told. Keeps its room: nothing is allocated per event.
 */
export class EventBuffer {
  /** Events that wait for `drain`. */
  size = 0;
  readonly #arena: Arena;
  /** Where they are: their moment in µs, then pairs of handle and kind. */
  #page: Float64Array;
  #at: number;
  /** For how many numbers there is room. */
  #room = 7;
  /** Of the numbers: the first that is untold, and behind the last. */
  #head = 1;
  #tail = 1;

  constructor(arena: Arena) {
    this.#arena = arena;
    this.#at = arena.take(this.#room);
    this.#page = arena.page;
  }

  push(kind: number, ref: number, atUs: number): void {
    if (this.size > 0 && atUs !== this.#page[this.#at]!) throw new Error(`an event of ${atUs} us although one of ${this.#page[this.#at]} us is untold`);
    if (this.#tail === this.#room) this.#grow();
    const page = this.#page;
    const pair = this.#at + this.#tail;
    page[this.#at] = atUs;
    page[pair] = ref;
    page[pair + 1] = kind;
    this.#tail += 2;
    this.size++;
  }

  /** Hands all events over, in order, those included that the sink's handlers cause meanwhile. */
  drain(sink: EngineSink): void {
    while (this.#head < this.#tail) {
      const page = this.#page;
      const pair = this.#at + this.#head;
      const ref = page[pair]! | 0;
      const kind = page[pair + 1]! | 0;
      const atUs = page[this.#at]!;
      this.#head += 2;
      this.size--;
      if (ref < 0) continue;
      switch (kind) {
        case STARTED: sink.started(ref, atUs); break;
        case FIRST_TOKEN: sink.firstToken(ref, atUs); break;
        case FINISHED: sink.finished(ref, atUs); break;
        case PROGRESS: sink.progress?.(ref, atUs); break;
        default: sink.preempted(ref, atUs);
      }
    }
    this.#head = 1;
    this.#tail = 1;
  }

  /** Drops what is pending for this job; true where its end was among it. */
  purge(ref: number): boolean {
    const page = this.#page;
    let ended = false;
    for (let pair = this.#at + this.#head; pair < this.#at + this.#tail; pair += 2) {
      if (page[pair] !== ref) continue;
      page[pair] = -1;
      if (page[pair + 1] === FINISHED) ended = true;
    }
    return ended;
  }

  clear(): void {
    this.size = 0;
    this.#head = 1;
    this.#tail = 1;
  }

  #grow(): void {
    const room = 2 * this.#room + 1;
    this.#at = this.#arena.move(this.#page, this.#at, this.#room, room);
    this.#page = this.#arena.page;
    this.#room = room;
  }
}
