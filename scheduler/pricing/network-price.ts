import type { PriceSheet } from "../../protocol/messages.ts";
import { paysAtLeast, type PriceRule } from "./posted.ts";

/**
 * One price for all: a node serves the jobs for which it is at least its ask, whatever they come to in tokens; null where
 * that is none, since no part is above the ask and one is below.
 *
 * Truthful for operators who will lose on no job: the ask decides which jobs a node serves, never what it is paid, so that
 * asking one's cost gets it all the jobs that pay however long they become, and asking less adds only such as do not at some
 * length. It does not find the market's price: who sets it has to know.
 */
export function networkPrice(prices: PriceSheet): PriceRule {
  return (ask) => (paysAtLeast(prices, ask) || !paysAtLeast(ask, prices) ? prices : null);
}
