import type { EngineSink } from "./engine.ts";

export const STARTED = 0;
export const FIRST_TOKEN = 1;
export const FINISHED = 2;
export const PREEMPTED = 3;

/** Events that have happened and that the sink has not heard of yet. Keeps its arrays: nothing is allocated per event. */
export class EventBuffer {
  /** Events that wait for `drain`. */
  size = 0;
  #head = 0;
  #tail = 0;
  #refs = new Int32Array(8);
  #kinds = new Uint8Array(8);
  #timesUs = new Float64Array(8);

  push(kind: number, ref: number, atUs: number): void {
    const at = this.#tail++;
    if (at === this.#refs.length) this.#grow();
    this.#refs[at] = ref;
    this.#kinds[at] = kind;
    this.#timesUs[at] = atUs;
    this.size++;
  }

  /** Hands all events over, in order, those included that the sink's handlers cause meanwhile. */
  drain(sink: EngineSink): void {
    while (this.#head < this.#tail) {
      const at = this.#head++;
      const ref = this.#refs[at]!;
      this.size--;
      if (ref < 0) continue;
      const atUs = this.#timesUs[at]!;
      switch (this.#kinds[at]) {
        case STARTED: sink.started(ref, atUs); break;
        case FIRST_TOKEN: sink.firstToken(ref, atUs); break;
        case FINISHED: sink.finished(ref, atUs); break;
        default: sink.preempted(ref, atUs);
      }
    }
    this.#head = 0;
    this.#tail = 0;
  }

  /** Drops what is pending for this job; true where its end was among it. */
  purge(ref: number): boolean {
    let ended = false;
    for (let at = this.#head; at < this.#tail; at++) {
      if (this.#refs[at] !== ref) continue;
      this.#refs[at] = -1;
      if (this.#kinds[at] === FINISHED) ended = true;
    }
    return ended;
  }

  #grow(): void {
    const refs = new Int32Array(this.#refs.length * 2);
    refs.set(this.#refs);
    this.#refs = refs;
    const kinds = new Uint8Array(refs.length);
    kinds.set(this.#kinds);
    this.#kinds = kinds;
    const timesUs = new Float64Array(refs.length);
    timesUs.set(this.#timesUs);
    this.#timesUs = timesUs;
  }
}
