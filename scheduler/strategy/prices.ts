import type { PriceSheet } from "../../protocol/messages.ts";

/** Prices of which no part is below the floor's. */
export function atLeast(prices: PriceSheet, floor: PriceSheet): PriceSheet {
  return {
    inputMsatPerMtok: Math.max(prices.inputMsatPerMtok, floor.inputMsatPerMtok),
    outputMsatPerMtok: Math.max(prices.outputMsatPerMtok, floor.outputMsatPerMtok),
    fixedMsat: Math.max(prices.fixedMsat, floor.fixedMsat),
  };
}

/** Prices of which no part is above the ceiling's. */
export function atMost(prices: PriceSheet, ceiling: PriceSheet): PriceSheet {
  return {
    inputMsatPerMtok: Math.min(prices.inputMsatPerMtok, ceiling.inputMsatPerMtok),
    outputMsatPerMtok: Math.min(prices.outputMsatPerMtok, ceiling.outputMsatPerMtok),
    fixedMsat: Math.min(prices.fixedMsat, ceiling.fixedMsat),
  };
}

export function samePrices(a: PriceSheet, b: PriceSheet): boolean {
  return a === b || (a.inputMsatPerMtok === b.inputMsatPerMtok && a.outputMsatPerMtok === b.outputMsatPerMtok && a.fixedMsat === b.fixedMsat);
}

/** Nothing for anything. */
export const NO_COST: PriceSheet = { inputMsatPerMtok: 0, outputMsatPerMtok: 0, fixedMsat: 0 };
