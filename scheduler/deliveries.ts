import type { JobId, PeerId, Result } from "../protocol/messages.ts";

/** How long a node can say again what it delivered, µs: a connection that broke may have swallowed it. */
const REPEATS_US = 30_000_000;
/** Deliveries that it can say again, at most, and all their outputs together, in UTF-16 code units. */
const REPEATS_MAX = 1_024;
const REPEATED_IN_ALL = 8_000_000;
/** The longest output that it can say again, in UTF-16 code units. */
export const REPEATED_MAX = 200_000;

/** What went out at a job's end. */
export interface Delivery {
  readonly router: PeerId;
  readonly output: string;
  readonly outputTokens: number;
  readonly result: Result;
}

/** What a node delivered in the last {@link REPEATS_US}, to be said again; bounded in number and in length. */
export class Deliveries {
  /** The oldest first. */
  readonly #kept = new Map<JobId, Delivery & { readonly untilUs: number }>();
  /** UTF-16 code units of their outputs. */
  #length = 0;

  /** In place of an earlier one of the same job. */
  add(delivery: Delivery, nowUs: number): void {
    const { output, result: { jobId } } = delivery;
    this.forget(jobId);
    this.#kept.set(jobId, { ...delivery, untilUs: nowUs + REPEATS_US });
    this.#length += output.length;
    while (this.#kept.size > REPEATS_MAX || this.#length > REPEATED_IN_ALL) this.forget(this.#kept.keys().next().value!);
  }

  /** Those that came by way of this router, the oldest first. */
  *through(router: PeerId): Generator<Delivery> {
    for (const delivery of this.#kept.values()) if (delivery.router === router) yield delivery;
  }

  forget(jobId: JobId): void {
    const delivery = this.#kept.get(jobId);
    if (delivery === undefined) return;
    this.#length -= delivery.output.length;
    this.#kept.delete(jobId);
  }

  /** Forgets what is too old. */
  sweep(nowUs: number): void {
    for (const [jobId, { untilUs }] of this.#kept) {
      if (untilUs > nowUs) return;
      this.forget(jobId);
    }
  }
}
