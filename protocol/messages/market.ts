import { z } from "zod";
import { jobRequest, prompt } from "./job.ts";
import { feeTerms, priceSheet } from "./prices.ts";
import { attempt, count, durationUs, hex32, jobId, modelName, msat, peerId } from "./scalars.ts";

/** router -> client: answer to a quote request. */
export const quote = z.strictObject({
  type: z.literal("quote"),
  jobId,
  node: peerId.describe("the node that would serve the job"),
  prices: priceSheet,
  fee: feeTerms,
  maxAmountMsat: msat.describe("the most the job can cost: every allowed output token used, fee included"),
  validForUs: durationUs.describe("how long the prices hold, from when the quote was sent"),
}).meta({ id: "Quote", description: "router -> client: what such a job would cost now" });
export type Quote = z.infer<typeof quote>;

/** router -> node: offers for this job are taken until `closesInUs` has passed. */
export const callForBids = z.strictObject({
  type: z.literal("call-for-bids"),
  job: jobRequest,
  closesInUs: durationUs.describe("bids that come later than this after the call was sent are not looked at"),
  reserveMsat: msat.optional().describe("bids whose job may cost more than this are not looked at; absent: no bound but the client's"),
}).meta({ id: "CallForBids", description: "router -> node: offers for this job are taken" });
export type CallForBids = z.infer<typeof callForBids>;

/** node -> router: an offer in a call for bids. */
export const bid = z.strictObject({
  type: z.literal("bid"),
  jobId,
  prices: priceSheet,
  expectedStartUs: durationUs.describe("from now until the node would start the job, by its own estimate"),
  validForUs: durationUs.describe("how long the offer holds, from when it was sent"),
}).meta({ id: "Bid", description: "node -> router: an offer in a call for bids" });
export type Bid = z.infer<typeof bid>;

/** router -> node: how the market for a model stands, so that operators can set their prices. */
export const marketState = z.strictObject({
  type: z.literal("market-state"),
  model: modelName,
  prices: priceSheet.optional().describe("what the router awards at now, where it sets one price for all; absent: every node has its own"),
  asks: z.array(z.strictObject({
    node: peerId,
    prices: priceSheet.describe("the node's own, as its descriptor has them"),
  })).max(8).describe("the lowest asks for a job of ordinary length, lowest first"),
  nodes: count.describe("nodes that offer the model and were heard of lately"),
  busyPpm: z.int().min(0).max(1_000_000).describe("jobs at these nodes over their slots, in millionths; more jobs than slots count as full"),
  waiting: count.describe("jobs that wait at the router for this model"),
  intervalUs: durationUs.describe("from this message to the next"),
}).meta({ id: "MarketState", description: "router -> node: how the market for a model stands" });
export type MarketState = z.infer<typeof marketState>;

/** router -> node: the job is yours, at these prices. */
export const award = z.strictObject({
  type: z.literal("award"),
  job: jobRequest,
  attempt,
  prices: priceSheet,
  fee: feeTerms,
  feePaymentHash: hex32.optional().describe("the router's invoice without an amount, on which the client pays the fee; absent where the router takes none"),
  prompt: prompt.optional(),
}).meta({ id: "Award", description: "router -> node: the job is yours, at these prices" });
export type Award = z.infer<typeof award>;

/** node -> router: the job is admitted. */
export const accept = z.strictObject({
  type: z.literal("accept"),
  jobId,
  attempt,
}).meta({ id: "Accept", description: "node -> router: the job is admitted" });
export type Accept = z.infer<typeof accept>;

/** Why a node turns a job down or gives it up, or a router finds no place for it. */
export const refusalReason = z.enum([
  "queue-full", "context-too-long", "input-over-declared", "unknown-model", "price-changed", "shutting-down", "runner-failed", "duplicate-job",
  "unpaid", "payment-expired",
  "no-eligible-node", "no-bid", "router-queue-full", "router-wait-too-long", "attempts-exhausted", "declined",
]).meta({ id: "RefusalReason" });
export type RefusalReason = z.infer<typeof refusalReason>;

/** node -> router: not this one (attempt as awarded); router -> client: no node for it (attempts made). */
export const refuse = z.strictObject({
  type: z.literal("refuse"),
  jobId,
  attempt: z.int().min(0).max(1_000).describe("from a node: as awarded; from a router: how many attempts were made, 0 for none"),
  reason: refusalReason,
}).meta({ id: "Refuse", description: "node -> router: not this one; router -> client: no node for it" });
export type Refuse = z.infer<typeof refuse>;
