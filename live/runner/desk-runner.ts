import type { JobId } from "../../protocol/messages.ts";
import type { RunnerEvent, RunnerJob } from "../../scheduler/environment.ts";
import { type DeskJob, type DeskOptions, JobDesk } from "./job-desk.ts";
import type { LiveRunner, RunnerFacts } from "./live-runner.ts";

/** A runner whose jobs go over a desk; what it says of itself is what the desk says. `T` is what it keeps of a job. */
export abstract class DeskRunner<T = undefined> implements LiveRunner {
  protected readonly desk: JobDesk<T>;

  /** @throws RangeError for an option out of range. */
  constructor(options: DeskOptions) {
    this.desk = new JobDesk<T>({ begin: (job) => this.begin(job), abort: (job) => this.abort(job) }, options);
  }

  get slots(): number {
    return this.desk.slots;
  }
  get kvTokensMax(): number {
    return this.desk.capacity?.kvTokensMax ?? 0;
  }
  get running(): number {
    return this.desk.running;
  }
  get waiting(): number {
    return this.desk.waiting;
  }
  get kvTokensUsed(): number {
    return this.desk.kvTokensUsed;
  }

  listen(onEvent: (event: RunnerEvent) => void): void {
    this.desk.listen(onEvent);
  }
  submit(job: RunnerJob): void {
    this.desk.submit(job);
  }
  cancel(jobId: JobId): boolean {
    return this.desk.cancel(jobId);
  }
  watch(jobId: JobId, outputTokens: number): void {
    this.desk.watch(jobId, outputTokens);
  }

  abstract start(): Promise<RunnerFacts>;
  abstract stop(): Promise<void>;
  /** A slot is free for this job, or will be. Must not throw. */
  protected abstract begin(job: DeskJob<T>): void;
  /** A job that the engine was given was cancelled, or is dropped because the runner stops. */
  protected abstract abort(job: DeskJob<T>): void;
}
