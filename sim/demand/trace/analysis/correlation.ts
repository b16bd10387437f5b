/** Pearson's correlation of pairs that come one by one. */
export class Correlation {
  #count = 0;
  #meanA = 0;
  #meanB = 0;
  #squaresA = 0;
  #squaresB = 0;
  #products = 0;

  add(a: number, b: number): void {
    this.#count += 1;
    const deltaA = a - this.#meanA;
    const deltaB = b - this.#meanB;
    this.#meanA += deltaA / this.#count;
    this.#meanB += deltaB / this.#count;
    this.#squaresA += deltaA * (a - this.#meanA);
    this.#squaresB += deltaB * (b - this.#meanB);
    this.#products += deltaA * (b - this.#meanB);
  }

  /** -1 to 1; NaN where either side is constant. */
  get value(): number {
    return this.#products / Math.sqrt(this.#squaresA * this.#squaresB);
  }
}
