import type { Distribution } from "../../kernel/distributions/index.ts";
import type { Random } from "../../kernel/random.ts";
import type { ArrivalProcess } from "./arrival-process.ts";

/** Mean gaps played before time 0, per unit of 1 + CV². */
const burnInGaps = 20;

/**
 * Independent gaps from one distribution. The process has been going on for a while at time 0, so that the expected number
 * of arrivals in any interval is its length times the rate: nothing special happens at the start.
 */
export class RenewalArrivals implements ArrivalProcess {
  readonly #gapUs: Distribution;
  readonly #random: Random;
  #nextUs: number;

  /** @param gapUs distribution of the gaps, µs; its mean is positive, its variance finite */
  constructor(gapUs: Distribution, random: Random) {
    this.#gapUs = gapUs;
    this.#random = random;
    const squaredCv = gapUs.variance / (gapUs.mean * gapUs.mean);
    this.#nextUs = -gapUs.mean * (burnInGaps * (1 + squaredCv) + random.next());
    while (this.#nextUs < 0) this.#nextUs += gapUs.sample(random);
  }

  nextUs(): number {
    const timeUs = this.#nextUs;
    this.#nextUs += this.#gapUs.sample(this.#random);
    return Math.floor(timeUs + 0.5);
  }
}
