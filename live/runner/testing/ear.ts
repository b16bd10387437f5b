import type { RunnerEvent } from "../../../scheduler/environment.ts";
import type { LiveRunner } from "../live-runner.ts";

/** Hears a runner, and waits for what it should say. */
export class RunnerEar {
  readonly events: RunnerEvent[] = [];
  #waiters: (() => void)[] = [];

  constructor(runner: LiveRunner) {
    runner.listen((event) => {
      this.events.push(event);
      const waiters = this.#waiters;
      this.#waiters = [];
      for (const wake of waiters) wake();
    });
  }

  of(jobId: string): RunnerEvent[] {
    return this.events.filter((event) => event.jobId === jobId);
  }

  /** Resolves with the first event that is so. @throws Error after `ms`. */
  async until(what: string, is: (event: RunnerEvent) => boolean, ms = 30_000): Promise<RunnerEvent> {
    const endMs = performance.now() + ms;
    for (;;) {
      const found = this.events.find(is);
      if (found !== undefined) return found;
      const leftMs = endMs - performance.now();
      if (leftMs <= 0) throw new Error(`waited ${ms} ms for ${what}; heard ${this.events.map(({ kind, jobId }) => `${kind} ${jobId}`).join(", ")}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#waiters.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  ended(jobId: string): Promise<RunnerEvent> {
    return this.until(`the end of ${jobId}`, (event) => event.jobId === jobId && (event.kind === "finished" || event.kind === "failed"));
  }
}
