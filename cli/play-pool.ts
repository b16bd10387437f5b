import { Worker } from "node:worker_threads";
import type { NodeOutcome } from "../sim/experiment/viability/accounts.ts";
import type { Play } from "../sim/experiment/viability/market.ts";

/** What a worker says. */
export type PlayNews =
  /** Share of the play that is done, 0 to 1. */
  | { readonly kind: "progress"; readonly share: number }
  | { readonly kind: "done"; readonly outcome: NodeOutcome }
  /** Errors lose their class on the way. */
  | { readonly kind: "failed"; readonly name: string; readonly message: string; readonly stack: string };

/** How a pool's work goes on. */
export interface PoolWatch {
  /** @param done plays that are over, in parts of plays that are not */
  progress(done: number): void;
  /** Whether to stop now: plays under way are given up. */
  readonly stopped: boolean;
}

/** From a checkout this is TypeScript, installed it is JavaScript. */
const workerFile = new URL(`play-worker.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`, import.meta.url);
/** How often it is looked whether to stop, ms. */
const lookMs = 50;

interface Seat {
  readonly worker: Worker;
  /** What becomes of the worker's news; nothing where it plays nothing. */
  hear: (news: PlayNews) => void;
}

/** Plays markets side by side, each in a thread of its own; the results do not depend on how many threads there are. */
export class PlayPool {
  readonly #seats: Seat[] = [];
  readonly #size: number;
  #fail: (error: unknown) => void = () => {};

  /** @param size threads at most */
  constructor(size: number) {
    this.#size = size;
  }

  /**
   * Plays these. Once it was stopped, or has thrown, the pool is of no more use.
   * @returns their outcomes in the same order; null for those that were not over when it was stopped
   * @throws what a play threw
   */
  async play(plays: readonly Play[], watch: PoolWatch): Promise<(NodeOutcome | null)[]> {
    const outcomes = plays.map((): NodeOutcome | null => null);
    if (plays.length === 0) return outcomes;
    const shares = plays.map(() => 0);
    while (this.#seats.length < Math.min(this.#size, plays.length)) this.#seats.push(this.#newSeat());
    let look: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        let next = 0;
        let ended = 0;
        const give = (seat: Seat): void => {
          const index = next++;
          if (index >= plays.length) return;
          seat.hear = (news) => {
            if (news.kind === "failed") {
              reject(Object.assign(new Error(news.message), { name: news.name, stack: news.stack }));
              return;
            }
            shares[index] = news.kind === "progress" ? news.share : 1;
            watch.progress(shares.reduce((sum, share) => sum + share, 0));
            if (news.kind === "progress") return;
            outcomes[index] = news.outcome;
            if (++ended === plays.length) resolve();
            else give(seat);
          };
          seat.worker.postMessage(plays[index]);
        };
        this.#fail = reject;
        look = setInterval(() => {
          if (watch.stopped) resolve();
        }, lookMs);
        for (const seat of this.#seats) give(seat);
      });
    } finally {
      clearInterval(look);
      for (const seat of this.#seats) seat.hear = () => {};
    }
    return outcomes;
  }

  /** Ends the threads, whatever they are at. */
  async close(): Promise<void> {
    await Promise.all(this.#seats.splice(0).map(({ worker }) => worker.terminate()));
  }

  #newSeat(): Seat {
    const seat: Seat = { worker: new Worker(workerFile), hear: () => {} };
    seat.worker.on("message", (news: PlayNews) => seat.hear(news));
    seat.worker.on("error", (error) => this.#fail(error));
    return seat;
  }
}
