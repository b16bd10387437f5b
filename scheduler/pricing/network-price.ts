import type { PriceSheet } from "../../protocol/messages.ts";
import { paysAtLeast, type PriceRule } from "./posted.ts";

/**
 * One price for all: a node serves where no part of it is below its ask.
 *
 * Truthful for operators: the ask decides whether a node serves, never what it is paid, so asking one's cost is the best
 * one can do whatever the others ask. It does not find the market's price: who sets it has to know.
 */
export function networkPrice(prices: PriceSheet): PriceRule {
  return (ask) => (paysAtLeast(prices, ask) ? prices : null);
}
