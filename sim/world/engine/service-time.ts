import { widened } from "../../kernel/widened.ts";
import { Arena } from "./arena.ts";
import { PRIORITY_MAX, type Engine, type EngineSink } from "./engine.ts";
import { requireInteger, requireJob, requireSpeed, throwClock } from "./checks.ts";
import { EventBuffer, FINISHED, FIRST_TOKEN, STARTED } from "./events.ts";
import { JobTable, WaitingList } from "./jobs.ts";
import { US_PER_TICK, ticksOf } from "./ticks.ts";

/** Longest work of one job: 12 days. */
const WORK_MAX_US = 2 ** 40;
/** When the work counter passes this, it is set back, so that sums of ticks stay exact. 2^31 us is 36 minutes. */
const WORK_REBASE_US = 2 ** 31;

export interface ServiceTimeOptions {
  /** Jobs in service at once. Default 1; for processor sharing 65,536. */
  readonly slots?: number;
  /** First come first served, head of the line by priority (not preemptive), or processor sharing. Default fifo. */
  readonly discipline?: "fifo" | "priority" | "processor-sharing";
  /**
   * Total service rate with 1, 2, 3, ... jobs in service, shared equally; beyond its end the last one holds. Work of one
   * microsecond takes one microsecond at rate 1. Default: n with n in service (independent servers); under processor
   * sharing always 1. A batch server has its own, such as [1, 1.8, 2.4].
   */
  readonly rates?: readonly number[];
  /** The work of a job in microseconds, asked once by `submit`. Without it, use `submitWork`. */
  readonly work?: (ref: number) => number;
}

/**
 * Queueing theory's server: the work of a job is drawn by the caller, not made of tokens. All jobs in service get the
 * same rate, so that one counter of work per job tells every end: a job that starts at w with work s ends when the
 * counter reaches w + s. A job's answer comes whole: `firstToken` and `finished` at the same moment.
 *
 * Work is rounded to 2^-20 us. Time is continuous inside, and what happens is told rounded up to the microsecond.
 */
export class ServiceTimeEngine implements Engine {
  readonly slots: number;
  readonly kvTokensMax = 2 ** 31 - 1;
  readonly kvTokensUsed = 0;
  running = 0;
  nextUs = Infinity;

  readonly #rates: readonly number[] | null;
  readonly #sharing: boolean;
  readonly #byPriority: boolean;
  readonly #workOf: ((ref: number) => number) | null;
  readonly #events: EventBuffer;
  readonly #jobs: JobTable;
  readonly #queue: WaitingList;

  /** By job: its work while it waits, the counter's value at its end while it is in service. */
  #work = new Float64Array(4);
  /** By job: order of admission, which breaks ties. */
  #order = new Float64Array(4);
  #admitted = 0;
  /** Jobs in service, a binary heap by (end, order). */
  #heap = new Int32Array(4);

  /** The moment of the latest change: whole microseconds and the fraction, in microseconds. */
  #atUs = 0;
  #fractionUs = 0;
  /** Work per job done until then. */
  #counter = 0;
  /** Rate of one job in service. */
  #rate = 1;
  #speed = 1;
  /** Of the machine. */
  #share = 1;
  #dueUs = Infinity;
  #lastUs = 0;
  #advancing = false;
  #busyTotalUs = 0;
  #runningTotalUs = 0;

