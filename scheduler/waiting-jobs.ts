import type { JobRequest } from "../protocol/messages.ts";

/**
 * Jobs that wait at a router until a node can take them: per model, by priority (9 first), then in the order of
 * arrival. Taken by walking, since the oldest job is not always one that the freed node can serve.
 */
export class WaitingJobs<T extends { readonly request: JobRequest }> {
  readonly #models = new Map<string, Set<T>[]>();
  #size = 0;

  /** Jobs that wait. */
  get size(): number {
    return this.#size;
  }

  /** Jobs that wait for this model. */
  sizeOf(model: string): number {
    let size = 0;
    for (const queue of this.#models.get(model) ?? []) size += queue.size;
    return size;
  }

  /** Models that jobs have waited for and that were not forgotten, in the order in which they first came up. */
  models(): Iterable<string> {
    return this.#models.keys();
  }

  /** Puts the job behind all others of its model and priority. */
  add(request: JobRequest, job: T): void {
    let queues = this.#models.get(request.model);
    if (queues === undefined) this.#models.set(request.model, (queues = Array.from({ length: 10 }, () => new Set<T>())));
    queues[9 - request.priority]!.add(job);
    this.#size++;
  }

  /** Forgets models that no job waits for. */
  forgetModels(): void {
    for (const [model, queues] of this.#models) if (queues.every(({ size }) => size === 0)) this.#models.delete(model);
  }

  /** Takes the job out, if it waits. */
  remove(request: JobRequest, job: T): void {
    if (this.#models.get(request.model)?.[9 - request.priority]?.delete(job) === true) this.#size--;
  }

  /**
   * Walks one model's waiting jobs in order. `judge` says what becomes of each: "take" removes it and hands it to
   * `place`, "skip" leaves it where it is, "stop" ends the walk. A job that `place` adds again is not visited twice; other jobs may not be removed meanwhile.
   */
  walk(model: string, judge: (job: T) => "take" | "skip" | "stop", place: (job: T) => void): void {
    const queues = this.#models.get(model);
    if (queues === undefined) return;
    for (const queue of queues) {
      let left = queue.size;
      for (const job of queue) {
        if (left-- === 0) break;
        const verdict = judge(job);
        if (verdict === "stop") return;
        if (verdict === "skip") continue;
        queue.delete(job);
        this.#size--;
        place(job);
      }
    }
  }
}
