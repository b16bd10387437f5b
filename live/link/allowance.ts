/** A token bucket: so much per second, and so much at once. */
export class Allowance {
  readonly #perUs: number;
  readonly #most: number;
  #left: number;
  #atUs: number;

  /** @param most what it holds when full, as it is at first. */
  constructor(perS: number, most: number, nowUs: number) {
    this.#perUs = perS / 1_000_000;
    this.#most = most;
    this.#left = most;
    this.#atUs = nowUs;
  }

  /** Takes so much, though it be more than is left. @returns how long until nothing is owed any more, µs. */
  take(amount: number, nowUs: number): number {
    this.#left = Math.min(this.#most, this.#left + (nowUs - this.#atUs) * this.#perUs) - amount;
    this.#atUs = nowUs;
    return this.#left >= 0 ? 0 : -this.#left / this.#perUs;
  }
}
