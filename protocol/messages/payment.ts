import { z } from "zod";
import { durationUs, hex32, jobId, msat, peerId } from "./scalars.ts";

/** What a payment is for: the node's work on a job, the router's fee on it, or an advance that a node gives back. */
export const paymentPurpose = z.enum(["job", "fee", "refund"]).meta({ id: "PaymentPurpose", description: "job: the node's work; fee: the router's; refund: what a node gives back of an advance" });
export type PaymentPurpose = z.infer<typeof paymentPurpose>;

/** payee -> payer: pay this. */
export const paymentRequest = z.strictObject({
  type: z.literal("payment-request"),
  jobId,
  purpose: paymentPurpose,
  payee: peerId,
  amountMsat: msat,
  paymentHash: hex32.describe("SHA-256 of the preimage that proves the payment"),
  expiresInUs: durationUs.describe("how long the payee takes the payment, from when the request was sent"),
}).meta({ id: "PaymentRequest", description: "payee -> payer: pay this" });
export type PaymentRequest = z.infer<typeof paymentRequest>;

/** payer -> payee (and router): paid; the preimage proves it. */
export const paymentReceipt = z.strictObject({
  type: z.literal("payment-receipt"),
  jobId,
  purpose: paymentPurpose,
  payer: peerId,
  payee: peerId,
  amountMsat: msat,
  paymentHash: hex32.describe("as in the request"),
  preimage: hex32.describe("its SHA-256 is the payment hash; whoever holds it can prove the payment"),
}).meta({ id: "PaymentReceipt", description: "payer -> payee (and router): paid; the preimage proves it" });
export type PaymentReceipt = z.infer<typeof paymentReceipt>;
