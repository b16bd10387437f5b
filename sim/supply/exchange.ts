import { MSAT_PER_BTC } from "../../protocol/units.ts";
import { openUnit } from "../kernel/distributions/open-unit.ts";
import { normalQuantile } from "../kernel/special.ts";
import type { Random } from "../kernel/random.ts";
import { rateOf, type Rates } from "./amount.ts";
import { US_PER_YEAR } from "./costs.ts";

/** How the worth of a bitcoin moves from time 0 on, all currencies alike. */
export type ExchangeMoves =
  /** Geometric Brownian motion, looked at every `everyUs`: the logarithm's steps are normal with mean (drift - volatility^2 / 2) dt and variance volatility^2 dt. */
  | { readonly kind: "gbm"; readonly driftPerYear: number; readonly volatility: number; readonly everyUs: number }
  /** Relative to time 0, in order of time, the first at 0. */
  | { readonly kind: "path"; readonly points: readonly { readonly atUs: number; readonly relative: number }[] };

export interface FiatRate {
  readonly currency: "USD" | "EUR";
  /** msat for one unit at time 0. */
  readonly msatPerUnit: number;
}

/**
 * What fiat money is worth in msat over time: a step function. Asked in any order; the path is the same for the same
 * random stream, of which each step takes one number.
 */
export class ExchangePath {
  readonly #moves: ExchangeMoves | null;
  readonly #rates: readonly FiatRate[];
  readonly #random: Random;
  /** Logarithm of the bitcoin's worth, relative to time 0, at each step of a walk. */
  readonly #walk: number[] = [0];
  #cachedStep = -1;
  #cached: Rates = { USD: 0, EUR: 0 };

  /** @param moves null: the rates stand still */
  constructor(moves: ExchangeMoves | null, rates: readonly FiatRate[], random: Random) {
    this.#moves = moves;
    this.#rates = rates;
    this.#random = random;
  }

  /** Whether rates move at all. */
  get moving(): boolean {
    return this.#moves !== null;
  }

  /** What a bitcoin is worth at time 0, in each currency. */
  get perBitcoin(): { readonly currency: FiatRate["currency"]; readonly start: number }[] {
    return this.#rates.map(({ currency, msatPerUnit }) => ({ currency, start: MSAT_PER_BTC / msatPerUnit }));
  }

  /** What a bitcoin is worth at this time, relative to time 0. */
  relativeAt(timeUs: number): number {
    return this.#relative(this.#stepAt(timeUs));
  }

  /** Rates at this time. */
  ratesAt(timeUs: number): Rates {
    const step = this.#stepAt(timeUs);
    if (step === this.#cachedStep) return this.#cached;
    const relative = this.#relative(step);
    const rate = (currency: FiatRate["currency"]): number => rateOf((this.#rates.find((one) => one.currency === currency)?.msatPerUnit ?? 0) / relative);
    this.#cachedStep = step;
    this.#cached = { USD: rate("USD"), EUR: rate("EUR") };
    return this.#cached;
  }

  /** When the rates may move next after this time, µs; Infinity: never. */
  nextChangeUs(timeUs: number): number {
    const moves = this.#moves;
    if (moves === null) return Infinity;
    const step = this.#stepAt(timeUs);
    return moves.kind === "gbm" ? (step + 1) * moves.everyUs : moves.points[step + 1]?.atUs ?? Infinity;
  }

  #stepAt(timeUs: number): number {
    const moves = this.#moves;
    if (moves === null) return 0;
    if (moves.kind === "gbm") return Math.floor(timeUs / moves.everyUs);
    let low = 0;
    let high = moves.points.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (moves.points[middle]!.atUs <= timeUs) low = middle;
      else high = middle;
    }
    return low;
  }

  #relative(step: number): number {
    const moves = this.#moves;
    if (moves === null) return 1;
    if (moves.kind === "path") return moves.points[step]!.relative;
    const { driftPerYear, volatility, everyUs } = moves;
    const years = everyUs / US_PER_YEAR;
    while (this.#walk.length <= step) {
      const last = this.#walk.at(-1)!;
      this.#walk.push(last + (driftPerYear - volatility * volatility / 2) * years + volatility * Math.sqrt(years) * normalQuantile(openUnit(this.#random)));
    }
    return Math.exp(this.#walk[step]!);
  }
}
