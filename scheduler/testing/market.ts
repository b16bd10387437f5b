import type { Descriptor, FeeTerms, Heartbeat, JobRequest, MeteringReceipt, ModelOffer, PaymentRequest, PeerId, PriceSheet, Result } from "../../protocol/messages.ts";
import { amountMsat } from "../../protocol/units.ts";
import { hex32 } from "./fake-environment.ts";

export const FREE: FeeTerms = { shareBps: 0, flatMsat: 0 };
export const MODEL = "test:q4";

export function prices(inputMsatPerMtok: number, outputMsatPerMtok = inputMsatPerMtok, fixedMsat = 0): PriceSheet {
  return { inputMsatPerMtok, outputMsatPerMtok, fixedMsat };
}

export function offer(changes: Partial<ModelOffer> = {}): ModelOffer {
  return { model: MODEL, contextTokensMax: 8192, prices: prices(1_000_000), prefillTokensPerS: 1000, decodeTokensPerS: 50, ...changes };
}

/** A node's descriptor; `node` may be any name. */
export function descriptor(node: string, changes: Partial<Omit<Descriptor, "type" | "node">> = {}): Descriptor {
  return {
    type: "descriptor", node: hex32(node), incarnation: 0, region: "eu", machine: "test", engine: "test", slots: 1, queueLimit: 0,
    kvTokensMax: 100_000, stakeMsat: 0, attested: false, offers: [offer()], ...changes,
  };
}

export function heartbeat(sequence: number, changes: Partial<Omit<Heartbeat, "type" | "sequence">> = {}): Heartbeat {
  return { type: "heartbeat", incarnation: 0, sequence, running: 0, waiting: 0, kvTokensUsed: 0, accepting: true, ...changes };
}

/** A job of `client`, which may be any name: 100 tokens in, at most 100 out, for at most a million msat. */
export function request(jobId: string, changes: Partial<JobRequest> = {}, client = "client"): JobRequest {
  return {
    jobId, client: hex32(client), model: MODEL, inputTokens: 100, maxOutputTokens: 100, maxPriceMsat: 1_000_000, latencyGoal: {},
    patienceUs: 60_000_000, priority: 0, region: "eu", minStakeMsat: 0, privacy: "any", verification: "none",
    promptHash: hex32(`prompt of ${jobId}`), ...changes,
  };
}

export function receipt(job: JobRequest, node: PeerId, attempt: number, changes: Partial<MeteringReceipt> = {}): MeteringReceipt {
  const sheet = changes.prices ?? offer().prices;
  const outputTokens = changes.outputTokens ?? job.maxOutputTokens;
  return {
    type: "metering-receipt", jobId: job.jobId, attempt, node, client: job.client, model: job.model, inputTokens: job.inputTokens, outputTokens,
    prices: sheet, amountMsat: amountMsat(sheet, job.inputTokens, outputTokens), queuedUs: 1, prefillUs: 2, decodeUs: 3,
    promptHash: job.promptHash, outputHash: hex32("output"), ...changes,
  };
}

export function paymentRequest(job: JobRequest, payee: PeerId, amount: number, changes: Partial<PaymentRequest> = {}): PaymentRequest {
  return {
    type: "payment-request", jobId: job.jobId, purpose: "job", payee, amountMsat: amount, paymentHash: hex32(`${payee} for ${job.jobId}`),
    expiresInUs: 3_600_000_000, ...changes,
  };
}

/** What an honest node sends: with `payments` to the client, without to the router. */
export function result(job: JobRequest, node: PeerId, attempt: number, changes: Partial<MeteringReceipt> = {}, payments: readonly PaymentRequest[] = []): Result {
  return { type: "result", jobId: job.jobId, finishReason: "stop", receipt: receipt(job, node, attempt, changes), payments: [...payments] };
}
