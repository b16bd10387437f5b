import type { JobId } from "../../protocol/messages.ts";
import type { RunnerJob } from "../../scheduler/environment.ts";
import { modelFacts, type ModelFacts } from "../gguf/facts.ts";
import { Comeback, type ComebackOptions } from "./comeback.ts";
import { DeskRunner } from "./desk-runner.ts";
import type { DeskJob, DeskOptions } from "./job-desk.ts";
import { RunnerError, type RunnerFacts } from "./live-runner.ts";
import { EngineProcess } from "./llama/engine-process.ts";
import type { ChildEvent, LlamaSettings } from "./llama/messages.ts";
import { type LlamaOptions, settingsOf } from "./llama/settings.ts";

/** A model file as a node serves it. */
export interface LlamaRunnerOptions extends LlamaOptions, Pick<DeskOptions, "queueLimit" | "discipline">, ComebackOptions {
  /** Names under which jobs may ask for it. */
  readonly models: readonly string[];
  /** Outputs go on past the model's own end, up to their bound. Jobs without a prompt always do. Default false. */
  readonly ignoreEos?: boolean | undefined;
  /** Where an output ends by decree, tokens, whatever the model says: for measurements. Undefined for a job: nowhere. */
  readonly outputTokens?: ((job: RunnerJob) => number | undefined) | undefined;
  /** An engine that has jobs and shows no sign of life for so long is ended and started again, ms: longer than any step takes. Default 300,000. */
  readonly stallMs?: number | undefined;
}

/**
 * Executes a GGUF model in llama.cpp, in a process of its own: what kills it does not kill the node. Jobs share batches
 * (continuous batching), one sequence each, and nothing is kept from one job to the next.
 *
 * When the process dies, the jobs it had fail (`runner-failed`) and it is started again; those that wait go on then. If it
 * cannot be started, they fail too, as do all that come until it can.
 */
export class LlamaRunner extends DeskRunner {
  readonly #options: LlamaRunnerOptions;
  readonly #comeback: Comeback;
  #settings: LlamaSettings | null = null;
  #engine: EngineProcess | null = null;
  #starting: Promise<unknown> | null = null;
  /** Gives up loading. */
  #loading = new AbortController();
  #watchdog: NodeJS.Timeout | null = null;
  /** When the engine was last heard of. */
  #heardMs = 0;

  /** @throws RangeError for an option out of range. */
  constructor(options: LlamaRunnerOptions) {
    const slots = options.slots ?? 4;
    super({ slots, queueLimit: options.queueLimit, discipline: options.discipline, ahead: slots });
    this.#options = options;
    this.#comeback = new Comeback(this.desk, options, async () => (await this.#spawn()).facts.engine);
  }

  /** Of the process that holds the model; null while there is none. */
  get enginePid(): number | null {
    return this.#engine?.pid ?? null;
  }

  async start(): Promise<RunnerFacts> {
    if (this.#engine !== null) throw new Error("the runner has started already");
    this.#loading = new AbortController();
    this.#settings = settingsOf(this.#options, factsFor(this.#options.file));
    const engine = await this.#spawn();
    this.#comeback.start();
    const { models } = this.#options;
    const { contextTokens, sequences } = this.#settings;
    const capacity = { models, contextTokensMax: contextTokens, kvTokensMax: contextTokens * sequences };
    this.desk.capacity = capacity;
    return { engine: engine.facts.engine, slots: this.slots, ...capacity };
  }

  async stop(): Promise<void> {
    this.#comeback.stop();
    this.desk.close("shutting-down");
    this.#loading.abort();
    if (this.#watchdog !== null) clearTimeout(this.#watchdog);
    this.#watchdog = null;
    // One that was ready just then.
    await this.#starting?.catch(() => {});
    await this.#engine?.stop();
    this.#engine = null;
  }

  override watch(jobId: JobId, outputTokens: number): void {
    super.watch(jobId, outputTokens);
    const ref = this.desk.refOf(jobId);
    if (ref !== undefined) this.#engine?.send({ kind: "watch", ref, outputTokens });
  }

  protected abort({ ref }: DeskJob<undefined>): void {
    this.#engine?.send({ kind: "cancel", ref });
  }

  protected begin({ ref, job, watchTokens }: DeskJob<undefined>): void {
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
    return this.#engine;
  }

  #onEvent(event: ChildEvent): void {
    const job = this.desk.find(event.ref);
    if (job === undefined) return;
    switch (event.kind) {
      case "started":
        job.inputTokens = event.inputTokens;
        return this.desk.started(job);
      case "tokens": return this.desk.tokens(job, event.count, event.text);
      case "finished": return this.desk.finished(job, event.reason, event.hash, job.job.prompt === undefined ? undefined : job.inputTokens);
      case "failed": return this.desk.failed(job, event.reason);
    }
  }

  #onExit(how: string): void {
    this.#engine = null;
    this.#comeback.lost(`llama.cpp ${how}`);
    this.desk.failRunning("runner-failed");
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
