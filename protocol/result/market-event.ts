import type { JobId } from "../messages.ts";

/** One thing that happened in the market, as `--events` writes it. Times are µs since the start of the run. */
export type MarketEvent =
  | { readonly atUs: number; readonly event: "submitted"; readonly job: JobId; readonly clientClass: string; readonly model: string; readonly inputTokens: number; readonly maxOutputTokens: number; readonly maxPriceMsat: number }
  | { readonly atUs: number; readonly event: "assigned"; readonly job: JobId; readonly node: string; readonly attempt: number }
  | { readonly atUs: number; readonly event: "attempt-failed"; readonly job: JobId; readonly node: string; readonly attempt: number; readonly reason: string }
  | { readonly atUs: number; readonly event: "started"; readonly job: JobId; readonly attempt: number }
  | { readonly atUs: number; readonly event: "first-token"; readonly job: JobId; readonly attempt: number }
  | { readonly atUs: number; readonly event: "finished"; readonly job: JobId; readonly node: string; readonly attempt: number; readonly outputTokens: number; readonly amountMsat: number; readonly feeMsat: number }
  | { readonly atUs: number; readonly event: "disputed"; readonly job: JobId; readonly claim: string }
  | { readonly atUs: number; readonly event: "ended"; readonly job: JobId; readonly status: "completed" | "failed" | "rejected" | "expired" | "cancelled"; readonly reason: string }
  | { readonly atUs: number; readonly event: "node-up" | "node-down" | "node-slow" | "node-fast"; readonly node: string };
