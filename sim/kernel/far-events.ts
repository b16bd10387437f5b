import { widened } from "./widened.ts";

/** Entries per chunk. */
const CHUNK_BITS = 8;
const CHUNK = 1 << CHUNK_BITS;
/** Entries that a split moves between two looks at how much room is left; a chunk may go to waste by less than that. */
const BLOCK = 32;
/** Entries whose median splits a run. Odd. */
const SAMPLES = 9;

/**
 * Events too far ahead to be worth ordering yet: runs of (time, slot) in no particular order, each later than the one
 * before. Putting an event in is an append; only when its run becomes the next one is the run split, at the median of a
 * sample, until it is small enough to be ordered (a quicksort that is only as eager as it must be: G. Navarro and
 * R. Paredes, On sorting, heaps, and minimum spanning trees, Algorithmica 57 (2010) 585-620). Every pass is sequential,
 * where a large heap would miss the cache at each level.
 *
 * Runs are lists of chunks in flat arrays, so memory follows the number of entries, however they are spread over runs.
 */
export class FarEvents {
  /** Least time that may be here: whatever is earlier is not ours. Infinity where there is no run. */
  limit = Infinity;
  /** How many entries are here. */
  length = 0;

  /** Runs from the farthest to the nearest: least time, first chunk, position behind the last entry, entries. */
  #bounds = new Float64Array(32);
  #firsts = new Int32Array(32);
  #ends = new Int32Array(32);
  #counts = new Int32Array(32);
  #runs = 0;

  /** Entries by position; a position is chunk * CHUNK + offset. */
  #times = new Float64Array(2 * CHUNK);
  #slots = new Int32Array(2 * CHUNK);
  /** By chunk: the next one of its run or of the free list, and its entries where it is not the run's last. */
  #next = new Int32Array(2);
  #fills = new Int32Array(2);
  #chunks = 0;
  #freeChunk = -1;
  readonly #samples = new Float64Array(SAMPLES);

  /** How many entries the arrays have room for. */
  get capacity(): number {
    return this.#times.length;
  }

  /** Starts a run, nearer than all others, for times from `bound` to the limit before. */
  open(bound: number): void {
    const run = this.#runs++;
    if (run === this.#bounds.length) {
      this.#bounds = widened(this.#bounds);
      this.#firsts = widened(this.#firsts);
      this.#ends = widened(this.#ends);
      this.#counts = widened(this.#counts);
    }
    const chunk = this.#newChunk();
    this.#bounds[run] = bound;
    this.#firsts[run] = chunk;
    this.#ends[run] = chunk << CHUNK_BITS;
    this.#counts[run] = 0;
    this.limit = bound;
  }

  /** Puts an entry in; `time` is `limit` or later. */
  append(time: number, slot: number): void {
    const bounds = this.#bounds;
    let run = 0;
    if (this.#runs < 32) {
      // Half of all entries belong to the farthest run, half of the rest to the next, ...
      while (bounds[run]! > time) run++;
    } else {
      let last = this.#runs - 1;
      while (run < last) {
        const middle = (run + last) >> 1;
        if (bounds[middle]! > time) run = middle + 1;
        else last = middle;
      }
    }
    this.length++;
    const end = this.#ends[run]!;
    this.#times[end] = time;
    this.#slots[end] = slot;
    this.#counts[run] = this.#counts[run]! + 1;
    this.#ends[run] = ((end + 1) & (CHUNK - 1)) === 0 ? this.#extend(end + 1) : end + 1;
  }

