import { describe, expect, test } from "vitest";
import { sweepPoints } from "../../experiment/sweep/points.ts";
import { checkVariations } from "../check-variations.ts";
import { loadScenario } from "../load.ts";
import { messageOf, soundScenario } from "../testing/sound-scenario.ts";
import { setsOf } from "../variation.ts";

const source = (text: string): string => `${soundScenario}sweep:\n${text}`;
const points = (text: string) => {
  const { experiment } = loadScenario(source(text), "a.yaml");
  return sweepPoints(experiment.sweep!, experiment.arms, 1, ({ found }) => { throw new Error(found); });
};
/** What loading it, and the markets of its points, would be told. The section begins at line 15. */
const check = (text: string): string => messageOf(() => checkVariations(source(text), "a.yaml", points(text).map(({ variation }) => variation)));
const sets = (text: string): string[] => points(text).map(({ variation }) => setsOf(variation).join(" "));

describe("the axes of a sweep", () => {
  test("are no part of the market", () => {
    expect(loadScenario(source("  axes: {operators.gpu.count: [1, 2]}"), "a.yaml").hash).toBe(loadScenario(soundScenario, "a.yaml").hash);
    expect(loadScenario(soundScenario, "a.yaml").experiment.sweep).toBe(null);
  });

  test("are lists of any values", () => {
    expect(sets("  axes: {router.policy: [cheapest, {power-of-two: {choices: 3}}]}")).toEqual(["router.policy=cheapest", "router.policy={power-of-two: {choices: 3}}"]);
    expect(points("  axes: {router.fee.flat: [0, 200 msat, 1000 msat]}").map(({ factors }) => factors)).toEqual([[0], [200], [1000]]);
    expect(points("  axes: {router.fee.flat: [0, 200 msat, 1 sat]}").map(({ factors }) => factors)).toEqual([[0], [200], [1_000]]);
    expect(points("  axes: {router.fee.share: [0, 1 %, 50 bps, 0.1]}").map(({ factors }) => factors)).toEqual([[0], [1], [0.5], [10]]);
    expect(points("  axes: {clients.chat.patience: [500ms, 1s, 1min]}").map(({ factors }) => factors)).toEqual([[500], [1_000], [60_000]]);
    expect(points("  axes: {clients.chat.patience: [forever, 1s]}").map(({ factors }) => factors)).toEqual([["forever"], ["1s"]]);
    expect(sets("  axes: {router.fee.flat: [200 msat, 1 sat]}")).toEqual(["router.fee.flat=200 msat", "router.fee.flat=1 sat"]);
    expect(points("  axes: {drain: [true, false]}").map(({ factors }) => factors)).toEqual([["true"], ["false"]]);
  });

  test("are grids from one end to the other, with units, linear or logarithmic", () => {
    expect(sets("  axes: {operators.gpu.price.input: {from: 10 sat/Mtok, to: 80 sat/Mtok, steps: 8}}")).toEqual([10, 20, 30, 40, 50, 60, 70, 80].map((price) => `operators.gpu.price.input=${price} sat/Mtok`));
    expect(sets("  axes: {clients.chat.arrivals.poisson.rate: {from: 1/s, to: 16/s, steps: 5, scale: log}}")).toEqual([1, 2, 4, 8, 16].map((rate) => `clients.chat.arrivals.poisson.rate=${rate}/s`));
    expect(sets("  axes: {horizon: {from: 1min, to: 2min, steps: 4}}")).toEqual(["horizon=1 min", "horizon=1.333333 min", "horizon=1.666667 min", "horizon=2 min"]);
    expect(check("  axes: {operators.gpu.price.input: {from: 1 sat/Mtok, to: 2 sat/Mtok, steps: 8}}")).toBe("no error");
  });

  test("take the nearest whole numbers where the field takes no others", () => {
    expect(points("  axes: {operators.gpu.count: {from: 1, to: 10, steps: 5}}").map(({ factors }) => factors[0])).toEqual([1, 3, 6, 8, 10]);
    expect(points("  axes: {operators.gpu.count: {from: 1, to: 1000, steps: 4, scale: log}}").map(({ factors }) => factors[0])).toEqual([1, 10, 100, 1000]);
    expect(points("  axes: {clients.chat.inputTokens.lognormal.cv: {from: 1, to: 2, steps: 3}}").map(({ factors }) => factors[0])).toEqual([1, 1.5, 2]);
    expect(loadScenario(source("  axes: {operators.gpu.count: {from: 1, to: 9, steps: 3}}"), "a.yaml").experiment.sweep!.axes[0]!.whole).toBe(true);
  });

  test("move several paths together: the same value, multiples of what they are, or values of their own", () => {
    expect(sets("  axes: {delay: {paths: [network.latency, network.sameRegion], values: [1ms, 2ms]}}")).toEqual(["network.latency=1ms network.sameRegion=1ms", "network.latency=2ms network.sameRegion=2ms"]);
    expect(sets("  axes: {delay: {paths: [network.latency, network.sameRegion], from: 1ms, to: 3ms, steps: 3}}")[1]).toBe("network.latency=2 ms network.sameRegion=2 ms");
    expect(sets("  axes: {price: {paths: [operators.gpu.price.input, operators.gpu.price.output], times: [0.5, 1, 1.5]}}")).toEqual(
      ["operators.gpu.price.input=10 sat/Mtok operators.gpu.price.output=30 sat/Mtok", "operators.gpu.price.input=20 sat/Mtok operators.gpu.price.output=60 sat/Mtok", "operators.gpu.price.input=30 sat/Mtok operators.gpu.price.output=90 sat/Mtok"]);
    expect(sets("  axes: {size: {together: {operators.gpu.count: [1, 2], clients.chat.arrivals.poisson.rate: {from: 5/s, to: 10/s, steps: 2}}}}")).toEqual(
      ["operators.gpu.count=1 clients.chat.arrivals.poisson.rate=5/s", "operators.gpu.count=2 clients.chat.arrivals.poisson.rate=10/s"]);
  });

  test("multiply what stands there with --set, and defaults, as exactly as the unit allows", () => {
    const at = (text: string, changes: string[] = []) => sweepPoints(loadScenario(source(text), "a.yaml", { sets: changes }).experiment.sweep!, null, 1, ({ found }) => { throw new Error(found); }).map(({ variation }) => setsOf(variation)[0]);
    const text = "  axes: {x: {path: operators.gpu.price.input, times: {from: 0.25, to: 4, steps: 3, scale: log}}}";
    expect(at(text)).toEqual(["operators.gpu.price.input=5 sat/Mtok", "operators.gpu.price.input=20 sat/Mtok", "operators.gpu.price.input=80 sat/Mtok"]);
    expect(at(text, ["operators.gpu.price.input=7 msat/Mtok"])).toEqual(["operators.gpu.price.input=2 msat/Mtok", "operators.gpu.price.input=7 msat/Mtok", "operators.gpu.price.input=28 msat/Mtok"]);
    expect(at("  axes: {x: {path: network.latency, times: [1, 2]}}")).toEqual(["network.latency=40 ms", "network.latency=80 ms"]);
    expect(at("  axes: {x: {path: operators.gpu.count, times: [1, 2.4]}}", ["operators.gpu.count=3"])).toEqual(["operators.gpu.count=3", "operators.gpu.count=7"]);
  });

  test("are combined as product or zip, explicitly", () => {
    const two = "  axes: {operators.gpu.count: [1, 2, 3], router.policy: [cheapest, random, round-robin]}\n";
    expect(points(`${two}  combine: product`)).toHaveLength(9);
    expect(points(`${two}  combine: zip`).map(({ factors }) => factors)).toEqual([[1, "cheapest"], [2, "random"], [3, "round-robin"]]);
  });

  test("are drawn from in a Latin hypercube: one point in each part of each axis, the same each time", () => {
    const text = "  axes: {router.queue.maxWait: {from: 0s, to: 10s}, clients.chat.arrivals.poisson.rate: {from: 1/s, to: 16/s, scale: log}, operators.gpu.count: {from: 1, to: 4}, router.policy: [cheapest, random]}\n  combine: {latin-hypercube: {points: 16}}";
    const drawn = points(text);
    expect(drawn).toEqual(points(text));
    expect(new Set(drawn.map(({ factors }) => Math.floor(factors[0] as number / 10 * 16))).size).toBe(16);
    expect(new Set(drawn.map(({ factors }) => Math.floor(Math.log2(factors[1] as number) / 4 * 16 - 1e-9))).size).toBe(16);
    for (const count of [1, 2, 3, 4]) expect(drawn.filter(({ factors }) => factors[2] === count)).toHaveLength(4);
    for (const name of ["cheapest", "random"]) expect(drawn.filter(({ factors }) => factors[3] === name)).toHaveLength(8);
    expect(check(text)).toBe("no error");
  });

  test("are filled by Sobol points, which begin at the ends unless scrambled", () => {
    const text = "  axes: {router.queue.maxWait: {from: 0s, to: 8s}, operators.gpu.count: {from: 1, to: 8}, router.fee.flat: {from: 100 msat, to: 300 msat}}\n";
    expect(points(`${text}  combine: {sobol: {points: 4, scrambled: false}}`).map(({ factors }) => factors)).toEqual([[0, 1, 100], [4, 5, 200], [6, 3, 150], [2, 7, 250]]);
    const scrambled = points(`${text}  combine: {sobol: {points: 8}}`);
    expect(scrambled[0]!.factors).not.toEqual([0, 1, 100]);
    expect(scrambled.map(({ factors }) => factors[1]).toSorted()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test("are rounded to multiples of a step where they are drawn", () => {
    const text = "  axes: {router.fee.share: {from: 50 bps, to: 301 bps, step: 25 bps}}\n  combine: {latin-hypercube: {points: 50}}";
    const values = points(text).map(({ factors }) => factors[0] as number);
    expect(new Set(values)).toEqual(new Set([50, 75, 100, 125, 150, 175, 200, 225, 250, 275, 300]));
    expect(check(text)).toBe("no error");
    expect(new Set(points("  axes: {router.fee.share: {from: 0, to: 0.3, step: 0.1}}\n  combine: {sobol: {points: 16}}").map(({ factors }) => factors[0]))).toEqual(new Set([0, 0.1, 0.2, 0.3]));
  });

  test("are crossed with the scenario's arms", () => {
    const text = `${source("  axes: {operators.gpu.count: [1, 2]}\n  arms: true\n")}arms:\n  plain: {}\n  cheap: {router.policy: cheapest}\n`;
    const { experiment } = loadScenario(text, "a.yaml");
    expect(sweepPoints(experiment.sweep!, experiment.arms, 1, () => {}).map(({ arm, variation }) => [arm, ...setsOf(variation)])).toEqual([
      ["plain", "operators.gpu.count=1"], ["plain", "operators.gpu.count=2"], ["cheap", "router.policy=cheapest", "operators.gpu.count=1"], ["cheap", "router.policy=cheapest", "operators.gpu.count=2"],
    ]);
  });

  test("do not keep a market from being loaded that an experiment has changed", () => {
    const text = `${source("  axes: {x: {path: router.queue.maxWait, times: [1, 2]}}\n")}`;
    expect(loadScenario(text, "a.yaml", { sets: ["operators.gpu.name=other"], marketOnly: true }).experiment.sweep).toBe(null);
  });
});

describe("one thing wrong", () => {
  test.each<[string, string, string]>([
    ["axes and no word on how they are combined", "  axes: {operators.gpu.count: [1, 2], router.attempts: [1, 2]}", "a.yaml:16:3: sweep.axes: found 2 axes, and not how they are combined; allowed: `combine: product` (every value with every other), `combine: zip` (the first of each, then the second of each), {latin-hypercube: {points}} or {sobol: {points}}"],
    ["a zip of unequal lists", "  axes: {operators.gpu.count: [1, 2], router.attempts: [1, 2, 3]}\n  combine: zip", "a.yaml:17:12: sweep.combine: found zip of axes with 2 and 3 values; allowed: as many values on each axis, or `product`"],
    ["a range without steps", "  axes: {operators.gpu.count: {from: 1, to: 4}}", "a.yaml:16:10: sweep.axes.operators.gpu.count: found from and to without steps; allowed: steps as well, or `combine: {latin-hypercube: {points: 100}}` or `{sobol: {points: 128}}`, which take values anywhere in between"],
    ["a misspelt path", "  axes: {operators.gpu.cuont: [1, 2]}", 'a.yaml:16:10: sweep.axes.operators.gpu.cuont: found the unknown key "cuont"'],
    ["a value that does not fit", "  axes: {operators.gpu.count: [1, 0]}", "a.yaml:16:35: sweep.axes.operators.gpu.count[1]: found 0; allowed: at least 1"],
    ["a value without its unit", "  axes: {horizon: [1min, 10]}", "a.yaml:16:26: sweep.axes.horizon[1]: found 10, a number without a unit"],
    ["an end without its unit", "  axes: {horizon: {from: 10, to: 20min, steps: 3}}", "a.yaml:16:34: sweep.axes.horizon.to: found \"20min\"; allowed: a number without a unit, as in `from`"],
    ["a logarithm of nothing", "  axes: {router.fee.flat: {from: 0 msat, to: 10 msat, steps: 3, scale: log}}", "a.yaml:16:34: sweep.axes.router.fee.flat.from: found \"0 msat\"; allowed: a value above 0, as the scale is log"],
    ["more steps than whole numbers", "  axes: {operators.gpu.count: {from: 1, to: 3, steps: 5}}", "a.yaml:16:55: sweep.axes.operators.gpu.count.steps: found 5 steps, of which two are 2 after rounding; allowed: fewer steps"],
    ["a step of another unit", "  axes: {router.fee.share: {from: 0 bps, to: 300 bps, step: 0.01}}\n  combine: {sobol: {points: 16}}", "a.yaml:16:61: sweep.axes.router.fee.share.step: found 0.01; allowed: a number above 0 of bps, at most the whole range"],
    ["a step beside steps", "  axes: {router.fee.share: {from: 0 bps, to: 300 bps, steps: 4, step: 100 bps}}", "a.yaml:16:65: sweep.axes.router.fee.share.step: found step beside steps; allowed: one of them"],
    ["steps of a list", "  axes: {x: {path: router.attempts, values: [1, 2], steps: 3}}", "a.yaml:16:53: sweep.axes.x.steps: found steps beside values; allowed: it beside from and to"],
    ["a logarithmic list with 0 in it", "  axes: {x: {path: router.fee.flat, values: [0, 1 sat], scale: log}}", "a.yaml:16:64: sweep.axes.x.scale: found log; allowed: linear, as not all values are numbers above 0"],
    ["a value twice in two units", "  axes: {router.fee.flat: [1 sat, 1000 msat]}", "a.yaml:16:35: sweep.axes.router.fee.flat[1]: found 1 sat twice"],
    ["a value twice", "  axes: {router.policy: [random, random]}", "a.yaml:16:34: sweep.axes.router.policy[1]: found random twice; allowed: each value once"],
    ["values in two ways", "  axes: {x: {path: horizon, values: [1min], from: 1min, to: 2min}}", "a.yaml:16:13: sweep.axes.x: found values beside from and to; allowed: one of: values: [...], {from, to, steps}, times: [...], together: {...}"],
    ["paths with unequal lists", "  axes: {x: {together: {operators.gpu.count: [1, 2], router.attempts: [1, 2, 3]}}}", "a.yaml:16:71: sweep.axes.x.together.router.attempts: found 3 values for router.attempts, and 2 values for operators.gpu.count; allowed: as many for each"],
    ["a field moved twice", "  axes: {operators.gpu.count: [1, 2], x: {path: 'operators[0].count', values: [1, 2]}}\n  combine: zip", 'a.yaml:16:43: sweep.axes.x.path: found "operators[0].count", which the axis "operators.gpu.count" moves as well; allowed: each field in one axis'],
    ["a reserved name", "  axes: {seed: [1, 2]}", 'a.yaml:16:10: sweep.axes.seed: found "seed"; allowed: a path, or a name other than run, arm, point, runs, failed, replication, seed, error, digest'],
    ["too many points", "  axes: {router.attempts: {from: 1, to: 1000, steps: 1000}, operators.gpu.count: {from: 1, to: 1000, steps: 1000}}\n  combine: product", "a.yaml:17:12: sweep.combine: found 1000000 points; allowed: at most 100000"],
    ["an unknown design", "  axes: {operators.gpu.count: [1, 2]}\n  combine: grid", 'a.yaml:17:12: sweep.combine: found "grid"; allowed: one of product, zip, or a map with one of the keys latin-hypercube, sobol'],
    ["an unknown metric", "  axes: {operators.gpu.count: [1, 2]}\n  metrics: [proft]", 'a.yaml:17:13: sweep.metrics[0]: found "proft"'],
    ["a misspelt key", "  axes: {operators.gpu.count: [1, 2]}\n  combin: zip", 'a.yaml:17:3: sweep.combin: found the unknown key "combin"'],
    ["no axes", "  axes: {}", "a.yaml:16:9: sweep.axes: found no axes; allowed: 1 to 20 axes"],
  ])("%s", (_, text, message) => {
    expect(check(text).slice(0, message.length)).toBe(message);
  });

  test("multiples of what is no number", () => {
    const { experiment } = loadScenario(source("  axes: {x: {path: clients.chat.inputTokens, times: [1, 2]}}"), "a.yaml");
    const found: unknown[] = [];
    sweepPoints(experiment.sweep!, null, 1, (finding) => found.push(finding));
    expect(found[0]).toEqual({ path: ["sweep", "axes", "x", "path"], found: "clients.chat.inputTokens, which is a map with lognormal", allowed: "a path at which the scenario has a number, to be multiplied" });
  });
});
