import type { PriceSheet } from "../../protocol/messages.ts";
import { TOKENS_PER_PRICE_UNIT } from "../../protocol/units.ts";

/**
 * What a node is paid, given what it asks; null where it serves no job at the going price.
 *
 * Every rule promises individual rationality on both sides: what it gives is for each job that the node serves at least the
 * ask ({@link coversJob}), and the router's eligibility keeps it below the client's maximum. All are budget balanced: the client pays what the node receives (and the
 * router's fee, which is stated apart).
 */
export type PriceRule = (ask: PriceSheet) => PriceSheet | null;

/** Posted prices: a node is paid what it asks. Not truthful: asking more than one's cost is how one earns. */
export const postedPrice: PriceRule = (ask) => ask;

/** Whether no part of the prices is below what is asked: then no job is paid less, however many tokens it comes to. */
export function paysAtLeast(prices: PriceSheet, ask: PriceSheet): boolean {
  return prices.inputMsatPerMtok >= ask.inputMsatPerMtok && prices.outputMsatPerMtok >= ask.outputMsatPerMtok && prices.fixedMsat >= ask.fixedMsat;
}

/**
 * Whether this one job is paid at least what is asked, however many output tokens it comes to: without any, and with all
 * that it may have. In between both grow linearly, so that it holds there too. Exact, before amounts are rounded.
 */
export function coversJob(prices: PriceSheet, ask: PriceSheet, inputTokens: number, maxOutputTokens: number): boolean {
  if (paysAtLeast(prices, ask)) return true;
  const input = inputTokens * (prices.inputMsatPerMtok - ask.inputMsatPerMtok);
  const output = maxOutputTokens * (prices.outputMsatPerMtok - ask.outputMsatPerMtok);
  const fixed = TOKENS_PER_PRICE_UNIT * (prices.fixedMsat - ask.fixedMsat);
  // Products of whole numbers whose sizes sum to less than 2^53 are exact.
  if (Math.abs(input) + Math.abs(output) + Math.abs(fixed) <= Number.MAX_SAFE_INTEGER) return input + fixed >= 0 && input + fixed + output >= 0;
  const begins = BigInt(inputTokens) * BigInt(prices.inputMsatPerMtok - ask.inputMsatPerMtok)
    + BigInt(TOKENS_PER_PRICE_UNIT) * BigInt(prices.fixedMsat - ask.fixedMsat);
  return begins >= 0n && begins + BigInt(maxOutputTokens) * BigInt(prices.outputMsatPerMtok - ask.outputMsatPerMtok) >= 0n;
}
