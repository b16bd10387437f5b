import type { PriceSheet } from "../../../protocol/messages.ts";
import type { Random } from "../../environment.ts";
import type { Observation } from "../strategy.ts";

/** A price sheet with a fixed part alone. */
export function flat(fixedMsat: number): PriceSheet {
  return { inputMsatPerMtok: 0, outputMsatPerMtok: 0, fixedMsat };
}

/** A second in which nothing happened, except as stated. */
export function observation(seen: Partial<Observation> = {}): Observation {
  return {
    elapsedUs: 1_000_000, prices: flat(100), cost: flat(0), slots: 10, offered: 10, utilisation: 0, peak: 0, jobs: 0, revenueMsat: 0, costMsat: 0, market: undefined, ...seen,
  };
}

/** Numerical Recipes' 32-bit linear congruential generator: enough for tests. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return {
    next() {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32;
    },
  };
}
