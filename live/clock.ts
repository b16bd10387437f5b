/** Gives the time to an environment. */
export interface Clock {
  /** Integer microseconds since the clock's origin; never goes back. */
  readonly nowUs: number;
  /** Seconds since 1970, for envelopes. */
  readonly unixS: number;
}

/**
 * The machine's monotonic clock (CLOCK_MONOTONIC): all processes of one machine read the same, so that times taken with the
 * same origin can be set against each other.
 */
export class MonotonicClock implements Clock {
  /** Reading of the machine's clock at this clock's zero, ns. */
  readonly originNs: bigint;

  /** @param originNs default: now. */
  constructor(originNs: bigint = process.hrtime.bigint()) {
    this.originNs = originNs;
  }

  get nowUs(): number {
    return Number((process.hrtime.bigint() - this.originNs) / 1_000n);
  }

  get unixS(): number {
    return Math.floor(Date.now() / 1_000);
  }
}
