/**
 * Units of the wire and of every report: integer microseconds (Us), integer millisatoshi (msat, Msat), integer tokens.
 *
 * @packageDocumentation
 */
export {
  amountMsat, BASIS_POINTS, costMsat, feeMsat, maxAmountMsat, MSAT_PER_BTC, MSAT_PER_SAT, quotientUp, roughTotalMsat, TOKENS_PER_PRICE_UNIT,
} from "./money.ts";
export {
  formatDurationUs, formatMsat, formatMsatPerMtok, formatNumber, formatPercent, formatSignificant, formatTokens, formatUsd,
} from "./format.ts";

/** Microseconds in a second. */
export const US_PER_S = 1_000_000;
/** Microseconds in an hour. */
export const US_PER_H = 3_600_000_000;
