import { z } from "zod";

const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const name = z.string().min(1).max(256);
/** A finite double, or null where there was no price. */
const prices = z.array(z.number().nullable());

/** How prices came about, and how they moved. */
export const pricingReport = z.strictObject({
  mechanism: z.enum(["posted", "network", "surge", "base-fee", "custom", "call-for-bids", "uniform-price", "call-market", "continuous"]),
  priceChanges: count.describe("Times a going price was set, over all models and routers."),
  auctions: z.strictObject({
    calls: count.describe("Calls for bids that closed."),
    invitations: count.describe("Nodes called."),
    bids: count.describe("Bids that came in time."),
    withinReserve: count.describe("Bids within the reserve of nodes that could still take the job."),
    awarded: count,
    setByReserve: count.describe("Second-price auctions whose price was the reserve, for want of a second bid within it."),
    paidMsat: z.number().nullable().describe("Mean price of an award, for the job at its longest, msat; null without awards."),
  }).nullable().describe("Null where nobody calls for bids."),
  batches: z.strictObject({
    rounds: count.describe("Batches cleared, over all models and routers."),
    bids: count.describe("Jobs in them; one that waits is in several."),
    asks: count.describe("Free slots in them."),
    trades: count.describe("Jobs that could be served to the advantage of both sides."),
    empty: count.describe("Batches without a trade."),
  }).nullable().describe("Null where nothing is matched in batches."),
  trades: z.strictObject({
    atAsk: count.describe("A job met a slot that rested."),
    atBid: count.describe("A slot met a job that rested."),
  }).nullable().describe("Null but in continuous markets."),
  models: z.array(z.strictObject({
    model: name,
    lowestAskMsatPerMtok: prices,
    meanAskMsatPerMtok: prices,
    goingMsatPerMtok: prices.describe("The price for all, where there is one; of batches the price at which they cleared, of surge pricing its mean."),
    utilisation: z.array(z.number().min(0).nullable()).describe("Jobs at nodes over their slots, as the router sees it."),
  })).describe("Over the windows of overTime; a window without news has the last one's figures. Per million tokens, in the proportions of all completed jobs' tokens and fixed parts."),
}).describe("How prices came about, and how they moved.");
export type PricingReport = z.infer<typeof pricingReport>;
