import { availableParallelism } from "node:os";
import { Piscina } from "piscina";
import type { JobPlayer } from "./in-order.ts";
import { type Job, type JobResult, Shared, WorkerDied } from "./job.ts";

/** From a checkout this is TypeScript, installed it is JavaScript. */
const workerFile = new URL(`worker.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`, import.meta.url).href;
/** How long workers that were asked to stop may take over it before they are ended, ms. */
const patienceMs = 1_000;

const mostWorkers = 1_024;

export interface PoolOptions {
  /** Threads, each with one job at a time; 1 or more. Default: one for each core. */
  readonly workers?: number | undefined;
  /** Memory of each worker, MB; default: Node's own. */
  readonly memoryMb?: number | undefined;
}

/** Worker threads. They start when they are first needed and stay until the pool is closed. */
export class WorkerPool implements JobPlayer {
  readonly workers: number;
  readonly #shared: Shared;
  readonly #piscina: Piscina<unknown, JobResult<unknown>>;
  readonly #freeSeats: number[];
  #ending: NodeJS.Timeout | undefined;

  /** @throws RangeError */
  constructor({ workers = availableParallelism(), memoryMb }: PoolOptions = {}) {
    if (!Number.isInteger(workers) || workers < 1 || workers > mostWorkers) throw new RangeError(`workers: found ${workers}; allowed: a whole number from 1 to ${mostWorkers}.`);
    this.workers = workers;
    this.#shared = Shared.of(workers);
    this.#freeSeats = Array.from({ length: workers }, (_, seat) => seat);
    this.#piscina = new Piscina({
      filename: workerFile, minThreads: 0, maxThreads: workers, idleTimeout: Infinity, workerData: this.#shared.buffer,
      ...(memoryMb === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: memoryMb } }),
    });
    // A worker that ends while it has nothing to do is replaced when it is missed.
    this.#piscina.on("error", () => {});
  }

  /** How many jobs more can be given now. */
  get free(): number {
    return this.#freeSeats.length;
  }

  /** Items of the jobs under way that are over, in parts of those that are not. */
  get underWay(): number {
    let items = 0;
    for (let seat = 0; seat < this.workers; seat++) if (!this.#freeSeats.includes(seat)) items += Math.max(0, this.#shared.done(seat));
    return items;
  }

  /**
   * Has a job played.
   * @throws WorkerDied where the worker ended under it; what the job threw; RangeError where no worker is free
   */
  async play<Result>(job: Job): Promise<JobResult<Result>> {
    const seat = this.#freeSeats.pop();
    if (seat === undefined) throw new RangeError("Every worker has a job.");
    this.#shared.setDone(seat, -1);
    const { thrown, ...result } = await this.#piscina
      .run({ job, seat })
      .catch((error: unknown) => {
        // A worker that ends before it has begun is a fault of the program, which no other worker would mend.
        if (this.#shared.done(seat) < 0) throw error;
        throw new WorkerDied(error instanceof Error ? error.message : String(error), { cause: error });
      })
      .finally(() => this.#freeSeats.push(seat));
    if (thrown !== undefined) throw Object.assign(new Error(thrown.message), thrown);
    return result as JobResult<Result>;
  }

  /** Asks the workers to give up what they are at; those that take too long over it are ended. After that the pool is of no more use. */
  stop(): void {
    this.#shared.stopped = true;
    this.#ending ??= setTimeout(() => void this.#piscina.destroy(), patienceMs);
  }

  /** Ends the threads, whatever they are at. */
  async close(): Promise<void> {
    clearTimeout(this.#ending);
    await this.#piscina.destroy();
  }
}
