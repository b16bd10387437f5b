import type { Random } from "../kernel/random.ts";

/**
 * Random numbers from a 32-bit seed: a job's own are the same at whichever node it is served, in whatever order.
 * Mulberry32 (T. Ettinger, public domain, 2017).
 */
export class SeededNumbers implements Random {
  #state = 0;

  from(seed: number): this {
    this.#state = seed;
    return this;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }
}
