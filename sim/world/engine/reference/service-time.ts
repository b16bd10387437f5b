import type { Engine, EngineSink } from "../engine.ts";
import type { ServiceTimeOptions } from "../service-time.ts";

interface Job { readonly ref: number; readonly priority: number; remainingUs: number }
type Event = { readonly kind: "started" | "firstToken" | "finished"; readonly ref: number; readonly atUs: number };

/** The test oracle of `ServiceTimeEngine`: every job's remaining work is drained by hand from change to change. */
export class ReferenceServiceTimeEngine implements Engine {
  readonly slots: number;
  readonly kvTokensMax = 2 ** 31 - 1;
  readonly kvTokensUsed = 0;
  readonly #options: ServiceTimeOptions;
  #queue: Job[] = [];
  #service: Job[] = [];
  #events: Event[] = [];
  #speed = 1;
  #share = 1;
  #atUs = 0;
  #lastUs = 0;
  #busyUs = 0;
  #runningUs = 0;

  constructor(options: ServiceTimeOptions) {
    this.#options = options;
    this.slots = options.slots ?? (options.discipline === "processor-sharing" ? Infinity : 1);
  }

  get running(): number { return this.#service.length; }
  get waiting(): number { return this.#queue.length; }
  get nextUs(): number { return this.#events.length > 0 ? this.#lastUs : Math.ceil(this.#nextEndUs()); }

  fits(): boolean { return true; }

  submit(nowUs: number, ref: number, _inputTokens: number, _outputTokens: number, priority: number): void {
    this.#drain(nowUs);
    this.#queue.push({ ref, priority: this.#options.discipline === "priority" ? priority : 0, remainingUs: this.#options.work!(ref) });
    this.#admit();
  }

  cancel(nowUs: number, ref: number): boolean {
    this.#drain(nowUs);
    const known = [...this.#queue, ...this.#service].some((job) => job.ref === ref) || this.#events.some((event) => event.ref === ref && event.kind === "finished");
    this.#queue = this.#queue.filter((job) => job.ref !== ref);
    this.#service = this.#service.filter((job) => job.ref !== ref);
    this.#events = this.#events.filter((event) => event.ref !== ref);
    this.#admit();
    return known;
  }

  clear(nowUs: number): void {
    this.#drain(nowUs);
    this.#queue = [];
    this.#service = [];
    this.#events = [];
  }

  setSpeed(nowUs: number, factor: number): void {
    this.#drain(nowUs);
    this.#speed = factor;
  }

  setShare(nowUs: number, factor: number): void {
    this.#drain(nowUs);
    this.#share = factor;
  }

  advance(nowUs: number, sink: EngineSink): void {
    this.#lastUs = nowUs;
    do {
      for (const event of this.#events.splice(0)) sink[event.kind](event.ref, event.atUs);
      this.#drain(nowUs);
    } while (this.#events.length > 0);
  }

  busyUs(nowUs: number): number { this.#drain(nowUs); return this.#busyUs; }
  runningUs(nowUs: number): number { this.#drain(nowUs); return this.#runningUs; }
  kvTokenUs(): number { return 0; }

  #rate(): number {
    const inService = this.#service.length;
    const { rates, discipline } = this.#options;
    const total = rates?.[Math.min(inService, rates.length) - 1] ?? (discipline === "processor-sharing" ? 1 : inService);
    return (total / inService) * (this.#speed * this.#share);
  }

  #nextEndUs(): number {
    return this.#atUs + Math.min(...this.#service.map((job) => job.remainingUs / this.#rate()));
  }

  #drain(nowUs: number): void {
    this.#lastUs = nowUs;
    for (let endUs = this.#nextEndUs(); endUs <= nowUs; endUs = this.#nextEndUs()) {
      const first = this.#service.reduce((best, job) => (job.remainingUs < best.remainingUs ? job : best));
      this.#pass(endUs);
      this.#service.splice(this.#service.indexOf(first), 1);
      for (const kind of ["firstToken", "finished"] as const) this.#events.push({ kind, ref: first.ref, atUs: Math.ceil(endUs) });
      this.#admit();
    }
    this.#pass(nowUs);
  }

  #pass(untilUs: number): void {
    const elapsedUs = untilUs - this.#atUs;
    if (this.#service.length > 0) {
      const done = elapsedUs * this.#rate();
      for (const job of this.#service) job.remainingUs -= done;
      this.#busyUs += elapsedUs;
      this.#runningUs += elapsedUs * this.#service.length;
    }
    this.#atUs = untilUs;
  }

  #admit(): void {
    while (this.#service.length < this.slots && this.#queue.length > 0) {
      const next = this.#queue.reduce((best, job) => (job.priority > best.priority ? job : best));
      this.#queue.splice(this.#queue.indexOf(next), 1);
      this.#service.push(next);
      this.#events.push({ kind: "started", ref: next.ref, atUs: Math.ceil(this.#atUs) });
    }
  }
}
