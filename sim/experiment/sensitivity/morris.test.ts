import { describe, expect, test } from "vitest";
import { RandomStreams } from "../../kernel/random.ts";
import { radial, type Step, trajectories } from "./morris-design.ts";
import { gFunction, ishigami, ishigamiRanges, specOf, studied } from "./testing/formulas.ts";

const grid = (count: number, levels = 4) => ({ kind: "morris", trajectories: count, levels, design: "trajectories" }) as const;
const star = (count: number) => ({ kind: "morris", trajectories: count, levels: 4, design: "radial" }) as const;

describe("trajectories", () => {
  test("change each factor once, by two thirds of its range on four levels, inside the cube, all levels equally often", () => {
    const design = trajectories(5, 400, 4, new RandomStreams(1));
    const seen = new Map<number, number>();
    const stepsOf = design.steps()[Symbol.iterator]();
    for (const points of design) {
      const steps = stepsOf.next().value as readonly Step[];
      expect(steps.map(({ factor }) => factor).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4]);
      for (const { factor, from, to } of steps) {
        const change = points[to]!.map((u, i) => u - points[from]![i]!);
        expect(Math.abs(change[factor]!)).toBeCloseTo(2 / 3, 12);
        expect(change.filter((one) => one !== 0)).toHaveLength(1);
      }
      for (const point of points) expect(point.every((u) => u >= 0 && u <= 1)).toBe(true);
      const level = Math.round(points[0]![0]! * 3);
      seen.set(level, (seen.get(level) ?? 0) + 1);
    }
    // 400 draws of four equally likely levels: a standard deviation of 9.
    for (let level = 0; level < 4; level++) expect(Math.abs(seen.get(level)! - 100)).toBeLessThan(27);
  });

  test("are the same each time they are walked", () => {
    const design = trajectories(3, 5, 4, new RandomStreams(1));
    expect([...design]).toEqual([...design]);
    const centres = radial(3, 5, new RandomStreams(1));
    expect([...centres]).toEqual([...centres]);
    expect([...centres].every((points) => points.length === 4 && points.slice(1).every((point, i) => point.filter((u, j) => u !== points[0]![j]).length === 1 && point[i] !== points[0]![i]))).toBe(true);
  });
});

/** All effects on the grid of four levels, by enumeration: mean size and standard deviation of each factor's. */
function onGrid(formula: (x: readonly number[]) => number, ranges: readonly (readonly [number, number])[]): { readonly muStar: number; readonly sigma: number; readonly mu: number }[] {
  const k = ranges.length;
  const at = (levels: readonly number[]): number => formula(levels.map((level, i) => ranges[i]![0] + level / 3 * (ranges[i]![1] - ranges[i]![0])));
  return ranges.map((_, factor) => {
    const effects: number[] = [];
    for (let code = 0; code < 4 ** k; code++) {
      const levels = ranges.map((_range, i) => Math.floor(code / 4 ** i) % 4);
      if (levels[factor]! > 1) continue;
      effects.push((at(levels.map((level, i) => (i === factor ? level + 2 : level))) - at(levels)) * 3 / 2);
    }
    const mu = effects.reduce((sum, effect) => sum + effect, 0) / effects.length;
    return {
      mu, muStar: effects.reduce((sum, effect) => sum + Math.abs(effect), 0) / effects.length,
      sigma: Math.sqrt(effects.reduce((sum, effect) => sum + (effect - mu) * (effect - mu), 0) / effects.length),
    };
  });
}

