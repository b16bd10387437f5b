/** Count, mean, variance and extremes of a stream of numbers in constant memory (Welford's recurrence). */
export class Moments {
  #count = 0;
  #mean = 0;
  #squares = 0;
  #min = Infinity;
  #max = -Infinity;

  add(x: number): void {
    this.#count++;
    const delta = x - this.#mean;
    this.#mean += delta / this.#count;
    this.#squares += delta * (x - this.#mean);
    if (x < this.#min) this.#min = x;
    if (x > this.#max) this.#max = x;
  }

  /** As if everything added to `other` had been added here (Chan, Golub and LeVeque 1979). */
  merge(other: Moments): void {
    if (other.#count === 0) return;
    const count = this.#count + other.#count;
    const delta = other.#mean - this.#mean;
    this.#squares += other.#squares + (delta * delta * this.#count * other.#count) / count;
    this.#mean += (delta * other.#count) / count;
    this.#count = count;
    if (other.#min < this.#min) this.#min = other.#min;
    if (other.#max > this.#max) this.#max = other.#max;
  }

  get count(): number {
    return this.#count;
  }

  /** NaN where nothing was added. */
  get mean(): number {
    return this.#count === 0 ? NaN : this.#mean;
  }

  get sum(): number {
    return this.#mean * this.#count;
  }

  /** Unbiased sample variance; NaN below two values. */
  get variance(): number {
    return this.#count < 2 ? NaN : this.#squares / (this.#count - 1);
  }

  get standardDeviation(): number {
    return Math.sqrt(this.variance);
  }

  /** Infinity where nothing was added. */
  get min(): number {
    return this.#min;
  }

  /** -Infinity where nothing was added. */
  get max(): number {
    return this.#max;
  }
}
