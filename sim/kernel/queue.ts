import { FarEvents } from "./far-events.ts";
import { widened } from "./widened.ts";

/** Handle of a pending event: a positive integer below 2^53. 0 is never one, so it can stand for "none". */
export type EventId = number;

/** An id is generation * SLOTS + slot: room for 16.7 million events at once. */
const SLOTS = 0x1000000;
/** What a double has left above the slot. A slot that has used up its generations is retired. */
const GENERATIONS = 0x20000000;
/** Int32 words per record: generation, kind, a, b and, in the last two, the sequence as a float64. */
const RECORD = 6;
/** Events in the heap, beyond which the later half of them moves out: up to here a heap alone is the fastest. */
const NEAR = 16_384;
/** Events that move in at once, where there are as many: few enough for the first-level cache. */
const INTAKE = 256;
/** Entries whose median parts the heap. Odd. */
const SAMPLES = 15;
/** Position of the heap's root. The children of position p are 2 p and 2 p + 1: one operation fewer at each level than from 0. */
const ROOT = 1;
/** States of the front. The next event is the root of the heap. */
const IN_ROOT = 0;
/** It has been taken, and its place is not filled yet. */
const VACANT = 1;
/** Events of one time have left the heap, and the next of them is the next event. */
const SERVING = 2;
/** So many events of one time are sorted by insertion. */
const SORTED_BY_HAND = 16;
/** Below this many dead entries a clean-up is not worth its constant cost. */
const DEAD_TOLERATED = 64;

/**
 * The pending events of a simulation, in order of (time, sequence of insertion): ties leave first in, first out.
 *
 * The next ones are in a binary heap; where there are many, the later ones wait outside, unordered (`FarEvents`).
 * Everything is in flat typed arrays; no operation allocates, but for the doubling of the arrays and the sorting of many
 * events of one time.
 *
 * - Every entry owns a slot with its payload. The slot's generation is odd while its event is pending and even
 *   otherwise, so that a handle of an event that fired or was cancelled can never touch a later one.
 * - Cancelling marks the slot, and its entry is dropped when it surfaces. When the dead outnumber the living, all
 *   of them are dropped, so memory is bounded by the largest number of living events.
 * - The heap knows times only. Events of one time are set in order when the first of them is due: all of them leave the
 *   heap then and are served one after the other. So a look at the order of insertion is not taken at every level of
 *   the heap, but where it matters.
 * - After a pop the heap's root stays vacant: the push that usually follows fills it and sinks, one pass instead of two.
 *   It is short enough for V8 to put it, and `next`, into the loop that plays events.
 * - An entry sinks until what is below is later; where nothing is, there is Infinity. One reason to stop instead of two
 *   is one branch to mispredict.
 * - Where an event passes each time, sums of integers end in `| 0`, so that V8 need not look whether they overflow, or in
 *   `>>> 0`, so that an index need not be extended for its sign.
 */
export class EventQueue {
  /** Time of the event that `pop` took last, in the unit of `push`. */
  time = 0;
  /** What is later than this stays; as the last `pop` had it. */
  until = Infinity;
  kind = 0;
  a = 0;
  b = 0;

  /** The heap, from `ROOT` on. Behind its last entry are Infinities, down to below the deepest; before the root there is -Infinity. */
  #times: Float64Array<ArrayBuffer>;
  /** Half as long: nothing is below the deepest. */
  #slots: Int32Array<ArrayBuffer>;
  /** Entries of the heap, a vacant root included. */
  #length = 0;
  #front = IN_ROOT;
  readonly #near: number;
  /** Above this length the heap moves half of itself out. */
  #full: number;
  readonly #samples = new Float64Array(SAMPLES);
  readonly #far = new FarEvents();
  /** Least time that may be far. */
  #limit = Infinity;

  /** Slots of the events that are due at `#tiedTime`, in order of insertion, from `#tiedAt` on. */
  #tied = new Int32Array(64);
  #tiedAt = 0;
  #tiedEnd = 0;
  #tiedTime = 0;

