import type { Random } from "../kernel/random.ts";
import { distribution, type Distribution } from "../kernel/distributions/index.ts";
import type { NetworkSpec } from "../scenario/scenario.ts";

/**
 * One-way delays between regions: a pure delay, which occupies nothing. With jitter each delay is multiplied by a
 * gamma-distributed factor of mean 1, and a pair's messages still arrive in the order in which they were sent, as over TCP.
 */
export class Latency {
  readonly #regions = new Map<string, number>();
  readonly #spec: NetworkSpec;
  /** Row-major matrix of delays, µs. */
  #matrix = new Float64Array(0);
  readonly #jitter: Distribution | null;
  readonly #lastArrivalUs = new Map<number, number>();

  constructor(spec: NetworkSpec, regions: readonly string[]) {
    this.#spec = spec;
    this.#jitter = spec.jitterCv > 0 ? distribution({ gamma: { mean: 1, cv: spec.jitterCv } }) : null;
    for (const region of regions) if (!this.#regions.has(region)) this.#regions.set(region, this.#regions.size);
    const names = [...this.#regions.keys()];
    this.#matrix = new Float64Array(names.length * names.length);
    names.forEach((a, i) => names.forEach((b, j) => (this.#matrix[i * names.length + j] = this.#baseUs(a, b))));
  }

  regionIndex(name: string): number {
    const index = this.#regions.get(name);
    if (index === undefined) throw new RangeError(`region ${name} is not part of this network`);
    return index;
  }

  /**
   * When a message sent now arrives, integer µs.
   * @param pair a number for the ordered pair of peers, unique to it.
   * @param random the sender's stream of network noise; drawn from only where there is jitter.
   */
  arrivalUs(nowUs: number, fromRegion: number, toRegion: number, pair: number, random: Random): number {
    const baseUs = this.#matrix[fromRegion * this.#regions.size + toRegion]!;
    if (this.#jitter === null) return nowUs + baseUs;
    const drawnUs = nowUs + Math.floor(baseUs * this.#jitter.sample(random) + 0.5);
    const arrivalUs = Math.max(drawnUs, this.#lastArrivalUs.get(pair) ?? 0);
    this.#lastArrivalUs.set(pair, arrivalUs);
    return arrivalUs;
  }

  #baseUs(a: string, b: string): number {
    if (a === b) return this.#spec.sameRegionUs;
    const pair = this.#spec.between.find((entry) => (entry.a === a && entry.b === b) || (entry.a === b && entry.b === a));
    return pair?.latencyUs ?? this.#spec.latencyUs;
  }
}
