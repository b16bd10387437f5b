import type { JobId } from "../protocol/messages.ts";
import { hashString } from "./hash.ts";

/** Of a place that is free. */
const FREE = -1;
/** What a place takes in the array: the id's hash, the id and the value, side by side in memory. */
const PLACE = 3;
/** Of a table that has not needed any place yet. Nobody writes to it. */
const NO_PLACES: (number | JobId | undefined)[] = [FREE, undefined, undefined];

let lastId: JobId = "";
let lastHash = smallHash("");

/** One event asks several tables for the same job: its hash is worth remembering. */
function hashOf(id: JobId): number {
  if (id !== lastId) {
    lastHash = smallHash(id);
    lastId = id;
  }
  return lastHash;
}

/** In 30 bits, which every JavaScript engine keeps as a small integer. */
function smallHash(id: JobId): number {
  return hashString(id) >>> 2;
}

/**
 * Jobs by id, for tables from which every job is soon deleted again. JavaScript's own Map makes a new table each time its
 * deletions pile up and leaves the old one's contents to the garbage collector, which then takes every job for long-lived;
 * this one reuses its one array in place. Measured in a market of 1,000 nodes: a quarter less time per job.
 *
 * One job is kept in the object itself, since most tables of a market hold no more. For the others, open addressing with
 * linear probing; a deletion moves later entries back (Knuth, TAOCP vol. 3, 6.4, algorithm R). Hashes are kept: ids of other
 * jobs, which lie far apart in memory, are read only where their hashes are equal.
 */
export class JobMap<V> {
  /** The job that is kept here. */
  #hash = FREE;
  #id: JobId = "";
  #value: V | undefined = undefined;
  /** Jobs in `#places`. */
  #others = 0;
  /** Places less one. */
  #mask = 0;
  #places: (number | JobId | V | undefined)[] = NO_PLACES;

  /** Jobs in the table. */
  get size(): number {
    return this.#hash === FREE ? this.#others : this.#others + 1;
  }

  /** What is kept for the job; undefined where it is not there. */
  get(id: JobId): V | undefined {
    const hash = hashOf(id);
    if (this.#isHere(id, hash)) return this.#value;
    return this.#others === 0 ? undefined : this.#places[this.#find(id, hash) + 2] as V | undefined;
  }

  /** Whether the job is there. */
  has(id: JobId): boolean {
    const hash = hashOf(id);
    return this.#isHere(id, hash) || this.#isInPlace(id, hash);
  }

  /** Keeps a value for the job, in place of an earlier one. */
  set(id: JobId, value: V): void {
    const hash = hashOf(id);
    if (this.#isHere(id, hash) || (this.#hash === FREE && !this.#isInPlace(id, hash))) {
      this.#hash = hash;
      this.#id = id;
      this.#value = value;
    } else {
      this.#setPlace(id, hash, value);
    }
  }

  /** @returns whether the job was there. */
  delete(id: JobId): boolean {
    const hash = hashOf(id);
    if (!this.#isHere(id, hash)) return this.#others > 0 && this.#deletePlace(id, hash);
    this.#hash = FREE;
    this.#id = "";
    this.#value = undefined;
    return true;
  }

  /** All entries, in no particular order that callers may rely on; nothing may be set or deleted meanwhile. */
  *entries(): Generator<[JobId, V]> {
    if (this.#hash !== FREE) yield [this.#id, this.#value as V];
    for (let at = 0; at < this.#places.length; at += PLACE) {
      if (this.#places[at] !== FREE) yield [this.#places[at + 1] as JobId, this.#places[at + 2] as V];
    }
  }

  #isHere(id: JobId, hash: number): boolean {
    return hash === this.#hash && id === this.#id;
  }

  #isInPlace(id: JobId, hash: number): boolean {
    return this.#others > 0 && this.#places[this.#find(id, hash)] !== FREE;
  }

  #setPlace(id: JobId, hash: number, value: V): void {
    let at = this.#find(id, hash);
    if (this.#places[at] === FREE) {
      if (this.#others * 2 >= this.#mask) {
        this.#grow();
        at = this.#find(id, hash);
      }
      this.#places[at] = hash;
      this.#places[at + 1] = id;
      this.#others++;
    }
    this.#places[at + 2] = value;
  }

  #deletePlace(id: JobId, hash: number): boolean {
    let hole = this.#find(id, hash);
    const places = this.#places;
    if (places[hole] === FREE) return false;
    const mask = this.#mask;
    this.#others--;
    let place = hole / PLACE;
    let holePlace = place;
    for (;;) {
      place = (place + 1) & mask;
      const at = place * PLACE;
      const other = places[at] as number;
      if (other === FREE) break;
      // An entry may move back only as far as the place where a search for it begins.
      if (((place - other) & mask) < ((place - holePlace) & mask)) continue;
      places[hole] = other;
      places[hole + 1] = places[at + 1];
      places[hole + 2] = places[at + 2];
      hole = at;
      holePlace = place;
    }
    places[hole] = FREE;
    places[hole + 1] = undefined;
    places[hole + 2] = undefined;
    return true;
  }

  /** Index of the place where the job is, or of the free one where it would go. */
  #find(id: JobId, hash: number): number {
    const places = this.#places;
    const mask = this.#mask;
    let place = hash & mask;
    for (;;) {
      const at = place * PLACE;
      const found = places[at];
      if (found === FREE || (found === hash && places[at + 1] === id)) return at;
      place = (place + 1) & mask;
    }
  }

  #grow(): void {
    const places = this.#places;
    const count = Math.max(8, (this.#mask + 1) * 2);
    this.#mask = count - 1;
    this.#places = new Array<number | JobId | V | undefined>(count * PLACE).fill(undefined);
    for (let at = 0; at < count * PLACE; at += PLACE) this.#places[at] = FREE;
    for (let from = 0; from < places.length; from += PLACE) {
      const hash = places[from] as number;
      if (hash === FREE) continue;
      const id = places[from + 1] as JobId;
      const at = this.#find(id, hash);
      this.#places[at] = hash;
      this.#places[at + 1] = id;
      this.#places[at + 2] = places[from + 2];
    }
  }
}
