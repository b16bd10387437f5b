import type { Descriptor, ModelOffer, PriceSheet } from "../../protocol/messages.ts";
import { distribution } from "../kernel/distributions/index.ts";
import type { Random } from "../kernel/random.ts";
import { RandomStreams } from "../kernel/random.ts";
import { machineOf } from "../scenario/catalogue.ts";
import type { ExchangePath } from "../supply/exchange.ts";
import { drawMarginalCost, energyCost, type MarginalCost, movingEnergyCost, NO_COST, tariffMoves } from "../supply/marginal-cost.ts";
import { SeededNumbers } from "../supply/seeded-numbers.ts";
import type { ChurnSpec, OperatorSpec, QuoteSpec, Scenario, ServiceTimeSpec } from "../scenario/scenario.ts";
import { Arena } from "./engine/arena.ts";
import type { Engine } from "./engine/engine.ts";
import { ServiceTimeEngine } from "./engine/service-time.ts";
import { exchangePathOf } from "./exchange-path.ts";
import { modelEngine } from "./model-engine.ts";
import { type NodeKit, powerOf, type WorkSheet } from "./node-kit.ts";
import { regionAt } from "./regions.ts";

/** A node of the scenario, ready to be built. */
export interface NodePlan {
  readonly name: string;
  /** What its random streams and its keys are derived from: its class and its place there, however many others there are. */
  readonly entity: string;
  /** Place of its class among the scenario's operator classes. */
  readonly operatorClass: number;
  readonly region: string;
  readonly machine: string;
  /** Electrical power of the machine; null where it is not known. */
  readonly power: NodeKit["power"];
  readonly descriptor: Omit<Descriptor, "type" | "node" | "incarnation">;
  /** Whether it is there at the start; others may join. */
  readonly present: boolean;
  /** Its own prices in fiat money; null: it quotes in msat. */
  readonly quote: QuoteSpec | null;
  readonly churn: ChurnSpec;
  /** Node time of a job at full batches. */
  readonly work: WorkSheet;
  /** What one more job costs the operator: private. */
  readonly marginalCost: MarginalCost;
  /** Work of a job from the seed of its own random numbers, µs; null where the engine counts tokens. */
  readonly workUs: ((seed: number) => number) | null;
  /** @param workOf work of the job in this slot of the oracle, µs. */
  engine(workOf: (slot: number) => number): Engine;
}

/** Names, places, prices and engines of all nodes of a scenario, in the order of its operator classes. */
export function planNodes(scenario: Scenario, seed: number): NodePlan[] {
  const streams = new RandomStreams(seed);
  const exchange = exchangePathOf(scenario, seed);
  return scenario.operators.flatMap((spec, operatorClass) => {
    const kit = spec.engine.kind === "service-time" ? serviceTimeKit(spec, spec.engine) : modelEngine(spec, spec.engine);
    const count = spec.supply?.entry?.potential ?? spec.count;
    const energy = spec.strategy.marginalCost === null ? costOfEnergy(spec, kit, exchange) : null;
    return Array.from({ length: count }, (_, i): NodePlan => {
      const name = count === 1 ? spec.name : `${spec.name}-${String(i).padStart(String(count - 1).length, "0")}`;
      const entity = `${spec.name}/${i}`;
      const factor = priceFactor(spec, streams.stream("node", entity, "price"));
      const prices = pricesOf(spec, factor);
      return {
        name,
        entity,
        operatorClass,
        region: regionAt(spec.regions, i, count),
        machine: kit.machine,
        power: kit.power,
        present: i < spec.count,
        quote: quoteOf(spec, factor),
        churn: spec.churn,
        work: kit.work,
        marginalCost: energy ?? drawMarginalCost(spec.strategy.marginalCost!, streams.stream("node", entity, "marginal cost"), exchange),
        workUs: kit.workUs,
        engine: kit.engine,
        descriptor: {
          region: regionAt(spec.regions, i, count),
          machine: kit.machine,
          engine: spec.engine.kind,
          slots: kit.slots,
          queueLimit: spec.queueLimit,
          kvTokensMax: kit.kvTokensMax,
          stakeMsat: spec.stakeMsat,
          attested: spec.attested,
          offers: kit.offers.map((offer): ModelOffer => ({ ...offer, prices })),
        },
      };
    });
  });
}

/** What a node's share of a full batch draws beyond idling, at the price of the moment; nothing where that is not known. */
function costOfEnergy({ supply, electricityMsatPerKwh }: OperatorSpec, { power, work }: NodeKit, exchange: ExchangePath): MarginalCost {
  if (power === null || electricityMsatPerKwh === null) return NO_COST;
  const tariff = supply?.tariff ?? null;
  if (tariff === null || !tariffMoves(tariff, exchange)) return { sheet: energyCost(power, work, electricityMsatPerKwh), ofJob: null, moving: null };
  const moving = movingEnergyCost(power, work, tariff, exchange);
  return { sheet: moving.at(0), ofJob: null, moving };
}

function priceFactor({ priceSpreadCv }: OperatorSpec, random: Random): number {
  return priceSpreadCv === 0 ? 1 : distribution({ lognormal: { mean: 1, cv: priceSpreadCv } }).sample(random);
}

function quoteOf({ supply }: OperatorSpec, factor: number): QuoteSpec | null {
  const quote = supply?.quote ?? null;
  if (quote === null) return null;
  return {
    ...quote,
    inputUnitsPerMtok: Math.round(quote.inputUnitsPerMtok * factor), outputUnitsPerMtok: Math.round(quote.outputUnitsPerMtok * factor), fixedUnits: Math.round(quote.fixedUnits * factor),
  };
}

/** Prices in whole msat: a node's own factor on the class's. */
function pricesOf(spec: OperatorSpec, factor: number): PriceSheet {
  if (factor === 1) return spec.prices;
  return {
    inputMsatPerMtok: Math.round(spec.prices.inputMsatPerMtok * factor),
    outputMsatPerMtok: Math.round(spec.prices.outputMsatPerMtok * factor),
    fixedMsat: Math.round(spec.prices.fixedMsat * factor),
  };
}

function serviceTimeKit(spec: OperatorSpec, engine: ServiceTimeSpec): NodeKit {
  const service = distribution(engine.serviceUs);
  const numbers = new SeededNumbers();
  const machine = machineOf(spec);
  const arena = new Arena();
  return {
    machine: machine?.name ?? "service-time server",
    power: powerOf(machine),
    slots: engine.slots,
    kvTokensMax: 2 ** 31 - 1,
    work: { fixedUs: service.mean / engine.rates[engine.slots - 1]!, inputUs: 0, outputUs: 0 },
    workUs: (seed) => Math.max(0, service.sample(numbers.from(seed))),
    engine: (workOf) => new ServiceTimeEngine({ slots: engine.slots, discipline: engine.discipline, rates: engine.rates, work: workOf }, arena),
    // Its speed is not a matter of tokens; a job of any length takes the mean service time.
    offers: spec.models.map((model) => ({
      model, contextTokensMax: 2 ** 31 - 1, prefillTokensPerS: 1e9, decodeTokensPerS: Math.min(1e9, 1e6 / Math.max(1e-3, service.mean)),
    })),
  };
}
