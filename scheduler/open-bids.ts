import type { JobId, PriceSheet } from "../protocol/messages.ts";
import { JobMap } from "./job-map.ts";

interface OpenBid {
  readonly prices: PriceSheet;
  readonly untilUs: number;
}

/** Bids that a node has made and that still hold: what it asks for a job is its bid, where it has made one. */
export class OpenBids {
  readonly #bids = new JobMap<OpenBid>();

  /** A bid that holds until this time, in place of an earlier one for the same job. */
  add(jobId: JobId, prices: PriceSheet, untilUs: number): void {
    this.#bids.set(jobId, { prices, untilUs });
  }

  /** The prices bid for this job; undefined where there is no bid, or none that still holds. */
  prices(jobId: JobId, nowUs: number): PriceSheet | undefined {
    if (this.#bids.size === 0) return undefined;
    const bid = this.#bids.get(jobId);
    return bid !== undefined && nowUs <= bid.untilUs ? bid.prices : undefined;
  }

  /** The job is the node's, or nobody's: the bid is of no more use. */
  drop(jobId: JobId): void {
    if (this.#bids.size > 0) this.#bids.delete(jobId);
  }

  /** Forgets what does not hold any more. */
  sweep(nowUs: number): void {
    if (this.#bids.size === 0) return;
    const over: JobId[] = [];
    for (const [jobId, { untilUs }] of this.#bids.entries()) if (untilUs < nowUs) over.push(jobId);
    for (const jobId of over) this.#bids.delete(jobId);
  }
}
