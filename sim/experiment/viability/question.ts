import type { PriceSheet } from "../../../protocol/messages.ts";
import type { Assumption, ViabilityReport } from "../../../protocol/result/viability.ts";
import type { Scenario } from "../../scenario/scenario.ts";
import type { Costs } from "./accounts.ts";
import type { Power } from "./market.ts";

/** Everything that is asked: a machine in a market, and what it costs its owner. */
export interface ViabilityQuestion {
  /** The market, the machine in it. */
  readonly scenario: Scenario;
  /** Name of the machine's operator class; it has one node. */
  readonly operator: string;
  readonly machine: Omit<ViabilityReport["machine"], "inputMsatPerMtok" | "outputMsatPerMtok" | "fixedMsat" | "operator">;
  readonly prices: PriceSheet;
  readonly power: Power;
  readonly costs: Costs;
  readonly assumptions: readonly Assumption[];
  readonly rental: { readonly usdPerHour: number; readonly source: string } | null;
  readonly seed: number;
  /** At least 1. */
  readonly replications: number;
  readonly sets: readonly string[];
  readonly lab: { readonly name: string; readonly version: string };
}
