import { z } from "zod";
import { PROMPT_CODE_POINTS_MAX } from "../limits.ts";
import { text } from "../text.ts";
import { choiceRule } from "./choice.ts";
import { durationUs, hex32, jobId, modelName, msat, peerId, region, tokens } from "./scalars.ts";
import { settlementTerms } from "./settlement.ts";

/** What a client asks for, without the prompt: only its hash and its length in tokens. */
export const jobRequest = z.strictObject({
  jobId,
  client: peerId.describe("who asks, pays and receives the output"),
  model: modelName,
  inputTokens: tokens.describe("most tokens of the prompt that the client pays for: its length in the model's tokens, or a bound where the client cannot count them"),
  maxOutputTokens: tokens.min(1).describe("most output tokens that the client takes and pays for"),
  maxPriceMsat: msat.describe("upper bound on everything the client pays for this job, the router's fee included"),
  latencyGoal: z.strictObject({
    ttftUs: durationUs.optional().describe("from submission to the first output token"),
    tpotUs: durationUs.optional().describe("mean time between output tokens after the first"),
    endToEndUs: durationUs.optional().describe("from submission to the result"),
  }).meta({ id: "LatencyGoal", description: "what the client hopes for; nothing is refunded where it is missed" }),
  patienceUs: durationUs.describe("how long the client waits for the result before it gives the job up"),
  priority: z.int().min(0).max(9).describe("0 is ordinary; a higher number is served first where a node's queue has priorities"),
  region: region.describe("where the client is; latency estimates start there"),
  allowedRegions: z.array(region).min(1).max(64).optional().describe("regions that may serve the job; absent: any"),
  minStakeMsat: msat.describe("least stake of a node that may serve the job"),
  privacy: z.enum(["any", "attested"]).describe("attested: only nodes that attest their hardware and software"),
  verification: z.enum(["none", "spot-check", "redundant"]).describe("how the result is to be checked"),
  choice: choiceRule.optional().describe("how a node is chosen on the client's behalf; absent: by the router's policy"),
  promptHash: hex32.describe("SHA-256 of the prompt in UTF-8"),
  settlement: settlementTerms.optional().describe("how the job is paid; absent: after its result"),
}).meta({ id: "JobRequest", description: "what a client asks for, without the prompt" });
export type JobRequest = z.infer<typeof jobRequest>;

/** The prompt itself; it rides along with a job and is never stored. */
export const prompt = text(PROMPT_CODE_POINTS_MAX).meta({ id: "Prompt", description: "the prompt; never stored, logged or reported" });

/** client -> router: serve this job. The prompt itself, where there is one, rides along and is never stored. */
export const job = z.strictObject({
  type: z.literal("job"),
  job: jobRequest,
  prompt: prompt.optional(),
}).meta({ id: "Job", description: "client -> router: serve this job" });
export type Job = z.infer<typeof job>;

/** client -> router: what would such a job cost now? */
export const quoteRequest = z.strictObject({
  type: z.literal("quote-request"),
  job: jobRequest,
}).meta({ id: "QuoteRequest", description: "client -> router: what would such a job cost now?" });
export type QuoteRequest = z.infer<typeof quoteRequest>;

/** Why a client, or a router on its behalf, stops a job. */
export const cancelReason = z.enum(["patience", "user", "superseded", "unpaid", "stalled", "shutdown"]).meta({ id: "CancelReason" });
export type CancelReason = z.infer<typeof cancelReason>;

/** client -> router -> node: stop working on it. */
export const cancel = z.strictObject({
  type: z.literal("cancel"),
  jobId,
  reason: cancelReason,
}).meta({ id: "Cancel", description: "client -> router -> node: stop working on it" });
export type Cancel = z.infer<typeof cancel>;
