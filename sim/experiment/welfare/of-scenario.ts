import { costMsat } from "../../../protocol/units.ts";
import { distribution } from "../../kernel/distributions/index.ts";
import { type ClientSpec, type Scenario, unlimitedMsat } from "../../scenario/scenario.ts";
import { mayServe } from "../../world/audit.ts";
import type { NodePlan } from "../../world/supply.ts";
import { Welfare } from "./accounts.ts";
import { planningWindowUs } from "./setup.ts";

/** What a node's jobs cost it while nothing else is stated. */
const NO_COSTS = { inputMsatPerMtok: 0, outputMsatPerMtok: 0, fixedMsat: 0 };

/** The welfare accounts of a run; undefined where a client class does not say what its jobs are worth to it. */
export function welfareOf(scenario: Scenario, plans: readonly NodePlan[], seed: number): Welfare | undefined {
  if (!scenario.clients.every(statesValues)) return undefined;
  const sheets = plans.map(() => NO_COSTS);
  return new Welfare({
    seed,
    warmupUs: scenario.warmupUs,
    horizonUs: scenario.horizonUs,
    windowUs: planningWindowUs(scenario.clients.map(({ patienceUs }) => distribution(patienceUs).mean), scenario.horizonUs - scenario.warmupUs),
    clientClasses: scenario.clients.map((client) => ({
      name: client.name,
      nodes: plans.flatMap((plan, node) => (mayServe(client, plan) && plan.descriptor.offers.some(({ model }) => model === client.model) ? [node] : [])),
      delayMsatPerS: client.worth.delayMsatPerS,
    })),
    operatorClasses: scenario.operators.map(({ name }) => ({ name })),
    nodes: plans.map((plan, node) => {
      const { inputMsatPerMtok, outputMsatPerMtok, fixedMsat } = sheets[node]!;
      return { operatorClass: plan.operatorClass, work: plan.work, costKey: `${inputMsatPerMtok} ${outputMsatPerMtok} ${fixedMsat}`, asked: plan.descriptor.offers[0]!.prices };
    }),
    costMsat: (node, inputTokens, outputTokens) => costMsat(sheets[node]!, inputTokens, outputTokens),
  });
}

function statesValues({ worth, maxPriceMsat }: ClientSpec): boolean {
  return worth.valueMsat !== null ? worth.valueMsat !== unlimitedMsat : maxPriceMsat !== unlimitedMsat;
}
