import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";

/**
 * A contender in a process of its own: in a shared one, each would spoil the other's type feedback and inlining.
 * It answers one request at a time.
 */
export class Contender {
  readonly #child: ChildProcess;

  constructor(script: string, ...options: string[]) {
    this.#child = fork(new URL(script, import.meta.url), options, { stdio: ["ignore", "inherit", "inherit", "ipc"], execArgv: [] });
  }

  ask<T>(request: unknown): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (done: () => void): void => {
        this.#child.off("message", answered);
        this.#child.off("exit", ended);
        done();
      };
      const answered = (answer: unknown): void => settle(() => resolve(answer as T));
      const ended = (code: number | null): void => settle(() => reject(new Error(`A contender of the bench ended with exit code ${code}.`)));
      this.#child.on("message", answered);
      this.#child.on("exit", ended);
      this.#child.send(request as object);
    });
  }

  end(): void {
    this.#child.disconnect();
  }
}

/** In the contender's process: answers each request. */
export function answer<Request, Answer>(to: (request: Request) => Answer): void {
  process.on("message", (request) => process.send!(to(request as Request)));
}

/** Seconds of this thread's own processor time that `work` takes: others on the machine cost it none. */
export function threadSeconds(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1e6;
}

export function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}
