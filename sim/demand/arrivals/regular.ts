import type { ArrivalProcess } from "./arrival-process.ts";

/** Evenly spaced arrivals: the nth at n gaps. */
export class RegularArrivals implements ArrivalProcess {
  readonly #gapUs: number;
  #count = 0;

  /** @param ratePerS arrivals per second; 0: none */
  constructor(ratePerS: number) {
    this.#gapUs = 1e6 / ratePerS;
  }

  nextUs(): number {
    this.#count += 1;
    return Math.round(this.#count * this.#gapUs);
  }
}
