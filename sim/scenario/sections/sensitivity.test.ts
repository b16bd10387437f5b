import { describe, expect, test } from "vitest";
import { checkVariations } from "../check-variations.ts";
import { loadScenario } from "../load.ts";
import { messageOf, soundScenario } from "../testing/sound-scenario.ts";
import { setsOf } from "../variation.ts";
import type { SensitivitySpec } from "./sensitivity.ts";
import { movesTo, sensitivityVariations } from "./sensitivity.ts";

const source = (text: string): string => `${soundScenario}sensitivity:\n${text}`;
const load = (text: string): SensitivitySpec => loadScenario(source(text), "a.yaml").experiment.sensitivity!;
/** What loading it, and playing its corners, would be told. The section begins at line 15. */
const check = (text: string): string => messageOf(() => checkVariations(source(text), "a.yaml", sensitivityVariations(load(text))));

describe("a scenario's sensitivity", () => {
  test("is no part of the market", () => {
    expect(loadScenario(source("  factors: [{path: operators.gpu.count, from: 1, to: 4}]"), "a.yaml").hash).toBe(loadScenario(soundScenario, "a.yaml").hash);
    expect(loadScenario(soundScenario, "a.yaml").experiment.sensitivity).toBe(null);
  });

  test("has defaults", () => {
    const spec = load("  factors: [{path: operators.gpu.count, from: 1, to: 4}]");
    expect(spec.method).toEqual({ kind: "morris", trajectories: 20, levels: 4, design: "trajectories" });
    expect(spec.metrics.map(({ path }) => path)).toEqual(["market.profitMsat", "overall.latency.endToEndUs.p95", "overall.goodput.share"]);
    expect(spec).toMatchObject({ replications: 1, confidence: 0.95, factors: [{ name: "operators.gpu.count", moves: [{ path: "operators.gpu.count", range: { from: 1, to: 4, whole: true }, at: ["sensitivity", "factors", 0] }] }] });
    expect(load("  method: tornado\n  factors: [{path: operators.gpu.count, from: 1, to: 4}]").replications).toBe(10);
  });

  test("takes settings, classes' figures, and paths that move together", () => {
    const spec = load(`  method: {sobol: {points: 64, secondOrder: true}}
  metrics: [utilisation@gpu, latency.p95@chat, overall.latency.ttftUs.p99, utilisation@gpu]
  replications: 3
  factors:
    - {name: demand, path: clients.chat.arrivals.poisson.rate, from: 1/s, to: 16/s, scale: log}
    - {name: prices, together: [{path: operators.gpu.price.input, from: 10 sat/Mtok, to: 20 sat/Mtok}, {path: operators.gpu.price.output, from: 60 sat/Mtok, to: 100 sat/Mtok}]}
    - {name: delays, path: [network.latency, network.sameRegion], from: 1ms, to: 9ms}`);
    expect(spec.method).toEqual({ kind: "sobol", points: 64, secondOrder: true });
    expect(spec.metrics.map(({ id }) => id)).toEqual(["utilisation@gpu", "latency.p95@chat", "ttft.p99"]);
    expect(spec.factors.map((factor) => setsOf(movesTo(factor, 0.5)))).toEqual([
      ["clients.chat.arrivals.poisson.rate=4/s"],
      ["operators.gpu.price.input=15 sat/Mtok", "operators.gpu.price.output=80 sat/Mtok"],
      ["network.latency=5 ms", "network.sameRegion=5 ms"],
    ]);
    expect(sensitivityVariations(spec).map((variation) => setsOf(variation).length)).toEqual([1, 2, 2, 1, 2, 2, 1, 2, 2, 5, 5]);
  });

  test("is sound at its corners", () => {
    expect(check("  factors: [{path: operators.gpu.count, from: 1, to: 4}, {path: router.fee.share, from: 0 %, to: 10 %}]")).toBe("no error");
  });
});

