import { describe, expect, test } from "vitest";
import { RandomStreams } from "../../kernel/random.ts";
import { conduct } from "../conduct.ts";
import { sobolIndices } from "./sobol-indices.ts";
import { sobolDesign } from "./sobol-design.ts";
import type { RunBatch } from "../plan.ts";
import type { StudyEnd } from "./study.ts";
import { sensitivityStudy } from "./study.ts";
import { gFunction, gTruth, ishigami, ishigamiRanges, ishigamiTruth, player, specOf, studied } from "./testing/formulas.ts";

type Range = readonly [number, number];
const gParameters = [0, 0.5, 3, 9, 99, 99];
const g = { formula: gFunction(gParameters), truth: gTruth(gParameters), ranges: gParameters.map((): Range => [0, 1]) };
const onIshigami = { formula: ishigami, truth: ishigamiTruth, ranges: ishigamiRanges };
const sobol = (points: number, secondOrder = false) => ({ kind: "sobol", points, secondOrder }) as const;

describe("indices meet their closed forms", () => {
  test("Ishigami, a = 7, b = 0.1", () => {
    expect(ishigamiTruth.first.map((share) => share.toFixed(4))).toEqual(["0.3139", "0.4424", "0.0000"]);
    expect(ishigamiTruth.total.map((share) => share.toFixed(4))).toEqual(["0.5576", "0.4424", "0.2437"]);
    const [of] = studied(specOf(ishigamiRanges, sobol(8_192)), ishigami, { resamples: 50 }).metrics;
    for (const { factor, first, total } of of!.indices!.factors) {
      const i = Number(factor.slice(1)) - 1;
      expect(Math.abs(first.value - ishigamiTruth.first[i]!), `first order of ${factor}`).toBeLessThan(0.005);
      expect(Math.abs(total.value - ishigamiTruth.total[i]!), `total of ${factor}`).toBeLessThan(0.005);
    }
    expect(Math.abs(of!.sd! * of!.sd! / ishigamiTruth.variance - 1)).toBeLessThan(0.01);
    expect(of!.mean).toBeCloseTo(3.5, 2);
    expect(Math.abs(of!.indices!.together.value - ishigamiTruth.together)).toBeLessThan(0.01);
  });

  test("the g-function", () => {
    const [of] = studied(specOf(g.ranges, sobol(2_048)), g.formula, { resamples: 50 }).metrics;
    expect(of!.indices!.factors.slice(0, 4).map(({ factor }) => factor)).toEqual(["x1", "x2", "x3", "x4"]);
    for (const { factor, first, total } of of!.indices!.factors) {
      const i = Number(factor.slice(1)) - 1;
      expect(Math.abs(first.value - g.truth.first[i]!), `first order of ${factor}`).toBeLessThan(0.01);
      expect(Math.abs(total.value - g.truth.total[i]!), `total of ${factor}`).toBeLessThan(0.01);
    }
    expect(of!.findings).toContain("X4, x6 and x5 could as well be left as they are: with all that they do together with others, at most 1 % of the variance each.");
  });

  test("second order: of Ishigami only the pair (1, 3) does anything", () => {
    const [of] = studied(specOf(ishigamiRanges, sobol(4_096, true)), ishigami, { resamples: 50 }).metrics;
    const [first, ...others] = of!.indices!.pairs!;
    expect(first!.factors).toEqual(["x1", "x3"]);
    expect(Math.abs(first!.index.value - 0.2437)).toBeLessThan(0.01);
    for (const { index } of others) expect(Math.abs(index.value)).toBeLessThan(0.01);
  });

  test("an additive formula: shares sum to one, nothing is done together", () => {
    const [of] = studied(specOf([[0, 1], [0, 1], [0, 1]], sobol(1_024)), ([a, b, c]) => 5 + 4 * a! + 2 * b! + 0 * c!).metrics;
    const by = new Map(of!.indices!.factors.map((one) => [one.factor, one]));
    expect(by.get("x1")!.first.value).toBeCloseTo(0.8, 2);
    expect(by.get("x2")!.total.value).toBeCloseTo(0.2, 2);
    expect(by.get("x3")!.total).toEqual({ value: 0, interval: { confidence: 0.95, low: 0, high: 0 } });
    expect(of!.headline).toMatch(/^X1 explains 80 % \(\d\d to \d\d\) of the variance of the result, x2 20 % \(\d\d to \d\d\); what they do together is at most \d+ %\.$/);
  });
});

