import type { RefusalReason } from "../../../protocol/messages.ts";
import type { ChildEvent, ChildJob, Measurement, StepTime } from "./messages.ts";
import type { BatchModel, Sampler, StepPart } from "./model.ts";
import { OutputText } from "./output-text.ts";
import { randomTokens } from "./random-tokens.ts";

/** How the loop tells. */
export interface LoopOptions {
  /** Tokens of the vocabulary, for pseudo-random prompts. */
  readonly vocabulary: number;
  /** Context of each sequence, tokens. */
  readonly contextTokens: number;
  /** Least time between two tellings of a job's tokens, ms. */
  readonly tokensIntervalMs: number;
  /** All that is to be told now, in order; nothing, once in a while, where steps are made and none is worth telling. */
  readonly tell: (events: readonly ChildEvent[]) => void;
  /** llama.cpp's own words on why a step failed; nothing of a job. */
  readonly fault: (message: string) => void;
}

interface RunningJob {
  readonly job: ChildJob;
  readonly sequence: number;
  /** The prompt. */
  readonly tokens: readonly number[];
  readonly sampler: Sampler;
  readonly text: OutputText;
  /** Tokens in the sequence. */
  position: number;
  /** The token to be computed next, once the prompt is done. */
  next: number;
  started: boolean;
  outputTokens: number;
  toldTokens: number;
  watchTokens: number;
  cancelled: boolean;
}

/**
 * Serves several jobs in one context by the rule of llama.cpp's server: each step is one batch with one token of every
 * decoding sequence, then prompt tokens of the others in the order of admission. The sequences go in lock step, so they
 * meet in every batch; loops of their own would race for them, and often lose (measured: two sequences never met).
 */
export class BatchLoop {
  readonly #model: BatchModel;
  readonly #options: LoopOptions;
  readonly #pending: ChildJob[] = [];
  /** In order of admission. */
  #active: RunningJob[] = [];
  readonly #free: number[];
  readonly #watches = new Map<number, number>();
  #outbox: ChildEvent[] = [];
  #looping = false;
  #timer: NodeJS.Timeout | null = null;
  #toldMs = performance.now();
  /** Tokens that measurements have left in each sequence. */
  readonly #measured: number[];

  constructor(model: BatchModel, options: LoopOptions) {
    this.#model = model;
    this.#options = options;
    this.#free = Array.from({ length: model.sequences }, (_, sequence) => sequence);
    this.#measured = this.#free.map(() => 0);
  }

