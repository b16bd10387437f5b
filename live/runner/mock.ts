import { createHash } from "node:crypto";
import type { JobId } from "../../protocol/messages.ts";
import type { RunnerJob } from "../../scheduler/environment.ts";
import { DeskRunner } from "./desk-runner.ts";
import type { DeskJob, DeskOptions } from "./job-desk.ts";
import { RunnerError, type RunnerFacts } from "./live-runner.ts";
import { PseudoText } from "./pseudo-text.ts";

/** What goes wrong with one job of a mock runner, and after how many output tokens. */
export interface MockFault {
  /** `fail`: the job fails alone. `stall`: it stays silent for ever. `crash`: the engine goes down with all that run. */
  readonly kind: "fail" | "stall" | "crash";
  /** 0: before the first token. */
  readonly afterTokens: number;
}

/** A mock runner's speed and faults. */
export interface MockRunnerOptions extends Partial<DeskOptions> {
  /** Names under which jobs may ask for it. */
  readonly models: readonly string[];
  /** Longest context of one job, tokens. Default 8,192. */
  readonly contextTokensMax?: number | undefined;
  /** Default: enough for every slot's full context. */
  readonly kvTokensMax?: number | undefined;
  /** Prompt tokens a second, of each job. Default: no time at all. */
  readonly prefillTokensPerS?: number | undefined;
  /** Output tokens a second. Default: no time at all. */
  readonly decodeTokensPerS?: number | undefined;
  /** Whose speed that is: every sequence's own, or one that all decoding sequences share. Default sequence. */
  readonly decodeSpeedOf?: "sequence" | "batch" | undefined;
  /** Where an output ends by itself, tokens. Default: nowhere before `maxOutputTokens`. */
  readonly outputTokens?: ((job: RunnerJob) => number) | undefined;
  /** False: events carry no text, and the hash is of nothing. Default true. */
  readonly text?: boolean | undefined;
  readonly fault?: ((job: RunnerJob) => MockFault | undefined) | undefined;
  /** How long the engine is away after a crash, ms. Default 100. */
  readonly restartMs?: number | undefined;
  /** Why the model cannot be loaded, for tests of that. */
  readonly failStart?: string | undefined;
}

interface MockJob {
  /** When its prompt is read, ms of performance.now(). */
  readonly prefilledMs: number;
  /** Output tokens at its end, or at its fault. */
  readonly lastTokens: number;
  readonly stops: boolean;
  readonly fault: MockFault | undefined;
  readonly text: PseudoText | null;
  /** Decoded tokens of the shared clock when its first token came; NaN while it prefills. */
  since: number;
  stalled: boolean;
}

/**
 * Executes nothing, at a fixed speed on real timers, and says so in deterministic words. The first token comes out of the
 * prefill, as with real engines. Timers that fire late do not slow it down: times are kept against a clock.
 */
export class MockRunner extends DeskRunner<MockJob> {
  readonly #options: MockRunnerOptions;
  readonly #tokensPerMs: number;
  readonly #shared: boolean;
  /** Tokens that a sequence would have decoded since the start, up to #atMs. */
  #decoded = 0;
  #atMs = 0;
  #timer: NodeJS.Timeout | NodeJS.Immediate | null = null;
  #timerDueMs = Infinity;
  #restart: NodeJS.Timeout | null = null;
  #advancing = false;

  /** @throws RangeError for an option out of range. */
  constructor(options: MockRunnerOptions) {
    for (const speed of [options.prefillTokensPerS, options.decodeTokensPerS]) {
      if (speed !== undefined && !(speed > 0)) throw new RangeError(`a speed is above 0 tokens a second, not ${speed}`);
    }
    super({ ...options, slots: options.slots ?? 4 });
    this.#options = options;
    this.#tokensPerMs = (options.decodeTokensPerS ?? Infinity) / 1_000;
    this.#shared = options.decodeSpeedOf === "batch";
  }