  /**
   * Splits the nearest run until it holds `most` entries at most (or more, all of the same time).
   * @returns how many it holds; -1 where there is no run.
   */
  prepare(most: number): number {
    for (;;) {
      const run = this.#runs - 1;
      if (run < 0) return -1;
      const count = this.#counts[run]!;
      if (count <= most) return count;
      const pivot = this.#median(run);
      this.#split(run, pivot);
      if (this.#counts[run + 1] !== 0) continue;
      // Nothing lies below the median: part the entries that share its time from the rest.
      this.#dropEmpty();
      const above = this.#leastAbove(run, pivot);
      if (above === Infinity) return count;
      this.#split(run, above);
    }
  }

  /** Moves the nearest run's entries to these arrays, from position `start` on, and removes the run. */
  take(times: Float64Array, slots: Int32Array, start: number): void {
    const run = --this.#runs;
    this.length -= this.#counts[run]!;
    const lastChunk = this.#ends[run]! >> CHUNK_BITS;
    let taken = start;
    for (let chunk = this.#firsts[run]!; ; ) {
      const from = chunk << CHUNK_BITS;
      const to = chunk === lastChunk ? this.#ends[run]! : from + this.#fills[chunk]!;
      for (let position = from; position < to; position++) {
        times[taken] = this.#times[position]!;
        slots[taken] = this.#slots[position]!;
        taken++;
      }
      const next = this.#next[chunk]!;
      this.#freeOne(chunk);
      if (chunk === lastChunk) break;
      chunk = next;
    }
    this.limit = run === 0 ? Infinity : this.#bounds[run - 1]!;
  }

  /** Drops every entry whose slot is not to be kept. */
  filter(keeps: (slot: number) => boolean): void {
    this.length = 0;
    for (let run = 0; run < this.#runs; run++) {
      const lastChunk = this.#ends[run]! >> CHUNK_BITS;
      const oldEnd = this.#ends[run]!;
      let chunk = this.#firsts[run]!;
      const first = this.#newChunk();
      let end = first << CHUNK_BITS;
      let kept = 0;
      for (;;) {
        const from = chunk << CHUNK_BITS;
        const to = chunk === lastChunk ? oldEnd : from + this.#fills[chunk]!;
        for (let position = from; position < to; position++) {
          const slot = this.#slots[position]!;
          if (!keeps(slot)) continue;
          this.#times[end] = this.#times[position]!;
          this.#slots[end] = slot;
          kept++;
          if ((++end & (CHUNK - 1)) === 0) end = this.#extend(end);
        }
        const next = this.#next[chunk]!;
        this.#freeOne(chunk);
        if (chunk === lastChunk) break;
        chunk = next;
      }
      this.#firsts[run] = first;
      this.#ends[run] = end;
      this.#counts[run] = kept;
      this.length += kept;
    }
  }

  /** The run keeps what is at `pivot` or later; a new, nearer run gets the rest. The order within each stays. */
  #split(run: number, pivot: number): void {
    const total = this.#counts[run]!;
    const oldEnd = this.#ends[run]!;
    const lastChunk = oldEnd >> CHUNK_BITS;
    let chunk = this.#firsts[run]!;
    this.open(this.#bounds[run]!);
    this.#bounds[run] = pivot;
    let low = this.#ends[run + 1]!;
    const highFirst = this.#newChunk();
    let high = highFirst << CHUNK_BITS;
    let lowCount = 0;
    for (;;) {
      const from = chunk << CHUNK_BITS;
      const to = chunk === lastChunk ? oldEnd : from + this.#fills[chunk]!;
      for (let block = from; block < to; block += BLOCK) {
        if ((low & (CHUNK - 1)) > CHUNK - BLOCK) low = this.#extend(low);
        if ((high & (CHUNK - 1)) > CHUNK - BLOCK) high = this.#extend(high);
        const times = this.#times;
        const slots = this.#slots;
        const before = low;
        const blockEnd = Math.min(block + BLOCK, to);
        for (let position = block; position < blockEnd; position++) {
          const time = times[position]!;
          const slot = slots[position]!;
          // Written to both sides, and kept on one: a branch would be mispredicted half of the time.
          times[low] = time;
          slots[low] = slot;
          times[high] = time;
          slots[high] = slot;
          const isLow = +(time < pivot);
          low += isLow;
          high += 1 - isLow;
        }
        const lowAdded = low - before;
        lowCount += lowAdded;
        if ((low & (CHUNK - 1)) === 0 && lowAdded > 0) low = this.#extend(low);
        if ((high & (CHUNK - 1)) === 0 && lowAdded < blockEnd - block) high = this.#extend(high);
      }
      const next = this.#next[chunk]!;
      this.#freeOne(chunk);
      if (chunk === lastChunk) break;
      chunk = next;
    }
    this.#ends[run + 1] = low;
    this.#counts[run + 1] = lowCount;
    this.#firsts[run] = highFirst;
    this.#ends[run] = high;
    this.#counts[run] = total - lowCount;
  }

  /** Takes back the nearest run, which got nothing in a split. */
  #dropEmpty(): void {
    const run = --this.#runs;
    this.#freeOne(this.#firsts[run]!);
    this.#bounds[run - 1] = this.#bounds[run]!;
  }

  /** Median of entries at even distances. */
  #median(run: number): number {
    const samples = this.#samples;
    const count = this.#counts[run]!;
    const lastChunk = this.#ends[run]! >> CHUNK_BITS;
    let chunk = this.#firsts[run]!;
    let passed = 0;
    for (let i = 0; i < SAMPLES; i++) {
      const index = Math.floor(((2 * i + 1) * count) / (2 * SAMPLES));
      while (chunk !== lastChunk && index - passed >= this.#fills[chunk]!) {
        passed += this.#fills[chunk]!;
        chunk = this.#next[chunk]!;
      }
      samples[i] = this.#times[(chunk << CHUNK_BITS) + index - passed]!;
    }
    return samples.sort()[SAMPLES >> 1]!;
  }

  /** The least time above `floor`, Infinity where there is none. */
  #leastAbove(run: number, floor: number): number {
    const lastChunk = this.#ends[run]! >> CHUNK_BITS;
    let least = Infinity;
    for (let chunk = this.#firsts[run]!; ; chunk = this.#next[chunk]!) {
      const from = chunk << CHUNK_BITS;
      const to = chunk === lastChunk ? this.#ends[run]! : from + this.#fills[chunk]!;
      for (let position = from; position < to; position++) {
        const time = this.#times[position]!;
        if (time > floor && time < least) least = time;
      }
      if (chunk === lastChunk) return least;
    }
  }

  /** Closes the chunk in which a run's entries end at `end` (behind the last one) and links a new one; returns where that begins. */
  #extend(end: number): number {
    const full = (end - 1) >> CHUNK_BITS;
    const chunk = this.#newChunk();
    this.#fills[full] = end - (full << CHUNK_BITS);
    this.#next[full] = chunk;
    return chunk << CHUNK_BITS;
  }

  #newChunk(): number {
    const free = this.#freeChunk;
    if (free >= 0) {
      this.#freeChunk = this.#next[free]!;
      return free;
    }
    const chunk = this.#chunks++;
    if (chunk === this.#next.length) {
      this.#next = widened(this.#next);
      this.#fills = widened(this.#fills);
      this.#slots = widened(this.#slots);
      this.#times = widened(this.#times);
    }
    return chunk;
  }

  #freeOne(chunk: number): void {
    this.#next[chunk] = this.#freeChunk;
    this.#freeChunk = chunk;
  }
}
