import type { SettlementTerms } from "../../protocol/messages.ts";

/** How a client's jobs are paid: the terms of {@link SettlementTerms}, apart from where a job's refunds go. */
export type SettlementPlan = SettlementTerms extends infer Terms ? Terms extends unknown ? Omit<Terms, "refundTo"> : never : never;
