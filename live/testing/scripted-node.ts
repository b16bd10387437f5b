import type { Award, Message, PeerId } from "../../protocol/messages.ts";
import { amountMsat } from "../../protocol/units.ts";
import type { Uplink } from "../link/uplink.ts";

export const MODEL = "test:q4";
const OUTPUT_HASH = "ab".repeat(32);

/** What a node sends that serves jobs of `MODEL` for a price. */
export const descriptorOf = (node: PeerId, slots = 4): Message => ({
  type: "descriptor", node, incarnation: 0, region: "eu", machine: "test", engine: "test", slots, queueLimit: 1_000, kvTokensMax: 1_000_000, stakeMsat: 0, attested: false,
  offers: [{ model: MODEL, contextTokensMax: 8_192, prices: { inputMsatPerMtok: 1_000_000, outputMsatPerMtok: 1_000_000, fixedMsat: 0 }, prefillTokensPerS: 1_000, decodeTokensPerS: 50 }],
});

export const heartbeatOf = (sequence: number): Message => ({ type: "heartbeat", incarnation: 0, sequence, running: 0, waiting: 0, kvTokensUsed: 0, accepting: true });

/** A job of 100 tokens in and at most 20 out. */
export const jobOf = (jobId: string, client: PeerId): Message & { readonly type: "job" } => ({
  type: "job",
  job: {
    jobId, client, model: MODEL, inputTokens: 100, maxOutputTokens: 20, maxPriceMsat: 1_000_000, latencyGoal: {}, patienceUs: 60_000_000, priority: 0, region: "eu",
    minStakeMsat: 0, privacy: "any", verification: "none", promptHash: "cd".repeat(32),
  },
});

/** What a node sends to the router when it has served a job. */
export const resultOf = ({ job, attempt, prices }: Award, node: PeerId): Message => ({
  type: "result", jobId: job.jobId, finishReason: "length", payments: [],
  receipt: {
    type: "metering-receipt", jobId: job.jobId, attempt, node, client: job.client, model: job.model, inputTokens: job.inputTokens, outputTokens: job.maxOutputTokens, prices,
    amountMsat: amountMsat(prices, job.inputTokens, job.maxOutputTokens), queuedUs: 1, prefillUs: 2, decodeUs: 3, promptHash: job.promptHash, outputHash: OUTPUT_HASH,
  },
});

/** Accepts an award and serves it at once: the result goes to the router and, from node to client, so does a chunk. */
export function serve(uplink: Uplink, node: PeerId, router: PeerId, award: Award): void {
  uplink.send(router, { type: "accept", jobId: award.job.jobId, attempt: award.attempt });
  const result = resultOf(award, node);
  uplink.send(award.job.client, { type: "token-chunk", jobId: award.job.jobId, attempt: award.attempt, firstToken: 0, tokens: 20, text: "so it goes ".repeat(8) });
  uplink.send(award.job.client, result);
  uplink.send(router, result);
}
