/** Average of a quantity that is constant between updates, such as a queue's length, weighted by how long it held. */
export class TimeWeighted {
  #sinceUs: number;
  #lastUs: number;
  #value: number;
  #area = 0;
  #max: number;

  constructor(startUs = 0, value = 0) {
    this.#sinceUs = startUs;
    this.#lastUs = startUs;
    this.#value = value;
    this.#max = value;
  }

  /**
   * From now on the quantity is `value`.
   * @throws RangeError where `nowUs` is before the last update.
   */
  update(nowUs: number, value: number): void {
    this.#advance(nowUs);
    this.#value = value;
    if (value > this.#max) this.#max = value;
  }

  /** From now on the quantity is `delta` more. */
  add(nowUs: number, delta: number): void {
    this.update(nowUs, this.#value + delta);
  }

  /** Forgets the past, as at the end of a warm-up; the value stays. */
  reset(nowUs: number): void {
    this.#advance(nowUs);
    this.#sinceUs = nowUs;
    this.#area = 0;
    this.#max = this.#value;
  }

  get value(): number {
    return this.#value;
  }

  /** Greatest value since the start or the reset. */
  get max(): number {
    return this.#max;
  }

  /** Value times microseconds, from the start (or the reset) to `nowUs`. Exact for integers below 2^53. */
  integral(nowUs: number): number {
    this.#advance(nowUs);
    return this.#area;
  }

  /** The average from the start (or the reset) to `nowUs`; the present value where no time has passed. */
  mean(nowUs: number): number {
    this.#advance(nowUs);
    return nowUs === this.#sinceUs ? this.#value : this.#area / (nowUs - this.#sinceUs);
  }

  #advance(nowUs: number): void {
    if (!(nowUs >= this.#lastUs)) throw new RangeError(`TimeWeighted: time went back from ${this.#lastUs} us to ${nowUs} us.`);
    this.#area += this.#value * (nowUs - this.#lastUs);
    this.#lastUs = nowUs;
  }
}
