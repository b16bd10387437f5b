import { describe, expect, test } from "vitest";
import { checkVariations } from "../check-variations.ts";
import { loadScenario } from "../load.ts";
import { messageOf, soundScenario } from "../testing/sound-scenario.ts";
import { changeAt, isRange, samplesOf } from "./grid.ts";
import type { RangeAxis } from "./grid.ts";

/** The first line of what is said of a scenario with this at its end. */
function said(yaml: string): string {
  const source = `${soundScenario}${yaml}\n`;
  return messageOf(() => {
    const { experiment: { search, equilibrium } } = loadScenario(source, "a.yaml");
    checkVariations(source, "a.yaml", [...(search === null ? [] : samplesOf(search.axes)), ...(equilibrium?.players ?? []).flatMap(({ axes }) => samplesOf(axes))]);
  }).split("\n")[0]!;
}

const search = (more: string, goal = "maximise: profit"): string => `search: {${goal}, over: {${more}}}`;

describe("what is wrong with a search is named, with file and line", () => {
  test.each<[string, string, string]>([
    ["no goal", search("router.fee.flat: [0 msat, 1 sat]", "first: 5"), "a.yaml:15:1: search: found no goal; allowed: one of maximise and minimise"],
    ["a misspelt metric", search("router.fee.flat: [0 msat, 1 sat]", "maximise: profitt"), 'a.yaml:15:20: search.maximise: found "profitt"; allowed: a metric such as router.revenue, profit or latency.p95, of one class as profit@gpu, or the path of a figure in report.json; did you mean "profit"?'],
    ["a misspelt class", search("router.fee.flat: [0 msat, 1 sat]", "maximise: profit@gup"), 'a.yaml:15:20: search.maximise: found "profit@gup"; allowed: a metric such as router.revenue, profit or latency.p95, of one class as profit@gpu, or the path of a figure in report.json; did you mean "profit@gpu"?'],
    ["a misspelt key", search("router.fee.flat: [0 msat, 1 sat]", "maximise: profit, methd: kn"), 'a.yaml:15:28: search.methd: found the unknown key "methd"; allowed: the keys maximise, minimise, subjectTo, over, method, indifference, confidence, first, replications, finalists, fresh, budget; did you mean "method"?'],
    ["a path that leads nowhere", search("router.fea.flat: [0 msat, 1 sat]"), 'a.yaml:15:35: search.over.router.fea.flat: found the unknown key "fea"; allowed: the keys count, region, policy, heartbeat, marketState, staleAfter, attempts, acceptTimeout, jobTimeout, queue, circuitBreaker, fee; did you mean "fee"?'],
    ["the same path with a range", search("router.fea.flat: {from: 0 msat, to: 1 sat}"), 'a.yaml:15:35: search.over.router.fea.flat: found the unknown key "fea"; allowed: the keys count, region, policy, heartbeat, marketState, staleAfter, attempts, acceptTimeout, jobTimeout, queue, circuitBreaker, fee; did you mean "fee"?'],
    ["a value that does not fit", search("router.fee.flat: [0 msat, 1 sat, 2 s]"), 'a.yaml:15:68: search.over.router.fee.flat[2]: found "2 s", a duration; allowed: an amount of money such as 200 sat, 500 msat or 0.05 USD (units: msat, sat, btc, USD, EUR)'],
    ["one alternative", search("router.fee.flat: [0 msat]"), "a.yaml:15:28: search.over: found 1 alternative; allowed: 2 to 1000"],
    ["a value twice", search("router.fee.flat: [0 msat, 1 sat, 1 sat]"), "a.yaml:15:68: search.over.router.fee.flat[2]: found search.over.router.fee.flat[1] once more; allowed: each value once"],
    ["a range whose ends have other units", search("router.fee.flat: {from: 1 msat, to: 1 sat}"), 'a.yaml:15:71: search.over.router.fee.flat.to: found "1 sat"; allowed: a number of msat, as in `from`'],
    ["a range beside a list", search("router.fee.flat: {from: 1 msat, to: 9 msat}, router.attempts: [1, 2]"), "a.yaml:15:80: search.over.router.attempts: found a list of values beside a range; allowed: lists alone, or ranges alone: a number of `steps` makes a list of a range"],
    ["a method that is not for ranges", search("router.fee.flat: {from: 1 msat, to: 9 msat}", "maximise: profit, method: kn"), "a.yaml:15:36: search.method: found kn; allowed: direct, as there are ranges; a number of `steps` makes a list of each"],
    ["steps of nothing", search("router.fee.flat: {from: 1 msat, to: 9 msat, step: 1 s}"), 'a.yaml:15:85: search.over.router.fee.flat.step: found "1 s"; allowed: a number above 0 of msat, at most the whole range'],
    ["parts of what is whole", search("router.attempts: {from: 1, to: 9, step: 0.5}"), "a.yaml:15:52: search.over.router.attempts: found 1.5; allowed: a whole number from 1 to 1000"],
    ["an indifference in the wrong unit", search("router.fee.flat: [0 msat, 1 sat]", "maximise: profit, indifference: 2 s"), 'a.yaml:15:42: search.indifference: found "2 s", a duration; allowed: an amount of money such as 200 sat, 500 msat or 0.05 USD'],
    ["a constraint without a bound", search("router.fee.flat: [0 msat, 1 sat]", "maximise: profit, subjectTo: {goodput: {}}"), "a.yaml:15:40: search.subjectTo.goodput: found no bound; allowed: one of atLeast and atMost"],
    ["a change of the seed", search("seed: [1, 2]"), 'a.yaml:15:35: search.over.seed[0]: found a change of "seed", which all runs of an experiment share'],
  ])("%s", (_, yaml, message) => {
    expect(said(yaml).slice(0, message.length)).toBe(message);
  });
});

