export interface BackOffOptions {
  /** The first pause, ms. */
  readonly firstMs: number;
  /** The longest, ms. */
  readonly mostMs: number;
}

/** Pauses between tries: each up to twice the one before, drawn so that many who lost the same server do not come back at once. */
export class BackOff {
  readonly #options: BackOffOptions;
  readonly #random: () => number;
  #ceilingMs: number;

  /** @param random uniform on [0, 1). */
  constructor(options: BackOffOptions, random: () => number) {
    this.#options = options;
    this.#random = random;
    this.#ceilingMs = options.firstMs;
  }

  /** The pause before the next try, ms: from half of the present ceiling up to all of it. */
  next(): number {
    const pauseMs = this.#ceilingMs * (0.5 + 0.5 * this.#random());
    this.#ceilingMs = Math.min(this.#options.mostMs, this.#ceilingMs * 2);
    return pauseMs;
  }

  /** From now on pauses are the longest, until {@link reset}. */
  longest(): void {
    this.#ceilingMs = this.#options.mostMs;
  }

  reset(): void {
    this.#ceilingMs = this.#options.firstMs;
  }
}
