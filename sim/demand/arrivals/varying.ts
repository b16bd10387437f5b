import type { Random } from "../../kernel/random.ts";
import type { ArrivalProcess } from "./arrival-process.ts";
import { exponential } from "./poisson.ts";

/** The rate at a moment; between two of them it is interpolated. */
export interface RatePoint {
  /** µs from the start. Points are in order of time; two at the same time make a jump. */
  readonly atUs: number;
  /** Arrivals per second; 0 or more. */
  readonly ratePerS: number;
}

/**
 * Poisson arrivals with a rate that is linear between points and constant outside them, repeated every period.
 *
 * Exact, by inversion: the integral of the rate between two arrivals is exponential with mean 1 (Çinlar, Introduction to
 * Stochastic Processes, 1975, section 4.7), and on a linear piece it is a quadratic that is solved in closed form.
 */
export class VaryingArrivals implements ArrivalProcess {
  readonly #random: Random;
  /** Pieces: [startUs[i], startUs[i + 1]), the rate going from fromPerUs[i] to toPerUs[i]. */
  readonly #startUs: Float64Array;
  readonly #fromPerUs: Float64Array;
  readonly #toPerUs: Float64Array;
  readonly #pieces: number;
  readonly #periodUs: number;
  #piece = 0;
  /** Since the period's start, and that start. */
  #insideUs = 0;
  #originUs = 0;
  readonly #silent: boolean;

  /**
   * @param points at least one, in order of time
   * @param periodUs µs, longer than the last point's time; null: the last rate goes on for ever
   */
  constructor(points: readonly RatePoint[], periodUs: number | null, random: Random) {
    this.#random = random;
    this.#periodUs = periodUs ?? Infinity;
    const first = points[0]!;
    const last = points[points.length - 1]!;
    const corners = [{ atUs: 0, ratePerS: first.ratePerS }, ...points, { atUs: this.#periodUs, ratePerS: last.ratePerS }];
    this.#pieces = corners.length - 1;
    this.#startUs = Float64Array.from(corners, (corner) => corner.atUs);
    this.#fromPerUs = Float64Array.from(corners, (corner) => corner.ratePerS / 1e6);
    this.#toPerUs = Float64Array.from(corners.slice(1), (corner) => corner.ratePerS / 1e6);
    this.#silent = points.every((point) => point.ratePerS === 0);
  }

  nextUs(): number {
    if (this.#silent) return Infinity;
    let work = exponential(this.#random);
    for (;;) {
      const start = this.#startUs[this.#piece]!;
      const end = this.#startUs[this.#piece + 1]!;
      const from = this.#fromPerUs[this.#piece]!;
      const to = this.#toPerUs[this.#piece]!;
      if (end === Infinity) {
        this.#insideUs += work / from;
        return Math.floor(this.#insideUs + 0.5);
      }
      if (end > this.#insideUs) {
        const slope = (to - from) / (end - start);
        const rate = from + slope * (this.#insideUs - start);
        const area = (end - this.#insideUs) * (rate + to) / 2;
        if (work < area) {
          // rate * x + slope * x * x / 2 = work, by the root that keeps its digits when the slope is small
          const step = 2 * work / (rate + Math.sqrt(Math.max(0, rate * rate + 2 * slope * work)));
          this.#insideUs = Math.min(end, this.#insideUs + step);
          return Math.floor(this.#originUs + this.#insideUs + 0.5);
        }
        work -= area;
        this.#insideUs = end;
      }
      this.#piece += 1;
      if (this.#piece === this.#pieces) {
        this.#piece = 0;
        this.#originUs += this.#periodUs;
        this.#insideUs = 0;
      }
    }
  }
}
