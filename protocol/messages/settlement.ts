import { z } from "zod";
import { paymentRequest } from "./payment.ts";
import { priceSheet } from "./prices.ts";
import { attempt, durationUs, hex32, jobId, tokens } from "./scalars.ts";

/** Hold invoices that share an escrow, at most. */
export const ESCROW_PARTS_MAX = 16;

const common = {
  payWithinUs: durationUs.describe("how long the client may take from a call for payment until the money is there; then the node gives the job up"),
  refundTo: hex32.describe("the client's offer on which the node pays back what it did not earn (in the way of BOLT 12: it takes several payments)"),
};

/**
 * How a job is paid where that is not after its result. A node works only once the money for it is there:
 *
 * - prepay: the most that the job can cost, before work; the node pays back what was not used.
 * - escrow: the same, locked by hold invoices: the node takes what it needs with their preimages after delivery and
 *   pays back the rest of the last one; without preimages the money goes back by itself.
 * - streaming: the price of so many output tokens at a time, each before these tokens are handed out.
 */
export const settlementTerms = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("prepay"), ...common }),
  z.strictObject({
    kind: z.literal("escrow"), ...common,
    timeoutUs: durationUs.min(1).describe("a payment that the node has neither taken nor released goes back to the client after so long"),
    parts: z.int().min(1).max(ESCROW_PARTS_MAX).describe("hold invoices that the amount is spread over: each is taken whole or not at all"),
  }),
  z.strictObject({
    kind: z.literal("streaming"), ...common,
    everyTokens: tokens.min(1).describe("output tokens paid for at a time"),
    stallUs: durationUs.min(1).describe("the client stops where what it has paid for has not come after so long"),
  }),
]).meta({ id: "SettlementTerms", description: "how a job is paid where that is not after its result" });
export type SettlementTerms = z.infer<typeof settlementTerms>;

/** node -> client: pay this, and the work begins, or goes on. */
export const paymentCall = z.strictObject({
  type: z.literal("payment-call"),
  jobId,
  attempt,
  promptHash: hex32.describe("as in the job: who does not have the job does not know it"),
  prices: priceSheet.describe("as awarded"),
  throughTokens: tokens.min(1).describe("output tokens that are paid for once this is paid, counted from the first"),
  payments: z.array(paymentRequest).min(1).max(ESCROW_PARTS_MAX).describe("together the job's amount for so many tokens, less what the node had called for before"),
}).meta({ id: "PaymentCall", description: "node -> client: pay this, and the work begins, or goes on" });
export type PaymentCall = z.infer<typeof paymentCall>;
