/** Handle of a pending event: a positive integer below 2^53. 0 is never one, so it can stand for "none". */
export type EventId = number;

/** An id is generation * SLOTS + slot: room for 16.7 million events at once. */
const SLOTS = 0x1000000;
/** What a double has left above the slot. A slot that has used up its generations is retired. */
const GENERATIONS = 0x20000000;
/** Int32 words per record: generation, kind, a, b and, in the last two, the sequence as a float64. */
const RECORD = 6;
/** Below this many dead entries a clean-up is not worth its constant cost. */
const DEAD_TOLERATED = 64;

/**
 * The pending events of a simulation, in order of (time, sequence of insertion): ties leave first in, first out.
 *
 * A binary heap over flat typed arrays; no operation allocates, but for the doubling of the arrays.
 *
 * - Every entry owns a slot with its payload. The slot's generation is odd while its event is pending and even
 *   otherwise, so that a handle of an event that fired or was cancelled can never touch a later one.
 * - Cancelling marks the slot, and the heap drops the entry when it surfaces. When the dead outnumber the living, the
 *   heap is rebuilt without them, so memory is bounded by twice the largest number of living events.
 * - After a pop the root stays vacant: the push that usually follows fills it and sinks, one pass instead of two.
 */
export class EventQueue {
  /** Time of the event that `pop` took last, in the unit of `push`. */
  time = 0;
  kind = 0;
  a = 0;
  b = 0;

  /** One longer than there are entries: Infinity follows the last, so that every parent has two children. */
  #times: Float64Array;
  /** A permutation of all slots: in the heap up to #length, then free, then (from #usable on) retired. */
  #slots: Int32Array;
  /** By slot: all that is known of an event but its time, side by side to share a cache line. */
  #records: Int32Array;
  /** The same memory: the order of insertion, which settles ties. */
  #sequences: Float64Array;
  #length = 0;
  #usable: number;
  #dead = 0;
  #sequence = 0;
  #rootVacant = false;
  readonly #generations: number;

  /**
   * @param capacity entries to make room for at first; the arrays double as needed.
   * @param generations even, 2 to 2^29: half of it is how often a slot is used. Smaller than the default only in tests.
   */
  constructor(capacity = 64, generations = GENERATIONS) {
    this.#generations = generations;
    this.#usable = capacity;
    this.#times = new Float64Array(capacity + 2).fill(Infinity);
    this.#slots = Int32Array.from({ length: capacity }, (_, slot) => slot);
    this.#records = new Int32Array(capacity * RECORD);
    this.#sequences = new Float64Array(this.#records.buffer);
  }

  /** How many events are pending; cancelled ones do not count. */
  get length(): number {
    return this.#length - this.#dead - (this.#rootVacant ? 1 : 0);
  }

  /** How many entries the arrays have room for. */
  get capacity(): number {
    return this.#slots.length;
  }

