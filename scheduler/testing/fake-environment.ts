import { type JobId, message as anyMessage, type Message, type PaymentPurpose, type PaymentRequest, type PeerId } from "../../protocol/messages.ts";
import type {
  Decision, Environment, Invoice, JobStatus, Participant, Priced, Random, Runner, RunnerJob, Telemetry, Timer, TimerId, Wallet,
} from "../environment.ts";
import { hashString } from "../hash.ts";

/** A message that a participant sent. */
export interface Sent {
  readonly to: PeerId;
  readonly message: Message;
}

interface PendingTimer {
  readonly atUs: number;
  readonly order: number;
  readonly timer: Timer;
}

/** Mulberry32 (T. Ettinger, public domain, 2017). */
export class SeededRandom implements Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }
}

/** Keeps every fact as `[name, ...arguments]`. */
export class FakeTelemetry implements Telemetry {
  readonly facts: (readonly unknown[])[] = [];
  readonly decisions: Decision[] = [];
  readonly prices: Priced[] = [];
  /** Jobs that wait at the router, by its own account. */
  waiting = 0;
  explaining = false;

  of(name: string): (readonly unknown[])[] {
    return this.facts.filter((fact) => fact[0] === name);
  }

  submitted(job: { readonly jobId: JobId }): void {
    this.facts.push(["submitted", job.jobId]);
  }
  assigned(jobId: JobId, node: PeerId, attempt: number): void {
    this.facts.push(["assigned", jobId, node, attempt]);
  }
  attemptFailed(jobId: JobId, node: PeerId, attempt: number, reason: string): void {
    this.facts.push(["attemptFailed", jobId, node, attempt, reason]);
  }
  started(jobId: JobId, attempt: number): void {
    this.facts.push(["started", jobId, attempt]);
  }
  firstToken(jobId: JobId, attempt: number): void {
    this.facts.push(["firstToken", jobId, attempt]);
  }
  finished(jobId: JobId, node: PeerId, attempt: number, inputTokens: number, outputTokens: number, amountMsat: number, feeMsat: number): void {
    this.facts.push(["finished", jobId, node, attempt, inputTokens, outputTokens, amountMsat, feeMsat]);
  }
  ended(jobId: JobId, status: JobStatus, reason: string): void {
    this.facts.push(["ended", jobId, status, reason]);
  }
  delivered(jobId: JobId, node: PeerId, valueMsat: number): void {
    this.facts.push(["delivered", jobId, node, valueMsat]);
  }
  reneged(jobId: JobId): void {
    this.facts.push(["reneged", jobId]);
  }
  owesFee(jobId: JobId, feeMsat: number): void {
    this.facts.push(["owesFee", jobId, feeMsat]);
  }
  writtenOff(jobId: JobId, node: PeerId, late: boolean): void {
    this.facts.push(["writtenOff", jobId, node, late]);
  }
  disputed(jobId: JobId, claim: string): void {
    this.facts.push(["disputed", jobId, claim]);
  }
  tooDear(jobId: JobId): void {
    this.facts.push(["tooDear", jobId]);
  }
  priced(event: Priced): void {
    this.prices.push(event);
  }
  waitingAtRouter(change: 1 | -1): void {
    this.waiting += change;
  }
  wantsDecision(): boolean {
    return this.explaining;
  }
  decided(decision: Decision): void {
    this.decisions.push(decision);
  }
}

/** Keeps what it is asked to pay; the test says what becomes of it. */
export class FakeWallet implements Wallet {
  readonly balanceMsat = 0;
  readonly invoices: (Invoice & { readonly jobId: JobId; readonly purpose: PaymentPurpose })[] = [];
  readonly asked: PaymentRequest[] = [];

  invoice(jobId: JobId, purpose: PaymentPurpose, amountMsat: number | null): Invoice {
    const invoice = { jobId, purpose, amountMsat, paymentHash: hex32(`invoice ${this.invoices.length}`) };
    this.invoices.push(invoice);
    return invoice;
  }

  holdInvoice(jobId: JobId, amountMsat: number): Invoice {
    return this.invoice(jobId, "job", amountMsat);
  }

  /** Hashes of held payments that were taken, and of invoices that were released. */
  readonly taken: string[] = [];
  readonly released: string[] = [];

  take(paymentHash: string): boolean {
    this.taken.push(paymentHash);
    return true;
  }

  release(paymentHash: string): void {
    this.released.push(paymentHash);
  }

