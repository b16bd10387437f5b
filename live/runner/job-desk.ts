import type { JobId, RefusalReason } from "../../protocol/messages.ts";
import type { RunnerEvent, RunnerJob } from "../../scheduler/environment.ts";

/** How a desk takes jobs. */
export interface DeskOptions {
  /** Jobs that run at once. */
  readonly slots: number;
  /** Jobs that may wait beside those that run; more fail with `queue-full`. Default: no bound. */
  readonly queueLimit?: number | undefined;
  /** `fifo`, or a higher priority first and first come first served among equals. Default fifo. */
  readonly discipline?: "fifo" | "priority" | undefined;
  /**
   * Least time between two `tokens` events of a job, ms: what comes sooner is put together. 0: each as it comes; Infinity: all
   * at the end. Default 0.
   */
  readonly tokensIntervalMs?: number | undefined;
  /**
   * Jobs that the engine is given before a slot is free for them, so that none stands idle until the desk has heard of it. Only for an
   * engine that begins them in the order in which it got them; with `priority`, where a later job may come first, none is. Default 0.
   */
  readonly ahead?: number | undefined;
}

/** What the runner has once its engine is loaded. */
export interface DeskCapacity {
  readonly models: readonly string[];
  /** Longest context of one job, prompt and output together, tokens. */
  readonly contextTokensMax: number;
  /** Tokens of context of all running jobs together: a job whose whole need does not fit waits, and those behind it. */
  readonly kvTokensMax: number;
}

/** A job at the desk; `T` is what the engine keeps of it. */
export interface DeskJob<T> {
  readonly job: RunnerJob;
  /** Never used twice, unlike the job's id: late news of a cancelled job finds nobody. */
  readonly ref: number;
  state: "waiting" | "running" | "ended";
  /** As the engine counted it; as declared before. */
  inputTokens: number;
  outputTokens: number;
  /** Output tokens at which to say `progress`; 0: not asked for. */
  watchTokens: number;
  engine: T | undefined;
}

interface Entry<T> extends DeskJob<T> {
  /** The engine has it. */
  given: boolean;
  startedTold: boolean;
  heldTokens: number;
  heldText: string | undefined;
}

/** The engine behind the desk. */
export interface DeskEngine<T> {
  /** A slot is free for this job, or will be, after all that the engine was given before. Must not throw. */
  begin(job: DeskJob<T>): void;
  /** A job that the engine was given was cancelled, or is dropped because the runner stops. */
  abort(job: DeskJob<T>): void;
}

/**
 * What all live runners have in common: the queue before the slots, the order of events, their putting together, and the
 * listener, who is never called within a call of the runner's.
 */
export class JobDesk<T = undefined> {
  /** Jobs that run at once. */
  slots: number;
  running = 0;
  capacity: DeskCapacity | null = null;
  #down = false;
  readonly #engine: DeskEngine<T>;
  readonly #queueLimit: number;
  readonly #priority: boolean;
  readonly #intervalMs: number;
  readonly #ahead: number;
  readonly #jobs = new Map<JobId, Entry<T>>();
  readonly #byRef = new Map<number, Entry<T>>();
  readonly #queue: Entry<T>[] = [];
  readonly #held = new Set<Entry<T>>();
  #outbox: RunnerEvent[] = [];
  #listener: ((event: RunnerEvent) => void) | null = null;
  #nextRef = 1;
  #reservedTokens = 0;
  #paused = false;
  #within = 0;
  #flush: NodeJS.Immediate | null = null;
  #timer: NodeJS.Timeout | null = null;