describe("elementary effects", () => {
  test("of Ishigami, as published: mu* of about 7.7, 7.9 and 6.2, sigma of all as large as that", () => {
    const truth = onGrid(ishigami, ishigamiRanges);
    // SALib's example (levels 4): 7.7, 7.875, 6.25.
    truth.forEach(({ muStar }, i) => expect(muStar).toBeCloseTo([7.7, 7.875, 6.25][i]!, 2));
    const [of] = studied(specOf(ishigamiRanges, grid(1_000)), ishigami, { resamples: 200 }).metrics;
    for (const { factor, muStar, sigma, mu, steps } of of!.screening!) {
      const expected = truth[Number(factor.slice(1)) - 1]!;
      expect(steps).toBe(1_000);
      const error = expected.sigma / Math.sqrt(1_000);
      expect(Math.abs(mu.value - expected.mu), `mu of ${factor}`).toBeLessThan(3.3 * error + 1e-9);
      expect(Math.abs(muStar.value - expected.muStar), `mu* of ${factor}`).toBeLessThan(3.3 * error + 1e-9);
      expect(Math.abs(sigma.value - expected.sigma), `sigma of ${factor}`).toBeLessThan(3.3 * error);
    }
    expect(of!.screening![0]!.factor).toBe("x2");
  });

  test("of the g-function, ranked as by Campolongo, Cariboni and Saltelli (2007)", () => {
    const a = [78, 12, 0.5, 2, 97, 33];
    for (const [method, told] of [[grid(200), 6], [grid(200, 6), 6], [star(20), 4]] as const) {
      const [of] = studied(specOf(a.map(() => [0, 1] as const), method), gFunction(a)).metrics;
      expect(of!.screening!.map(({ factor }) => factor).slice(0, told)).toEqual(["x3", "x4", "x2", "x6", "x1", "x5"].slice(0, told));
      for (const { muStar, sigma } of of!.screening!) expect(sigma.value / muStar.value, "rises and falls").toBeGreaterThan(0.8);
    }
  });

  test("of a straight line are its slopes, exactly, with no spread", () => {
    for (const method of [grid(10), star(10)]) {
      const [of] = studied(specOf([[0, 10], [-1, 1], [5, 6]], method), ([x1, x2, x3]) => 2 * x1! - 3 * x2! + 0 * x3!).metrics;
      const [first, second, third] = of!.screening!;
      expect([first!.factor, second!.factor, third!.factor]).toEqual(["x1", "x2", "x3"]);
      expect(first!.mu.value).toBeCloseTo(20, 6);
      expect(second!.mu.value).toBeCloseTo(-6, 6);
      expect(second!.muStar.value).toBeCloseTo(6, 6);
      expect(third!.muStar.value).toBe(0);
      for (const { sigma } of of!.screening!) expect(sigma.value).toBeLessThan(1e-5);
      expect(of!.headline).toBe("X1 matters most for the result: over its range it makes a difference of 20 (20 to 20) on average, x2 one of 6 (6 to 6).");
      expect(of!.findings.slice(0, 3)).toEqual([
        "X1, from 0 to 10, raises it by 20 on average, by nearly the same wherever it starts.",
        "X2, from -1 to 1, lowers it by 6 on average, by nearly the same wherever it starts.",
        "X3, from 5 to 6, makes no difference.",
      ]);
    }
  });

  test("of a whole field count from value to value, and not at all where the value stays", () => {
    const spec = specOf([[0, 1], [1, 2]], star(200));
    const whole = { ...spec, factors: spec.factors.map((factor, i) => (i === 0 ? factor : { ...factor, moves: factor.moves.map((move) => ({ ...move, range: { ...move.range, whole: true, decimals: 0 } })) })) };
    const [of] = studied(whole, ([x1, x2]) => x1! + 5 * x2!).metrics;
    const machines = of!.screening!.find(({ factor }) => factor === "x2")!;
    expect(machines.mu.value).toBeCloseTo(5, 9);
    expect(machines.sigma.value).toBeLessThan(1e-9);
    expect(machines.steps).toBeGreaterThan(60);
    expect(machines.steps).toBeLessThan(140);
  });

  test("of a range that is finer than its field are none", () => {
    const spec = specOf([[0, 1], [1, 1.0001]], grid(10));
    const coarse = { ...spec, factors: spec.factors.map((factor, i) => (i === 0 ? factor : { ...factor, moves: factor.moves.map((move) => ({ ...move, range: { ...move.range, decimals: 1 } })) })) };
    const [of] = studied(coarse, ([x1, x2]) => x1! + 5 * x2!).metrics;
    expect(of!.screening![1]).toEqual({ factor: "x2", steps: 0, mu: { value: 0, interval: null }, muStar: { value: 0, interval: null }, sigma: { value: 0, interval: null } });
    expect(of!.findings[1]).toBe("X2 never changed its value: its range is finer than its field takes.");
  });

  test("intervals of mu* hold the truth in 90 to 99 % of 200 seeded screenings", () => {
    const truth = onGrid(ishigami, ishigamiRanges);
    let held = 0;
    for (let seed = 1; seed <= 200; seed++) {
      const [of] = studied(specOf(ishigamiRanges, grid(60)), ishigami, { seed, resamples: 200 }).metrics;
      for (const { factor, muStar } of of!.screening!) {
        const { muStar: expected } = truth[Number(factor.slice(1)) - 1]!;
        if (factor !== "x2" && muStar.interval!.low <= expected && expected <= muStar.interval!.high) held++;
      }
    }
    expect(held / 400).toBeGreaterThan(0.9);
    expect(held / 400).toBeLessThan(0.99);
  });
});

