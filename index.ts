/**
 * The library's door: play scenarios from a program, read reports, and build on the market's own parts.
 *
 * @example
 * ```ts
 * import { readFileSync } from "node:fs";
 * import { compare, loadScenario, run } from "infernet-lab";
 *
 * const market = loadScenario(readFileSync("market.yaml"), "market.yaml", { sets: ["router.policy=cheapest"] });
 * const report = run(market, { seed: 7 });
 * console.log(report.overall.latency.ttftUs.p95, report.provenance.resultsDigest);
 *
 * const { findings } = await compare(market, { arms: { one: {}, two: { "router.count": 2 } }, metrics: ["latency.p95"], replications: 20 });
 * console.log(findings.join("\n"));
 * ```
 */

// Scenarios and runs.
export { loadScenario } from "./sim/scenario/load.ts";
export type { LoadedScenario, LoadOptions } from "./sim/scenario/load.ts";
export { ScenarioError } from "./sim/scenario/scenario-error.ts";
export type { Problem } from "./input/problem.ts";
export { scenarioJsonSchema } from "./sim/scenario/json-schema.ts";
export type { Scenario } from "./sim/scenario/scenario.ts";
export { startRun } from "./sim/experiment/run.ts";
export type { Run, RunOptions, RunProgress } from "./sim/experiment/run.ts";
export type { MarketEvent } from "./protocol/result/market-event.ts";
export { InvariantError } from "./sim/experiment/recorder/invariant.ts";

// Experiments: answers with error bars.
export { compare, equilibrium, ExperimentError, replicate, run, search, sensitivity, sweep } from "./lab/experiments.ts";
export type { ExperimentOptions, MetricOptions, ReplicationOptions } from "./lab/experiments.ts";
export type { ConductProgress } from "./lab/conduct.ts";
export type { RunOutcome, RunTask } from "./sim/experiment/plan.ts";
export type { ScenarioInput } from "./sim/scenario/schema.ts";
export type { ComparisonReport } from "./protocol/result/comparison.ts";
export type { EquilibriumReport } from "./protocol/result/equilibrium.ts";
export type { ReplicationsReport } from "./protocol/result/replications.ts";
export type { SearchReport } from "./protocol/result/search.ts";
export type { SensitivityReport } from "./protocol/result/sensitivity.ts";
export type { SweepReport } from "./protocol/result/sweep.ts";
export { figuresOf } from "./protocol/result/figures.ts";
export type { Figures } from "./protocol/result/figures.ts";
export { findMetric, METRICS } from "./protocol/result/metrics.ts";
export type { Metric } from "./protocol/result/metrics.ts";
// What the commands write: `new XFolder(...)`, `addRun` for every run, `finish(report)`.
export { ComparisonFolder } from "./reports/compare/folder.ts";
export { EquilibriumFolder } from "./reports/equilibrium/folder.ts";
export { ReplicationsFolder } from "./reports/replications/folder.ts";
export { SearchFolder } from "./reports/search/folder.ts";
export { SensitivityFolder } from "./reports/sensitivity/folder.ts";
export { SweepFolder } from "./reports/sweep/folder.ts";

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
export { twinReport } from "./protocol/result/twin.ts";
export type { TwinReport } from "./protocol/result/twin.ts";
export { TwinFolder } from "./reports/twin/folder.ts";
export { performTwin } from "./live/twin/perform.ts";
export type { TwinOptions } from "./live/twin/perform.ts";
export type { TwinRecording } from "./live/twin/recording.ts";
export { evaluateTwin } from "./live/twin/twin.ts";
export type { Twin } from "./live/twin/twin.ts";

// Machines as they were measured.
export { machineProfile, profileJsonSchema } from "./protocol/profile.ts";
export type { MachineProfile } from "./protocol/profile.ts";
export { readMachineProfile } from "./sim/profile/read.ts";
export { readBenchFile } from "./live/bench/import/read.ts";
export { importedProfile } from "./live/bench/import/profile.ts";

// The market's parts: what crosses the wire, and the participants over their environment.
export * as messages from "./protocol/messages.ts";
export { Client } from "./scheduler/client.ts";
export { Node } from "./scheduler/node.ts";
export { Router } from "./scheduler/router.ts";
export type { Decision, Environment, Participant, Random, Runner, RunnerEvent, Telemetry, Timer, Wallet, WalletEvent } from "./scheduler/environment.ts";
