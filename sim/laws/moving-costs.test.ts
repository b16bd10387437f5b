import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PriceSheet } from "../../protocol/messages.ts";
import { costMsat } from "../../protocol/units.ts";
import { Operator } from "../../scheduler/strategy/operator.ts";
import { Welfare } from "../experiment/welfare/accounts.ts";
import { runScenario } from "../experiment/run.ts";
import type { Scenario } from "../scenario/scenario.ts";
import type { StrategyRule } from "../scenario/sections/strategy.ts";
import { msatOf } from "../supply/amount.ts";
import { energyCost } from "../supply/marginal-cost.ts";
import { tariffAt } from "../supply/tariff.ts";
import { Audit } from "../world/audit.ts";
import { exchangePathOf } from "../world/exchange-path.ts";
import { planNodes } from "../world/supply.ts";
import { arbitraryScenario } from "./testing/arbitrary-scenario.ts";
import { type Fault, patch } from "./testing/patches.ts";
import { play } from "./testing/play.ts";
import { firstViolation, inRandomMarkets, must } from "./testing/violation.ts";

const SECOND_US = 1_000_000;
const RULES: readonly StrategyRule[] = [
  { kind: "cost-plus", markup: 0.3 }, { kind: "truthful" }, { kind: "utilisation", target: 0.5, step: 0.2 }, { kind: "undercut", by: 0.05 }, { kind: "epsilon-greedy", grid: [0.6, 1.4], epsilon: 0.3 },
];

/** Random markets, seconds long, in which electricity and the dollar change every few seconds, and operators decide as often. */
const markets: fc.Arbitrary<Scenario> = fc.record({
  scenario: arbitraryScenario({ scenario: { warmupUs: 0, drain: true }, router: { marketStateUs: 700_000 }, churn: { presence: null } }),
  kinds: fc.array(fc.record({
    rule: fc.constantFrom(...RULES), perKwh: fc.integer({ min: 100_000, max: 50_000_000 }), times: fc.integer({ min: 2, max: 6 }), currency: fc.constantFrom("msat" as const, "USD" as const),
    stated: fc.constantFrom(null, "node" as const, "job" as const), repriceUs: fc.integer({ min: 300_000, max: 2_000_000 }),
  }), { minLength: 4, maxLength: 4 }),
}).map(({ scenario, kinds }) => ({
  ...scenario,
  exchangeRates: [{ currency: "USD", msatPerUnit: 1_000_000 }],
  exchange: { moves: { kind: "gbm", driftPerYear: 0, volatility: 300, everyUs: 2 * SECOND_US }, fiatOperators: scenario.operators.map(() => true), fiatClients: scenario.clients.map(() => false) },
  operators: scenario.operators.map((spec, i) => {
    const { rule, perKwh, times, currency, stated, repriceUs } = kinds[i]!;
    const tariff = { steps: [{ atUs: 0, perKwh: { currency, units: perKwh } }, { atUs: 2_500_000, perKwh: { currency, units: perKwh * times } }], periodUs: 6 * SECOND_US };
    const marginalCost = stated === null ? null : {
      inputMsatPerMtok: 5_000, outputMsatPerMtok: { uniform: { min: 0, max: spec.prices.outputMsatPerMtok + 1 } }, fixedMsat: 1, drawn: stated, inFiat: [false, true, false] as const,
    };
    return {
      ...spec, electricityMsatPerKwh: perKwh, supply: { costs: null, tariff, quote: null, entry: null },
      strategy: { rule, repriceUs, firstUs: null, startSlots: null, marginalCost },
    };
  }),
}));

/**
 * Costs that move: nobody asks less than its cost at the moment of asking, and the accounts hold for every job what it cost
 * when it was served. What tariff and rate make of energy is worked out here anew.
 */
