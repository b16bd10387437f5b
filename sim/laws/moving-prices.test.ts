import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ModelOffer } from "../../protocol/messages.ts";
import { HONOUR_US, Node } from "../../scheduler/node.ts";
import { PostedOffers } from "../../scheduler/posted-offers.ts";
import { runScenario } from "../experiment/run.ts";
import type { Scenario } from "../scenario/scenario.ts";
import type { StrategyRule } from "../scenario/sections/strategy.ts";
import { Audit } from "../world/audit.ts";
import { planNodes } from "../world/supply.ts";
import { arbitraryScenario, type Wishes } from "./testing/arbitrary-scenario.ts";
import { type Fault, patch } from "./testing/patches.ts";
import { play } from "./testing/play.ts";
import { firstViolation, inRandomMarkets, must } from "./testing/violation.ts";

const RULES: readonly StrategyRule[] = [
  { kind: "cost-plus", markup: 0.3 }, { kind: "utilisation", target: 0.5, step: 0.2 }, { kind: "undercut", by: 0.05 }, { kind: "truthful" },
  { kind: "epsilon-greedy", grid: [0.6, 1, 1.4], epsilon: 0.3 }, { kind: "exp3", grid: [0.5, 0.8, 1.1], gamma: 0.2 }, { kind: "newsvendor", slotCostMsat: 5, step: 1 }, { kind: "fixed" },
];

/** Random markets whose operators decide every second or so, with marginal costs of up to their prices. */
function movingMarkets(wishes: Wishes = {}): fc.Arbitrary<Scenario> {
  const markets = arbitraryScenario({ router: { marketStateUs: 700_000 }, ...wishes });
  const rules = fc.array(fc.constantFrom(...RULES), { minLength: 4, maxLength: 4 });
  return fc.tuple(markets, rules, fc.integer({ min: 400_000, max: 3_000_000 })).map(([scenario, rule, repriceUs]) => ({
    ...scenario,
    operators: scenario.operators.map((spec, i) => {
      const upTo = (price: number) => (price === 0 ? 0 : { uniform: { min: 0, max: price } });
      const marginalCost = { inputMsatPerMtok: upTo(spec.prices.inputMsatPerMtok), outputMsatPerMtok: upTo(spec.prices.outputMsatPerMtok), fixedMsat: 1, drawn: i % 2 === 0 ? "node" as const : "job" as const };
      return { ...spec, strategy: { rule: rule[i]!, repriceUs, firstUs: null, startSlots: null, marginalCost } };
    }),
  }));
}

/**
 * Prices that move: awards are at prices that their node asked a short while ago at most, and bills at those of the award
 * (both checked by the run itself); no job is turned away for a change of prices; nobody asks less than its marginal cost,
 * but where it keeps the prices that it opened with.
 */
function checkMoves(scenario: Scenario, faults: readonly Fault[] = []): { readonly changes: number; readonly former: number } {
  const plans = planNodes(scenario, scenario.seed);
  const asked: { readonly node: number; readonly offers: readonly ModelOffer[]; readonly atUs: number }[] = [];
  const watched: Fault = () => patch(Audit.prototype, "asks", (original) => function (this: Audit, node, offers, nowUs) {
    asked.push({ node, offers, atUs: nowUs });
    original.call(this, node, offers, nowUs);
  });
  const { seen, world } = play(scenario, { faults: [watched, ...faults] });
  for (const { node, offers } of asked) {
    const { marginalCost: { sheet }, operatorClass, name } = plans[node]!;
    const { kind } = scenario.operators[operatorClass]!.strategy.rule;
    if (kind === "newsvendor") continue;
    for (const { prices } of offers) {
      for (const part of ["inputMsatPerMtok", "outputMsatPerMtok", "fixedMsat"] as const) {
        must(prices[part] >= sheet[part], () => `${name} (${kind}) asks ${prices[part]} where its marginal cost is ${sheet[part]}: ${part}`);
      }
    }
  }
  const latest = new Map<number, (typeof asked)[number]>();
  let next = 0;
  let former = 0;
  for (const entry of seen) {
    for (; next < asked.length && asked[next]!.atUs <= entry.atUs; next++) latest.set(asked[next]!.node, asked[next]!);
    if (entry.kind === "attempt-failed") must(entry.reason !== "price-changed", () => `${entry.jobId} was turned away since prices had changed`);
    if (entry.kind !== "deliver" || entry.message.type !== "award") continue;
    const last = latest.get(entry.peer - world.routers.length);
    const { job, prices } = entry.message;
    const now = last?.offers.find(({ model }) => model === job.model);
    if (last !== undefined && now !== undefined && entry.atUs - last.atUs < HONOUR_US && JSON.stringify(now.prices) !== JSON.stringify(prices)) former++;
  }
  return { changes: asked.length, former };
}

describe("prices that move", () => {
  test("are honoured for a while, billed as awarded, and never below marginal cost in random markets", () => {
    let changes = 0;
    let former = 0;
    inRandomMarkets(movingMarkets(), 40, 31, (scenario) => {
      const found = checkMoves(scenario);
      changes += found.changes;
      former += found.former;
    });
    expect(changes).toBeGreaterThan(1_000);
    // Awards that crossed a change of prices on their way, and were taken all the same.
    expect(former).toBeGreaterThan(10);
  });

  test("are the same for the same seed, down to the last byte of the report", () => {
    for (const scenario of fc.sample(movingMarkets(), { seed: 32, numRuns: 5 })) {
      const digest = (): string => runScenario(scenario).provenance.resultsDigest;
      expect(digest()).toBe(digest());
    }
  });

  const faults: readonly (readonly [string, Fault, RegExp])[] = [
    ["does not honour what it asked before", () => patch(PostedOffers.prototype, "honours", () => () => false), /turned away since prices had changed/],
    ["asks half of what its operator decided", () => patch(Node.prototype, "reprice", (original) => function (this: Node, offers) {
      original.call(this, offers.map((offer) => ({ ...offer, prices: { inputMsatPerMtok: 0, outputMsatPerMtok: offer.prices.outputMsatPerMtok >> 1, fixedMsat: 0 } })));
    }), /where its marginal cost is/],
    ["keeps its new prices from those who watch", () => patch(Audit.prototype, "asks", () => () => {}), /at prices that do not go with what that has asked lately/],
  ];
  test.each(faults)("are seen to be broken by a node that %s", (_, fault, message) => {
    expect(firstViolation(movingMarkets({ churn: { presence: null } }), (scenario) => void checkMoves(scenario, [fault]))).toMatch(message);
  });
});