  /** @throws RangeError for an option out of range. */
  constructor(engine: DeskEngine<T>, options: DeskOptions) {
    const { slots, queueLimit = Infinity, tokensIntervalMs = 0 } = options;
    if (!Number.isInteger(slots) || slots < 1) throw new RangeError(`a runner has at least one slot, not ${slots}`);
    if (!(queueLimit >= 0)) throw new RangeError(`a queue's bound is 0 or more, not ${queueLimit}`);
    if (!(tokensIntervalMs >= 0)) throw new RangeError(`the interval of tokens is 0 ms or more, not ${tokensIntervalMs}`);
    this.#engine = engine;
    this.slots = slots;
    this.#queueLimit = queueLimit;
    this.#priority = options.discipline === "priority";
    this.#intervalMs = tokensIntervalMs;
    this.#ahead = this.#priority ? 0 : options.ahead ?? 0;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** Prompts and outputs so far of the jobs that run, tokens. */
  get kvTokensUsed(): number {
    let tokens = 0;
    for (const { state, inputTokens, outputTokens } of this.#jobs.values()) if (state === "running") tokens += inputTokens + outputTokens;
    return tokens;
  }

  listen(onEvent: (event: RunnerEvent) => void): void {
    if (this.#listener !== null) throw new Error("a runner has one listener");
    this.#listener = onEvent;
  }

  /** @throws Error where the runner is not started, or has a job of this id already. */
  submit(job: RunnerJob): void {
    const { capacity } = this;
    if (capacity === null) throw new Error("a job was given to a runner that is not started");
    if (this.#jobs.has(job.jobId)) throw new Error(`the runner has a job ${job.jobId} already`);
    const reason = this.#reasonToRefuse(job, capacity);
    if (reason !== undefined) {
      this.#within++;
      this.#tell({ kind: "failed", jobId: job.jobId, reason });
      this.#within--;
      return;
    }
    const entry: Entry<T> = {
      job, ref: this.#nextRef++, state: "waiting", inputTokens: job.inputTokens, outputTokens: 0, engine: undefined,
      given: false, startedTold: false, heldTokens: 0, heldText: undefined, watchTokens: 0,
    };
    this.#jobs.set(job.jobId, entry);
    this.#byRef.set(entry.ref, entry);
    let at = this.#queue.length;
    if (this.#priority) while (at > 0 && this.#queue[at - 1]!.job.priority < job.priority) at--;
    this.#queue.splice(at, 0, entry);
    this.pump();
  }

  /** Job of this number, while it is here. */
  find(ref: number): DeskJob<T> | undefined {
    return this.#byRef.get(ref);
  }

  refOf(jobId: JobId): number | undefined {
    return this.#jobs.get(jobId)?.ref;
  }

  /** Jobs that run now. */
  *runningJobs(): Generator<DeskJob<T>> {
    for (const entry of this.#jobs.values()) if (entry.state === "running") yield entry;
  }

  cancel(jobId: JobId): boolean {
    const entry = this.#jobs.get(jobId);
    if (entry === undefined) {
      // Its end may still be in the post.
      const before = this.#outbox.length;
      this.#outbox = this.#outbox.filter((event) => event.jobId !== jobId);
      return this.#outbox.length < before;
    }
    this.#within++;
    this.#remove(entry);
    this.#outbox = this.#outbox.filter((event) => event.jobId !== jobId);
    if (entry.given) this.#engine.abort(entry);
    this.pump();
    this.#within--;
    return true;
  }

  watch(jobId: JobId, outputTokens: number): void {
    const entry = this.#jobs.get(jobId);
    if (entry === undefined) return;
    this.#within++;
    entry.watchTokens = outputTokens;
    this.#look(entry);
    this.#within--;
  }

  /** The engine cannot be had, until this is taken back: all that wait fail (`runner-failed`), and so does what comes. */
  set down(down: boolean) {
    this.#down = down;
    if (down) this.failAll("runner-failed");
  }

  /** No job begins from now on, until {@link resume}. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.pump();
  }

  /** Runs something whose events are told only after the present call. */
  later(act: () => void): void {
    this.#within++;
    try {
      act();
    } finally {
      this.#within--;
    }
  }

  /** Fills free slots from the queue, and gives the engine what comes next. */
  pump(): void {
    this.#within++;
    while (!this.#paused && this.running < this.slots && this.#queue.length > 0) {
      const entry = this.#queue[0]!;
      const need = entry.job.inputTokens + entry.job.maxOutputTokens;
      if (this.#reservedTokens + need > this.capacity!.kvTokensMax) break;
      this.#queue.shift();
      this.#reservedTokens += need;
      entry.state = "running";
      this.running++;
      this.#give(entry);
    }
    if (!this.#paused) for (const entry of this.#queue.slice(0, this.#ahead)) this.#give(entry);
    this.#within--;
  }

  /** The engine has begun with the prompt. */
  started(job: DeskJob<T>): void {
    const entry = this.#known(job);
    if (entry === undefined || entry.startedTold) return;
    entry.startedTold = true;
    this.#tell({ kind: "started", jobId: entry.job.jobId });
  }

  /** So many more output tokens are there. @param text what they say, where it is known. */
  tokens(job: DeskJob<T>, count: number, text?: string): void {
    const entry = this.#known(job);
    if (entry === undefined || count < 1) return;
    this.started(entry);
    let rest = count;
    let restText = text;
    if (entry.outputTokens === 0) {
      const { jobId } = entry.job;
      this.#tell(text === undefined ? { kind: "first-token", jobId } : { kind: "first-token", jobId, text });
      rest--;
      restText = text === undefined ? undefined : "";
    }
    entry.outputTokens += count;
    if (rest > 0) {
      entry.heldTokens += rest;
      if (restText !== undefined) entry.heldText = (entry.heldText ?? "") + restText;
      if (this.#intervalMs === 0) this.#release(entry);
      else this.#hold(entry);
    }
    this.#look(entry);
  }

  /** @param inputTokens of the prompt, where the engine counted them. */
  finished(job: DeskJob<T>, finishReason: "stop" | "length", outputHash: string, inputTokens?: number): void {
    const entry = this.#known(job);
    if (entry === undefined) return;
    this.started(entry);
    this.#release(entry);
    const { jobId } = entry.job;
    this.#remove(entry);
    const end = { kind: "finished" as const, jobId, outputTokens: entry.outputTokens, finishReason, outputHash };
    this.#tell(inputTokens === undefined ? end : { ...end, inputTokens });
    this.pump();
  }

  failed(job: DeskJob<T>, reason: RefusalReason): void {
    const entry = this.#known(job);
    if (entry === undefined) return;
    const { jobId } = entry.job;
    this.#remove(entry);
    this.#tell({ kind: "failed", jobId, reason });
    this.pump();
  }

  /** The engine is gone, and what it had: running jobs fail, waiting ones wait on. */
  failRunning(reason: RefusalReason): void {
    for (const entry of this.#queue) entry.given = false;
    const paused = this.#paused;
    this.#paused = true;
    for (const entry of [...this.runningJobs()]) this.failed(entry, reason);
    this.#paused = paused;
    this.pump();
  }

  /** Every job fails, those that wait too. */
  failAll(reason: RefusalReason): void {
    const paused = this.#paused;
    this.#paused = true;
    for (const entry of [...this.#jobs.values()]) this.failed(entry, reason);
    this.#paused = paused;
  }

  /** Every job fails, what is in the post goes out, and nothing after. */
  close(reason: RefusalReason): void {
    this.#paused = true;
    for (const entry of [...this.#jobs.values()]) {
      this.failed(entry, reason);
      if (entry.given) this.#engine.abort(entry);
    }
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#flush !== null) clearImmediate(this.#flush);
    this.#flush = null;
    this.#deliver();
    this.capacity = null;
    this.#paused = false;
    this.#down = false;
  }

  #give(entry: Entry<T>): void {
    if (entry.given) return;
    entry.given = true;
    this.#engine.begin(entry);
  }

  #reasonToRefuse({ model, inputTokens, maxOutputTokens }: RunnerJob, capacity: DeskCapacity): RefusalReason | undefined {
    if (!capacity.models.includes(model)) return "unknown-model";
    const need = inputTokens + maxOutputTokens;
    if (need > capacity.contextTokensMax || need > capacity.kvTokensMax) return "context-too-long";
    if (this.#down) return "runner-failed";
    if (this.#queue.length >= this.#queueLimit && !(this.#queue.length === 0 && this.#fits(need))) return "queue-full";
    return undefined;
  }

  #fits(need: number): boolean {
    return !this.#paused && this.running < this.slots && this.#reservedTokens + need <= this.capacity!.kvTokensMax;
  }

  #known(job: DeskJob<T>): Entry<T> | undefined {
    return job.state === "ended" ? undefined : this.#byRef.get(job.ref);
  }

  #remove(entry: Entry<T>): void {
    if (entry.state === "running") {
      this.running--;
      this.#reservedTokens -= entry.job.inputTokens + entry.job.maxOutputTokens;
    } else this.#queue.splice(this.#queue.indexOf(entry), 1);
    entry.state = "ended";
    this.#jobs.delete(entry.job.jobId);
    this.#byRef.delete(entry.ref);
    this.#held.delete(entry);
  }

  #hold(entry: Entry<T>): void {
    this.#held.add(entry);
    if (this.#timer !== null || this.#intervalMs === Infinity) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      for (const held of this.#held) this.#release(held);
    }, this.#intervalMs);
  }

  #release(entry: Entry<T>): void {
    this.#held.delete(entry);
    const { heldTokens: tokens, heldText: text, outputTokens, job: { jobId } } = entry;
    if (tokens === 0) return;
    entry.heldTokens = 0;
    entry.heldText = undefined;
    const firstToken = outputTokens - tokens;
    this.#tell(text === undefined ? { kind: "tokens", jobId, firstToken, tokens } : { kind: "tokens", jobId, firstToken, tokens, text });
  }

  #look(entry: Entry<T>): void {
    if (entry.watchTokens === 0 || entry.outputTokens < entry.watchTokens) return;
    const outputTokens = entry.watchTokens;
    entry.watchTokens = 0;
    this.#release(entry);
    this.#tell({ kind: "progress", jobId: entry.job.jobId, outputTokens });
  }

  #tell(event: RunnerEvent): void {
    if (this.#within === 0 && this.#outbox.length === 0) return this.#listener?.(event);
    this.#outbox.push(event);
    this.#flush ??= setImmediate(() => {
      this.#flush = null;
      this.#deliver();
    });
  }

  #deliver(): void {
    // The listener may submit and cancel: what that brings waits for the next turn, what it takes back is not told.
    for (let event = this.#outbox.shift(); event !== undefined; event = this.#outbox.shift()) this.#listener?.(event);
  }
}
