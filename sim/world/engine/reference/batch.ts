import type { BatchRules } from "../batch.ts";
import type { Engine, EngineSink } from "../engine.ts";
import { TICKS_PER_US, ticksOf } from "../ticks.ts";

interface Job {
  readonly ref: number;
  readonly input: number;
  readonly output: number;
  readonly priority: number;
  started: boolean;
  cancelled: boolean;
  /** Its prompt, and whatever it had to recompute, is done. */
  decodes: boolean;
  /** Output tokens so far. */
  produced: number;
  /** Tokens in the KV cache. */
  held: number;
  /** Blocks of the KV cache it owns. */
  blocks: number;
  /** Tokens it processes in the step under way. */
  share: number;
}

type Event = { readonly kind: "started" | "firstToken" | "finished" | "preempted"; readonly ref: number; readonly atUs: number };

/**
 * The test oracle of `BatchEngine`: the same rules, played step by step with plain objects and no cleverness. Every
 * step boundary is a change, so `nextUs` is the end of the step under way.
 */
export class ReferenceBatchEngine implements Engine {
  readonly slots: number;
  readonly kvTokensMax: number;
  readonly #rules: BatchRules;
  #queue: Job[] = [];
  #batch: Job[] = [];
  #events: Event[] = [];
  #speed = 1;
  #promptShare = 1;
  #generationShare = 1;
  /** Of the step under way. */
  #share = 1;
  #hasPrompt = false;
  #lastUs = 0;
  /** The step under way, in whole microseconds and ticks. */
  #start = { us: 0, ticks: 0 };
  #end = { us: 0, ticks: 0 };
  #idleStartUs = Infinity;
  #kvInStep = 0;
  #busyUs = 0;
  #runningUs = 0;
  #kvTokenUs = 0;

  constructor(rules: BatchRules) {
    this.#rules = rules;
    this.slots = rules.slots;
    this.kvTokensMax = rules.kvTokensMax;
  }

