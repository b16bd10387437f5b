import type { PricingOptions } from "../pricing/options.ts";
import { Batch } from "./batch.ts";
import { Continuous } from "./continuous.ts";
import { GoingPrice } from "./going-price.ts";
import type { Floor, Mechanism } from "./mechanism.ts";
import { SealedBids } from "./sealed-bids.ts";

/** What a router needs to play by these rules: a price that is there before the job comes, or a way to find one for it. */
export function rulesOf(floor: Floor, options: PricingOptions): { readonly going: GoingPrice | null; readonly mechanism: Mechanism | null } {
  switch (options.kind) {
    case "posted": return { going: null, mechanism: null };
    case "network":
    case "surge":
    case "base-fee":
    case "custom": return { going: new GoingPrice(floor, options), mechanism: null };
    case "call-for-bids": return { going: null, mechanism: new SealedBids(floor, options) };
    case "uniform-price":
    case "call-market": return { going: null, mechanism: new Batch(floor, options) };
    case "continuous": return { going: null, mechanism: new Continuous(floor) };
  }
}
