import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadScenario } from "../../../scenario/load.ts";
import type { Scenario } from "../../../scenario/scenario.ts";
import type { FlagTexts } from "../flags.ts";
import type { Costs, NodeOutcome } from "../accounts.ts";
import { prepare } from "../prepare.ts";
import type { ViabilityQuestion } from "../question.ts";

/** A market in which every job is known beforehand: one every 5 s, 1,000 tokens in and 100 out, for at most 1,000 msat. */
export const byHandFile = fileURLToPath(new URL("market.yaml", import.meta.url));

/** That market, changed as by --set. */
export function byHand(...sets: readonly string[]): Scenario {
  return loadScenario(readFileSync(byHandFile, "utf8"), byHandFile, { sets }).scenario;
}

/** An RTX 4090 in that market that asks 100 sat/Mtok for prompts and 1,000 sat/Mtok for answers: 200 msat a job. */
export function question(flags: FlagTexts = {}, more: { readonly replications?: number; readonly machine?: string; readonly scenario?: Scenario; readonly seed?: number } = {}): ViabilityQuestion {
  return prepare(more.scenario ?? byHand(), {
    machine: more.machine ?? "RTX 4090",
    flags: { "price-input": "100 sat/Mtok", "price-output": "1000 sat/Mtok", ...flags },
    replications: more.replications ?? 1, seed: more.seed, sets: [], lab: { name: "infernet-lab", version: "0.0.0" },
  });
}

/** An hour in which a machine took in 0.036 USD at 100,000 USD/btc, half its slots busy. */
export const anOutcome: NodeOutcome = { seed: 1, measuredHours: 1, revenueMsat: 36_000, jobs: 100, inputTokens: 100_000, outputTokens: 20_000, utilisation: 0.5, busyShare: 0.75 };

export const someCosts: Costs = {
  electricityUsdPerKwh: 0.2, idleWatts: 20, loadWatts: 100, hostWatts: 0, purchaseUsd: 480, lifeYears: 4, residualShare: 0.2, rentUsdPerHour: 0,
  capitalPerYear: 0.05, upkeepPerYear: 0, stakeMsat: 0, otherUsdPerMonth: 0, uptime: 0.9, usdPerBtc: 100_000,
};