describe("malformed sections are named with their place", () => {
  test.each<[string, string, string]>([
    ["no factors", "  method: morris", "a.yaml:15:1: sensitivity.factors: found nothing; allowed: a list of 1 to 100 entries\n"],
    ["a misspelt method", "  method: sobel\n  factors: [{path: horizon, from: 1h, to: 2h}]", 'a.yaml:16:11: sensitivity.method: found "sobel"; allowed: one of morris, sobol, tornado, or a map with one of the keys morris, sobol, tornado; did you mean "sobol"?\n'],
    ["an odd number of levels", "  method: {morris: {levels: 5}}\n  factors: [{path: horizon, from: 1h, to: 2h}]", "a.yaml:16:29: sensitivity.method.morris.levels: found 5; allowed: an even number from 2 to 100\n"],
    ["a figure that is none", "  metrics: [proft]\n  factors: [{path: operators.gpu.count, from: 1, to: 4}]", 'a.yaml:16:13: sensitivity.metrics[0]: found "proft"; allowed: a figure such as profit, latency.p95, utilisation@CLASS, or a figure\'s path such as overall.latency.ttftUs.p95; did you mean "profit"?\n'],
    ["a path that leads nowhere", "  factors:\n    - {path: operators.gpus.count, from: 1, to: 4}", 'a.yaml:17:14: sensitivity.factors[0].path: found no entry named "gpus"; allowed: gpu, or an index such as [0]; did you mean "gpu"?\n'],
    ["one of several paths", "  factors:\n    - {path: [operators.gpu.count, router.polcy], from: 1, to: 4}", 'a.yaml:17:36: sensitivity.factors[0].path[1]: found the unknown key "polcy"; allowed: '],
    ["ends in other units", "  factors:\n    - {path: network.latency, from: 1ms, to: 2s}", 'a.yaml:17:46: sensitivity.factors[0].to: found "2s"; allowed: a number of ms, as in `from`\n'],
    ["ends the wrong way round", "  factors:\n    - {path: operators.gpu.count, from: 4, to: 1}", "a.yaml:17:48: sensitivity.factors[0].to: found 1; allowed: more than 4\n"],
    ["a fraction of a machine", "  factors:\n    - {path: operators.gpu.count, from: 1.5, to: 4}", "a.yaml:17:41: sensitivity.factors[0].from: found 1.5; allowed: a whole number\n"],
    ["zero on a log scale", "  factors:\n    - {path: router.fee.share, from: 0 %, to: 4 %, scale: log}", 'a.yaml:17:38: sensitivity.factors[0].from: found "0 %"; allowed: a value above 0, as the scale is log\n'],
    ["a word for a number", "  factors:\n    - {path: router.policy, from: cheapest, to: random}", 'a.yaml:17:35: sensitivity.factors[0].from: found "cheapest"; allowed: a number with its unit\n'],
    ["a factor twice", "  factors:\n    - {path: operators.gpu.count, from: 1, to: 4}\n    - {name: more, path: \"operators[0].count\", from: 1, to: 4}", 'a.yaml:18:26: sensitivity.factors[1].path: found "operators[0].count", which the factor "operators.gpu.count" moves as well; allowed: each field in one factor\n'],
    ["a name twice", "  factors:\n    - {name: a, path: operators.gpu.count, from: 1, to: 4}\n    - {name: a, path: router.fee.share, from: 1 %, to: 4 %}", 'a.yaml:18:14: sensitivity.factors[1].name: found another factor "a"; allowed: a name of its own for each factor\n'],
    ["a name that the table of runs needs", "  factors:\n    - {name: seed, path: operators.gpu.count, from: 1, to: 4}", 'a.yaml:17:14: sensitivity.factors[0].name: found "seed"; allowed: another name: tables of runs have a column seed already\n'],
    ["together without a name", "  factors:\n    - {together: [{path: operators.gpu.count, from: 1, to: 4}]}", "a.yaml:17:"],
  ])("%s", (_, text, message) => {
    const said = check(text);
    expect(said.slice(0, message.length)).toBe(message);
  });

  test.each<[string, string, string]>([
    ["a unit that the field does not take", "  factors:\n    - {path: network.latency, from: 1 sat, to: 2 sat}", 'a.yaml:17:37: sensitivity.factors[0].from: found "1 sat", an amount of money; allowed: a duration'],
    ["more than the field takes", "  factors:\n    - {path: router.fee.share, from: 1 %, to: 200 %}", 'a.yaml:17:47: sensitivity.factors[0].to: found 200 %; allowed: '],
    ["what all runs share", "  factors:\n    - {path: seed, from: 1, to: 4}", 'a.yaml:17:20: sensitivity.factors[0].from: found a change of "seed", which all runs of an experiment share; allowed: '],
  ])("%s", (_, text, message) => {
    const said = check(text);
    expect(said.slice(0, message.length)).toBe(message);
  });
});