  /** By slot: all that is known of an event but its time, side by side to share a cache line. A free slot's `kind` is the next free one. */
  #records = new Int32Array(64 * RECORD);
  /** The same memory: the order of insertion, which settles ties. */
  #sequences = new Float64Array(this.#records.buffer);
  #slotsUsed = 0;
  #freeSlot = -1;
  /** The slot that was freed last, kept off the list for the push that usually follows. */
  #spareSlot = -1;
  #sequence = 0;
  /** Of the entry that `push` is at. A field: a double that is passed to a function is boxed unless V8 inlines it. */
  #newTime = 0;
  /** How many entries are cancelled. */
  #dead = 0;
  readonly #generations: number;

  /**
   * @param near events in the heap at most, 2 or more; other than the default only in tests.
   * @param generations even, 2 to 2^29: half of it is how often a slot is used. Smaller than the default only in tests.
   */
  constructor(near = NEAR, generations = GENERATIONS) {
    this.#near = near;
    this.#full = near;
    this.#times = new Float64Array(128).fill(Infinity);
    this.#times[0] = -Infinity;
    this.#slots = new Int32Array(64);
    this.#generations = generations;
  }

  /** How many events are pending; cancelled ones do not count. */
  get length(): number {
    return this.#entries - this.#dead;
  }

