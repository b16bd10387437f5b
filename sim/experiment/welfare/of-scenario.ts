import type { JobId } from "../../../protocol/messages.ts";
import { costMsat } from "../../../protocol/units.ts";
import { distribution } from "../../kernel/distributions/index.ts";
import { type ClientSpec, type Scenario, unlimitedMsat } from "../../scenario/scenario.ts";
import { mayServe } from "../../world/audit.ts";
import type { NodePlan } from "../../world/supply.ts";
import { Welfare } from "./accounts.ts";
import { planningWindowUs } from "./setup.ts";

/**
 * The welfare accounts of a run; undefined where a client class does not say what its jobs are worth to it.
 * @param jobIdOf the id of the job in a slot, while it holds it.
 */
export function welfareOf(scenario: Scenario, plans: readonly NodePlan[], seed: number, jobIdOf: (slot: number) => JobId): Welfare | undefined {
  if (!scenario.clients.every(statesValues)) return undefined;
  const sheets = plans.map(({ marginalCost }) => marginalCost.sheet);
  const moving = plans.map(({ marginalCost }) => marginalCost.moving);
  // Nodes of a class follow the same tariff and the same rates.
  const movers = scenario.operators.flatMap((_, operatorClass) => moving.find((cost, node) => plans[node]!.operatorClass === operatorClass && cost !== null) ?? []);
  const sheetAt = movers.length === 0 ? (node: number) => sheets[node]! : (node: number, atUs: number) => moving[node]?.at(atUs) ?? sheets[node]!;
  return new Welfare({
    seed,
    warmupUs: scenario.warmupUs,
    horizonUs: scenario.horizonUs,
    windowUs: planningWindowUs(scenario.clients.map(({ patienceUs }) => distribution(patienceUs).mean), scenario.horizonUs - scenario.warmupUs),
    clientClasses: scenario.clients.map((client) => {
      const offers = plans.map((plan) => (mayServe(client, plan) ? plan.descriptor.offers.find(({ model }) => model === client.model) : undefined));
      return {
        name: client.name,
        nodes: offers.flatMap((offer, node) => (offer === undefined ? [] : [node])),
        tokensMax: offers.reduce((most, offer) => Math.max(most, offer?.contextTokensMax ?? 0), 0),
        delayMsatPerS: client.worth.delayMsatPerS,
      };
    }),
    operatorClasses: scenario.operators.map(({ name }) => ({ name })),
    nodes: plans.map((plan, node) => {
      const { inputMsatPerMtok, outputMsatPerMtok, fixedMsat } = sheets[node]!;
      return { operatorClass: plan.operatorClass, work: plan.work, costKey: moving[node]?.key ?? `${inputMsatPerMtok} ${outputMsatPerMtok} ${fixedMsat}`, asked: plan.descriptor.offers[0]!.prices };
    }),
    costMsat: (node, inputTokens, outputTokens, atUs) => costMsat(sheetAt(node, atUs), inputTokens, outputTokens),
    ...(movers.length === 0 ? {} : { nextCostUs: (timeUs: number) => movers.reduce((next, cost) => Math.min(next, cost.nextChangeUs(timeUs)), Infinity) }),
    ...(plans.some(({ marginalCost }) => marginalCost.ofJob !== null) ? {
      costOfJobMsat: (slot: number, node: number, inputTokens: number, outputTokens: number, atUs: number) =>
        costMsat(plans[node]!.marginalCost.ofJob?.(jobIdOf(slot), atUs) ?? sheetAt(node, atUs), inputTokens, outputTokens),
    } : {}),
  });
}

function statesValues({ worth, maxPriceMsat }: ClientSpec): boolean {
  return worth.valueMsat !== null ? worth.valueMsat !== unlimitedMsat : maxPriceMsat !== unlimitedMsat;
}
