import type { ReportJobStatus } from "../../../protocol/result.ts";
import type { LossCause } from "../../../protocol/result/welfare.ts";

/** Why surplus was lost, in the order in which a report lists them. An index into this list is a cause's code. */
export const LOSS_CAUSES = ["price", "budget", "rejection", "congestion", "abandonment", "failure", "nonpayment", "misallocation", "waiting"] as const satisfies readonly LossCause[];

/** Codes of the causes for which a single job stays unserved. */
export const PRICE = 0;
export const BUDGET = 1;
export const REJECTION = 2;
export const CONGESTION = 3;
export const ABANDONMENT = 4;
export const FAILURE = 5;
export const NONPAYMENT = 6;
/** How many of them there are; what follows is no single job's fate. */
export const UNSERVED_CAUSES = 7;
export const MISALLOCATION = 7;
export const WAITING = 8;
/** Stands in the place of a cause where the job was delivered. */
export const DELIVERED = 255;

/** What befell a job on its way, as bits. */
export const TOO_DEAR = 1;
export const STARTED = 2;
/** An attempt failed through the node's fault or absence, not for want of room. */
export const FAULT = 4;
/** A node waited in vain for its advance. */
export const UNPAID = 8;

/** Refusals of a node that only mean that it has no room. */
const NO_ROOM: ReadonlySet<string> = new Set(["queue-full", "shutting-down", "duplicate-job"]);

/** Refusals of a node that was ready to work, and was not paid as agreed. */
const NOT_PAID: ReadonlySet<string> = new Set(["unpaid", "payment-expired"]);

/** A payment that found nobody at its other end failed through the node's absence. */
const PAYEE_GONE = "payment-failed: payee-offline";

/** What a failed attempt says of the job: {@link FAULT}, {@link UNPAID}, or 0 where it was but a want of room. */
export function bitOf(reason: string): number {
  if (NO_ROOM.has(reason)) return 0;
  return NOT_PAID.has(reason) ? UNPAID : FAULT;
}

/**
 * The one cause for which a job that never delivered is counted as lost.
 * @param bits {@link TOO_DEAR}, {@link STARTED}, {@link FAULT} and {@link UNPAID}, as they happened to the job.
 */
export function causeOf(status: ReportJobStatus, reason: string, bits: number): number {
  if ((bits & TOO_DEAR) !== 0 || reason === "declined") return PRICE;
  if (NOT_PAID.has(reason) || (reason.startsWith("payment-failed") && reason !== PAYEE_GONE)) return NONPAYMENT;
  if ((bits & FAULT) !== 0) return FAILURE;
  if ((bits & UNPAID) !== 0) return NONPAYMENT;
  switch (status) {
    case "rejected": return reason === "router-wait-too-long" ? CONGESTION : REJECTION;
    case "expired": return (bits & STARTED) !== 0 ? ABANDONMENT : CONGESTION;
    case "cancelled": return ABANDONMENT;
    default: return reason === "attempts-exhausted" ? REJECTION : FAILURE;
  }
}
