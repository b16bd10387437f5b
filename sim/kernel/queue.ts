import { doubled, FarEvents } from "./far-events.ts";

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
/** Below this many dead entries a clean-up is not worth its constant cost. */
const DEAD_TOLERATED = 64;

/**
 * The pending events of a simulation, in order of (time, sequence of insertion): ties leave first in, first out.
 *
 * The next ones are in a binary heap; where there are many, the later ones wait outside, unordered (`FarEvents`).
 * Everything is in flat typed arrays; no operation allocates, but for the doubling of the arrays.
 *
 * - Every entry owns a slot with its payload. The slot's generation is odd while its event is pending and even
 *   otherwise, so that a handle of an event that fired or was cancelled can never touch a later one.
 * - Cancelling marks the slot, and its entry is dropped when it surfaces. When the dead outnumber the living, all
 *   of them are dropped, so memory is bounded by the largest number of living events.
 * - After a pop the heap's root stays vacant: the push that usually follows fills it and sinks, one pass instead of two.
 */
export class EventQueue {
  /** Time of the event that `pop` took last, in the unit of `push`. */
  time = 0;
  /** What is later than this stays; as the last `pop` had it. */
  until = Infinity;
  kind = 0;
  a = 0;
  b = 0;

  /** The heap. One Infinity at least follows the last entry, so that every parent has two children. */
  #times: Float64Array<ArrayBuffer>;
  #slots: Int32Array<ArrayBuffer>;
  /** Entries of the heap, a vacant root included. */
  #length = 0;
  #rootVacant = false;
  readonly #near: number;
  /** Above this length the heap moves half of itself out. */
  #full: number;
  readonly #samples = new Float64Array(SAMPLES);
  readonly #far = new FarEvents();
  /** Least time that may be far. */
  #limit = Infinity;

