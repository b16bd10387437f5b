import type { JobId } from "../../protocol/messages.ts";
import type { RunnerEvent, RunnerJob } from "../../scheduler/environment.ts";
import { modelFacts, type ModelFacts } from "../gguf/facts.ts";
import { type DeskJob, type DeskOptions, JobDesk } from "./job-desk.ts";
import { type LiveRunner, RunnerError, type RunnerFacts } from "./live-runner.ts";
import { EngineProcess } from "./llama/engine-process.ts";
import type { ChildEvent, LlamaSettings } from "./llama/messages.ts";
import { type LlamaOptions, settingsOf } from "./llama/settings.ts";

/** A model file as a node serves it. */
export interface LlamaRunnerOptions extends LlamaOptions, Pick<DeskOptions, "queueLimit" | "discipline"> {
  /** Names under which jobs may ask for it. */
  readonly models: readonly string[];
  /** Outputs go on past the model's own end, up to their bound. Jobs without a prompt always do. Default false. */
  readonly ignoreEos?: boolean | undefined;
  /** Where an output ends by decree, tokens, whatever the model says: for measurements. Undefined for a job: nowhere. */
  readonly outputTokens?: ((job: RunnerJob) => number | undefined) | undefined;
  /** Pause before the engine is started again after a crash, ms; doubled with each failure in a row, up to the second. Default 500, 30,000. */
  readonly restartMs?: number | undefined;
  readonly restartMsMax?: number | undefined;
  /** An engine that has jobs and shows no sign of life for so long is ended and started again, ms: longer than any step takes. Default 300,000. */
  readonly stallMs?: number | undefined;
  /** Told when the engine is lost, with what happened, and when it is back. */
  readonly onEngine?: ((state: "lost" | "back", detail: string) => void) | undefined;
}

/** An engine that has held for so long is sound again. */
const SOUND_MS = 60_000;

/**
 * Executes a GGUF model in llama.cpp, in a process of its own: what kills it does not kill the node. Jobs share batches
 * (continuous batching), one sequence each, and nothing is kept from one job to the next.
 *
 * When the process dies, the jobs it had fail (`runner-failed`) and it is started again; those that wait go on then. If it
 * cannot be started, they fail too, as do all that come until it can.
 */
export class LlamaRunner implements LiveRunner {
  readonly #options: LlamaRunnerOptions;
  readonly #desk: JobDesk;
  #settings: LlamaSettings | null = null;
  #engine: EngineProcess | null = null;
  #restart: NodeJS.Timeout | null = null;
  #starting: Promise<unknown> | null = null;
  /** Gives up loading. */
  #loading = new AbortController();
  #sinceMs = 0;
  #watchdog: NodeJS.Timeout | null = null;
  /** When the engine was last heard of. */
  #heardMs = 0;
  #failures = 0;
  #broken = false;
  #stopped = false;

  /** @throws RangeError for an option out of range. */
  constructor(options: LlamaRunnerOptions) {
    this.#options = options;
    this.#desk = new JobDesk(
      { begin: (job) => this.#begin(job), abort: ({ ref }) => this.#engine?.send({ kind: "cancel", ref }) },
      { slots: options.slots ?? 4, queueLimit: options.queueLimit, discipline: options.discipline },
    );
  }

  get slots(): number {
    return this.#desk.slots;
  }
  get kvTokensMax(): number {
    return this.#desk.capacity?.kvTokensMax ?? 0;
  }
  get running(): number {
    return this.#desk.running;
  }
  get waiting(): number {
    return this.#desk.waiting;
  }
  get kvTokensUsed(): number {
    return this.#desk.kvTokensUsed;
  }
  /** Of the process that holds the model; null while there is none. */
  get enginePid(): number | null {
    return this.#engine?.pid ?? null;
  }

  listen(onEvent: (event: RunnerEvent) => void): void {
    this.#desk.listen(onEvent);
  }

