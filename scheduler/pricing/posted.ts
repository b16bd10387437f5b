import type { PriceSheet } from "../../protocol/messages.ts";

/**
 * What a node is paid, given what it asks; null where it does not serve at the going price.
 *
 * Every rule promises individual rationality on both sides: no part of what it gives is below the ask, and the router's
 * eligibility keeps it below the client's maximum. All are budget balanced: the client pays what the node receives (and the
 * router's fee, which is stated apart).
 */
export type PriceRule = (ask: PriceSheet) => PriceSheet | null;

/** Posted prices: a node is paid what it asks. Not truthful: asking more than one's cost is how one earns. */
export const postedPrice: PriceRule = (ask) => ask;

/** Whether no part of the prices is below what is asked: then no job is paid less, however many tokens it comes to. */
export function paysAtLeast(prices: PriceSheet, ask: PriceSheet): boolean {
  return prices.inputMsatPerMtok >= ask.inputMsatPerMtok && prices.outputMsatPerMtok >= ask.outputMsatPerMtok && prices.fixedMsat >= ask.fixedMsat;
}