/** In how many of so many repetitions the 95 % intervals hold the truth, over all indices above a thousandth. */
function coverage({ formula, truth, ranges }: typeof g, repetitions: number, indices: (seed: number) => { readonly first: readonly (readonly [number, number])[]; readonly total: readonly (readonly [number, number])[] }): number {
  let held = 0;
  let asked = 0;
  for (let seed = 1; seed <= repetitions; seed++) {
    const found = indices(seed);
    ranges.forEach((_, i) => {
      for (const [[low, high], true_] of [[found.first[i]!, truth.first[i]!], [found.total[i]!, truth.total[i]!]] as const) {
        asked++;
        if (low <= true_ && true_ <= high) held++;
      }
    });
  }
  expect(asked).toBe(repetitions * 2 * ranges.length);
  expect(formula).toBeDefined();
  return held / asked;
}

describe("bootstrap intervals hold the truth as often as they say", () => {
  test.each([["Ishigami", onIshigami], ["the g-function", g]] as const)("of %s at random points: 93 to 97 % of 200 repetitions", (_, { formula, truth, ranges }) => {
    const k = ranges.length;
    const share = coverage({ formula: formula as typeof g.formula, truth: { ...truth, first: [...truth.first], total: [...truth.total] }, ranges: [...ranges] as typeof g.ranges }, 200, (seed) => {
      const random = new RandomStreams(seed).stream("test", "points", "random");
      const at = (point: readonly number[]): number => formula(point.map((u, i) => ranges[i]![0] + u * (ranges[i]![1] - ranges[i]![0])));
      const values = Float64Array.from(Array.from({ length: 256 }, () => {
        const [a, b] = [ranges.map(() => random.next()), ranges.map(() => random.next())];
        return [at(a), at(b), ...ranges.map((_range, i) => at(a.map((u, j) => (i === j ? b[j]! : u))))];
      }).flat());
      const { first, total } = sobolIndices(values, k, false, { resamples: 200, confidence: 0.95, random })!;
      return { first: first.map(({ low, high }) => [low, high] as const), total: total.map(({ low, high }) => [low, high] as const) };
    });
    expect(share).toBeGreaterThan(0.93);
    expect(share).toBeLessThan(0.97);
  });

  test.each([["Ishigami", onIshigami], ["the g-function", g]] as const)("of %s at Sobol' points, which know better than the bootstrap: 95 % or more of 60 studies", (_, { formula, truth, ranges }) => {
    const share = coverage({ formula: formula as typeof g.formula, truth: { ...truth, first: [...truth.first], total: [...truth.total] }, ranges: [...ranges] as typeof g.ranges }, 60, (seed) => {
      const found = studied(specOf(ranges, sobol(128)), formula, { seed, resamples: 200 }).metrics[0]!.indices!.factors.toSorted((a, b) => (a.factor < b.factor ? -1 : 1));
      const ends = ({ interval }: (typeof found)[number]["first"]): readonly [number, number] => [interval!.low, interval!.high];
      return { first: found.map(({ first }) => ends(first)), total: found.map(({ total }) => ends(total)) };
    });
    expect(share).toBeGreaterThanOrEqual(0.95);
  });
});

describe("chance", () => {
  /** Normal enough: the sum of three uniforms, standard deviation 1/2, anew at each point and replication. */
  const noisy = (formula: (x: readonly number[]) => number, size: number) => (x: readonly number[], seed: number): number => {
    const random = new RandomStreams(`${seed} ${x.join(" ")}`).stream("test", "noise", "point");
    return formula(x) + size * (random.next() + random.next() + random.next() - 1.5) + 100 * (seed % 7);
  };

  test("inflates total indices by its share, which is told, and taken out", () => {
    const linear = ([a, b]: readonly number[]): number => 3 * a! + b!;
    // Variances 9/12 and 1/12; of chance, over two replications, (2/3)^2 / 4 / 2 = 1/18.
    const [of] = studied(specOf([[0, 1], [0, 1], [0, 1]], sobol(2_048), 2), noisy(linear, 2 / 3), { resamples: 50 }).metrics;
    const truth = 1 / 18 / (10 / 12 + 1 / 18);
    expect(Math.abs(of!.chance!.share! - truth)).toBeLessThan(0.01);
    const idle = of!.indices!.factors.find(({ factor }) => factor === "x3")!;
    expect(Math.abs(idle.total.value - truth)).toBeLessThan(0.01);
    expect(Math.abs(idle.totalAdjusted!)).toBeLessThan(0.01);
    const strong = of!.indices!.factors[0]!;
    expect(Math.abs(strong.firstAdjusted! - 0.9)).toBeLessThan(0.02);
    expect(of!.findings).toContain("About 6 % of the variance between points is chance, though all points have the same random numbers: it raises each total index by about as much, and lowers first-order ones in proportion. More replications lessen it.");
  });

  test("that does the same to all points is none", () => {
    const [of] = studied(specOf([[0, 1], [0, 1]], sobol(64), 3), ([a, b], seed) => a! + b! + seed, { resamples: 0 }).metrics;
    expect(of!.chance!.sd).toBeLessThan(1e-6);
  });

  test("cannot be told from one replication", () => {
    const [of] = studied(specOf([[0, 1], [0, 1]], sobol(64)), ([a, b]) => a! + b!).metrics;
    expect(of!.chance).toBe(null);
    expect(of!.findings.at(-1)).toMatch(/^Each point was played once: /);
  });
});