test("chance shows as the size of effect that it makes by itself", () => {
  const noise = (x: readonly number[], seed: number): number => 0.3 * (2 * new RandomStreams(`${seed} ${x.join(" ")}`).stream("test", "noise", "point").next() - 1);
  const [of] = studied(specOf(Array.from({ length: 6 }, () => [0, 1] as const), grid(300), 4), (x, seed) => 10 * x[0]! + noise(x, seed), { resamples: 50 }).metrics;
  // Uniform on [-0.3, 0.3], mean of four: sd 0.3 / sqrt(3) / 2; a difference of two, nearly normal, over 2/3.
  const expected = 0.3 / Math.sqrt(3) / 2 * (2 / Math.sqrt(Math.PI)) * 1.5;
  expect(of!.chance!.muStar! / expected).toBeCloseTo(1, 1);
  const idle = of!.screening!.slice(1).map(({ muStar }) => muStar.value / expected);
  expect(idle.reduce((sum, one) => sum + one, 0) / idle.length).toBeCloseTo(1, 1);
  expect(of!.findings[3]).toMatch(/ Chance alone may show as much as 0\.1\d+\.$/);
});

test("says which way only where it is one way, and of chance only where chance can have struck", () => {
  const [of] = studied(specOf([[-1, 1], [0, 1], [1, 3]], grid(200)), ([x1, x2, x3]) => x1! * x1! * 9 + 2 * x1! + x2! * x2! + 4 / (x3! * x3!)).metrics;
  expect(of!.findings.slice(0, 3)).toEqual([
    expect.stringMatching(/^X1, from -1 to 1, moves it by [\d.]+ on average; how much, and which way, depends strongly on where it starts and on the others\.$/),
    expect.stringMatching(/^X3, from 1 to 3, lowers it by [\d.]+ on average; how much depends on where it starts and on the others\.$/),
    expect.stringMatching(/^X2, from 0 to 1, raises it by [\d.]+ on average, by much the same wherever it starts\.$/),
  ]);
  const noise = (x: readonly number[], seed: number): number => 5 * new RandomStreams(`${seed} ${x[0]!}`).stream("test", "noise", "point").next();
  const [struck] = studied(specOf([[0, 1], [0, 1]], grid(100, 20), 2), (x, seed) => noise(x, seed) + 2 * x[1]!).metrics;
  expect(struck!.findings.map((finding) => finding.includes("Chance alone"))).toEqual([true, false, false]);
});

test("a trajectory with a failed run is left out, and told", () => {
  const found = studied(specOf(ishigamiRanges, grid(50)), (x) => (x[0]! > 3 && x[1]! > 3 ? NaN : ishigami(x)));
  const [of] = found.metrics;
  expect(of!.blocks.dropped).toBeGreaterThan(0);
  expect(of!.blocks.used + of!.blocks.dropped).toBe(50);
  expect(of!.screening!.every(({ steps }) => steps === of!.blocks.used)).toBe(true);
  expect(of!.findings.at(-1)).toMatch(/^\d+ of 50 trajectories were left out/);
});
