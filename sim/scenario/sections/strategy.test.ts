import { describe, expect, test } from "vitest";
import { loadScenario } from "../load.ts";
import type { Scenario } from "../scenario.ts";
import { messageOf } from "../testing/sound-scenario.ts";

const source = `
name: strategy
question: How do operators of this class set their prices?
horizon: 1h
operators:
  - name: gpu
    machine: RTX 4090
    model: llama-3.1-8b:q4_k_m
    price: {output: 60 sat/Mtok}
clients:
  - {name: c, model: llama-3.1-8b:q4_k_m, arrivals: {poisson: {rate: 1/s}}, inputTokens: 10, outputTokens: 10}
`;
const load = (...sets: readonly string[]): Scenario => loadScenario(source, "a.yaml", { sets }).scenario;
const strategy = (...sets: readonly string[]) => load(...sets).operators[0]!.strategy;

describe("strategies", () => {
  test.each([
    ["fixed", { kind: "fixed" }],
    ["truthful", { kind: "truthful" }],
    ["cost-plus", { kind: "cost-plus", markup: 0.2 }],
    ["{cost-plus: {markup: 150 %}}", { kind: "cost-plus", markup: 1.5 }],
    ["utilisation", { kind: "utilisation", target: 0.7, step: 0.05 }],
    ["{undercut: {by: 2 %}}", { kind: "undercut", by: 0.02 }],
    ["{equilibrium-bid: {bidders: 5, costs: {uniform: {min: 0 msat, max: 1 sat}}}}", { kind: "equilibrium-bid", bidders: 5, costMsat: { uniform: { min: 0, max: 1_000 } } }],
    ["{epsilon-greedy: {grid: [50 %, 1.25]}}", { kind: "epsilon-greedy", grid: [0.5, 1.25], epsilon: 0.1 }],
    ["{exp3: {grid: {from: 10 %, to: 90 %, steps: 9}, gamma: 5 %}}", { kind: "exp3", grid: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9], gamma: 0.05 }],
    ["{cournot: {slope: 0.5 sat}}", { kind: "cournot", slopeMsat: 500, speed: 0.3 }],
    ["{newsvendor: {slotCost: 2 sat, start: 7}}", { kind: "newsvendor", slotCostMsat: 2_000, step: 1 }],
  ])("%s", (written, rule) => {
    expect(strategy(`operators.gpu.strategy=${written}`).rule).toEqual(rule);
  });

  test("decide every ten minutes, at times drawn for each node, and start with all slots, unless it is said otherwise", () => {
    expect(strategy()).toMatchObject({ repriceUs: 600_000_000, firstUs: null, startSlots: null });
    expect(strategy("operators.gpu.reprice={every: 1min, first: 5s}", "operators.gpu.strategy={newsvendor: {slotCost: 0, start: 7}}")).toMatchObject({ repriceUs: 60_000_000, firstUs: 5_000_000, startSlots: 7 });
  });

  test("take what bidders believe of costs from the operator's own, where it is not said", () => {
    expect(strategy("operators.gpu.marginalCost={fixed: {exponential: {mean: 1 sat}}, drawn: job}", "operators.gpu.strategy={equilibrium-bid: {bidders: 3}}")).toMatchObject({
      rule: { costMsat: { exponential: { mean: 1_000 } } }, marginalCost: { fixedMsat: { exponential: { mean: 1_000 } }, inputMsatPerMtok: 0, drawn: "job" },
    });
  });

  test("marginal cost is the electricity's, none, or as stated", () => {
    expect(strategy().marginalCost).toBe(null);
    expect(strategy("operators.gpu.marginalCost=none").marginalCost).toEqual({ inputMsatPerMtok: 0, outputMsatPerMtok: 0, fixedMsat: 0, drawn: "node" });
    expect(strategy("operators.gpu.marginalCost={output: {uniform: {min: 1 sat/Mtok, max: 3 sat/Mtok}}}").marginalCost).toEqual({ inputMsatPerMtok: 0, outputMsatPerMtok: { uniform: { min: 1_000, max: 3_000 } }, fixedMsat: 0, drawn: "node" });
  });

  test.each([
    ["undercut by nothing", "{undercut: {by: 0 %}}", "operators[0].strategy.undercut.by: found \"0 %\"; allowed: more than 0 % and less than 100 %"],
    ["a grid the wrong way round", "{exp3: {grid: {from: 2, to: 1}}}", "operators[0].strategy.exp3.grid.to: found 1; allowed: more than from, 2"],
    ["bids without a belief", "{equilibrium-bid: {bidders: 3}}", "operators[0].strategy.equilibrium-bid.costs: found nothing; allowed: what a job costs the bidders, here or as `marginalCost.fixed`"],
    ["a price of nothing in the grid", "{epsilon-greedy: {grid: [0]}}", "operators[0].strategy.epsilon-greedy.grid[0]"],
    ["a name that is none", "undercutting", "operators[0].strategy"],
  ])("%s is refused with what is allowed", (_, written, message) => {
    expect(messageOf(() => load(`operators.gpu.strategy=${written}`))).toContain(message);
  });
});
