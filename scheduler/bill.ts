import type { Dispute, JobRequest, PeerId, Result } from "../protocol/messages.ts";
import { amountMsat } from "../protocol/units.ts";

/**
 * Whether the result's receipt is about this job, made out by its sender. Who has not been given the job does not know
 * its prompt's hash, unless told: a result without it is a stranger's.
 */
export function isReceiptFor(request: JobRequest, from: PeerId, { jobId, receipt }: Result): boolean {
  return receipt.node === from && receipt.jobId === jobId && receipt.jobId === request.jobId && receipt.client === request.client
    && receipt.model === request.model && receipt.promptHash === request.promptHash;
}

/** Whether no more is metered than was asked for. */
export function isWithinRequest(request: JobRequest, { receipt }: Result): boolean {
  return receipt.inputTokens <= request.inputTokens && receipt.outputTokens <= request.maxOutputTokens;
}

/**
 * What a client finds wrong with what it is asked to pay; "" where all is right: the receipt's amount is its prices
 * applied to its tokens, the node asks for that, the router for its fee, each once, and together for no more than the
 * client's maximum.
 */
export function wrongWith(request: JobRequest, router: PeerId, node: PeerId, result: Result): Extract<Dispute["claim"], "over-metered" | "over-charged"> | "" {
  const { receipt, payments } = result;
  if (!isWithinRequest(request, result)) return "over-metered";
  if (receipt.amountMsat !== amountMsat(receipt.prices, receipt.inputTokens, receipt.outputTokens)) return "over-charged";
  let totalMsat = 0;
  let before = "";
  for (const { jobId, purpose, payee, amountMsat: askedMsat } of payments) {
    if (jobId !== request.jobId || purpose === before) return "over-charged";
    if (purpose === "job" ? payee !== node || askedMsat !== receipt.amountMsat : payee !== router) return "over-charged";
    before = purpose;
    totalMsat += askedMsat;
  }
  return totalMsat > request.maxPriceMsat ? "over-charged" : "";
}