describe("what fails", () => {
  test("takes its block with it, and is told; the rest is as if it had never been asked", () => {
    const failing = (x: readonly number[]): number => (x[0]! > 2.9 ? NaN : ishigami(x));
    const found = studied(specOf(ishigamiRanges, sobol(256)), failing, { resamples: 20 });
    const [of] = found.metrics;
    expect(found.runs.failed).toBeGreaterThan(10);
    expect(found.runs.failures[0]).toMatchObject({ error: "Error: planted", seed: 1 });
    let expected = 0;
    for (const points of sobolDesign(3, 256, false, new RandomStreams(1))) if (points.some((point) => -Math.PI + point[0]! * 2 * Math.PI > 2.9)) expected++;
    expect(of!.blocks).toEqual({ used: 256 - expected, dropped: expected });
    expect(of!.findings.at(-1)).toBe(`${expected} of 256 blocks were left out, since a run of theirs failed or has no such figure. What is said holds for the others; if failures have to do with the factors, it is blind where they happen.`);
    for (const { first, total } of of!.indices!.factors) expect([first.value, total.value].every(Number.isFinite)).toBe(true);
  });

  test("in every block leaves nothing to say", () => {
    const [of] = studied(specOf([[0, 1], [0, 1]], sobol(8)), (x) => (x[0]! > 0.5 === x[1]! > 0.5 ? NaN : 1)).metrics;
    expect(of).toMatchObject({ mean: null, sd: null, indices: null, blocks: { used: 0, dropped: 8 }, headline: "Nothing can be said of the result: no block of runs has it throughout." });
  });

  test("everywhere leaves no report", () => {
    expect(conduct(sensitivityStudy(specOf([[0, 1], [0, 1]], sobol(8)), 1), player(() => NaN))).toBe(null);
  });

  test("a figure that is the same everywhere has no shares", () => {
    const [of] = studied(specOf([[0, 1], [0, 1]], sobol(8)), () => 0.1).metrics;
    expect(of!.indices).toBe(null);
    expect(of!.headline).toBe("Nothing that was changed makes a difference to the result: it is 0.1 everywhere.");
  });
});

test("interrupted, it rests on the blocks that are over", () => {
  const study = sensitivityStudy(specOf(ishigamiRanges, sobol(64)), 1, 0);
  const batch = study.next().value as RunBatch;
  const play = player(ishigami);
  let index = 0;
  for (const task of batch.tasks) {
    if (index === 5 * 32 + 2) break;
    batch.take(play(task, index++));
  }
  const { results } = study.next({ interrupted: true }).value as StudyEnd;
  expect(results.metrics[0]!.blocks).toEqual({ used: 32, dropped: 0 });
  const { first, total } = studied(specOf(ishigamiRanges, sobol(32)), ishigami, { resamples: 0 }).metrics[0]!.indices!.factors[0]!;
  expect(results.metrics[0]!.indices!.factors[0]).toMatchObject({ first, total });
});

test("same seed, same bytes; another seed, another design", () => {
  const once = (seed: number): string => JSON.stringify(studied(specOf(ishigamiRanges, sobol(64, true)), ishigami, { seed, resamples: 50 }));
  expect(once(1)).toBe(once(1));
  expect(once(2)).not.toBe(once(1));
});
