import type { JobId } from "../protocol/messages.ts";
import { hashString } from "./hash.ts";

let lastId: JobId = "";
let lastHash = hashString("");

/** One event asks several tables for the same job: its hash is worth remembering. */
function hashOf(id: JobId): number {
  if (id !== lastId) {
    lastHash = hashString(id);
    lastId = id;
  }
  return lastHash;
}

/**
 * Jobs by id, for tables from which every job is soon deleted again. JavaScript's own Map makes a new table each time its
 * deletions pile up and leaves the old one's contents to the garbage collector, which then takes every job for long-lived;
 * this one reuses its two arrays in place. Measured in a market of 1,000 nodes: a quarter less time per job.
 *
 * Open addressing with linear probing; a deletion moves later entries back (Knuth, TAOCP vol. 3, 6.4, algorithm R).
 */
export class JobMap<V> {
  #keys: (JobId | undefined)[];
  #values: (V | undefined)[];
  #mask: number;
  #size = 0;

  constructor() {
    this.#keys = new Array<JobId | undefined>(8).fill(undefined);
    this.#values = new Array<V | undefined>(8).fill(undefined);
    this.#mask = 7;
  }

  get size(): number {
    return this.#size;
  }

  get(id: JobId): V | undefined {
    return this.#values[this.#find(id)];
  }

  has(id: JobId): boolean {
    return this.#keys[this.#find(id)] !== undefined;
  }

  set(id: JobId, value: V): void {
    let at = this.#find(id);
    if (this.#keys[at] === undefined) {
      if (this.#size * 2 > this.#mask) {
        this.#grow();
        at = this.#find(id);
      }
      this.#keys[at] = id;
      this.#size++;
    }
    this.#values[at] = value;
  }

  /** @returns whether the job was there. */
  delete(id: JobId): boolean {
    let hole = this.#find(id);
    if (this.#keys[hole] === undefined) return false;
    const keys = this.#keys;
    const values = this.#values;
    const mask = this.#mask;
    this.#size--;
    let at = hole;
    for (;;) {
      at = (at + 1) & mask;
      const key = keys[at];
      if (key === undefined) break;
      const home = hashString(key) & mask;
      // An entry may move back only as far as the place where a search for it begins.
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      keys[hole] = key;
      values[hole] = values[at];
      hole = at;
    }
    keys[hole] = undefined;
    values[hole] = undefined;
    return true;
  }

  /** All entries, in no particular order that callers may rely on; nothing may be set or deleted meanwhile. */
  *entries(): Generator<[JobId, V]> {
    for (let at = 0; at <= this.#mask; at++) {
      const key = this.#keys[at];
      if (key !== undefined) yield [key, this.#values[at] as V];
    }
  }

  /** Where the job is, or the free place where it would go. */
  #find(id: JobId): number {
    let at = hashOf(id) & this.#mask;
    for (;;) {
      const key = this.#keys[at];
      if (key === undefined || key === id) return at;
      at = (at + 1) & this.#mask;
    }
  }

  #grow(): void {
    const keys = this.#keys;
    const values = this.#values;
    const length = keys.length * 2;
    this.#keys = new Array<JobId | undefined>(length).fill(undefined);
    this.#values = new Array<V | undefined>(length).fill(undefined);
    this.#mask = length - 1;
    for (let at = 0; at < keys.length; at++) {
      const key = keys[at];
      if (key === undefined) continue;
      const place = this.#find(key);
      this.#keys[place] = key;
      this.#values[place] = values[at];
    }
  }
}