  start(): Promise<RunnerFacts> {
    const { failStart, models, contextTokensMax = 8_192 } = this.#options;
    if (failStart !== undefined) return Promise.reject(new RunnerError(failStart));
    const capacity = { models, contextTokensMax, kvTokensMax: this.#options.kvTokensMax ?? this.slots * contextTokensMax };
    this.desk.capacity = capacity;
    return Promise.resolve({ engine: "mock", slots: this.slots, ...capacity });
  }

  stop(): Promise<void> {
    if (this.#restart !== null) clearTimeout(this.#restart);
    this.#restart = null;
    this.desk.close("shutting-down");
    this.#disarm();
    return Promise.resolve();
  }

  override submit(job: RunnerJob): void {
    this.desk.later(() => this.#advance());
    super.submit(job);
    this.#schedule();
  }

  override cancel(jobId: JobId): boolean {
    this.desk.later(() => this.#advance());
    const known = super.cancel(jobId);
    this.#schedule();
    return known;
  }

  /** The engine dies: what runs fails, and what waits goes on after `restartMs`. */
  crash(): void {
    this.desk.pause();
    this.desk.failRunning("runner-failed");
    this.#restart ??= setTimeout(() => {
      this.#restart = null;
      this.desk.resume();
      this.#schedule();
    }, this.#options.restartMs ?? 100);
  }

  protected abort(): void {}

  protected begin(entry: DeskJob<MockJob>): void {
    const { prefillTokensPerS = Infinity, outputTokens, fault: faultOf, text = true } = this.#options;
    const { job } = entry;
    const nowMs = this.#advancing ? this.#atMs : performance.now();
    const fault = faultOf?.(job);
    const own = Math.max(1, outputTokens?.(job) ?? Infinity);
    const end = Math.min(own, job.maxOutputTokens);
    entry.engine = {
      prefilledMs: nowMs + (1_000 * job.inputTokens) / prefillTokensPerS,
      lastTokens: fault === undefined ? end : Math.min(fault.afterTokens, end),
      stops: own <= job.maxOutputTokens,
      fault: fault !== undefined && fault.afterTokens <= end ? fault : undefined,
      text: text ? new PseudoText(`${job.model}\n${job.prompt ?? job.inputTokens}`) : null,
      since: NaN,
      stalled: false,
    };
    this.desk.started(entry);
  }

  /** Tokens a sequence decodes in a ms while so many do. */
  #rate(decoding: number): number {
    return this.#shared ? this.#tokensPerMs / decoding : this.#tokensPerMs;
  }

  #decoding(): number {
    let decoding = 0;
    for (const { engine } of this.desk.runningJobs()) if (!Number.isNaN(engine!.since) && !engine!.stalled) decoding++;
    return decoding;
  }

  /** Time of the next prefill's or output's end, and whose it is. */
  #next(): [number, DeskJob<MockJob> | null] {
    let dueMs = Infinity;
    let due: DeskJob<MockJob> | null = null;
    const rate = this.#rate(this.#decoding());
    for (const entry of this.desk.runningJobs()) {
      const { since, prefilledMs, lastTokens, stalled } = entry.engine!;
      if (stalled) continue;
      const left = lastTokens - 1 - (this.#decoded - since);
      const atMs = Number.isNaN(since) ? prefilledMs : this.#atMs + (rate === Infinity ? 0 : Math.max(0, left) / rate);
      if (atMs < dueMs) [dueMs, due] = [atMs, entry];
    }
    return [dueMs, due];
  }

  /** Makes up for all time until now. */
  #advance(): void {
    if (this.#advancing) return;
    this.#advancing = true;
    const nowMs = performance.now();
    for (let [dueMs, due] = this.#next(); due !== null && dueMs <= nowMs; [dueMs, due] = this.#next()) {
      this.#moveTo(Math.max(dueMs, this.#atMs));
      const state = due.engine!;
      if (!Number.isNaN(state.since)) this.#end(due);
      else {
        state.since = this.#decoded;
        if (state.lastTokens === 0) this.#end(due);
        else {
          this.#say(due, 1);
          if (state.lastTokens === 1) this.#end(due);
        }
      }
    }
    this.#moveTo(nowMs);
    for (const entry of this.desk.runningJobs()) {
      const { since, lastTokens, stalled } = entry.engine!;
      // The last token goes out with the end; a rounded clock must not run ahead of it.
      if (!stalled && !Number.isNaN(since) && this.#tokensPerMs < Infinity) this.#say(entry, Math.min(lastTokens - 1, 1 + Math.floor(this.#decoded - since)));
    }
    this.#advancing = false;
  }

  #moveTo(ms: number): void {
    const decoding = this.#decoding();
    if (decoding > 0 && this.#tokensPerMs < Infinity) this.#decoded += Math.max(0, ms - this.#atMs) * this.#rate(decoding);
    this.#atMs = Math.max(ms, this.#atMs);
  }

  /** Says what there is up to so many tokens. */
  #say(entry: DeskJob<MockJob>, tokens: number): void {
    const fresh = tokens - entry.outputTokens;
    if (fresh > 0) this.desk.tokens(entry, fresh, entry.engine!.text?.take(fresh));
  }

  #end(entry: DeskJob<MockJob>): void {
    const { fault, lastTokens, stops, text } = entry.engine!;
    this.#say(entry, lastTokens);
    if (fault?.kind === "stall") entry.engine!.stalled = true;
    else if (fault?.kind === "fail") this.desk.failed(entry, "runner-failed");
    else if (fault?.kind === "crash") this.crash();
    else this.desk.finished(entry, stops ? "stop" : "length", text?.hash() ?? NO_OUTPUT);
  }

  #schedule(): void {
    const [nextMs] = this.#next();
    // Between its ends there are tokens to tell.
    const perTokenMs = 1 / this.#rate(Math.max(1, this.#decoding()));
    const streamMs = Math.max((this.#options.tokensIntervalMs ?? 0) > 0 ? COARSE_TICK_MS : 0, perTokenMs);
    const dueMs = Math.min(nextMs, this.#decoding() > 0 && streamMs < Infinity ? this.#atMs + streamMs : Infinity);
    if (dueMs === Infinity) return this.#disarm();
    if (this.#timer !== null && this.#timerDueMs <= dueMs) return;
    this.#disarm();
    const ring = (): void => {
      this.#timer = null;
      this.#timerDueMs = Infinity;
      this.#advance();
      this.#schedule();
    };
    const delayMs = dueMs - performance.now();
    this.#timerDueMs = dueMs;
    // Timers wait a whole ms at least: too long for an engine that takes no time.
    this.#timer = delayMs <= 0 ? setImmediate(ring) : setTimeout(ring, delayMs);
  }

  #disarm(): void {
    if (this.#timer === null) return;
    clearTimeout(this.#timer as NodeJS.Timeout);
    clearImmediate(this.#timer as NodeJS.Immediate);
    this.#timer = null;
    this.#timerDueMs = Infinity;
  }
}

/** Where tokens are put together anyway, there is no need to look after each of them. */
const COARSE_TICK_MS = 5;

const NO_OUTPUT = createHash("sha256").digest("hex");
