import type { RunTask } from "../sim/experiment/plan.ts";
import type { Subject } from "../sim/experiment/play-task.ts";
import type { Play } from "../sim/experiment/viability/market.ts";

/** What a worker is asked to play. Plain data: it crosses threads. */
export type Job = RunsJob | PlaysJob;

/** Runs of an experiment, one after the other. */
export interface RunsJob {
  readonly kind: "runs";
  /** The same number for the same subject, so that a worker keeps what it has loaded. */
  readonly subjectId: number;
  readonly subject: Subject;
  readonly items: readonly PlacedTask[];
}

/** A task and its place in the batch, from 0. */
export interface PlacedTask {
  readonly index: number;
  readonly task: RunTask;
}

/** Markets played for one node's account. */
export interface PlaysJob {
  readonly kind: "plays";
  readonly items: readonly Play[];
}

/** What a worker has to say of a job. */
export interface JobResult<Result> {
  /** Of the first items; of all of them unless it was asked to stop. */
  readonly results: readonly Result[];
  /** Time that they took, ms. */
  readonly ms: number;
  /** What was thrown at the item after them; errors lose their class on the way. */
  readonly thrown?: { readonly name: string; readonly message: string; readonly stack: string };
}

/** A job with the place in the shared memory where the worker says how far it is. */
export interface SeatedJob {
  readonly job: Job;
  readonly seat: number;
}

/** What workers and their pool share: whether to stop, and for each seat how many items of its job are over, in parts of the one under way. */
export class Shared {
  readonly buffer: SharedArrayBuffer;
  readonly #stop: Int32Array;
  readonly #done: Float64Array;

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.#stop = new Int32Array(buffer, 0, 1);
    this.#done = new Float64Array(buffer, 8);
  }

  static of(seats: number): Shared {
    return new Shared(new SharedArrayBuffer(8 + 8 * seats));
  }

  get stopped(): boolean {
    return Atomics.load(this.#stop, 0) !== 0;
  }

  set stopped(value: boolean) {
    Atomics.store(this.#stop, 0, value ? 1 : 0);
  }

  /** @returns below 0: the worker has not begun */
  done(seat: number): number {
    return this.#done[seat]!;
  }

  setDone(seat: number, items: number): void {
    this.#done[seat] = items;
  }
}

/** A worker thread ended under a job: out of memory, `process.exit`, or an error outside of any run. */
export class WorkerDied extends Error {
  override readonly name = "WorkerDied";
}
