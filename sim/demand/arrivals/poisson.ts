import type { Random } from "../../kernel/random.ts";
import type { ArrivalProcess } from "./arrival-process.ts";

/** Poisson arrivals: independent exponential gaps. */
export class PoissonArrivals implements ArrivalProcess {
  readonly #random: Random;
  readonly #meanGapUs: number;
  #timeUs = 0;

  /** @param ratePerS arrivals per second; 0: none */
  constructor(ratePerS: number, random: Random) {
    this.#random = random;
    this.#meanGapUs = 1e6 / ratePerS;
  }

  nextUs(): number {
    this.#timeUs += exponential(this.#random) * this.#meanGapUs;
    return Math.floor(this.#timeUs + 0.5);
  }
}

/** A draw from the exponential distribution with mean 1; positive. */
export function exponential(random: Random): number {
  // next() may be 0: a gap of 0 times the infinite mean gap of a silent process would be no number.
  return -Math.log(1 - random.next()) + Number.MIN_VALUE;
}
