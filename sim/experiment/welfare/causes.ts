import type { ReportJobStatus } from "../../../protocol/result.ts";
import type { LossCause } from "../../../protocol/result/welfare.ts";

/** Why surplus was lost, in the order in which a report lists them. An index into this list is a cause's code. */
export const LOSS_CAUSES = ["price", "budget", "rejection", "congestion", "abandonment", "failure", "misallocation", "waiting"] as const satisfies readonly LossCause[];

/** Codes of the causes for which a single job stays unserved. */
export const PRICE = 0;
export const BUDGET = 1;
export const REJECTION = 2;
export const CONGESTION = 3;
export const ABANDONMENT = 4;
export const FAILURE = 5;
/** How many of them there are; what follows is no single job's fate. */
export const UNSERVED_CAUSES = 6;
export const MISALLOCATION = 6;
export const WAITING = 7;
/** Stands in the place of a cause where the job was delivered. */
export const DELIVERED = 255;

/** What befell a job on its way, as bits. */
export const TOO_DEAR = 1;
export const STARTED = 2;
/** An attempt failed through the node's fault or absence, not for want of room. */
export const FAULT = 4;

/** Refusals of a node that only mean that it has no room. */
const NO_ROOM: ReadonlySet<string> = new Set(["queue-full", "shutting-down", "duplicate-job"]);

/** Whether a failed attempt counts as a failure, and not as a want of room. */
export function isFault(reason: string): boolean {
  return !NO_ROOM.has(reason);
}

/**
 * The one cause for which a job that never delivered is counted as lost.
 * @param bits {@link TOO_DEAR}, {@link STARTED} and {@link FAULT}, as they happened to the job.
 */
export function causeOf(status: ReportJobStatus, reason: string, bits: number): number {
  if ((bits & TOO_DEAR) !== 0 || reason === "declined") return PRICE;
  if ((bits & FAULT) !== 0) return FAILURE;
  switch (status) {
    case "rejected": return reason === "router-wait-too-long" ? CONGESTION : REJECTION;
    case "expired": return (bits & STARTED) !== 0 ? ABANDONMENT : CONGESTION;
    case "cancelled": return ABANDONMENT;
    default: return reason === "attempts-exhausted" ? REJECTION : FAILURE;
  }
}
