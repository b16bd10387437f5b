import type { Arena } from "./arena.ts";

const STRIDE = 8;
const INPUT = 0;
const OUTPUT = 1;
const PRODUCED = 2;
const PREFILLED = 3;
const LEVEL = 4;
const NEXT = 5;
const PREV = 6;
const REF = 7;

/** `produced` of a job that was never admitted. */
export const NEVER_ADMITTED = -1;
/** `prefilled` of a job that waits. */
export const WAITING = -1;

/** The jobs inside one engine, waiting or running, as rows of a few integers. Rows are reused; capacity doubles. */
export class JobTable {
  readonly #arena: Arena;
  /** Where they are. */
  #page: Float64Array;
  #at: number;
  /** Rows that exist, free ones included. */
  #capacity = 4;
  #free = -1;
  #used = 0;

  constructor(arena: Arena) {
    this.#arena = arena;
    this.#at = arena.take(this.#capacity * STRIDE);
    this.#page = arena.page;
  }

  /** A new row for a waiting job. */
  add(ref: number, inputTokens: number, outputTokens: number, level: number): number {
    let job = this.#free;
    if (job >= 0) this.#free = this.next(job);
    else {
      job = this.#used++;
      if (job === this.#capacity) this.#grow();
    }
    const page = this.#page;
    const row = this.#at + job * STRIDE;
    page[row + REF] = ref;
    page[row + INPUT] = inputTokens;
    page[row + OUTPUT] = outputTokens;
    page[row + PRODUCED] = NEVER_ADMITTED;
    page[row + PREFILLED] = WAITING;
    page[row + LEVEL] = level;
    return job;
  }

  remove(job: number): void {
    this.forgetRef(job);
    this.setNext(job, this.#free);
    this.#free = job;
  }

  clear(): void {
    this.#free = -1;
    this.#used = 0;
  }

  /** The job with this handle, or -1. Takes time in proportion to the rows. */
  find(ref: number): number {
    for (let job = 0; job < this.#used; job++) if (this.ref(job) === ref) return job;
    return -1;
  }

  /** Rows that exist, free ones included. */
  get capacity(): number { return this.#capacity; }
  /** The caller's handle; -1 for a job that was cancelled while running. */
  ref(job: number): number { return this.#fact(job, REF); }
  forgetRef(job: number): void { this.#setFact(job, REF, -1); }
  input(job: number): number { return this.#fact(job, INPUT); }
  output(job: number): number { return this.#fact(job, OUTPUT); }
  /** Output tokens produced when it was last admitted or preempted, or NEVER_ADMITTED. */
  produced(job: number): number { return this.#fact(job, PRODUCED); }
  setProduced(job: number, tokens: number): void { this.#setFact(job, PRODUCED, tokens); }
  /** Tokens of the (re)computed prompt that are in the KV cache, or WAITING. */
  prefilled(job: number): number { return this.#fact(job, PREFILLED); }
  setPrefilled(job: number, tokens: number): void { this.#setFact(job, PREFILLED, tokens); }
  level(job: number): number { return this.#fact(job, LEVEL); }
  next(job: number): number { return this.#fact(job, NEXT); }
  setNext(job: number, next: number): void { this.#setFact(job, NEXT, next); }
  prev(job: number): number { return this.#fact(job, PREV); }
  setPrev(job: number, prev: number): void { this.#setFact(job, PREV, prev); }

  // To V8 what comes from an array of doubles is a fraction, which makes an object in each field that it gets into, until it is told otherwise.
  #fact(job: number, which: number): number {
    return this.#page[this.#at + job * STRIDE + which]! | 0;
  }

  #setFact(job: number, which: number, value: number): void {
    this.#page[this.#at + job * STRIDE + which] = value;
  }

  #grow(): void {
    const numbers = this.#capacity * STRIDE;
    this.#at = this.#arena.move(this.#page, this.#at, numbers, 2 * numbers);
    this.#page = this.#arena.page;
    this.#capacity *= 2;
  }
}

/** Waiting jobs: one linked list per priority level, so that every operation takes constant time. */
export class WaitingList {
  size = 0;
  readonly #jobs: JobTable;
  /** Where the first and the last job of every level are. */
  readonly #page: Float64Array;
  readonly #ends: number;
  readonly #levels: number;
  #occupied = 0;

  /** `levels` at most 31. */
  constructor(arena: Arena, jobs: JobTable, levels: number) {
    this.#jobs = jobs;
    this.#levels = levels;
    this.#ends = arena.take(2 * levels);
    this.#page = arena.page;
    this.clear();
  }

  clear(): void {
    this.#page.fill(-1, this.#ends, this.#ends + 2 * this.#levels);
    this.#occupied = 0;
    this.size = 0;
  }

  /** The next job to run: of the highest level, the first in line; -1 where none waits. */
  first(): number {
    return this.size === 0 ? -1 : this.#page[this.#firstOf(31 - Math.clz32(this.#occupied))]! | 0;
  }

  pushBack(job: number): void {
    const level = this.#jobs.level(job);
    const page = this.#page;
    const first = this.#firstOf(level);
    const tail = page[first + 1]! | 0;
    this.#jobs.setPrev(job, tail);
    this.#jobs.setNext(job, -1);
    if (tail >= 0) this.#jobs.setNext(tail, job);
    else page[first] = job;
    page[first + 1] = job;
    this.#occupied |= 1 << level;
    this.size++;
  }

  pushFront(job: number): void {
    const level = this.#jobs.level(job);
    const page = this.#page;
    const first = this.#firstOf(level);
    const head = page[first]! | 0;
    this.#jobs.setPrev(job, -1);
    this.#jobs.setNext(job, head);
    if (head >= 0) this.#jobs.setPrev(head, job);
    else page[first + 1] = job;
    page[first] = job;
    this.#occupied |= 1 << level;
    this.size++;
  }

  remove(job: number): void {
    const level = this.#jobs.level(job);
    const prev = this.#jobs.prev(job);
    const next = this.#jobs.next(job);
    const page = this.#page;
    const first = this.#firstOf(level);
    if (prev >= 0) this.#jobs.setNext(prev, next);
    else page[first] = next;
    if (next >= 0) this.#jobs.setPrev(next, prev);
    else page[first + 1] = prev;
    if (page[first]! < 0) this.#occupied &= ~(1 << level);
    this.size--;
  }

  /** Where the first job of the level is; the last one is behind it. */
  #firstOf(level: number): number {
    return this.#ends + 2 * level;
  }
}
