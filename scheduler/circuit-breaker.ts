/** When a node is taken out of rotation after failures, and for how long. */
export interface CircuitBreakerOptions {
  /** Consecutive failures that open the circuit; at least 1. */
  readonly failures: number;
  /** First cool-down, µs. */
  readonly coolDownUs: number;
  /** Each further opening lasts this many times longer; at least 1. */
  readonly growth: number;
  /** The longest cool-down, µs. */
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
  #coolDownUs = new Float64Array(64);

  constructor(options: CircuitBreakerOptions) {
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

  success(n: number): void {
    this.#failures[n] = 0;
    this.#coolDownUs[n] = 0;
    this.#openUntilUs[n] = 0;
  }

  failure(n: number, nowUs: number): void {
    const failures = this.#failures[n]! + 1;
    this.#failures[n] = failures;
    const before = this.#coolDownUs[n]!;
    if (before > 0 && nowUs < this.#openUntilUs[n]!) return;
    if (before === 0 && failures < this.#options.failures) return;
    const coolDownUs = before === 0 ? this.#options.coolDownUs : Math.min(this.#options.maxCoolDownUs, Math.round(before * this.#options.growth));
    this.#coolDownUs[n] = Math.max(1, coolDownUs);
    this.#openUntilUs[n] = nowUs + coolDownUs;
  }
}
