import type { PriceSheet } from "../../protocol/messages.ts";
import { scaledPrices } from "../../protocol/money.ts";
import type { PricingOptions } from "../../scheduler/pricing/options.ts";
import { coversJob, paysAtLeast } from "../../scheduler/pricing/posted.ts";
import { ONE_PPM } from "../../scheduler/pricing/surge.ts";
import { samePrices } from "../../scheduler/strategy/prices.ts";

/** Whether a market with these rules may award such a job at these prices to a node that asks this; where it bids, its bid is between it and the router. */
export function isFairAward(pricing: PricingOptions, prices: PriceSheet, ask: PriceSheet, inputTokens: number, maxOutputTokens: number): boolean {
  const covers = coversJob(prices, ask, inputTokens, maxOutputTokens);
  switch (pricing.kind) {
    case "posted": return samePrices(prices, ask);
    case "network": return samePrices(prices, pricing.prices) && covers;
    case "surge": return paysAtLeast(prices, ask) && paysAtLeast(scaledPrices(ask, Math.round(pricing.max * ONE_PPM), ONE_PPM), prices);
    case "base-fee": return covers && paysAtLeast(prices, pricing.floor);
    case "call-for-bids": return true;
    case "custom":
    case "uniform-price":
    case "call-market":
    case "continuous": return covers;
  }
}
