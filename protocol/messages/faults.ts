import { z } from "zod";
import { DETAIL_CODE_POINTS_MAX, FIELD_CODE_POINTS_MAX } from "../limits.ts";
import { label } from "../text.ts";
import { hex32, jobId } from "./scalars.ts";

/** Any party -> router: the receipt, the output or the payment is wrong. */
export const dispute = z.strictObject({
  type: z.literal("dispute"),
  jobId,
  claim: z.enum(["not-delivered", "wrong-output", "over-metered", "not-paid", "over-charged"]),
  receiptHash: hex32.optional().describe("SHA-256 of the disputed metering receipt's canonical JSON (RFC 8785)"),
  paymentHash: hex32.optional().describe("of the disputed payment"),
}).meta({ id: "Dispute", description: "any party -> router: the receipt, the output or the payment is wrong" });
export type Dispute = z.infer<typeof dispute>;

/** Why an envelope or a message was not acted on. */
export const errorCode = z.enum([
  "bad-envelope", "bad-signature", "expired", "replayed", "oversized", "misaddressed", "unsupported-version",
  "bad-message", "unknown-job", "duplicate-job", "not-registered", "rate-limited", "internal",
]).meta({ id: "ErrorCode" });
export type ErrorCode = z.infer<typeof errorCode>;

/** Any party -> any party: what you sent was not acted on. Never sent in answer to an error. */
export const errorMessage = z.strictObject({
  type: z.literal("error"),
  code: errorCode,
  field: label(FIELD_CODE_POINTS_MAX).optional().describe("path of the offending field, such as job.maxPriceMsat"),
  detail: label(DETAIL_CODE_POINTS_MAX).describe("one sentence for people, without prompt or output text"),
  jobId: jobId.optional(),
}).meta({ id: "Error", description: "any party -> any party: what you sent was not acted on; never sent in answer to an error" });
export type ErrorMessage = z.infer<typeof errorMessage>;
