import { describe, expect, test } from "vitest";
import type { CallForBids, JobRequest, ModelOffer } from "../../protocol/messages.ts";
import { Operator, type OperatorOptions } from "./operator.ts";
import { flat, randomOf } from "./testing/observation.ts";

const S = 1_000_000;
const offer = (model: string, fixedMsat = 100): ModelOffer => ({ model, prices: flat(fixedMsat), contextTokensMax: 100, prefillTokensPerS: 1, decodeTokensPerS: 1 });
const start = (options: Partial<OperatorOptions> & Pick<OperatorOptions, "strategy">, offers = [offer("m")]): Operator => {
  const operator = new Operator("a".repeat(64), { offers, slots: 4 }, { repriceUs: S, cost: flat(10), ...options }, () => randomOf(1));
  operator.start(0);
  return operator;
};
const asked = (operator: Operator): number[] => operator.offers.map(({ prices }) => prices.fixedMsat);

describe("an operator", () => {
  test("knows how busy it was, slot by slot and to the microsecond", () => {
    const operator = start({ strategy: { kind: "utilisation", target: 0.5, step: 0.1 } });
    // Two of four slots for all of the second: at the target.
    operator.held(1, 0);
    operator.held(1, 0);
    expect(operator.decide(S)).toBe(false);
    expect(asked(operator)).toEqual([100]);
    // Now four of four for half of it, and none for the other half, which is the target again.
    operator.held(1, S);
    operator.held(1, S);
    for (let i = 0; i < 4; i++) operator.held(-1, S + S / 2);
    expect(operator.decide(2 * S)).toBe(false);
    // None at all.
    expect(operator.decide(3 * S)).toBe(true);
    expect(asked(operator)).toEqual([90]);
  });

  test("learns of each model by what that model earned, less what its jobs cost", () => {
    const costOf = (jobId: string) => flat(jobId === "dear" ? 95 : 10);
    // Three tries each, 50, 100, 150; then the best.
    const operator = start({ strategy: { kind: "epsilon-greedy", grid: [0.5, 1, 1.5], epsilon: 0 }, costOf }, [offer("m"), offer("other")]);
    const earned: Record<string, readonly (readonly [string, number])[]> = { m: [["a", 50], ["dear", 100], ["b", 20]], other: [["a", 20], ["b", 70], ["c", 80]] };
    expect(operator.decide(S)).toBe(true);
    for (let period = 0; period < 3; period++) {
      for (const model of ["m", "other"]) operator.delivered(earned[model]![period]![0], model, earned[model]![period]![1], 1, 1);
      operator.decide((period + 2) * S);
    }
    // m made 40, 5 and 10; the other 10, 60 and 70.
    expect(asked(operator)).toEqual([50, 150]);
  });

  test("hears of the market of each of its models", () => {
    const operator = start({ strategy: { kind: "undercut", by: 0.1 } }, [offer("m"), offer("other")]);
    operator.heard({ type: "market-state", model: "other", asks: [{ node: "b".repeat(64), prices: flat(60) }], nodes: 2, busyPpm: 0, waiting: 0, intervalUs: S });
    operator.heard({ type: "market-state", model: "elsewhere", asks: [{ node: "b".repeat(64), prices: flat(1) }], nodes: 2, busyPpm: 0, waiting: 0, intervalUs: S });
    operator.decide(S);
    expect(asked(operator)).toEqual([100, 54]);
  });

  test("bids by the cost of the job at hand, and its posted prices where its strategy has no bids", () => {
    const call = { type: "call-for-bids", closesInUs: 1, job: { jobId: "j", model: "m", inputTokens: 1, maxOutputTokens: 1 } as JobRequest } satisfies CallForBids;
    expect(start({ strategy: { kind: "truthful" }, costOf: () => flat(33) }).bidFor(call, flat(100))).toEqual(flat(33));
    expect(start({ strategy: { kind: "cost-plus", markup: 1 }, costOf: () => flat(33) }).bidFor(call, flat(77))).toEqual(flat(77));
  });

  test("offers fewer slots, and counts as busy what it offers", () => {
    const operator = start({ strategy: { kind: "newsvendor", slotCostMsat: 99, step: 2 }, startSlots: 3 });
    expect(operator.offered).toBe(3);
    // Not sold out at a price of 100 against a cost of 99: down by 2 x 0.99.
    operator.held(1, 0);
    operator.delivered("a", "m", 100, 1, 1);
    operator.held(-1, 10);
    expect(operator.decide(S)).toBe(true);
    expect(operator.offered).toBe(1);
  });

  test("forgets the jobs that a restart lost, not its prices", () => {
    const operator = start({ strategy: { kind: "utilisation", target: 0.5, step: 0.1 } });
    for (let i = 0; i < 4; i++) operator.held(1, 0);
    expect(operator.decide(S)).toBe(true);
    expect(asked(operator)).toEqual([110]);
    operator.start(5 * S);
    expect(asked(operator)).toEqual([110]);
    operator.decide(6 * S);
    expect(asked(operator)).toEqual([99]);
  });
});
