const CARRY = 2 ** 52;

/** Sum of non-negative integers that stays exact up to 2^104: two doubles, and no allocation per addition. */
export class ExactSum {
  #low = 0;
  #high = 0;

  /** @param value integer from 0 to 2^52 */
  add(value: number): void {
    this.#low += value;
    if (this.#low >= CARRY) {
      this.#low -= CARRY;
      this.#high++;
    }
  }

  /** Adds the product of two integers from 0 to 2^53, exactly. */
  addProduct(a: number, b: number): void {
    const product = a * b;
    // A product below 2^52 came out exact; a larger one may have been rounded.
    if (product <= CARRY) return this.add(product);
    const exact = BigInt(a) * BigInt(b) + BigInt(this.#low);
    this.#high += Number(exact / BigInt(CARRY));
    this.#low = Number(exact % BigInt(CARRY));
  }

  equals(other: ExactSum): boolean {
    return this.#low === other.#low && this.#high === other.#high;
  }

  /** The nearest double. */
  get value(): number {
    return this.#high * CARRY + this.#low;
  }

  toBigInt(): bigint {
    return BigInt(this.#high) * BigInt(CARRY) + BigInt(this.#low);
  }
}
