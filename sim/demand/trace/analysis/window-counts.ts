/**
 * Arrivals counted in windows of one width, laid end to end from time 0, without keeping the counts. Only whole windows
 * count: the one under way at the last arrival is left out.
 */
export class WindowCounts {
  readonly widthUs: number;
  /** Whole windows so far. */
  windows = 0;
  /** The most arrivals in one window, a begun one included. */
  peak = 0;
  #index = 0;
  #inside = 0;
  #sum = 0;
  #sumOfSquares = 0;
  /** Sums of products with the window before, and with the one before that. */
  #products1 = 0;
  #products2 = 0;
  #last = 0;
  #secondLast = 0;

  constructor(widthUs: number) {
    this.widthUs = widthUs;
  }

  /** @param timeUs not before the last one */
  add(timeUs: number): void {
    const index = Math.floor(timeUs / this.widthUs);
    if (index !== this.#index) this.#close(index);
    this.#inside += 1;
    if (this.#inside > this.peak) this.peak = this.#inside;
  }

  /** Mean count of a whole window; NaN without one. */
  get mean(): number {
    return this.#sum / this.windows;
  }

  /** Variance of the counts over their mean: 1 for a Poisson process, at any width. NaN below two windows. */
  get dispersion(): number {
    return this.windows < 2 ? NaN : (this.#sumOfSquares / this.windows - this.mean * this.mean) * (this.windows / (this.windows - 1)) / this.mean;
  }

  /** Covariance of the counts of neighbouring windows (1), or of those with one in between (2). NaN below ten windows. */
  covariance(lag: 1 | 2): number {
    return this.windows < 10 ? NaN : (lag === 1 ? this.#products1 : this.#products2) / (this.windows - lag) - this.mean * this.mean;
  }

  #close(index: number): void {
    this.#count(this.#inside);
    const empty = index - this.#index - 1;
    if (empty > 0) this.#count(0);
    if (empty > 1) this.#count(0);
    if (empty > 2) this.windows += empty - 2;
    this.#index = index;
    this.#inside = 0;
  }

  #count(arrivals: number): void {
    this.windows += 1;
    this.#sum += arrivals;
    this.#sumOfSquares += arrivals * arrivals;
    this.#products1 += arrivals * this.#last;
    this.#products2 += arrivals * this.#secondLast;
    this.#secondLast = this.#last;
    this.#last = arrivals;
  }
}