  get running(): number { return this.#batch.length; }
  get waiting(): number { return this.#queue.length; }
  get kvTokensUsed(): number { return this.#batch.length === 0 ? 0 : this.#kvInStep; }

  get nextUs(): number {
    if (this.#events.length > 0) return this.#lastUs;
    if (this.#batch.length > 0) return this.#end.ticks > 0 ? this.#end.us + 1 : this.#end.us;
    return this.#idleStartUs;
  }

  fits(inputTokens: number, outputTokens: number): boolean {
    const input = Math.max(1, inputTokens);
    const room = this.#rules.blockTokens === 0
      ? input + outputTokens - 1 <= this.kvTokensMax
      : Math.ceil((input + outputTokens - 1) / this.#rules.blockTokens) <= Math.floor(this.kvTokensMax / this.#rules.blockTokens);
    return input + outputTokens <= this.#rules.contextTokensMax && room;
  }

  submit(nowUs: number, ref: number, inputTokens: number, outputTokens: number, priority: number): void {
    if (!this.fits(inputTokens, outputTokens)) throw new RangeError("the job cannot run here");
    this.#settle(nowUs);
    this.#queue.push({
      ref, input: Math.max(1, inputTokens), output: outputTokens, priority: this.#rules.discipline === "priority" ? priority : 0,
      started: false, cancelled: false, decodes: false, produced: 0, held: 0, blocks: 0, share: 0,
    });
    if (this.#batch.length === 0 && this.#idleStartUs === Infinity) this.#idleStartUs = nowUs;
  }

  cancel(nowUs: number, ref: number): boolean {
    this.#settle(nowUs);
    const ended = this.#events.some((event) => event.ref === ref && event.kind === "finished");
    this.#events = this.#events.filter((event) => event.ref !== ref);
    const waiting = this.#queue.findIndex((job) => job.ref === ref);
    if (waiting >= 0) {
      this.#queue.splice(waiting, 1);
      if (this.#queue.length === 0) this.#idleStartUs = Infinity;
      return true;
    }
    const running = this.#batch.find((job) => job.ref === ref && !job.cancelled);
    if (running === undefined) return ended;
    running.cancelled = true;
    return true;
  }

  clear(nowUs: number): void {
    this.#settle(nowUs);
    const inStepUs = this.#inStepUs(nowUs);
    this.#busyUs += inStepUs;
    this.#runningUs += this.#batch.length * inStepUs;
    this.#kvTokenUs += this.#kvInStep * inStepUs;
    this.#events = [];
    this.#queue = [];
    this.#batch = [];
    this.#idleStartUs = Infinity;
  }

  setSpeed(nowUs: number, factor: number): void {
    this.#settle(nowUs);
    this.#speed = factor;
  }

  setShare(nowUs: number, factor: number, promptFactor = factor): void {
    this.#settle(nowUs);
    this.#generationShare = factor;
    this.#promptShare = promptFactor;
    const share = this.#hasPrompt ? promptFactor : factor;
    const longer = this.#share / share;
    this.#share = share;
    if (this.#batch.length === 0 || longer === 1) return;
    const left = (this.#end.us - nowUs) * TICKS_PER_US + this.#end.ticks;
    const end = Math.max(1, Math.round(left * longer));
    this.#end = { us: nowUs + Math.floor(end / TICKS_PER_US), ticks: end % TICKS_PER_US };
  }

  advance(nowUs: number, sink: EngineSink): void {
    while (true) {
      for (const event of this.#events.splice(0)) sink[event.kind](event.ref, event.atUs);
      if (this.nextUs > nowUs) break;
      if (this.#batch.length > 0) this.#endStep();
      else {
        this.#end = { us: this.#idleStartUs, ticks: 0 };
        this.#idleStartUs = Infinity;
        this.#startStep();
      }
    }
    this.#lastUs = nowUs;
  }

  busyUs(nowUs: number): number {
    this.#settle(nowUs);
    return this.#busyUs + this.#inStepUs(nowUs);
  }

  runningUs(nowUs: number): number {
    this.#settle(nowUs);
    return this.#runningUs + this.#batch.length * this.#inStepUs(nowUs);
  }

  kvTokenUs(nowUs: number): number {
    this.#settle(nowUs);
    return this.#kvTokenUs + this.#kvInStep * this.#inStepUs(nowUs);
  }

  #inStepUs(nowUs: number): number {
    return this.#batch.length === 0 ? 0 : nowUs - this.#start.us - this.#start.ticks / TICKS_PER_US;
  }

  #settle(nowUs: number): void {
    if (nowUs < this.#lastUs || this.nextUs < nowUs) throw new RangeError("the caller is late or the clock went back");
    this.#lastUs = nowUs;
    while (this.#batch.length > 0 && this.#end.us + (this.#end.ticks > 0 ? 1 : 0) <= nowUs) this.#endStep();
  }

  #tell(kind: Event["kind"], job: Job): void {
    if (!job.cancelled) this.#events.push({ kind, ref: job.ref, atUs: this.#end.ticks > 0 ? this.#end.us + 1 : this.#end.us });
  }

  #endStep(): void {
    const durationUs = this.#end.us - this.#start.us + (this.#end.ticks - this.#start.ticks) / TICKS_PER_US;
    this.#busyUs += durationUs;
    this.#runningUs += durationUs * this.#batch.length;
    this.#kvTokenUs += durationUs * this.#kvInStep;
    for (const job of this.#batch) {
      // A token came out where all tokens so far have been through the model.
      const gotToken = job.share > 0 && job.held === job.input + job.produced;
      job.share = 0;
      if (!gotToken) continue;
      job.produced++;
      job.decodes = true;
      if (job.produced === 1) this.#tell("firstToken", job);
      if (job.produced === job.output) this.#tell("finished", job);
    }
    this.#batch = this.#batch.filter((job) => !job.cancelled && job.produced < job.output);
    this.#startStep();
  }

  #blocksFor(tokens: number): number {
    return Math.ceil(tokens / this.#rules.blockTokens);
  }

  #freeBlocks(): number {
    return Math.floor(this.kvTokensMax / this.#rules.blockTokens) - this.#batch.reduce((sum, job) => sum + job.blocks, 0);
  }

  #startStep(): void {
    const paged = this.#rules.blockTokens > 0;
    let preempted = false;
    if (paged) {
      for (let at = 0; at < this.#batch.length; at++) {
        const job = this.#batch[at]!;
        if (!job.decodes) continue;
        while (this.#batch.includes(job) && this.#blocksFor(job.held + 1) > job.blocks) {
          if (this.#freeBlocks() > 0) {
            job.blocks++;
            continue;
          }
          preempted = true;
          const victim = this.#batch.reduce((worst, other) => (other.priority <= worst.priority ? other : worst));
          if (this.#batch.indexOf(victim) <= at) at--;
          this.#batch.splice(this.#batch.indexOf(victim), 1);
          Object.assign(victim, { held: 0, blocks: 0, decodes: false });
          const place = this.#queue.findIndex((other) => other.priority <= victim.priority);
          this.#queue.splice(place < 0 ? this.#queue.length : place, 0, victim);
          this.#tell("preempted", victim);
        }
      }
    }

    let budget = this.#rules.batchTokens;
    let sequences = 0;
    let context = 0;
    let prefillTokens = 0;
    let pairs = 0;
    for (const job of this.#batch) {
      if (!job.decodes) continue;
      sequences++;
      context += job.held + 1;
      job.share = 1;
      budget--;
    }
    const prefill = (job: Job): void => {
      const share = Math.max(0, Math.min(budget, job.input + job.produced - job.held));
      for (let token = 0; token < share; token++) pairs += job.held + token;
      job.share = share;
      budget -= share;
      prefillTokens += share;
    };
    for (const job of this.#batch) if (job.share === 0) prefill(job);

    while (this.#batch.length < this.slots && this.#queue.length > 0 && !(paged && (preempted || budget <= 0))) {
      const next = this.#queue.reduce((best, job) => (job.priority > best.priority ? job : best));
      if (paged) {
        const blocks = this.#blocksFor(next.input + next.produced);
        if (blocks > this.#freeBlocks()) break;
        next.blocks = blocks;
      } else {
        const room = (job: Job): number => job.input + job.output - 1;
        if (this.#batch.reduce((sum, job) => sum + room(job), 0) + room(next) > this.kvTokensMax) break;
      }
      this.#queue.splice(this.#queue.indexOf(next), 1);
      this.#batch.push(next);
      if (!next.started) this.#tell("started", next);
      next.started = true;
      prefill(next);
    }

    for (const job of this.#batch) job.held += job.share;
    this.#kvInStep = this.#batch.reduce((sum, job) => sum + job.held, 0);
    this.#start = this.#end;
    if (this.#batch.length === 0) return;
    const { cost } = this.#rules;
    this.#hasPrompt = prefillTokens > 0;
    this.#share = this.#hasPrompt ? this.#promptShare : this.#generationShare;
    const pace = this.#speed * this.#share;
    const ticks = Math.max(1, ticksOf(cost.baseUs(prefillTokens, sequences) / pace) +
      ticksOf(cost.contextUs / pace) * context + ticksOf(cost.prefillContextUs / pace) * pairs);
    const end = this.#start.ticks + ticks;
    this.#end = { us: this.#start.us + Math.floor(end / TICKS_PER_US), ticks: end % TICKS_PER_US };
  }
}