  /**
   * @param arena where it keeps its jobs, best shared by the engines of a market.
   * @throws RangeError for an option out of range.
   */
  constructor(options: ServiceTimeOptions, arena = new Arena()) {
    const discipline = options.discipline ?? "fifo";
    this.#sharing = discipline === "processor-sharing";
    this.#byPriority = discipline === "priority";
    this.slots = options.slots ?? (this.#sharing ? 65_536 : 1);
    requireInteger("slots", this.slots, 1, 65_536);
    this.#rates = options.rates ?? null;
    if (this.#rates !== null) {
      if (this.#rates.length === 0) throw new RangeError("rates is empty; expected at least one total service rate");
      for (const rate of this.#rates) if (!(rate > 0 && rate < Infinity)) throw new RangeError(`rates has ${rate}; expected positive finite numbers`);
    }
    this.#workOf = options.work ?? null;
    this.#events = new EventBuffer(arena);
    this.#jobs = new JobTable(arena);
    this.#queue = new WaitingList(arena, this.#jobs, this.#byPriority ? PRIORITY_MAX + 1 : 1);
  }

  get waiting(): number {
    return this.#queue.size;
  }

  /** Any job fits: nothing here counts tokens. */
  fits(_inputTokens: number, _outputTokens: number): boolean {
    return true;
  }

  /** Queues a job whose work the `work` option tells; the token counts are not looked at. */
  submit(nowUs: number, ref: number, _inputTokens: number, _outputTokens: number, priority: number): void {
    if (this.#workOf === null) throw new Error("a service-time engine without a work function takes jobs by submitWork");
    this.submitWork(nowUs, ref, this.#workOf(ref), priority);
  }

  /**
   * Queues a job of `workUs` microseconds at rate 1; fractions count.
   * @throws RangeError for work that is negative or above 2^40 us, or another figure out of range.
   */
  submitWork(nowUs: number, ref: number, workUs: number, priority: number): void {
    requireJob(ref, priority);
    if (!(workUs >= 0 && workUs <= WORK_MAX_US)) throw new RangeError(`work is ${workUs} us; expected 0 to ${WORK_MAX_US}`);
    this.#settle(nowUs);
    const job = this.#jobs.add(ref, 0, 0, this.#byPriority ? priority : 0);
    if (job >= this.#work.length) this.#grow();
    this.#work[job] = ticksOf(workUs) * US_PER_TICK;
    this.#queue.pushBack(job);
    if (this.running < this.slots) {
      this.#workUntil(nowUs);
      this.#admit();
      this.#plan();
    }
  }

  cancel(nowUs: number, ref: number): boolean {
    this.#settle(nowUs);
    const ended = this.#events.purge(ref);
    const job = this.#jobs.find(ref);
    if (job < 0) return ended;
    const place = this.#placeInHeap(job);
    if (place < 0) this.#queue.remove(job);
    else {
      this.#workUntil(nowUs);
      this.#removeFromHeap(place);
    }
    this.#jobs.remove(job);
    if (place >= 0) {
      this.#admit();
      this.#plan();
    }
    return true;
  }

  clear(nowUs: number): void {
    this.#settle(nowUs);
    this.#moveClock(nowUs, 0);
    this.#events.clear();
    this.#queue.clear();
    this.#jobs.clear();
    this.running = 0;
    this.#dueUs = Infinity;
    this.nextUs = Infinity;
  }

  setSpeed(nowUs: number, factor: number): void {
    requireSpeed(factor);
    this.#settle(nowUs);
    this.#workUntil(nowUs);
    this.#speed = factor;
    this.#plan();
  }

  setShare(nowUs: number, factor: number): void {
    requireSpeed(factor);
    this.#settle(nowUs);
    this.#workUntil(nowUs);
    this.#share = factor;
    this.#plan();
  }

  advance(nowUs: number, sink: EngineSink): void {
    if (!(nowUs >= this.#lastUs && Number.isInteger(nowUs))) throwClock(nowUs, this.#lastUs, this.nextUs);
    if (this.#advancing) throw new Error("an engine's sink called advance of the same engine");
    this.#advancing = true;
    for (;;) {
      if (this.#events.size > 0) {
        this.nextUs = this.#dueUs;
        this.#events.drain(sink);
      }
      if (this.#dueUs > nowUs) break;
      this.#finishNext();
    }
    this.#advancing = false;
    this.#lastUs = nowUs;
    this.nextUs = this.#dueUs;
  }

  busyUs(nowUs: number): number {
    this.#settle(nowUs);
    return this.#busyTotalUs + (this.running === 0 ? 0 : nowUs - this.#atUs - this.#fractionUs);
  }

  runningUs(nowUs: number): number {
    this.#settle(nowUs);
    return this.#runningTotalUs + this.running * (nowUs - this.#atUs - this.#fractionUs);
  }

  /** 0: there is no KV cache. */
  kvTokenUs(nowUs: number): number {
    this.#settle(nowUs);
    return 0;
  }

  #settle(nowUs: number): void {
    if (!(nowUs >= this.#lastUs && this.nextUs >= nowUs && Number.isInteger(nowUs))) throwClock(nowUs, this.#lastUs, this.nextUs);
    this.#lastUs = nowUs;
    if (this.#dueUs > nowUs) return;
    while (this.#dueUs <= nowUs) this.#finishNext();
    this.nextUs = nowUs;
  }

  /** Brings the work done up to an arrival, a cancellation or a change of speed. */
  #workUntil(nowUs: number): void {
    if (this.running > 0) this.#counter += (nowUs - this.#atUs - this.#fractionUs) * this.#rate;
    this.#moveClock(nowUs, 0);
  }

  #moveClock(us: number, fractionUs: number): void {
    if (this.running > 0) {
      const elapsedUs = us - this.#atUs + (fractionUs - this.#fractionUs);
      this.#busyTotalUs += elapsedUs;
      this.#runningTotalUs += elapsedUs * this.running;
    }
    this.#atUs = us;
    this.#fractionUs = fractionUs;
  }

  /** Time until the first of the jobs in service ends, from the latest change on. */
  #untilNextUs(): number {
    const remaining = this.#work[this.#heap[0]!]! - this.#counter;
    // Rounding of shared rates may leave a remainder below zero by the last digit.
    return remaining > 0 ? remaining / this.#rate : 0;
  }

  #finishNext(): void {
    const job = this.#heap[0]!;
    const endUs = this.#fractionUs + this.#untilNextUs();
    const wholeUs = Math.floor(endUs);
    this.#counter = this.#work[job]!;
    this.#moveClock(this.#atUs + wholeUs, endUs - wholeUs);
    this.#removeFromHeap(0);
    const ref = this.#jobs.ref(job);
    this.#jobs.remove(job);
    const tellUs = this.#fractionUs > 0 ? this.#atUs + 1 : this.#atUs;
    this.#events.push(FIRST_TOKEN, ref, tellUs);
    this.#events.push(FINISHED, ref, tellUs);
    this.#admit();
    this.#plan();
  }

  /** Fills free slots from the queue. The clock stands at the moment of admission. */
  #admit(): void {
    while (this.running < this.slots && this.#queue.size > 0) {
      const job = this.#queue.first();
      this.#queue.remove(job);
      if (this.running === 0) this.#counter = 0;
      else if (this.#counter > WORK_REBASE_US) this.#rebase();
      this.#work[job] = this.#work[job]! + this.#counter;
      this.#order[job] = this.#admitted++;
      this.#addToHeap(job);
      this.#events.push(STARTED, this.#jobs.ref(job), this.#fractionUs > 0 ? this.#atUs + 1 : this.#atUs);
    }
  }

  /** Settles the rate of a job and the next end. */
  #plan(): void {
    const inService = this.running;
    if (inService === 0) this.#dueUs = Infinity;
    else {
      const rates = this.#rates;
      const total = rates === null ? (this.#sharing ? 1 : inService) : rates[inService <= rates.length ? inService - 1 : rates.length - 1]!;
      this.#rate = (total / inService) * (this.#speed * this.#share);
      this.#dueUs = this.#atUs + Math.ceil(this.#fractionUs + this.#untilNextUs());
    }
    this.nextUs = this.#events.size > 0 ? this.#lastUs : this.#dueUs;
  }

  #rebase(): void {
    for (let place = 0; place < this.running; place++) this.#work[this.#heap[place]!]! -= this.#counter;
    this.#counter = 0;
  }

  #endsBefore(a: number, b: number): boolean {
    const difference = this.#work[a]! - this.#work[b]!;
    return difference < 0 || (difference === 0 && this.#order[a]! < this.#order[b]!);
  }

  #addToHeap(job: number): void {
    if (this.running === this.#heap.length) this.#heap = widened(this.#heap);
    this.#siftUp(this.running++, job);
  }

  #removeFromHeap(place: number): void {
    const last = this.#heap[--this.running]!;
    if (place === this.running) return;
    if (place > 0 && this.#endsBefore(last, this.#heap[(place - 1) >> 1]!)) this.#siftUp(place, last);
    else this.#siftDown(place, last);
  }

  #siftUp(from: number, job: number): void {
    const heap = this.#heap;
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!this.#endsBefore(job, heap[parent]!)) break;
      heap[place] = heap[parent]!;
      place = parent;
    }
    heap[place] = job;
  }

  #siftDown(from: number, job: number): void {
    const heap = this.#heap;
    let place = from;
    for (let child = 2 * place + 1; child < this.running; child = 2 * place + 1) {
      if (child + 1 < this.running && this.#endsBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!this.#endsBefore(heap[child]!, job)) break;
      heap[place] = heap[child]!;
      place = child;
    }
    heap[place] = job;
  }

  #placeInHeap(job: number): number {
    for (let place = 0; place < this.running; place++) if (this.#heap[place] === job) return place;
    return -1;
  }

  #grow(): void {
    this.#work = widened(this.#work, this.#jobs.capacity);
    this.#order = widened(this.#order, this.#jobs.capacity);
  }
}