  async start(): Promise<RunnerFacts> {
    if (this.#engine !== null) throw new Error("the runner has started already");
    this.#stopped = false;
    this.#loading = new AbortController();
    this.#settings = settingsOf(this.#options, factsFor(this.#options.file));
    const engine = await this.#spawn();
    const { models } = this.#options;
    const { contextTokens, sequences } = this.#settings;
    const capacity = { models, contextTokensMax: contextTokens, kvTokensMax: contextTokens * sequences };
    this.#desk.capacity = capacity;
    return { engine: engine.facts.engine, slots: this.slots, ...capacity };
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#restart !== null) clearTimeout(this.#restart);
    this.#restart = null;
    this.#desk.close("shutting-down");
    this.#loading.abort();
    if (this.#watchdog !== null) clearTimeout(this.#watchdog);
    this.#watchdog = null;
    // One that was ready just then.
    await this.#starting?.catch(() => {});
    await this.#engine?.stop();
    this.#engine = null;
  }

  submit(job: RunnerJob): void {
    this.#desk.submit(job);
    if (this.#broken) this.#desk.later(() => this.#desk.failAll("runner-failed"));
  }

  cancel(jobId: JobId): boolean {
    return this.#desk.cancel(jobId);
  }

  watch(jobId: JobId, outputTokens: number): void {
    this.#desk.watch(jobId, outputTokens);
    const ref = this.#desk.refOf(jobId);
    if (ref !== undefined) this.#engine?.send({ kind: "watch", ref, outputTokens });
  }

  #begin({ ref, job, watchTokens }: DeskJob<undefined>): void {
    const { prompt, inputTokens, maxOutputTokens, jobId } = job;
    const end = this.#options.outputTokens?.(job);
    this.#engine!.send({
      kind: "run",
      job: {
        ref, prompt: prompt ?? null, inputTokens, maxOutputTokens, endsAt: end === undefined ? null : Math.max(1, end),
        ignoreEos: prompt === undefined || (this.#options.ignoreEos ?? false), seed: hashOf(jobId),
      },
    });
    if (watchTokens > 0) this.#engine!.send({ kind: "watch", ref, outputTokens: watchTokens });
    if (this.#watchdog !== null) return;
    this.#heardMs = performance.now();
    this.#lookAfter(this.#options.stallMs ?? 300_000);
  }

  #lookAfter(delayMs: number): void {
    this.#watchdog = setTimeout(() => {
      this.#watchdog = null;
      if (this.running === 0 || this.#engine === null) return;
      const leftMs = (this.#options.stallMs ?? 300_000) - (performance.now() - this.#heardMs);
      if (leftMs > 0) this.#lookAfter(leftMs);
      else this.#engine.kill();
    }, delayMs);
    this.#watchdog.unref();
  }

  async #spawn(): Promise<EngineProcess> {
    const starting = EngineProcess.start(this.#settings!, {
      onEvents: (events) => {
        this.#heardMs = performance.now();
        for (const event of events) this.#onEvent(event);
      },
      onExit: (how) => this.#onExit(how),
    }, this.#loading.signal);
    this.#starting = starting;
    try {
      this.#engine = await starting;
    } finally {
      this.#starting = null;
    }
    this.#sinceMs = performance.now();
    return this.#engine;
  }

  #onEvent(event: ChildEvent): void {
    const job = this.#desk.find(event.ref);
    if (job === undefined) return;
    switch (event.kind) {
      case "started":
        job.inputTokens = event.inputTokens;
        return this.#desk.started(job);
      case "tokens": return this.#desk.tokens(job, event.count, event.text);
      case "finished": return this.#desk.finished(job, event.reason, event.hash, job.job.prompt === undefined ? undefined : job.inputTokens);
      case "failed": return this.#desk.failed(job, event.reason);
    }
  }

  #onExit(how: string): void {
    this.#engine = null;
    this.#desk.pause();
    this.#desk.failRunning("runner-failed");
    if (performance.now() - this.#sinceMs > SOUND_MS) this.#failures = 0;
    this.#options.onEngine?.("lost", `llama.cpp ${how}`);
    this.#restartLater();
  }

  #restartLater(): void {
    const { restartMs = 500, restartMsMax = 30_000 } = this.#options;
    const delayMs = Math.min(restartMsMax, restartMs * 2 ** this.#failures++);
    this.#restart = setTimeout(() => {
      this.#restart = null;
      void this.#comeBack();
    }, delayMs);
  }

  async #comeBack(): Promise<void> {
    try {
      const { facts } = await this.#spawn();
      if (this.#stopped) return;
      this.#broken = false;
      this.#options.onEngine?.("back", facts.engine);
      this.#desk.resume();
    } catch (error) {
      if (this.#stopped) return;
      this.#broken = true;
      this.#desk.failAll("runner-failed");
      this.#options.onEngine?.("lost", (error as Error).message);
      this.#restartLater();
    }
  }
}

const factsFor = (file: string): ModelFacts => {
  try {
    return modelFacts(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new RunnerError(code === "ENOENT" ? `${file}: there is no such file` : message, { cause: error });
  }
};

/** FNV-1a. */
const hashOf = (text: string): number => {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
};