  /** Near, far and due, cancelled ones included. */
  get #entries(): number {
    return this.#length - (this.#front === VACANT ? 1 : 0) + this.#far.length + this.#tiedEnd - this.#tiedAt;
  }

  /** How many entries the arrays have room for, near, far, due and slots together. */
  get capacity(): number {
    return this.#slots.length + this.#far.capacity + this.#tied.length + this.#records.length / RECORD;
  }

  /**
   * Adds an event. `time` is any finite number; `kind`, `a` and `b` are 32-bit signed integers (others are truncated
   * to that).
   * @throws RangeError where 2^24 events are pending already.
   */
  push(time: number, kind: number, a: number, b: number): EventId {
    let slot = this.#spareSlot;
    if (slot >= 0) this.#spareSlot = -1;
    else slot = this.#takeSlot();
    const records = this.#records;
    const at = (slot * RECORD) | 0;
    const generation = (records[at]! + 1) | 0;
    records[at] = generation;
    // What V8 does not know to be an integer, it would take by way of a double.
    records[(at + 1) | 0] = kind | 0;
    records[(at + 2) | 0] = a | 0;
    records[(at + 3) | 0] = b | 0;
    this.#sequences[slot * (RECORD / 2) + 2] = this.#sequence++;
    if (this.#front === VACANT && time < this.#limit) {
      this.#front = IN_ROOT;
      this.#sink(ROOT, time, slot);
    } else {
      this.#newTime = time;
      this.#add(slot);
    }
    return generation * SLOTS + slot;
  }

  /** Adds an event at `#newTime` where it cannot take the root's place. It is younger than all others. */
  #add(slot: number): void {
    const time = this.#newTime;
    if (this.#front === SERVING) {
      if (time === this.#tiedTime) return this.#joinTied(slot);
      if (time < this.#tiedTime) this.#dissolveTied();
    }
    if (time >= this.#limit) this.#far.append(time, slot);
    else this.#raise(slot);
  }

  /** Takes the next event that is due at `until` or before into `time`, `kind`, `a` and `b`. False where there is none. */
  pop(until = Infinity): boolean {
    this.until = until;
    return this.next();
  }

  /** As `pop`, with the bound in `until`: a number that is not passed is not checked for being one, each time. */
  next(): boolean {
    for (;;) {
      if (this.#front !== IN_ROOT) {
        if (this.#front === SERVING) return this.#serve();
        this.#fillRoot();
      }
      const times = this.#times;
      const time = times[ROOT]!;
      // Others are due with it, or the heap is empty. Out of line, so that V8 inlines the rest into the loop that plays events.
      if (time === times[2 * ROOT] || time === times[2 * ROOT + 1]) return this.#serve();
      if (time > this.until) return false;
      const slot = this.#slots[ROOT]!;
      const records = this.#records;
      const at = (slot * RECORD) | 0;
      const generation = records[at]!;
      this.#front = VACANT;
      if ((generation & 1) === 0) {
        this.#dead--;
        this.#release(slot, generation);
        continue;
      }
      this.time = time;
      this.kind = records[(at + 1) | 0]!;
      this.a = records[(at + 2) | 0]!;
      this.b = records[(at + 3) | 0]!;
      this.#release(slot, (generation + 1) | 0);
      return true;
    }
  }

  /** As `next`, where events of one time are served, or nothing is left. */
  #serve(): boolean {
    for (;;) {
      if (!this.#settle()) return false;
      const ties = this.#front === SERVING;
      const time = ties ? this.#tiedTime : this.#times[ROOT]!;
      if (time > this.until) return false;
      if (!ties) this.#front = VACANT;
      if (this.#take(ties ? this.#takeTied() : this.#slots[ROOT]!)) {
        this.time = time;
        return true;
      }
    }
  }

  /** Takes all of an event but its time into the fields. False where it was cancelled. */
  #take(slot: number): boolean {
    if (!this.#keeps(slot)) return false;
    const records = this.#records;
    const at = slot * RECORD;
    this.kind = records[at + 1]!;
    this.a = records[at + 2]!;
    this.b = records[at + 3]!;
    this.#release(slot, records[at]! + 1);
    return true;
  }

  /** Makes the root the next event, or has those of its time served. False where nothing is left. */
  #settle(): boolean {
    if (this.#front === SERVING) return true;
    if (this.#front === VACANT) this.#fillRoot();
    if (this.#length === 0 && !this.#moveIn()) return false;
    const times = this.#times;
    const time = times[ROOT]!;
    if (time === times[2 * ROOT] || time === times[2 * ROOT + 1]) this.#gatherTied();
    return true;
  }

  /** Time of the next event, Infinity where there is none. */
  peekTime(): number {
    for (;;) {
      if (!this.#settle()) return Infinity;
      const serving = this.#front === SERVING;
      const slot = serving ? this.#tied[this.#tiedAt]! : this.#slots[ROOT]!;
      if (this.#keeps(slot)) return serving ? this.#tiedTime : this.#times[ROOT]!;
      if (serving) this.#takeTied();
      else this.#front = VACANT;
    }
  }

  /** Removes a pending event in O(1). False where it has fired or was cancelled already, or the id is not one of ours. */
  cancel(id: EventId): boolean {
    const slot = id % SLOTS;
    const generation = (id - slot) / SLOTS;
    if ((generation & 1) === 0 || this.#records[slot * RECORD] !== generation) return false;
    this.#records[slot * RECORD] = generation + 1;
    this.#dead++;
    if (this.#dead > DEAD_TOLERATED && this.#dead * 2 > this.#entries) this.#dropDead();
    return true;
  }

  #takeSlot(): number {
    const free = this.#freeSlot;
    if (free >= 0) {
      this.#freeSlot = this.#records[free * RECORD + 1]!;
      return free;
    }
    const slot = this.#slotsUsed;
    if (slot === SLOTS) throw new RangeError(`More than ${SLOTS} pending events.`);
    this.#slotsUsed++;
    if (slot * RECORD === this.#records.length) {
      this.#records = widened(this.#records);
      this.#sequences = new Float64Array(this.#records.buffer);
    }
    return slot;
  }

  /** Frees a slot with this, even, generation; for good where it is the last one. */
  #release(slot: number, generation: number): void {
    this.#records[(slot * RECORD) | 0] = generation;
    if (generation === this.#generations) return;
    const spare = this.#spareSlot;
    this.#spareSlot = slot;
    if (spare < 0) return;
    this.#records[spare * RECORD + 1] = this.#freeSlot;
    this.#freeSlot = spare;
  }

  /** Adds an entry at `#newTime` to the heap. */
  #raise(slot: number): void {
    const time = this.#newTime;
    let position = ++this.#length;
    if (position >= this.#slots.length) this.#makeRoom(position);
    const times = this.#times;
    const slots = this.#slots;
    for (;;) {
      const parent = position >> 1;
      const parentTime = times[parent]!;
      if (time >= parentTime) break;
      times[position] = parentTime;
      slots[position] = slots[parent]!;
      position = parent;
    }
    times[position] = time;
    slots[position] = slot;
    if (this.#length > this.#full) this.#moveOut();
  }

  /** Puts an entry into a vacant position and sinks it. */
  #sink(from: number, time: number, slot: number): void {
    const times = this.#times;
    const slots = this.#slots;
    let position = from;
    for (;;) {
      const left = (position << 1) >>> 0;
      const child = (left | +(times[(left | 1) >>> 0]! < times[left]!)) >>> 0;
      const childTime = times[child]!;
      if (childTime > time) break;
      times[position] = childTime;
      slots[position] = slots[child]!;
      position = child;
    }
    times[position] = time;
    slots[position] = slot;
  }

  /** Takes all events of the root's time out of the heap and sets them in order. */
  #gatherTied(): void {
    const time = this.#times[ROOT]!;
    let end = 0;
    while (this.#times[ROOT] === time) {
      if (end === this.#tied.length) this.#tied = widened(this.#tied);
      this.#tied[end++] = this.#slots[ROOT]!;
      this.#fillRoot();
    }
    this.#tiedAt = 0;
    this.#tiedEnd = end;
    this.#tiedTime = time;
    this.#front = SERVING;
    const tied = this.#tied;
    const sequences = this.#sequences;
    if (end > SORTED_BY_HAND) {
      tied.subarray(0, end).sort((a, b) => sequences[a * (RECORD / 2) + 2]! - sequences[b * (RECORD / 2) + 2]!);
      return;
    }
    for (let i = 1; i < end; i++) {
      const slot = tied[i]!;
      const sequence = sequences[slot * (RECORD / 2) + 2]!;
      let to = i;
      for (; to > 0 && sequences[tied[to - 1]! * (RECORD / 2) + 2]! > sequence; to--) tied[to] = tied[to - 1]!;
      tied[to] = slot;
    }
  }

  /** The slot of the next event of `#tiedTime`. */
  #takeTied(): number {
    const slot = this.#tied[this.#tiedAt++]!;
    if (this.#tiedAt === this.#tiedEnd) {
      this.#tiedAt = 0;
      this.#tiedEnd = 0;
      this.#front = IN_ROOT;
    }
    return slot;
  }

  /** An event is added while others of its time are being served: it is the last of them. */
  #joinTied(slot: number): void {
    if (this.#tiedEnd === this.#tied.length) {
      if (this.#tiedAt * 2 > this.#tiedEnd) {
        this.#tied.copyWithin(0, this.#tiedAt, this.#tiedEnd);
        this.#tiedEnd -= this.#tiedAt;
        this.#tiedAt = 0;
      } else {
        this.#tied = widened(this.#tied);
      }
    }
    this.#tied[this.#tiedEnd++] = slot;
  }

  /** Puts the events that were being served back into the heap. */
  #dissolveTied(): void {
    const time = this.#newTime;
    this.#newTime = this.#tiedTime;
    this.#front = IN_ROOT;
    for (let i = this.#tiedAt; i < this.#tiedEnd; i++) {
      if (this.#newTime >= this.#limit) this.#far.append(this.#newTime, this.#tied[i]!);
      else this.#raise(this.#tied[i]!);
    }
    this.#tiedAt = 0;
    this.#tiedEnd = 0;
    this.#newTime = time;
  }

  /** Fills the vacant root from the end of the heap. */
  #fillRoot(): void {
    this.#front = IN_ROOT;
    const last = this.#length--;
    const time = this.#times[last]!;
    this.#times[last] = Infinity;
    if (last > ROOT) this.#sink(ROOT, time, this.#slots[last]!);
  }

  #heapify(): void {
    const times = this.#times;
    const slots = this.#slots;
    for (let position = this.#length >> 1; position >= ROOT; position--) this.#sink(position, times[position]!, slots[position]!);
  }

  /** Moves the later half of the heap to a new far run. */
  #moveOut(): void {
    const times = this.#times;
    const slots = this.#slots;
    const length = this.#length;
    const samples = this.#samples;
    for (let i = 0; i < SAMPLES; i++) samples[i] = times[ROOT + Math.floor(((2 * i + 1) * length) / (2 * SAMPLES))]!;
    let bound = samples.sort()[SAMPLES >> 1]!;
    // Whatever is at the root's time has to stay.
    if (bound === times[ROOT]) {
      bound = Infinity;
      for (let position = ROOT; position <= length; position++) {
        const time = times[position]!;
        if (time > times[ROOT]! && time < bound) bound = time;
      }
      if (bound === Infinity) {
        this.#full = 2 * length;
        return;
      }
    }
    this.#far.open(bound);
    this.#limit = bound;
    let kept = 0;
    for (let position = ROOT; position <= length; position++) {
      const time = times[position]!;
      const slot = slots[position]!;
      if (time >= bound) this.#far.append(time, slot);
      else {
        kept++;
        times[kept] = time;
        slots[kept] = slot;
      }
    }
    times.fill(Infinity, kept + 1, length + 1);
    this.#length = kept;
    this.#heapify();
    this.#full = Math.max(this.#near, kept + (kept >> 1));
  }

  /** Fills the empty heap with the nearest far run that holds a living event. False where there is none. */
  #moveIn(): boolean {
    for (;;) {
      const count = this.#far.prepare(Math.min(INTAKE, this.#near >> 1));
      if (count < 0) return false;
      if (count >= this.#slots.length) this.#makeRoom(count);
      this.#far.take(this.#times, this.#slots, ROOT);
      this.#limit = this.#far.limit;
      this.#length = this.#dropDeadNear(count);
      this.#full = Math.max(this.#near, 2 * count);
      if (this.#length > 0) break;
    }
    this.#heapify();
    return true;
  }

  /**
   * Drops the cancelled of the first so many entries of the heap. Done to what moves in, it also fetches all their records,
   * many at a time: left to the pops, they would be waited for one after the other.
   * @returns how many are left, in the order they were in.
   */
  #dropDeadNear(count: number): number {
    const times = this.#times;
    const slots = this.#slots;
    let kept = 0;
    for (let position = ROOT; position <= count; position++) {
      const slot = slots[position]!;
      if (!this.#keeps(slot)) continue;
      kept++;
      times[kept] = times[position]!;
      slots[kept] = slot;
    }
    times.fill(Infinity, kept + 1, count + 1);
    return kept;
  }

  /** Grows the heap's arrays to this many entries at least. */
  #makeRoom(entries: number): void {
    let capacity = 2 * this.#slots.length;
    while (capacity <= entries) capacity *= 2;
    const before = this.#times.length;
    this.#times = widened(this.#times, 2 * capacity).fill(Infinity, before);
    this.#slots = widened(this.#slots, capacity);
  }

  /** Whether an entry's event is pending; where it was cancelled, its slot is freed. */
  #keeps(slot: number): boolean {
    const generation = this.#records[slot * RECORD]!;
    if ((generation & 1) === 1) return true;
    this.#dead--;
    this.#release(slot, generation);
    return false;
  }

  #dropDead(): void {
    if (this.#front === VACANT) this.#fillRoot();
    this.#length = this.#dropDeadNear(this.#length);
    this.#heapify();
    this.#far.filter((slot) => this.#keeps(slot));
    if (this.#tiedEnd > this.#tiedAt) {
      let end = 0;
      for (let i = this.#tiedAt; i < this.#tiedEnd; i++) if (this.#keeps(this.#tied[i]!)) this.#tied[end++] = this.#tied[i]!;
      this.#tiedAt = 0;
      this.#tiedEnd = end;
      if (end === 0) this.#front = IN_ROOT;
    }
  }
}
