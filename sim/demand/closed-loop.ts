import type { Distribution } from "../kernel/distributions/index.ts";
import type { Random } from "../kernel/random.ts";

/**
 * A fixed number of users, each of whom submits a job, waits for its end, thinks, and submits the next.
 *
 * Everybody thinks first, so that the users do not all submit at time 0.
 */
export class ClosedLoop {
  readonly users: number;
  readonly #thinkTimeUs: Distribution;
  readonly #random: (user: number) => Random;

  /**
   * @param thinkTimeUs from a job's end to the next one's submission, µs
   * @param random a stream for each user, from 0, so that one user's pauses do not depend on the others' jobs
   */
  constructor(users: number, thinkTimeUs: Distribution, random: (user: number) => Random) {
    this.users = users;
    this.#thinkTimeUs = thinkTimeUs;
    const streams: Random[] = [];
    this.#random = (user) => (streams[user] ??= random(user));
  }

  /** When this user submits a first job, integer µs. */
  firstUs(user: number): number {
    return this.nextUs(user, 0);
  }

  /** When a user whose job ended at `endedUs` submits the next one, integer µs, not before the end. */
  nextUs(user: number, endedUs: number): number {
    return endedUs + Math.max(0, Math.round(this.#thinkTimeUs.sample(this.#random(user))));
  }
}