  /** By slot: all that is known of an event but its time, side by side to share a cache line. A free slot's `kind` is the next free one. */
  #records = new Int32Array(64 * RECORD);
  /** The same memory: the order of insertion, which settles ties. */
  #sequences = new Float64Array(this.#records.buffer);
  #slotsUsed = 0;
  #freeSlot = -1;
  /** The slot that was freed last, kept off the list for the push that usually follows. */
  #spareSlot = -1;
  #sequence = 0;
  /** Of the entry that `push` is at. Fields, not parameters: a double that is passed to a function is boxed unless V8 inlines it. */
  #newTime = 0;
  #newGeneration = 0;
  #newSlot = 0;
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
    this.#times = new Float64Array(66).fill(Infinity);
    this.#slots = new Int32Array(66);
    this.#generations = generations;
  }

  /** How many events are pending; cancelled ones do not count. */
  get length(): number {
    return this.#entries - this.#dead;
  }

  /** Near and far, cancelled ones included. */
  get #entries(): number {
    return this.#length - (this.#rootVacant ? 1 : 0) + this.#far.length;
  }

  /** How many entries the arrays have room for, near, far and slots together. */
  get capacity(): number {
    return this.#times.length + this.#far.capacity + this.#records.length / RECORD;
  }

  /**
   * Adds an event. `time` is any finite number; `kind`, `a` and `b` are 32-bit signed integers (others are truncated
   * to that).
   * @throws RangeError where 2^24 events are pending already.
   */
  push(time: number, kind: number, a: number, b: number): EventId {
    this.#newTime = time;
    this.#insert(kind, a, b);
    return this.#newGeneration * SLOTS + this.#newSlot;
  }

  /** Adds an event at `#newTime`. It is younger than all others: its equals pass it. */
  #insert(kind: number, a: number, b: number): void {
    let slot = this.#spareSlot;
    if (slot >= 0) this.#spareSlot = -1;
    else slot = this.#takeSlot();
    const records = this.#records;
    const at = slot * RECORD;
    const generation = records[at]! + 1;
    records[at] = generation;
    records[at + 1] = kind;
    records[at + 2] = a;
    records[at + 3] = b;
    this.#sequences[slot * (RECORD / 2) + 2] = this.#sequence++;
    this.#newGeneration = generation;
    this.#newSlot = slot;
    const time = this.#newTime;
    if (time >= this.#limit) return this.#far.append(time, slot);
    if (!this.#rootVacant) return this.#raise(slot);
    this.#rootVacant = false;
    const times = this.#times;
    const slots = this.#slots;
    const length = this.#length;
    let position = 0;
    for (let left = 1; left < length; left = 2 * position + 1) {
      const leftTime = times[left]!;
      const rightTime = times[left + 1]!;
      if (rightTime === leftTime) return this.#sinkTied(position, time, slot);
      const child = left + +(rightTime < leftTime);
      const childTime = times[child]!;
      if (childTime > time) break;
      times[position] = childTime;
      slots[position] = slots[child]!;
      position = child;
    }
    times[position] = time;
    slots[position] = slot;
  }

  /** Takes the next event that is due at `until` or before into `time`, `kind`, `a` and `b`. False where there is none. */
  pop(until = Infinity): boolean {
    this.until = until;
    return this.next();
  }

  /** As `pop`, with the bound in `until`: a number that is not passed is not checked for being one, each time. */
  next(): boolean {
    for (;;) {
      if (this.#rootVacant) this.#fillRoot();
      if (this.#length === 0) {
        if (!this.#moveIn()) return false;
        continue;
      }
      const time = this.#times[0]!;
      if (time > this.until) return false;
      const records = this.#records;
      const slot = this.#slots[0]!;
      const at = slot * RECORD;
      const generation = records[at]!;
      this.#rootVacant = true;
      if ((generation & 1) === 0) {
        this.#dead--;
        this.#release(slot, generation);
        continue;
      }
      this.time = time;
      this.kind = records[at + 1]!;
      this.a = records[at + 2]!;
      this.b = records[at + 3]!;
      this.#release(slot, generation + 1);
      return true;
    }
  }

  /** Time of the next event, Infinity where there is none. */
  peekTime(): number {
    for (;;) {
      if (this.#rootVacant) this.#fillRoot();
      if (this.#length === 0) {
        if (!this.#moveIn()) return Infinity;
        continue;
      }
      const slot = this.#slots[0]!;
      const generation = this.#records[slot * RECORD]!;
      if ((generation & 1) === 1) return this.#times[0]!;
      this.#rootVacant = true;
      this.#dead--;
      this.#release(slot, generation);
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
      this.#records = doubled(this.#records);
      this.#sequences = new Float64Array(this.#records.buffer);
    }
    return slot;
  }

  /** Frees a slot with this, even, generation; for good where it is the last one. */
  #release(slot: number, generation: number): void {
    this.#records[slot * RECORD] = generation;
    if (generation === this.#generations) return;
    const spare = this.#spareSlot;
    this.#spareSlot = slot;
    if (spare < 0) return;
    this.#records[spare * RECORD + 1] = this.#freeSlot;
    this.#freeSlot = spare;
  }

  /** Adds an entry younger than all others to the heap: it passes only later ones, never its equals. */
  #raise(slot: number): void {
    const time = this.#newTime;
    let position = this.#length++;
    if (position + 2 > this.#times.length - 1) this.#makeRoom(position + 3);
    const times = this.#times;
    const slots = this.#slots;
    times[position + 1] = Infinity;
    while (position > 0) {
      const parent = (position - 1) >> 1;
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

  /** Puts any entry into a vacant position and sinks it. */
  #sink(from: number, time: number, slot: number): void {
    const times = this.#times;
    const slots = this.#slots;
    const length = this.#length;
    let position = from;
    for (let left = 2 * position + 1; left < length; left = 2 * position + 1) {
      const leftTime = times[left]!;
      const rightTime = times[left + 1]!;
      if (rightTime === leftTime) return this.#sinkTied(position, time, slot);
      const child = left + +(rightTime < leftTime);
      const childTime = times[child]!;
      if (childTime >= time) {
        if (childTime === time) return this.#sinkTied(position, time, slot);
        break;
      }
      times[position] = childTime;
      slots[position] = slots[child]!;
      position = child;
    }
    times[position] = time;
    slots[position] = slot;
  }

  /** The same, in order of insertion among equals. */
  #sinkTied(from: number, time: number, slot: number): void {
    const times = this.#times;
    const slots = this.#slots;
    const sequences = this.#sequences;
    const sequence = sequences[slot * (RECORD / 2) + 2]!;
    const length = this.#length;
    let position = from;
    for (let left = 2 * position + 1; left < length; left = 2 * position + 1) {
      let child = left;
      let childTime = times[left]!;
      let childSlot = slots[left]!;
      const right = left + 1;
      const rightTime = times[right]!;
      if (rightTime <= childTime && right < length) {
        const rightSlot = slots[right]!;
        if (rightTime < childTime || sequences[rightSlot * (RECORD / 2) + 2]! < sequences[childSlot * (RECORD / 2) + 2]!) {
          child = right;
          childTime = rightTime;
          childSlot = rightSlot;
        }
      }
      if (childTime > time || (childTime === time && sequences[childSlot * (RECORD / 2) + 2]! > sequence)) break;
      times[position] = childTime;
      slots[position] = childSlot;
      position = child;
    }
    times[position] = time;
    slots[position] = slot;
  }

  #fillRoot(): void {
    this.#rootVacant = false;
    const last = --this.#length;
    const time = this.#times[last]!;
    this.#times[last] = Infinity;
    if (last > 0) this.#sink(0, time, this.#slots[last]!);
  }

  #heapify(): void {
    const times = this.#times;
    const slots = this.#slots;
    for (let position = (this.#length >> 1) - 1; position >= 0; position--) this.#sink(position, times[position]!, slots[position]!);
  }

  /** Moves the later half of the heap to a new far run. */
  #moveOut(): void {
    const times = this.#times;
    const slots = this.#slots;
    const length = this.#length;
    const samples = this.#samples;
    for (let i = 0; i < SAMPLES; i++) samples[i] = times[Math.floor(((2 * i + 1) * length) / (2 * SAMPLES))]!;
    let bound = samples.sort()[SAMPLES >> 1]!;
    // Whatever is at the root's time has to stay.
    if (bound === times[0]) {
      bound = Infinity;
      for (let position = 0; position < length; position++) {
        const time = times[position]!;
        if (time > times[0]! && time < bound) bound = time;
      }
      if (bound === Infinity) {
        this.#full = 2 * length;
        return;
      }
    }
    this.#far.open(bound);
    this.#limit = bound;
    let kept = 0;
    for (let position = 0; position < length; position++) {
      const time = times[position]!;
      const slot = slots[position]!;
      if (time >= bound) this.#far.append(time, slot);
      else {
        times[kept] = time;
        slots[kept] = slot;
        kept++;
      }
    }
    times.fill(Infinity, kept, length);
    this.#length = kept;
    this.#heapify();
    this.#full = Math.max(this.#near, kept + (kept >> 1));
  }

  /** Fills the empty heap with the nearest far run. False where there is none. */
  #moveIn(): boolean {
    const count = this.#far.prepare(Math.min(INTAKE, this.#near >> 1));
    if (count < 0) return false;
    if (count + 2 > this.#times.length) this.#makeRoom(count + 2);
    this.#far.take(this.#times, this.#slots);
    this.#limit = this.#far.limit;
    this.#length = count;
    this.#full = Math.max(this.#near, 2 * count);
    this.#heapify();
    return true;
  }

  /** Grows the heap's arrays to this many entries at least. */
  #makeRoom(entries: number): void {
    let capacity = this.#times.length;
    while (capacity < entries) capacity *= 2;
    const times = new Float64Array(capacity).fill(Infinity, this.#times.length);
    times.set(this.#times);
    const slots = new Int32Array(capacity);
    slots.set(this.#slots);
    this.#times = times;
    this.#slots = slots;
  }

  #dropDead(): void {
    if (this.#rootVacant) this.#fillRoot();
    const keeps = (slot: number): boolean => {
      const generation = this.#records[slot * RECORD]!;
      if ((generation & 1) === 1) return true;
      this.#release(slot, generation);
      return false;
    };
    const times = this.#times;
    const slots = this.#slots;
    let kept = 0;
    for (let position = 0; position < this.#length; position++) {
      const slot = slots[position]!;
      if (!keeps(slot)) continue;
      times[kept] = times[position]!;
      slots[kept] = slot;
      kept++;
    }
    times.fill(Infinity, kept, this.#length);
    this.#length = kept;
    this.#heapify();
    this.#far.filter(keeps);
    this.#dead = 0;
  }
}
