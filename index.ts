/**
 * The library's door: play scenarios from a program, read reports, and build on the market's own parts.
 *
 * @example
 * ```ts
 * import { readFileSync } from "node:fs";
 * import { loadScenario, runScenario } from "infernet-lab";
 *
 * const { scenario } = loadScenario(readFileSync("market.yaml"), "market.yaml", { sets: ["router.policy=cheapest"] });
 * const report = runScenario(scenario, { seed: 7 });
 * console.log(report.overall.latency.ttftUs.p95, report.provenance.resultsDigest);
 * ```
 */

// Scenarios and runs.
export { loadScenario } from "./sim/scenario/load.ts";
export type { LoadedScenario, LoadOptions } from "./sim/scenario/load.ts";
export { ScenarioError } from "./sim/scenario/problem.ts";
export type { Problem } from "./sim/scenario/problem.ts";
export { scenarioJsonSchema } from "./sim/scenario/json-schema.ts";
export type { Scenario } from "./sim/scenario/scenario.ts";
export { runScenario, startRun } from "./sim/experiment/run.ts";
export type { Run, RunOptions, RunProgress } from "./sim/experiment/run.ts";
export type { MarketEvent } from "./sim/world/telemetry.ts";
export { InvariantError } from "./sim/experiment/recorder/invariant.ts";

// Policies of one's own, which a scenario names: types for the files that hold them.
export type { MarketReading, Price, PricedMarket, PricingPolicy } from "./scheduler/custom/pricing.ts";
export type { OpeningNode, StrategyPolicy } from "./scheduler/custom/strategy.ts";
export type { ChoicePolicy, ScoredNode } from "./scheduler/custom/choice.ts";
export { PolicyError } from "./scheduler/custom/source.ts";
export type { Setting, Settings } from "./scheduler/custom/source.ts";
export type { Observation, Strategy } from "./scheduler/strategy/strategy.ts";
export type { PriceSheet } from "./protocol/messages.ts";

// Reports.
export { reportJsonSchema, resultsDigest, runReport } from "./protocol/result.ts";
export type { JobRow, RunReport } from "./protocol/result.ts";
export { ReportFolder } from "./reports/folder.ts";
export { passThroughBetween } from "./sim/experiment/welfare/pass-through.ts";
export { renderMarkdown } from "./reports/markdown.ts";

// Would a machine earn money in a market?
export { prepare as prepareViability } from "./sim/experiment/viability/prepare.ts";
export { answer as answerViability } from "./sim/experiment/viability/study.ts";
export { viabilityReport } from "./protocol/result/viability.ts";
export type { ViabilityReport } from "./protocol/result/viability.ts";
export { ViabilityFolder } from "./reports/viability/folder.ts";

// The market's parts: what crosses the wire, and the participants over their environment.
export * as messages from "./protocol/messages.ts";
export { Client } from "./scheduler/client.ts";
export { Node } from "./scheduler/node.ts";
export { Router } from "./scheduler/router.ts";
export type { Decision, Environment, Participant, Random, Runner, RunnerEvent, Telemetry, Timer, Wallet, WalletEvent } from "./scheduler/environment.ts";
