import type { Scenario } from "../scenario/scenario.ts";
import type { NodePlan } from "../world/supply.ts";
import type { RecorderSetup } from "./recorder/setup.ts";

/** What the recorder has to know of a scenario's market before the first fact, in whichever world it plays. */
export function recordedMarket(scenario: Scenario, plans: readonly NodePlan[]): Pick<RecorderSetup, "horizonUs" | "warmupUs" | "clientClasses" | "operatorClasses" | "nodes"> {
  return {
    horizonUs: scenario.horizonUs,
    warmupUs: scenario.warmupUs,
    clientClasses: scenario.clients.map(({ name, latencyGoal }) => ({ name, goals: latencyGoal })),
    operatorClasses: scenario.operators.map(({ name }) => ({ name })),
    nodes: plans.map((plan) => ({
      name: plan.name,
      operatorClass: plan.operatorClass,
      region: plan.region,
      machine: plan.machine,
      model: plan.descriptor.offers.map((offer) => offer.model).join(" "),
      slots: plan.descriptor.slots,
      kvTokensMax: plan.descriptor.kvTokensMax,
      inputMsatPerMtok: plan.descriptor.offers[0]!.prices.inputMsatPerMtok,
      outputMsatPerMtok: plan.descriptor.offers[0]!.prices.outputMsatPerMtok,
      power: plan.power,
      present: plan.present,
      electricityMsatPerKwh: scenario.operators[plan.operatorClass]!.electricityMsatPerKwh,
    })),
  };
}