  run(job: ChildJob): void {
    this.#pending.push(job);
    if (!this.#looping) void this.#loop();
  }

  /** Forgets a job; within a step it goes when the step is done. */
  cancel(ref: number): void {
    const waits = this.#pending.findIndex((job) => job.ref === ref);
    if (waits >= 0) this.#pending.splice(waits, 1);
    for (const running of this.#active) if (running.job.ref === ref) running.cancelled = true;
    this.#watches.delete(ref);
  }

  /** Has the job's tokens told without delay when there are so many. */
  watch(ref: number, outputTokens: number): void {
    const running = this.#active.find(({ job }) => job.ref === ref);
    if (running === undefined) {
      if (this.#pending.some((job) => job.ref === ref)) this.#watches.set(ref, outputTokens);
      return;
    }
    running.watchTokens = outputTokens;
    if (running.outputTokens >= outputTokens && running.outputTokens > running.toldTokens) {
      this.#tellTokens(running, false);
      this.#flush();
    }
  }

  /** @throws Error where jobs run, or the sequences' contexts or the batch have no room. */
  async measure(what: Measurement): Promise<readonly StepTime[]> {
    if (this.#looping) throw new Error("measurements need an idle engine");
    const { sequences, batchTokens } = this.#model;
    if (what.kind === "clear") {
      for (let sequence = 0; sequence < sequences; sequence++) this.#clear(sequence);
      return [];
    }
    const needed = what.kind === "mixed" ? what.sequences + 1 : what.sequences;
    if (needed > sequences) throw new Error(`the context has ${sequences} sequences, ${needed} were asked for`);
    const { contextTokens, vocabulary } = this.#options;
    for (let sequence = 0; sequence < needed; sequence++) {
      const end = this.#measured[sequence]! + (what.kind === "prefill" ? what.tokensEach : what.kind === "decode" ? what.steps : sequence < what.sequences ? 1 : what.promptTokens);
      if (end > contextTokens) throw new Error(`a sequence has a context of ${contextTokens} tokens; ${end} do not fit`);
    }
    if (what.kind === "mixed" && what.sequences + what.promptTokens > batchTokens) throw new Error(`a step takes ${batchTokens} tokens, ${what.sequences + what.promptTokens} were asked for`);
    const times: StepTime[] = [];
    const samplers = Array.from({ length: needed }, () => this.#model.newSampler());
    this.#looping = true;
    try {
      const part = (sequence: number, tokens: number, last: boolean): StepPart => {
        const position = this.#measured[sequence]!;
        this.#measured[sequence] = position + tokens;
        return { sequence, position, tokens: randomTokens(tokens, vocabulary, position * sequences + sequence + 1), sampler: last ? samplers[sequence]! : null };
      };
      const step = async (parts: readonly StepPart[]): Promise<void> => {
        const before = process.cpuUsage();
        const fromNs = process.hrtime.bigint();
        await this.#model.step(parts);
        const us = Number(process.hrtime.bigint() - fromNs) / 1_000;
        const { user, system } = process.cpuUsage(before);
        times.push({ us, decodeUs: this.#model.lastDecodeUs, cpuUs: user + system, tokens: parts.reduce((sum, { tokens }) => sum + tokens.length, 0) });
      };
      if (what.kind === "prefill") {
        const left = Array.from({ length: what.sequences }, () => what.tokensEach);
        for (let first = 0; first < left.length;) {
          const parts: StepPart[] = [];
          for (let room = batchTokens; room > 0 && first < left.length;) {
            const tokens = Math.min(room, left[first]!);
            left[first]! -= tokens;
            room -= tokens;
            parts.push(part(first, tokens, left[first] === 0));
            if (left[first] === 0) first++;
          }
          await step(parts);
        }
      } else {
        const decoders = Array.from({ length: what.sequences }, (_, sequence) => sequence);
        const steps = what.kind === "decode" ? what.steps : 1;
        for (let at = 0; at < steps; at++) {
          const parts = decoders.map((sequence) => part(sequence, 1, true));
          if (what.kind === "mixed") parts.push(part(what.sequences, what.promptTokens, true));
          await step(parts);
        }
      }
      return times;
    } finally {
      for (const sampler of samplers) sampler.dispose();
      this.#looping = false;
      // A job that came in the meantime.
      if (this.#pending.length > 0) void this.#loop();
    }
  }

  async #loop(): Promise<void> {
    this.#looping = true;
    for (;;) {
      this.#drop((running) => running.cancelled);
      this.#admit();
      if (this.#active.length === 0) break;
      const [running, parts] = this.#nextStep();
      this.#flush();
      let picked: readonly number[];
      try {
        picked = await this.#model.step(parts);
      } catch (error) {
        // One batch for all: whose fault it was cannot be told.
        this.#options.fault(error instanceof Error ? error.message : String(error));
        for (const { job: { ref }, cancelled } of running) if (!cancelled) this.#tell({ kind: "failed", ref, reason: "runner-failed" });
        this.#drop((job) => running.includes(job));
        this.#flush();
        continue;
      }
      for (const [at, job] of running.entries()) {
        job.position += parts[at]!.tokens.length;
        if (picked[at]! >= 0 && !job.cancelled) this.#take(job, picked[at]!);
      }
      this.#drop((job) => job.next === DONE);
      this.#flush();
      if (performance.now() - this.#toldMs > SIGN_OF_LIFE_MS) this.#send([]);
    }
    this.#looping = false;
  }

  /** Gives free sequences to jobs that wait. */
  #admit(): void {
    while (this.#free.length > 0 && this.#pending.length > 0) {
      const job = this.#pending.shift()!;
      const tokens = this.#tokensOf(job);
      if (typeof tokens === "string") {
        this.#tell({ kind: "failed", ref: job.ref, reason: tokens });
        this.#watches.delete(job.ref);
        continue;
      }
      const sequence = this.#free.shift()!;
      this.#clear(sequence);
      this.#active.push({
        job, sequence, tokens, sampler: this.#model.newSampler(), text: new OutputText((window) => this.#model.detokenize(window), tokens),
        position: 0, next: -1, started: false, outputTokens: 0, toldTokens: 0, watchTokens: this.#watches.get(job.ref) ?? Infinity, cancelled: false,
      });
      this.#watches.delete(job.ref);
    }
    if (this.#active.length === 0) this.#flush();
  }

  /** The job's prompt, or why it cannot be served. */
  #tokensOf({ prompt, inputTokens, maxOutputTokens, seed }: ChildJob): readonly number[] | RefusalReason {
    const { vocabulary, contextTokens } = this.#options;
    if (prompt === null && inputTokens > 0) return inputTokens + maxOutputTokens > contextTokens ? "context-too-long" : randomTokens(inputTokens, vocabulary, seed);
    let tokens: readonly number[];
    try {
      tokens = this.#model.tokenize(prompt ?? "");
    } catch {
      return "runner-failed";
    }
    if (tokens.length > inputTokens) return "input-over-declared";
    if (tokens.length + maxOutputTokens > contextTokens) return "context-too-long";
    return tokens;
  }

  #nextStep(): [RunningJob[], StepPart[]] {
    const running: RunningJob[] = [];
    const parts: StepPart[] = [];
    let room = this.#model.batchTokens;
    for (const job of this.#active) {
      if (job.next < 0 || room === 0) continue;
      running.push(job);
      parts.push({ sequence: job.sequence, position: job.position, tokens: [job.next], sampler: job.sampler });
      room--;
    }
    for (const job of this.#active) {
      if (job.next >= 0 || room === 0) continue;
      if (!job.started) {
        job.started = true;
        this.#tell({ kind: "started", ref: job.job.ref, inputTokens: job.tokens.length });
      }
      // A prompt of no tokens still needs one for the model to go on from.
      const prompt = job.tokens.length === 0 ? [this.#model.emptyPrompt] : job.tokens;
      const tokens = prompt.slice(job.position, job.position + room);
      running.push(job);
      parts.push({ sequence: job.sequence, position: job.position, tokens, sampler: job.position + tokens.length === prompt.length ? job.sampler : null });
      room -= tokens.length;
    }
    return [running, parts];
  }

  /** One more output token. */
  #take(running: RunningJob, token: number): void {
    const { job: { ref, maxOutputTokens, endsAt, ignoreEos }, text } = running;
    running.next = token;
    running.outputTokens++;
    text.push(token);
    const ends = (endsAt !== null && running.outputTokens >= endsAt) || (!ignoreEos && endsAt === null && this.#model.isEnd(token));
    if (ends || running.outputTokens >= maxOutputTokens) {
      this.#tellTokens(running, true);
      this.#tell({ kind: "finished", ref, reason: ends ? "stop" : "length", hash: text.hash() });
      running.next = DONE;
    } else if (running.outputTokens === 1 || this.#options.tokensIntervalMs === 0 || running.outputTokens >= running.watchTokens) {
      this.#tellTokens(running, false);
    } else this.#remind();
  }

  #tellTokens(running: RunningJob, all: boolean): void {
    const count = running.outputTokens - running.toldTokens;
    running.toldTokens = running.outputTokens;
    if (running.outputTokens >= running.watchTokens) running.watchTokens = Infinity;
    this.#tell({ kind: "tokens", ref: running.job.ref, count, text: running.text.take(all) });
  }

  /** Has tokens told that are held back now, when the interval is over. */
  #remind(): void {
    if (this.#timer !== null || this.#options.tokensIntervalMs === Infinity) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      for (const running of this.#active) {
        if (running.outputTokens > running.toldTokens && !running.cancelled && running.next !== DONE) this.#tellTokens(running, false);
      }
      this.#flush();
    }, this.#options.tokensIntervalMs);
  }

  #drop(goes: (running: RunningJob) => boolean): void {
    if (!this.#active.some(goes)) return;
    for (const running of this.#active) {
      if (!goes(running)) continue;
      running.sampler.dispose();
      this.#clear(running.sequence);
      this.#free.push(running.sequence);
    }
    this.#active = this.#active.filter((running) => !goes(running));
  }

  #clear(sequence: number): void {
    this.#model.forget(sequence);
    this.#measured[sequence] = 0;
  }

  #tell(event: ChildEvent): void {
    this.#outbox.push(event);
  }

  #flush(): void {
    if (this.#outbox.length === 0) return;
    const events = this.#outbox;
    this.#outbox = [];
    this.#send(events);
  }

  #send(events: readonly ChildEvent[]): void {
    this.#toldMs = performance.now();
    this.#options.tell(events);
  }
}

/** Long prompts take many steps. */
const SIGN_OF_LIFE_MS = 1_000;

/** In place of the next token: there is none. */
const DONE = -2;
