import { feeMsat } from "../../protocol/units.ts";
import { windowWidthUs } from "../experiment/recorder/windows.ts";
import type { OperatorSpec, Scenario } from "../scenario/scenario.ts";
import { msat } from "../supply/amount.ts";
import { type BookClass, SupplyBook } from "../supply/book.ts";
import { flatTariff } from "../supply/tariff.ts";
import { exchangePathOf } from "./exchange-path.ts";
import type { NodePlan } from "./supply.ts";

/** The operators' accounts of a scenario; undefined where it says nothing of their costs, and its rates stand still. */
export function supplyBookOf(scenario: Scenario, plans: readonly NodePlan[], seed: number): SupplyBook | undefined {
  if (scenario.exchange === null && scenario.operators.every((spec) => spec.supply === null && spec.electricityMsatPerKwh === null)) return undefined;
  const { fee } = scenario.router;
  const { exchange } = scenario;
  return new SupplyBook({
    warmupUs: scenario.warmupUs,
    horizonUs: scenario.horizonUs,
    windowUs: windowWidthUs(scenario.horizonUs),
    operatorClasses: scenario.operators.map((spec, index) => bookClass(spec, plans.find((plan) => plan.operatorClass === index)?.power ?? null, exchange?.fiatOperators[index] ?? false)),
    clientClasses: scenario.clients.map(({ name }, index) => ({ name, inFiat: exchange?.fiatClients[index] ?? false })),
    nodes: plans.map(({ operatorClass, present }) => ({ operatorClass, present })),
    exchange: exchangePathOf(scenario, seed),
    operatorFeeMsat: fee.bearer === "operator" ? (amount) => feeMsat(fee, amount) : () => 0,
  });
}

function bookClass(spec: OperatorSpec, power: NodePlan["power"], inFiat: boolean): BookClass {
  const costs = spec.supply?.costs ?? null;
  const tariff = spec.supply?.tariff ?? (spec.electricityMsatPerKwh === null ? null : flatTariff(msat(spec.electricityMsatPerKwh)));
  return {
    name: spec.name,
    model: {
      machine: costs?.machine ?? null,
      capitalPpmPerYear: costs?.capitalPpmPerYear ?? 0,
      stakeMsat: spec.stakeMsat,
      power: power === null ? null : { idleMilliwatts: Math.round(power.idleWatts * 1000), loadMilliwatts: Math.round(power.loadWatts * 1000) },
      bandwidthPerGb: costs?.bandwidthPerGb ?? null,
      bytesPerToken: costs?.bytesPerToken ?? 0,
    },
    tariff,
    // Power is part of most rents, unless a price is stated.
    unknown: [...((power === null || tariff === null) && costs?.machine?.kind !== "rented" ? ["electricity"] : []), ...(costs?.machine === undefined || costs.machine === null ? ["machine"] : [])],
    inFiat,
  };
}