  pay(request: PaymentRequest): void {
    this.asked.push(request);
  }
}

/** Keeps the jobs that it is given, the first `slots` of them running. */
export class FakeRunner implements Runner {
  readonly slots: number;
  readonly kvTokensMax = 1_000_000;
  readonly kvTokensUsed = 0;
  readonly jobs: RunnerJob[] = [];
  /** Jobs cancelled so far. */
  readonly cancelled: JobId[] = [];

  constructor(slots: number) {
    this.slots = slots;
  }

  get running(): number {
    return Math.min(this.slots, this.jobs.length);
  }
  get waiting(): number {
    return this.jobs.length - this.running;
  }

  submit(job: RunnerJob): void {
    this.jobs.push(job);
  }

  /** Output tokens that are waited for, by job. */
  readonly watched = new Map<JobId, number>();

  watch(jobId: JobId, outputTokens: number): void {
    this.watched.set(jobId, outputTokens);
  }

  cancel(jobId: JobId): boolean {
    if (!this.remove(jobId)) return false;
    this.cancelled.push(jobId);
    return true;
  }

  /** The job is over. */
  remove(jobId: JobId): boolean {
    const at = this.jobs.findIndex((job) => job.jobId === jobId);
    if (at >= 0) this.jobs.splice(at, 1);
    return at >= 0;
  }
}

/**
 * A world of one participant: the clock stands still until the test moves it, messages go into an outbox, and ids of
 * timers that are over are given out again at once, as the contract allows. Refuses messages that the protocol does not
 * admit.
 */
export class FakeEnvironment implements Environment {
  readonly self: PeerId;
  readonly telemetry = new FakeTelemetry();
  readonly wallet = new FakeWallet();
  readonly runner: FakeRunner;
  readonly sent: Sent[] = [];
  readonly #timers = new Map<TimerId, PendingTimer>();
  #nowUs: number;
  #order = 0;
  #taken = 0;

  constructor(self: PeerId, { nowUs = 0, slots = 1 } = {}) {
    this.self = self;
    this.#nowUs = nowUs;
    this.runner = new FakeRunner(slots);
  }

  get nowUs(): number {
    return this.#nowUs;
  }

  send(to: PeerId, message: Message): void {
    this.sent.push({ to, message: anyMessage.parse(message) });
  }

  after(delayUs: number, timer: Timer): TimerId {
    if (!(Number.isSafeInteger(delayUs) && delayUs >= 0)) throw new RangeError(`a delay of ${delayUs} µs`);
    let id = 0;
    while (this.#timers.has(id)) id++;
    this.#timers.set(id, { atUs: this.nowUs + delayUs, order: this.#order++, timer });
    return id;
  }

  cancel(id: TimerId): boolean {
    return this.#timers.delete(id);
  }

  random(purpose: string): Random {
    return new SeededRandom(hashString(this.self + purpose));
  }

  /** Kinds of the timers that are pending, in alphabetical order. */
  get pending(): string[] {
    return [...this.#timers.values()].map(({ timer }) => timer.kind).sort();
  }

  /** Messages sent since the last call. */
  take(): Sent[] {
    const taken = this.sent.slice(this.#taken);
    this.#taken = this.sent.length;
    return taken;
  }

  /** Moves the clock, delivering timers on the way; `after` is called after each instant at which some were due. */
  advance(participant: Participant, byUs: number, after: () => void = () => {}): void {
    const untilUs = this.nowUs + byUs;
    for (let due = this.#next(); due !== undefined && due[1].atUs <= untilUs; ) {
      this.#timers.delete(due[0]);
      this.#nowUs = due[1].atUs;
      participant.onTimer(due[1].timer);
      due = this.#next();
      if (due?.[1].atUs !== this.nowUs) after();
    }
    this.#nowUs = untilUs;
  }

  #next(): [TimerId, PendingTimer] | undefined {
    let next: [TimerId, PendingTimer] | undefined;
    for (const entry of this.#timers) {
      if (next === undefined || entry[1].atUs < next[1].atUs || (entry[1].atUs === next[1].atUs && entry[1].order < next[1].order)) next = entry;
    }
    return next;
  }
}

/** 64 hexadecimal digits for a name: a peer's id, a hash. */
export function hex32(name: string): string {
  let digits = "";
  for (let i = 0; i < 8; i++) digits += hashString(`${name}/${i}`).toString(16).padStart(8, "0");
  return digits;
}