function checkCosts(scenario: Scenario, faults: readonly Fault[] = []): { readonly served: number; readonly differ: number; readonly slope: number | null } {
  const plans = planNodes(scenario, scenario.seed);
  const exchange = exchangePathOf(scenario, scenario.seed);
  const sheetOf = (node: number, jobId: string | null, atUs: number): PriceSheet => {
    const { operatorClass, power, work, marginalCost } = plans[node]!;
    const { strategy, supply } = scenario.operators[operatorClass]!;
    if (strategy.marginalCost !== null) return (jobId === null ? null : marginalCost.ofJob?.(jobId, atUs)) ?? marginalCost.moving!.at(atUs);
    return power === null ? { inputMsatPerMtok: 0, outputMsatPerMtok: 0, fixedMsat: 0 } : energyCost(power, work, msatOf(tariffAt(supply!.tariff!, atUs), exchange.ratesAt(atUs)));
  };
  const watched: Fault = () => patch(Audit.prototype, "asks", (original) => function (this: Audit, node, offers, nowUs) {
    const cost = sheetOf(node, null, nowUs);
    for (const { prices } of offers) {
      for (const part of ["inputMsatPerMtok", "outputMsatPerMtok", "fixedMsat"] as const) {
        must(prices[part] >= cost[part], () => `${plans[node]!.name} asks ${prices[part]} where its marginal cost is ${cost[part]}: ${part}`);
      }
    }
    original.call(this, node, offers, nowUs);
  });
  const { report: { welfare, structure }, rows } = play(scenario, { faults: [watched, ...faults] });
  const nodes = new Map(plans.map(({ name }, node) => [name, node]));
  let expectedMsat = 0;
  let differ = 0;
  const served = rows.filter(({ finishedUs }) => finishedUs >= 0);
  for (const { job, node, finishedUs, inputTokens, outputTokens } of served) {
    const at = (us: number): number => costMsat(sheetOf(nodes.get(node)!, job, us), inputTokens, outputTokens);
    expectedMsat += at(finishedUs);
    if (at(finishedUs) !== at(0)) differ++;
  }
  must(welfare!.costMsat === expectedMsat, () => `the accounts have costs of ${welfare!.costMsat} msat; what was served cost ${expectedMsat} msat at its time`);
  return { served: served.length, differ, slope: structure.passThrough.slope };
}

describe("law: costs that move are those of their time, for operators and for the accounts", () => {
  test("in random markets with tariffs, rates, and costs drawn by node and by job; and the accounts add up", () => {
    let differ = 0;
    let slopes = 0;
    inRandomMarkets(markets, 40, 41, (scenario) => {
      const checked = checkCosts(scenario);
      differ += checked.differ;
      if (checked.slope !== null) slopes++;
    });
    expect(differ).toBeGreaterThan(300);
    expect(slopes).toBeGreaterThan(10);
  });

  test("the same again gives the same bytes", () => {
    for (const scenario of fc.sample(markets, { seed: 42, numRuns: 4 })) {
      expect(runScenario(scenario).provenance.resultsDigest).toBe(runScenario(structuredClone(scenario)).provenance.resultsDigest);
    }
  });

  test.each<[string, RegExp, Fault]>([
    ["accounts that keep the costs of the start", /the accounts have costs of/, () => patch(Welfare.prototype, "delivered", (original) => function (this: Welfare, slot, _, node, inputTokens, outputTokens) {
      original.call(this, slot, 0, node, inputTokens, outputTokens);
    })],
    ["operators who read an old meter", /asks \d+ where its marginal cost is \d+/, () => patch(Operator.prototype, "decide", (original) => {
      const before = new WeakMap<Operator, Operator["offers"]>();
      return function (this: Operator, nowUs) {
        const changed = original.call(this, nowUs);
        const offers = before.get(this) ?? this.offers;
        before.set(this, this.offers);
        Object.defineProperty(this, "offers", { configurable: true, get: () => offers });
        return changed;
      };
    })],
  ])("is seen to be broken by %s", (_, how, fault) => {
    // Where waiting costs nothing, a result that seems to arrive too early changes nothing but its cost.
    const patient = markets.map((scenario) => ({ ...scenario, clients: scenario.clients.map((spec) => ({ ...spec, worth: { ...spec.worth, delayMsatPerS: 0 } })) }));
    expect(firstViolation(patient, (scenario) => void checkCosts(scenario, [fault]))).toMatch(how);
  });
});