describe("what is wrong with a game is named, with file and line", () => {
  const game = (players: string, more = ""): string => `equilibrium: {${more}players: {${players}}}`;
  test.each<[string, string, string]>([
    ["a player that is no class", game("gup: {operators.gpu.price.output: [1 sat/Mtok, 2 sat/Mtok]}"), 'a.yaml:15:25: equilibrium.players.gup: found "gup"; allowed: the name of a class: gpu or chat; did you mean "gpu"?'],
    ["a goal that classes do not have", game("gpu: {operators.gpu.price.output: [1 sat/Mtok, 2 sat/Mtok]}", "goal: router.revenue, "), 'a.yaml:15:21: equilibrium.goal: found "router.revenue"; allowed: a metric that gpu has as a class, such as surplus.operators, profit or revenue for operators'],
    ["nobody", game(""), "a.yaml:15:15: equilibrium.players: found nobody; allowed: 1 to 20 players"],
    ["a path that two decide", game("gpu: {router.fee.flat: [1 sat, 2 sat]}, chat: {router.fee.flat: [1 sat, 2 sat]}", "goal: price, "), "a.yaml:15:85: equilibrium.players.chat.router.fee.flat: found router.fee.flat, which gpu decides; allowed: a path that no other player decides"],
    ["one strategy", game("gpu: {operators.gpu.price.output: [1 sat/Mtok]}"), "a.yaml:15:25: equilibrium.players.gpu: found 1 strategy; allowed: 2 to 200"],
    ["a value that does not fit", game("gpu: {operators.gpu.price.output: [1 sat/Mtok, 2 sat]}"), 'a.yaml:15:72: equilibrium.players.gpu.operators.gpu.price.output[1]: found "2 sat", an amount of money'],
    ["a confidence beyond doubt", game("gpu: {operators.gpu.price.output: [1 sat/Mtok, 2 sat/Mtok]}", "confidence: 100 %, "), "a.yaml:15:27: equilibrium.confidence: found 100 %; allowed: above 50 % and below 100 %"],
  ])("%s", (_, yaml, message) => {
    expect(said(yaml).slice(0, message.length)).toBe(message);
  });
});

test("a range takes whole steps from its lower end, whole numbers where the field does, and both its ends", () => {
  const axisOf = (yaml: string): RangeAxis => loadScenario(`${soundScenario}${yaml}\n`, "a.yaml").experiment.search!.axes.find(isRange)!;
  const fee = axisOf(search("router.fee.flat: {from: 10 msat, to: 90 msat, step: 20 msat}"));
  expect([0, 0.1, 0.2, 0.9, 1, 2].map((share) => changeAt(fee, share).value)).toEqual(["10 msat", "10 msat", "30 msat", "90 msat", "90 msat", "90 msat"]);
  expect(changeAt(axisOf(search("router.attempts: {from: 1, to: 9}")), 0.3).value).toBe(3);
  expect(changeAt(axisOf(search("router.fee.share: {from: 0.01, to: 0.2}")), 1 / 3).value).toBe(0.0733);
});

test("steps make a list of a range", () => {
  const { axes } = loadScenario(`${soundScenario}${search("router.fee.flat: {from: 0 msat, to: 1000 msat, steps: 4}")}\n`, "a.yaml").experiment.search!;
  expect(axes[0]).toMatchObject({ values: [{ value: "0 msat" }, { value: "333 msat" }, { value: "667 msat" }, { value: "1000 msat" }] });
});

test("an experiment is no part of the market: the hash is the same with it", () => {
  expect(loadScenario(`${soundScenario}${search("router.fee.flat: [0 msat, 1 sat]")}\n`, "a.yaml").hash).toBe(loadScenario(soundScenario, "a.yaml").hash);
});
