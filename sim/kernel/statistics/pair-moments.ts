/** Means, variances and covariance of a stream of pairs in constant memory (Welford's recurrence). */
export class PairMoments {
  #count = 0;
  #meanX = 0;
  #meanY = 0;
  #xx = 0;
  #yy = 0;
  #xy = 0;

  add(x: number, y: number): void {
    this.#count++;
    const dx = x - this.#meanX;
    const dy = y - this.#meanY;
    this.#meanX += dx / this.#count;
    this.#meanY += dy / this.#count;
    this.#xx += dx * (x - this.#meanX);
    this.#yy += dy * (y - this.#meanY);
    this.#xy += dx * (y - this.#meanY);
  }

  get count(): number {
    return this.#count;
  }

  /** NaN where nothing was added. */
  get meanX(): number {
    return this.#count === 0 ? NaN : this.#meanX;
  }

  get meanY(): number {
    return this.#count === 0 ? NaN : this.#meanY;
  }

  /** Unbiased; NaN below two pairs. */
  get varianceX(): number {
    return this.#count < 2 ? NaN : this.#xx / (this.#count - 1);
  }

  get varianceY(): number {
    return this.#count < 2 ? NaN : this.#yy / (this.#count - 1);
  }

  get covariance(): number {
    return this.#count < 2 ? NaN : this.#xy / (this.#count - 1);
  }

  /** Pearson's; NaN where one of the two does not vary. */
  get correlation(): number {
    const r = this.#xy / (Math.sqrt(this.#xx) * Math.sqrt(this.#yy));
    return Math.max(-1, Math.min(1, r));
  }
}
