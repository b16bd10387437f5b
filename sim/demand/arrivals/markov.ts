import type { Random } from "../../kernel/random.ts";
import type { ArrivalProcess } from "./arrival-process.ts";
import { exponential } from "./poisson.ts";

/** One state of a Markov-modulated Poisson process. */
export interface MarkovState {
  /** Arrivals per second while in this state; 0 or more. */
  readonly ratePerS: number;
  /** Mean time spent in it, µs; positive. */
  readonly meanUs: number;
}

/**
 * Markov-modulated Poisson arrivals: each state in turn for an exponential time, then the next, then the first again. It
 * starts in equilibrium: in a state drawn by its share of time, which for exponential times is all that equilibrium means.
 *
 * The mean rate is that of the states weighted by their mean times. For the index of dispersion of two states see
 * Fischer and Meier-Hellstern, "The Markov-modulated Poisson process (MMPP) cookbook", Performance Evaluation 18 (1993).
 */
export class MarkovArrivals implements ArrivalProcess {
  readonly #states: readonly MarkovState[];
  readonly #arrivals: Random;
  readonly #changes: Random;
  #state = 0;
  #timeUs = 0;
  #stateEndsUs: number;
  readonly #silent: boolean;

  /** @param arrivals for the gaps; @param changes for the states, so that a state's history does not depend on the rates */
  constructor(states: readonly MarkovState[], arrivals: Random, changes: Random) {
    this.#states = states;
    this.#arrivals = arrivals;
    this.#changes = changes;
    this.#silent = states.every((state) => state.ratePerS === 0);
    let left = changes.next() * states.reduce((sum, state) => sum + state.meanUs, 0);
    while (this.#state < states.length - 1 && left >= this.#current.meanUs) {
      left -= this.#current.meanUs;
      this.#state += 1;
    }
    this.#stateEndsUs = exponential(changes) * this.#current.meanUs;
  }

  get #current(): MarkovState {
    return this.#states[this.#state]!;
  }

  nextUs(): number {
    if (this.#silent) return Infinity;
    let work = exponential(this.#arrivals);
    for (;;) {
      const { ratePerS } = this.#current;
      const timeUs = this.#timeUs + work * (1e6 / ratePerS);
      if (timeUs < this.#stateEndsUs) {
        this.#timeUs = timeUs;
        return Math.floor(timeUs + 0.5);
      }
      work -= (this.#stateEndsUs - this.#timeUs) * ratePerS * 1e-6;
      if (work <= 0) work = Number.MIN_VALUE;
      this.#timeUs = this.#stateEndsUs;
      this.#state = (this.#state + 1) % this.#states.length;
      this.#stateEndsUs += exponential(this.#changes) * this.#current.meanUs;
    }
  }
}
