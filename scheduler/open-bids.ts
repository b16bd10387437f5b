import type { JobId, PriceSheet } from "../protocol/messages.ts";

interface OpenBid {
  readonly jobId: JobId;
  readonly prices: PriceSheet;
  readonly untilUs: number;
}

/**
 * Bids that a node has made and that still hold: what it asks for a job is its bid, where it has made one. Most bids lose
 * and are never asked for again, so they are kept in the order in which they were made, and the newest is looked at first.
 */
export class OpenBids {
  #bids: OpenBid[] = [];

  /** A bid that holds until this time, in place of an earlier one for the same job. */
  add(jobId: JobId, prices: PriceSheet, untilUs: number): void {
    this.#bids.push({ jobId, prices, untilUs });
  }

  /** The prices bid for this job; undefined where there is no bid, or none that still holds. */
  prices(jobId: JobId, nowUs: number): PriceSheet | undefined {
    for (let i = this.#bids.length - 1; i >= 0; i--) {
      const bid = this.#bids[i]!;
      if (bid.jobId === jobId) return nowUs <= bid.untilUs ? bid.prices : undefined;
    }
    return undefined;
  }

  /** The job is the node's, or nobody's: the bid is of no more use. */
  drop(jobId: JobId): void {
    for (let i = this.#bids.length - 1; i >= 0; i--) if (this.#bids[i]!.jobId === jobId) this.#bids.splice(i, 1);
  }

  /** Forgets what does not hold any more. */
  sweep(nowUs: number): void {
    if (this.#bids.length > 0) this.#bids = this.#bids.filter(({ untilUs }) => untilUs >= nowUs);
  }
}
