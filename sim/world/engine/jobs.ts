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
  #rows = new Int32Array(4 * STRIDE);
  #free = -1;
  #used = 0;

  /** A new row for a waiting job. */
  add(ref: number, inputTokens: number, outputTokens: number, level: number): number {
    let job = this.#free;
    if (job >= 0) this.#free = this.#rows[job * STRIDE + NEXT]!;
    else {
      job = this.#used++;
      if (job * STRIDE === this.#rows.length) this.#grow();
    }
    const row = job * STRIDE;
    const rows = this.#rows;
    rows[row + REF] = ref;
    rows[row + INPUT] = inputTokens;
    rows[row + OUTPUT] = outputTokens;
    rows[row + PRODUCED] = NEVER_ADMITTED;
    rows[row + PREFILLED] = WAITING;
    rows[row + LEVEL] = level;
    return job;
  }

  remove(job: number): void {
    this.#rows[job * STRIDE + REF] = -1;
    this.#rows[job * STRIDE + NEXT] = this.#free;
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
  get capacity(): number { return this.#rows.length / STRIDE; }
  /** The caller's handle; -1 for a job that was cancelled while running. */
  ref(job: number): number { return this.#rows[job * STRIDE + REF]!; }
  forgetRef(job: number): void { this.#rows[job * STRIDE + REF] = -1; }
  input(job: number): number { return this.#rows[job * STRIDE + INPUT]!; }
  output(job: number): number { return this.#rows[job * STRIDE + OUTPUT]!; }
  /** Output tokens produced when it was last admitted or preempted, or NEVER_ADMITTED. */
  produced(job: number): number { return this.#rows[job * STRIDE + PRODUCED]!; }
  setProduced(job: number, tokens: number): void { this.#rows[job * STRIDE + PRODUCED] = tokens; }
  /** Tokens of the (re)computed prompt that are in the KV cache, or WAITING. */
  prefilled(job: number): number { return this.#rows[job * STRIDE + PREFILLED]!; }
  setPrefilled(job: number, tokens: number): void { this.#rows[job * STRIDE + PREFILLED] = tokens; }
  level(job: number): number { return this.#rows[job * STRIDE + LEVEL]!; }
  next(job: number): number { return this.#rows[job * STRIDE + NEXT]!; }
  setNext(job: number, next: number): void { this.#rows[job * STRIDE + NEXT] = next; }
  prev(job: number): number { return this.#rows[job * STRIDE + PREV]!; }
  setPrev(job: number, prev: number): void { this.#rows[job * STRIDE + PREV] = prev; }

  #grow(): void {
    const rows = new Int32Array(this.#rows.length * 2);
    rows.set(this.#rows);
    this.#rows = rows;
  }
}

/** Waiting jobs: one linked list per priority level, so that every operation takes constant time. */
export class WaitingList {
  size = 0;
  readonly #jobs: JobTable;
  /** The first and the last job of every level. */
  readonly #ends: Int32Array;
  #occupied = 0;

  /** `levels` at most 31. */
  constructor(jobs: JobTable, levels: number) {
    this.#jobs = jobs;
    this.#ends = new Int32Array(2 * levels).fill(-1);
  }

  clear(): void {
    this.#ends.fill(-1);
    this.#occupied = 0;
    this.size = 0;
  }

  /** The next job to run: of the highest level, the first in line; -1 where none waits. */
  first(): number {
    return this.size === 0 ? -1 : this.#ends[2 * (31 - Math.clz32(this.#occupied))]!;
  }

  pushBack(job: number): void {
    const level = this.#jobs.level(job);
    const tail = this.#ends[2 * level + 1]!;
    this.#jobs.setPrev(job, tail);
    this.#jobs.setNext(job, -1);
    if (tail >= 0) this.#jobs.setNext(tail, job);
    else this.#ends[2 * level] = job;
    this.#ends[2 * level + 1] = job;
    this.#occupied |= 1 << level;
    this.size++;
  }

  pushFront(job: number): void {
    const level = this.#jobs.level(job);
    const head = this.#ends[2 * level]!;
    this.#jobs.setPrev(job, -1);
    this.#jobs.setNext(job, head);
    if (head >= 0) this.#jobs.setPrev(head, job);
    else this.#ends[2 * level + 1] = job;
    this.#ends[2 * level] = job;
    this.#occupied |= 1 << level;
    this.size++;
  }

  remove(job: number): void {
    const level = this.#jobs.level(job);
    const prev = this.#jobs.prev(job);
    const next = this.#jobs.next(job);
    if (prev >= 0) this.#jobs.setNext(prev, next);
    else this.#ends[2 * level] = next;
    if (next >= 0) this.#jobs.setPrev(next, prev);
    else this.#ends[2 * level + 1] = prev;
    if (this.#ends[2 * level]! < 0) this.#occupied &= ~(1 << level);
    this.size--;
  }
}
