import { distribution } from "../kernel/distributions/index.ts";
import type { Distribution, DistributionSpec } from "../kernel/distributions/index.ts";
import type { Random } from "../kernel/random.ts";

/** Integers from a distribution: rounded, and kept at or above a minimum. */
export class WholeDraws {
  readonly #distribution: Distribution;
  readonly #random: Random;
  readonly #min: number;

  constructor(spec: DistributionSpec, random: Random, min: number) {
    this.#distribution = distribution(spec);
    this.#random = random;
    this.#min = min;
  }

  /** Between the minimum and 2^52. */
  next(): number {
    return Math.min(2 ** 52, Math.max(this.#min, Math.floor(this.#distribution.sample(this.#random) + 0.5)));
  }
}