  /**
   * Adds an event. `time` is any finite number; `kind`, `a` and `b` are 32-bit signed integers (others are truncated
   * to that).
   * @throws RangeError where 2^24 events are pending already.
   */
  push(time: number, kind: number, a: number, b: number): EventId {
    let slot: number;
    if (this.#rootVacant) {
      this.#rootVacant = false;
      slot = this.#slots[0]!;
      this.#sequences[slot * (RECORD / 2) + 2] = this.#sequence++;
      this.#sinkNewest(time, slot);
    } else {
      if (this.#length === this.#usable) this.#grow();
      slot = this.#slots[this.#length]!;
      this.#sequences[slot * (RECORD / 2) + 2] = this.#sequence++;
      this.#times[this.#length + 1] = Infinity;
      this.#raiseNewest(this.#length++, time, slot);
    }
    const records = this.#records;
    const at = slot * RECORD;
    const generation = records[at]! + 1;
    records[at] = generation;
    records[at + 1] = kind;
    records[at + 2] = a;
    records[at + 3] = b;
    return generation * SLOTS + slot;
  }

  /** Takes the next event that is due at `until` or before into `time`, `kind`, `a` and `b`. False where there is none. */
  pop(until = Infinity): boolean {
    for (;;) {
      if (this.#rootVacant) this.#fillRoot();
      if (this.#length === 0) return false;
      const time = this.#times[0]!;
      if (time > until) return false;
      const records = this.#records;
      const at = this.#slots[0]! * RECORD;
      const generation = records[at]!;
      this.#rootVacant = true;
      if ((generation & 1) === 0) {
        this.#dead--;
        this.#fillRoot();
        continue;
      }
      records[at] = generation + 1;
      this.time = time;
      this.kind = records[at + 1]!;
      this.a = records[at + 2]!;
      this.b = records[at + 3]!;
      if (generation + 1 === this.#generations) this.#fillRoot();
      return true;
    }
  }

  /** Time of the next event, Infinity where there is none. */
  peekTime(): number {
    for (;;) {
      if (this.#rootVacant) this.#fillRoot();
      if (this.#length === 0) return Infinity;
      if ((this.#records[this.#slots[0]! * RECORD]! & 1) === 1) return this.#times[0]!;
      this.#dead--;
      this.#fillRoot();
    }
  }

  /** Removes a pending event in O(1). False where it has fired or was cancelled already, or the id is not one of ours. */
  cancel(id: EventId): boolean {
    const slot = id % SLOTS;
    const generation = (id - slot) / SLOTS;
    if ((generation & 1) === 0 || this.#records[slot * RECORD] !== generation) return false;
    this.#records[slot * RECORD] = generation + 1;
    this.#dead++;
    if (this.#dead > DEAD_TOLERATED && this.#dead * 2 > this.#length) this.#compact();
    return true;
  }

  /** Raises an entry younger than all others: it passes only later ones, never its equals. */
  #raiseNewest(from: number, time: number, slot: number): void {
    const times = this.#times;
    const slots = this.#slots;
    let position = from;
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
  }

  /** Sinks an entry younger than all others from the root: its equals pass it. */
  #sinkNewest(time: number, slot: number): void {
    const times = this.#times;
    const slots = this.#slots;
    const length = this.#length;
    let position = 0;
    for (let left = 1; left < length; left = 2 * position + 1) {
      const leftTime = times[left]!;
      const rightTime = times[left + 1]!;
      // Ties leave this loop altogether: a call within it costs all the others a fifth of their speed.
      if (rightTime === leftTime) return this.#sink(position, time, slot);
      // Arithmetic on the comparison spares a branch that would be mispredicted half of the time.
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

  #sequenceAt(position: number): number {
    return this.#sequences[this.#slots[position]! * (RECORD / 2) + 2]!;
  }

  /** Sinks any entry from `from`. */
  #sink(from: number, time: number, slot: number): void {
    const times = this.#times;
    const slots = this.#slots;
    const sequence = this.#sequences[slot * (RECORD / 2) + 2]!;
    const length = this.#length;
    let position = from;
    for (let left = 2 * position + 1; left < length; left = 2 * position + 1) {
      const leftTime = times[left]!;
      const rightTime = times[left + 1]!;
      const rightFirst = rightTime < leftTime || (rightTime === leftTime && left + 1 < length && this.#sequenceAt(left + 1) < this.#sequenceAt(left));
      const child = rightFirst ? left + 1 : left;
      const childTime = times[child]!;
      if (childTime > time || (childTime === time && this.#sequenceAt(child) > sequence)) break;
      times[position] = childTime;
      slots[position] = slots[child]!;
      position = child;
    }
    times[position] = time;
    slots[position] = slot;
  }

  #fillRoot(): void {
    this.#rootVacant = false;
    const freed = this.#slots[0]!;
    const last = --this.#length;
    const time = this.#times[last]!;
    this.#times[last] = Infinity;
    if (last > 0) this.#sink(0, time, this.#slots[last]!);
    this.#slots[last] = freed;
    this.#retireIfSpent(last);
  }

  /** Takes a free slot that has no generation left out of use, for good. */
  #retireIfSpent(position: number): void {
    const slot = this.#slots[position]!;
    if (this.#records[slot * RECORD]! < this.#generations) return;
    const last = --this.#usable;
    this.#slots[position] = this.#slots[last]!;
    this.#slots[last] = slot;
  }

  #compact(): void {
    if (this.#rootVacant) this.#fillRoot();
    const times = this.#times;
    const slots = this.#slots;
    const before = this.#length;
    let living = 0;
    for (let position = 0; position < this.#length; position++) {
      const slot = slots[position]!;
      if ((this.#records[slot * RECORD]! & 1) === 0) continue;
      slots[position] = slots[living]!;
      slots[living] = slot;
      times[living] = times[position]!;
      living++;
    }
    times.fill(Infinity, living, before + 1);
    this.#length = living;
    this.#dead = 0;
    for (let position = (living >> 1) - 1; position >= 0; position--) this.#sink(position, times[position]!, slots[position]!);
    for (let position = before - 1; position >= living; position--) this.#retireIfSpent(position);
  }

  #grow(): void {
    const before = this.#slots.length;
    const after = Math.min(2 * before, SLOTS);
    if (after === before) throw new RangeError(`More than ${SLOTS} pending events.`);
    const times = new Float64Array(after + 2).fill(Infinity, before);
    times.set(this.#times);
    const records = new Int32Array(after * RECORD);
    records.set(this.#records);
    const slots = new Int32Array(after);
    // The new slots go in front of the retired ones.
    const added = after - before;
    slots.set(this.#slots.subarray(0, this.#usable));
    for (let slot = before; slot < after; slot++) slots[this.#usable + slot - before] = slot;
    slots.set(this.#slots.subarray(this.#usable), this.#usable + added);
    this.#usable += added;
    this.#times = times;
    this.#sequences = new Float64Array(records.buffer);
    this.#records = records;
    this.#slots = slots;
  }
}
