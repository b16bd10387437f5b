/** An amount of money over time: its present value, peak, and mean, over the whole run and window by window up to the horizon. */
export class Level {
  value = 0;
  peakMsat = 0;
  /** Value times time so far, msat times µs; up to the last change. */
  #integral = 0;
  #lastUs = 0;
  readonly #windowUs: number;
  readonly #windows: Float64Array;
  /** Where the present window ends, µs. */
  #edgeUs: number;
  #window = 0;

  constructor(windowUs: number, windows: number) {
    this.#windowUs = windowUs;
    this.#windows = new Float64Array(windows);
    this.#edgeUs = windowUs;
  }

  add(nowUs: number, changeMsat: number): void {
    this.#advance(nowUs);
    const value = this.value + changeMsat;
    this.value = value;
    if (value > this.peakMsat) this.peakMsat = value;
  }

  /** Value times time from the start until now, msat times µs. */
  integral(nowUs: number): number {
    this.#advance(nowUs);
    return this.#integral;
  }

  /** As {@link integral}, of a time between the last change and the next; changes nothing. */
  integralAt(nowUs: number): number {
    return this.#integral + this.value * (nowUs - this.#lastUs);
  }

  /** Mean of each window that the run came into, msat. */
  means(nowUs: number): number[] {
    this.#advance(nowUs);
    const reached = Math.min(this.#windows.length, Math.ceil(nowUs / this.#windowUs));
    return Array.from(this.#windows.subarray(0, reached), (area, window) => area / Math.min(this.#windowUs, nowUs - window * this.#windowUs));
  }

  #advance(nowUs: number): void {
    this.#integral += this.value * (nowUs - this.#lastUs);
    while (nowUs >= this.#edgeUs && this.#window < this.#windows.length) {
      this.#windows[this.#window]! += this.value * (this.#edgeUs - this.#lastUs);
      this.#lastUs = this.#edgeUs;
      this.#edgeUs += this.#windowUs;
      this.#window++;
    }
    if (this.#window < this.#windows.length) this.#windows[this.#window]! += this.value * (nowUs - this.#lastUs);
    this.#lastUs = nowUs;
  }
}
