import type { PriceSheet } from "../../protocol/messages.ts";
import { scaledPrices } from "../../protocol/money.ts";
import type { PriceRule } from "./posted.ts";

/** A factor in millionths: 1,000,000 leaves a price as it is. */
export const ONE_PPM = 1_000_000;

/** When prices begin to rise, how fast and how far. */
export interface SurgeTerms {
  /** Utilisation above which they rise. */
  readonly above: number;
  /** By how many times the price for each 100 % of utilisation beyond it. */
  readonly slope: number;
  /** The largest factor; at least 1. */
  readonly max: number;
}

/**
 * Factor on posted prices at this utilisation (jobs over slots; above 1 where jobs wait), in millionths: 1 up to
 * `above`, then linear, never more than `max`. It never falls as utilisation grows.
 */
export function surgeFactorPpm({ above, slope, max }: SurgeTerms, utilisation: number): number {
  return Math.round(Math.min(max, 1 + slope * Math.max(0, utilisation - above)) * ONE_PPM);
}

/**
 * Posted prices times the factor, each rounded down to whole msat, against the node; the factor is at least 1, so that no
 * price falls below the ask. Not truthful, as posted prices are not; and an operator who withholds capacity drives the
 * factor up.
 */
export function surgePrice(factorPpm: number): PriceRule {
  return factorPpm === ONE_PPM ? (ask) => ask : (ask): PriceSheet => scaledPrices(ask, factorPpm, ONE_PPM);
}
