import fc from "fast-check";
import { expect, test } from "vitest";
import { runScenario } from "../experiment/run.ts";
import type { OperatorSpec, Scenario, SupplySpec } from "../scenario/scenario.ts";
import { arbitraryScenario } from "./testing/arbitrary-scenario.ts";

const SECOND = 1_000_000;
const YEAR = 31_557_600 * SECOND;

const amount = fc.record({ currency: fc.constantFrom("msat" as const, "USD" as const, "EUR" as const), units: fc.integer({ min: 1, max: 5_000_000 }) });
const supply: fc.Arbitrary<SupplySpec> = fc.record({
  costs: fc.option(fc.record({
    machine: fc.oneof(
      fc.constant(null),
      amount.map((perHour) => ({ kind: "rented" as const, perHour })),
      amount.map((price) => ({ kind: "owned" as const, price, residual: { ...price, units: Math.floor(price.units / 5) }, lifeUs: 3 * YEAR, maintenancePpmPerYear: 20_000, failurePpmPerYear: 10_000 })),
    ),
    capitalPpmPerYear: fc.constantFrom(0, 60_000), bandwidthPerGb: fc.option(amount, { nil: null }), bytesPerToken: fc.constantFrom(0, 100),
  }), { nil: null }),
  tariff: fc.option(amount.map((perKwh) => ({ steps: [{ atUs: 0, perKwh }, { atUs: 2 * SECOND, perKwh: { ...perKwh, units: perKwh.units * 3 } }], periodUs: 5 * SECOND })), { nil: null }),
  quote: fc.option(fc.record({
    currency: fc.constantFrom("USD" as const, "EUR" as const), everyUs: fc.integer({ min: SECOND / 2, max: 5 * SECOND }),
    inputUnitsPerMtok: fc.integer({ min: 0, max: 100_000 }), outputUnitsPerMtok: fc.integer({ min: 0, max: 300_000 }), fixedUnits: fc.integer({ min: 0, max: 30 }),
  }), { nil: null }),
  entry: fc.option(fc.record({
    potential: fc.constant(6), outsidePerHour: amount, outsideCv: fc.constantFrom(0, 0.5), everyUs: fc.integer({ min: SECOND, max: 5 * SECOND }), delayUs: fc.integer({ min: 0, max: 3 * SECOND }),
    exitDelayUs: fc.integer({ min: 0, max: 3 * SECOND }), memoryUs: fc.integer({ min: SECOND, max: 10 * SECOND }), announced: fc.boolean(),
  }), { nil: null }),
});

/** A market in which everything about supply moves. */
const moving: fc.Arbitrary<Scenario> = fc.record({ scenario: arbitraryScenario(), supplies: fc.array(supply, { minLength: 4, maxLength: 4 }), volatility: fc.constantFrom(0.5, 50) }).map(({ scenario, supplies, volatility }) => ({
  ...scenario,
  exchangeRates: [{ currency: "USD", msatPerUnit: 1_000_000 }, { currency: "EUR", msatPerUnit: 1_100_000 }],
  exchange: {
    moves: { kind: "gbm", driftPerYear: 0, volatility, everyUs: SECOND }, fiatOperators: scenario.operators.map((_, i) => i % 2 === 0), fiatClients: scenario.clients.map((_, i) => i % 2 === 0),
  },
  operators: scenario.operators.map((spec, i): OperatorSpec => ({ ...spec, supply: supplies[i]!, electricityMsatPerKwh: supplies[i]!.tariff === null ? null : 100_000 })),
}));

const runs = Number(fc.readConfigureGlobal()?.numRuns ?? 60);

test("every law holds while tariffs and rates move, prices are posted anew, and operators come and go with churn of their own", () => {
  let joins = 0;
  let leaves = 0;
  let requotes = 0;
  fc.assert(fc.property(moving, (scenario) => {
    const report = runScenario(scenario);
    joins += report.supply!.entry.reduce((sum, of) => sum + of.joins, 0);
    leaves += report.supply!.entry.reduce((sum, of) => sum + of.leaves, 0);
    requotes += report.supply!.exchange!.requotes;
    report.supply!.nodes.forEach((account, n) => expect(account.revenueMsat).toBe(report.nodes[n]!.revenueMsat));
  }), { seed: 1, numRuns: runs });
  expect(Math.min(joins, leaves, requotes)).toBeGreaterThan(runs / 4);
});

test("the same again gives the same bytes", () => {
  fc.assert(fc.property(moving, (scenario) => {
    expect(runScenario(scenario).provenance.resultsDigest).toBe(runScenario(structuredClone(scenario)).provenance.resultsDigest);
  }), { seed: 2, numRuns: 8 });
});

test("what things cost changes no job: keeping accounts only watches", () => {
  fc.assert(fc.property(arbitraryScenario(), supply, (scenario, { costs, tariff, entry }) => {
    const rates = { ...scenario, exchangeRates: [{ currency: "USD", msatPerUnit: 1_000_000 }, { currency: "EUR", msatPerUnit: 1_100_000 }] } as const;
    const watched: Scenario = {
      ...rates,
      operators: scenario.operators.map((spec) => ({
        ...spec,
        // Operators who could come and go, and do not think of it before the end.
        supply: { costs, tariff, quote: null, entry: entry === null ? null : { ...entry, potential: spec.count, everyUs: scenario.horizonUs } },
      })),
    };
    expect(runScenario(watched).jobRows).toEqual(runScenario(rates).jobRows);
  }), { seed: 3, numRuns: 20 });
});
