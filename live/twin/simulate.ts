import type { JobRow, RunReport } from "../../protocol/result.ts";
import { runScenario } from "../../sim/experiment/run.ts";
import type { Scenario } from "../../sim/scenario/scenario.ts";
import type { EngineSpec, HostSpec } from "../../sim/scenario/scenario.ts";
import { llamaCppEngine } from "../../sim/world/engine/llama-cpp.ts";
import type { NodePlan } from "../../sim/world/supply.ts";
import type { PlannedJob } from "../../sim/world/planned-jobs.ts";
import type { Calibration } from "./calibrate.ts";
import type { TimedDecision } from "./facts.ts";

/** What came of the simulated side. */
export interface Simulated {
  readonly report: RunReport;
  readonly rows: readonly JobRow[];
  readonly decisions: readonly TimedDecision[];
  /** What was played: the scenario with what was measured. */
  readonly scenario: Scenario;
}

/** The scenario as the simulation is to play it: on one host, where each class loses what it was found to, with the delays that were measured on this machine. */
export function calibratedScenario(scenario: Scenario, calibration: Calibration, cores: number): Scenario {
  const { toRouter, toNode, toClient } = calibration.legsUs;
  const legUs = Math.round((toRouter + toNode + toClient) / 3);
  const { all, byClass } = calibration.shares;
  const host: HostSpec = { name: "this-machine", cores, usedCores: 0, ...all };
  return {
    ...scenario,
    network: { ...scenario.network, latencyUs: legUs, sameRegionUs: legUs, between: [], jitterCv: 0, signingUs: 0, verifyingUs: 0 },
    payment: { ...scenario.payment, latencyUs: Math.round(calibration.paymentUs) },
    hosts: [host],
    operators: scenario.operators.map((operator, i) => ({ ...operator, host: host.name, hostShares: byClass[i] ?? all })),
  };
}

/** Nodes as they said of themselves what they are, with engines as fast as they were found. */
export function calibratedPlans(scenario: Scenario, plans: readonly NodePlan[], calibration: Calibration): NodePlan[] {
  return plans.map((plan, node) => {
    const engine = scenario.operators[plan.operatorClass]!.engine as Extract<EngineSpec, { kind: "llama.cpp" }>;
    const { cost } = calibration.nodes[node]!;
    const { slots, kvTokensMax, offers } = plan.descriptor;
    return { ...plan, engine: () => llamaCppEngine({ cost, slots, kvTokensMax, contextTokens: offers[0]!.contextTokensMax, batchTokens: engine.batchTokens }) };
  });
}

/** Plays the workload in the simulation. @param scenario see {@link calibratedScenario}; @param plans see {@link calibratedPlans} */
export function simulate(scenario: Scenario, seed: number, plans: readonly NodePlan[], jobs: readonly PlannedJob[], sets: readonly string[]): Simulated {
  const rows: JobRow[] = [];
  const decisions: TimedDecision[] = [];
  const report = runScenario(scenario, {
    seed, plans, sets, realKeys: true, onJobRow: (row) => void rows.push({ ...row }),
    explain: new Set(jobs.map(({ request }) => request.jobId)), onDecision: (decision, atUs) => void decisions.push({ atUs, decision }),
  });
  return { report, rows, decisions, scenario };
}
