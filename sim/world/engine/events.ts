import type { EngineSink } from "./engine.ts";

export const STARTED = 0;
export const FIRST_TOKEN = 1;
export const FINISHED = 2;
export const PREEMPTED = 3;
export const PROGRESS = 4;

/**
 * Events that have happened and that the sink has not heard of yet, all of one moment: an engine never passes the time of
 * an event before it is told. Keeps its array: nothing is allocated per event.
 */
export class EventBuffer {
  /** Events that wait for `drain`. */
  size = 0;
  #head = 0;
  #tail = 0;
  #atUs = 0;
  /** Pairs of handle and kind. */
  #pairs = new Int32Array(8);

  push(kind: number, ref: number, atUs: number): void {
    if (this.size > 0 && atUs !== this.#atUs) throw new Error(`an event of ${atUs} us although one of ${this.#atUs} us is untold`);
    this.#atUs = atUs;
    if (this.#tail === this.#pairs.length) this.#grow();
    this.#pairs[this.#tail++] = ref;
    this.#pairs[this.#tail++] = kind;
    this.size++;
  }

  /** Hands all events over, in order, those included that the sink's handlers cause meanwhile. */
  drain(sink: EngineSink): void {
    while (this.#head < this.#tail) {
      const ref = this.#pairs[this.#head++]!;
      const kind = this.#pairs[this.#head++]!;
      const atUs = this.#atUs;
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
    this.#head = 0;
    this.#tail = 0;
  }

  /** Drops what is pending for this job; true where its end was among it. */
  purge(ref: number): boolean {
    let ended = false;
    for (let at = this.#head; at < this.#tail; at += 2) {
      if (this.#pairs[at] !== ref) continue;
      this.#pairs[at] = -1;
      if (this.#pairs[at + 1] === FINISHED) ended = true;
    }
    return ended;
  }

  clear(): void {
    this.size = 0;
    this.#head = 0;
    this.#tail = 0;
  }

  #grow(): void {
    const pairs = new Int32Array(this.#pairs.length * 2);
    pairs.set(this.#pairs);
    this.#pairs = pairs;
  }
}
