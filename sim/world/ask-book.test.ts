import { describe, expect, test } from "vitest";
import type { PriceSheet } from "../../protocol/messages.ts";
import { loadScenario } from "../scenario/load.ts";
import { AskBook, pricesMove } from "./ask-book.ts";
import { planNodes } from "./supply.ts";

const S = 1_000_000;
const flat = (fixedMsat: number): PriceSheet => ({ inputMsatPerMtok: 0, outputMsatPerMtok: 0, fixedMsat });
const load = (...sets: readonly string[]) => loadScenario(`
name: asks
question: What did they ask?
horizon: 240s
warmup: 60s
operators:
  - {name: learners, count: 2, model: m, engine: {service-time: {service: 1s, slots: 3}}, price: {fixed: 100 msat}, strategy: {exp3: {grid: [50 %, 100 %, 200 %]}}}
  - {name: fixed, model: m, engine: {service-time: {service: 1s, slots: 1}}, price: {fixed: 70 msat}}
clients: [{name: c, model: m, arrivals: {poisson: {rate: 1/s}}, inputTokens: 1, outputTokens: 1}]
`, "asks.yaml", { sets }).scenario;
const scenario = load();
const book = (): AskBook => new AskBook(scenario, planNodes(scenario, 1));

describe("what operators asked", () => {
  test("over windows: the least, the mean over nodes and time, and the greatest, while nodes are up", () => {
    const asks = book();
    // Windows of 2 s. One of two learners asks 200 for the second half of the first window, and leaves for the third.
    asks.asks(0, flat(200), 2, 1 * S);
    asks.up(0, false, 4 * S);
    asks.up(0, true, 6 * S);
    const { operatorClasses: [learners, fixed] } = asks.finish(240 * S);
    const windows = (values: readonly (number | null)[]): readonly (number | null)[] => values.slice(0, 5);
    expect(windows(learners!.fixedMsat.min)).toEqual([100, 100, 100, 100, 100]);
    expect(windows(learners!.fixedMsat.mean)).toEqual([125, 150, 100, 150, 150]);
    expect(windows(learners!.fixedMsat.max)).toEqual([200, 200, 200, 200, 200]);
    expect(windows(learners!.slots)).toEqual([5.5, 5, 3, 5, 5]);
    expect(learners!.changes).toBe(1);
    expect(learners!.fixedMsat.mean).toHaveLength(120);
    expect(learners!.meanPrices.fixedMsat).toBe(150);
    expect(learners!.meanSlots).toBe(5);
    expect(fixed).toMatchObject({ strategy: "fixed", changes: 0, choices: [], meanPrices: { fixedMsat: 70 } });
  });

  test("learners' time at each price of their grid, in the measured interval", () => {
    const asks = book();
    asks.asks(0, flat(50), 3, 30 * S);
    asks.asks(0, flat(200), 3, 105 * S);
    asks.asks(1, flat(200), 3, 195 * S);
    const { operatorClasses: [learners] } = asks.finish(300 * S);
    // Two nodes for 180 s: 45 s at half, 135 s at all, the rest at twice the price.
    expect(learners!.choices).toEqual([{ multiple: 0.5, share: 45 / 360 }, { multiple: 1, share: 135 / 360 }, { multiple: 2, share: 180 / 360 }]);
  });

  test("of a class that nobody is left of is not known", () => {
    const asks = book();
    asks.up(2, false, 2 * S);
    const { operatorClasses: [, fixed] } = asks.finish(240 * S);
    expect(fixed!.fixedMsat.mean.slice(0, 3)).toEqual([70, null, null]);
    expect(fixed!.meanPrices.fixedMsat).toBe(null);
  });

  test("of a run that is cut ends where the run does", () => {
    const { operatorClasses: [learners] } = book().finish(61 * S);
    expect(learners!.fixedMsat.mean).toHaveLength(31);
    expect(learners!.meanSlots).toBe(6);
  });

  test("is kept where prices can move, by strategy or by exchange rate, and nowhere else", () => {
    expect(pricesMove(scenario)).toBe(true);
    expect(pricesMove(load("operators.learners.strategy=fixed"))).toBe(false);
    expect(pricesMove(load("operators.learners.strategy=fixed", "operators.fixed.quote=USD", "exchangeRate=100000 USD/btc", "exchange={gbm: {}}"))).toBe(true);
  });
});
