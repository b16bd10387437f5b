import { z } from "zod";
import { CHUNK_CODE_POINTS_MAX } from "../limits.ts";
import { text } from "../text.ts";
import { paymentRequest } from "./payment.ts";
import { priceSheet } from "./prices.ts";
import { attempt, durationUs, hex32, jobId, modelName, msat, peerId, tokens } from "./scalars.ts";

/** node -> client: output tokens as they come. */
export const tokenChunk = z.strictObject({
  type: z.literal("token-chunk"),
  jobId,
  attempt,
  firstToken: tokens.describe("index of the first token in this chunk; 0 is the first output token"),
  tokens: tokens.min(1).describe("how many tokens this chunk holds"),
  text: text(CHUNK_CODE_POINTS_MAX).optional().describe("the output itself; never stored, logged or reported"),
}).meta({ id: "TokenChunk", description: "node -> client: output tokens as they come" });
export type TokenChunk = z.infer<typeof tokenChunk>;

/** What was metered and what it costs: counts, hashes and times, never text. */
export const meteringReceipt = z.strictObject({
  type: z.literal("metering-receipt"),
  jobId,
  attempt,
  node: peerId,
  client: peerId,
  model: modelName,
  inputTokens: tokens.describe("of the prompt, as the node counted; never more than the job's inputTokens"),
  outputTokens: tokens.describe("never more than the job's maxOutputTokens"),
  prices: priceSheet.describe("as awarded"),
  amountMsat: msat.describe("the prices applied to the tokens, rounded down once"),
  queuedUs: durationUs.describe("from admission to the start of the prompt's processing"),
  prefillUs: durationUs.describe("from there to the first output token"),
  decodeUs: durationUs.describe("from there to the last output token"),
  promptHash: hex32.describe("as in the job"),
  outputHash: hex32.describe("SHA-256 of the output in UTF-8"),
}).meta({ id: "MeteringReceipt", description: "what was metered and what it costs: counts, hashes and times, never text" });
export type MeteringReceipt = z.infer<typeof meteringReceipt>;

/** node -> client, and without payments to the router: the job is done. */
export const result = z.strictObject({
  type: z.literal("result"),
  jobId,
  finishReason: z.enum(["stop", "length"]).describe("stop: the model ended by itself; length: at the most tokens allowed"),
  receipt: meteringReceipt,
  payments: z.array(paymentRequest).max(2).describe("to the client: the node's request and, where the router takes a fee, the fee's; to the router: none"),
}).meta({ id: "Result", description: "node -> client, and without payments to the router: the job is done" });
export type Result = z.infer<typeof result>;
