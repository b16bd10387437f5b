/** When a node is taken out of rotation after failures, and for how long. */
export interface CircuitBreakerOptions {
  /** Consecutive failures that open the circuit; at least 1. */
  readonly failures: number;
  /** First cool-down, µs; at least 1. */
  readonly coolDownUs: number;
  /** Each further opening lasts this many times longer; at least 1. */
  readonly growth: number;
  /** The longest cool-down, the first one included, µs; at least 1. */
  readonly maxCoolDownUs: number;
}

/**
 * One breaker per node, in flat arrays. Closed: jobs flow. Open: none until the cool-down has passed. Then half-open:
 * one job at a time; a result closes the circuit and forgets the past, a failure opens it again for longer.
 * Source of the pattern: M. Nygard, Release It!, 2nd ed., 2018, chapter 5.
 */
export class CircuitBreaker {
  readonly #options: CircuitBreakerOptions;
  #count = 0;
  #failures = new Int32Array(64);
  #openUntilUs = new Float64Array(64);
  /** The last cool-down, µs; 0 where the circuit is closed. */
  #coolDownUs = new Float64Array(64);

  /** @throws RangeError where an option is out of range. */
  constructor(options: CircuitBreakerOptions) {
    const { failures, coolDownUs, growth, maxCoolDownUs } = options;
    if (!(failures >= 1 && coolDownUs >= 1 && growth >= 1 && maxCoolDownUs >= 1)) {
      throw new RangeError("a circuit breaker needs at least 1 failure, cool-downs of at least 1 µs and a growth of at least 1");
    }
    this.#options = options;
  }

  /** Adds a breaker, closed, for the next node. */
  add(): void {
    if (this.#count === this.#failures.length) {
      const length = this.#count * 2;
      const failures = new Int32Array(length);
      failures.set(this.#failures);
      this.#failures = failures;
      const openUntilUs = new Float64Array(length);
      openUntilUs.set(this.#openUntilUs);
      this.#openUntilUs = openUntilUs;
      const coolDownUs = new Float64Array(length);
      coolDownUs.set(this.#coolDownUs);
      this.#coolDownUs = coolDownUs;
    }
    this.#count++;
  }

  /** Whether the node may get a job while `inFlight` of them are on their way or being served there. */
  allows(n: number, inFlight: number, nowUs: number): boolean {
    if (this.#coolDownUs[n] === 0) return true;
    return nowUs >= this.#openUntilUs[n]! && inFlight === 0;
  }

  /** Present cool-down by node, µs; 0 where the circuit is closed. For loops over many nodes. */
  get coolDownsUs(): Float64Array {
    return this.#coolDownUs;
  }

  /** Time until which the circuit is open, µs; 0 where it never opened since the last success. */
  openUntilUs(n: number): number {
    return this.#openUntilUs[n]!;
  }

  /** A job ended well: the circuit is closed and the past forgotten. */
  success(n: number): void {
    this.#failures[n] = 0;
    this.#coolDownUs[n] = 0;
    this.#openUntilUs[n] = 0;
  }

  /**
   * A job failed. Nothing changes while the circuit is open: that job was under way before it opened.
   * @returns whether the circuit opened, from now until {@link openUntilUs}.
   */
  failure(n: number, nowUs: number): boolean {
    const { failures, coolDownUs, growth, maxCoolDownUs } = this.#options;
    const before = this.#coolDownUs[n]!;
    if (before === 0) {
      this.#failures[n] = this.#failures[n]! + 1;
      if (this.#failures[n]! < failures) return false;
    } else if (nowUs < this.#openUntilUs[n]!) {
      return false;
    }
    const openForUs = Math.min(maxCoolDownUs, before === 0 ? coolDownUs : Math.round(before * growth));
    this.#coolDownUs[n] = openForUs;
    this.#openUntilUs[n] = nowUs + openForUs;
    return true;
  }
}
