import type { JobId } from "../../protocol/messages.ts";
import type { RunnerEvent, RunnerJob } from "../../scheduler/environment.ts";
import type { LiveRunner, RunnerFacts } from "../runner/live-runner.ts";

/** Told what a runner does, as it does it. */
export interface RunnerWatcher {
  /** So many jobs run and wait now. */
  load(running: number, waiting: number, kvTokens: number): void;
  made(which: "made-first-token" | "made-last-token", job: JobId): void;
}

/**
 * A runner whose outputs are as long as the scenario says: what in the world of the simulation only its oracle knows. The
 * runner itself is to go on past the end of sequence up to the limit that it is given.
 */
export class ForcedLengths implements LiveRunner {
  readonly #inner: LiveRunner;
  readonly #lengths: ReadonlyMap<JobId, number>;
  readonly #watcher: RunnerWatcher;
  /** Of jobs at the runner: the most tokens that their clients take. */
  readonly #limits = new Map<JobId, number>();
  #running = -1;
  #waiting = -1;

  /** @param lengths true output length by job, tokens; a job that is not in it is as long as its limit. */
  constructor(inner: LiveRunner, lengths: ReadonlyMap<JobId, number>, watcher: RunnerWatcher) {
    this.#inner = inner;
    this.#lengths = lengths;
    this.#watcher = watcher;
  }

  get slots(): number {
    return this.#inner.slots;
  }
  get kvTokensMax(): number {
    return this.#inner.kvTokensMax;
  }
  get running(): number {
    return this.#inner.running;
  }
  get waiting(): number {
    return this.#inner.waiting;
  }
  get kvTokensUsed(): number {
    return this.#inner.kvTokensUsed;
  }

  listen(onEvent: (event: RunnerEvent) => void): void {
    this.#inner.listen((event) => {
      const { jobId } = event;
      if (event.kind === "first-token") this.#watcher.made("made-first-token", jobId);
      if (event.kind === "finished") this.#watcher.made("made-last-token", jobId);
      this.#tellLoad();
      if (event.kind !== "finished") {
        if (event.kind === "failed") this.#limits.delete(jobId);
        return onEvent(event);
      }
      const limit = this.#limits.get(jobId) ?? event.outputTokens;
      this.#limits.delete(jobId);
      onEvent({ ...event, finishReason: (this.#lengths.get(jobId) ?? limit + 1) <= limit ? "stop" : "length" });
    });
  }

  start(): Promise<RunnerFacts> {
    return this.#inner.start();
  }

  stop(): Promise<void> {
    return this.#inner.stop();
  }

  submit(job: RunnerJob): void {
    this.#limits.set(job.jobId, job.maxOutputTokens);
    this.#inner.submit({ ...job, maxOutputTokens: Math.min(this.#lengths.get(job.jobId) ?? Infinity, job.maxOutputTokens) });
    this.#tellLoad();
  }

  cancel(jobId: JobId): boolean {
    const known = this.#inner.cancel(jobId);
    this.#limits.delete(jobId);
    this.#tellLoad();
    return known;
  }

  watch(jobId: JobId, outputTokens: number): void {
    this.#inner.watch(jobId, outputTokens);
  }

  #tellLoad(): void {
    const { running, waiting, kvTokensUsed } = this.#inner;
    if (running === this.#running && waiting === this.#waiting) return;
    this.#running = running;
    this.#waiting = waiting;
    this.#watcher.load(running, waiting, kvTokensUsed);
  }
}
