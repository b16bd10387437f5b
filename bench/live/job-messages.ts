import type { Award, JobId, Message, PeerId, PriceSheet } from "../../protocol/messages.ts";
import { amountMsat } from "../../protocol/units.ts";

export const MODEL = "bench:q4";
/** Any hash. */
export const SOME_HASH = "ab".repeat(32);
/** 88 characters, a chunk of output. */
export const CHUNK_TEXT = "the quick brown fox jumps over the lazy dog ".repeat(2);

const PRICES: PriceSheet = { inputMsatPerMtok: 1_000_000, outputMsatPerMtok: 3_000_000, fixedMsat: 0 };

/** A job with a prompt of some 600 characters. */
export const jobOf = (jobId: JobId, client: PeerId): Message & { readonly type: "job" } => ({
  type: "job", prompt: CHUNK_TEXT.repeat(7),
  job: {
    jobId, client, model: MODEL, inputTokens: 150, maxOutputTokens: 100, maxPriceMsat: 10_000_000, latencyGoal: {}, patienceUs: 60_000_000, priority: 0, region: "eu", minStakeMsat: 0,
    privacy: "any", verification: "none", promptHash: SOME_HASH,
  },
});

/** The node's result, as the router gets it. */
export const resultOf = ({ job, attempt, prices }: Pick<Award, "job" | "attempt" | "prices">, node: PeerId): Message => ({
  type: "result", jobId: job.jobId, finishReason: "length", payments: [],
  receipt: {
    type: "metering-receipt", jobId: job.jobId, attempt, node, client: job.client, model: job.model, inputTokens: job.inputTokens, outputTokens: job.maxOutputTokens, prices,
    amountMsat: amountMsat(prices, job.inputTokens, job.maxOutputTokens), queuedUs: 1, prefillUs: 2, decodeUs: 3, promptHash: job.promptHash, outputHash: SOME_HASH,
  },
});

/** The client's proof that it has paid the node. */
export const paidOf = (jobId: JobId, client: PeerId, node: PeerId): Message => ({
  type: "payment-receipt", jobId, purpose: "job", payer: client, payee: node, amountMsat: 450, paymentHash: SOME_HASH, preimage: SOME_HASH,
});

/** All that the router gets and sends for one job. */
export function messagesOf(jobId: JobId, client: PeerId, node: PeerId): Readonly<Record<"job" | "award" | "accept" | "result" | "paid", Message>> {
  const job = jobOf(jobId, client);
  const award: Award = { type: "award", job: job.job, attempt: 1, prices: PRICES, fee: { shareBps: 100, flatMsat: 0 }, feePaymentHash: SOME_HASH, prompt: job.prompt! };
  return { job, award, accept: { type: "accept", jobId, attempt: 1 }, result: resultOf(award, node), paid: paidOf(jobId, client, node) };
}
