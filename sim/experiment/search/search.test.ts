import { describe, expect, test } from "vitest";
import { findMetric } from "../../../protocol/result/metrics.ts";
import type { SearchSpec } from "../../scenario/sections/search.ts";
import { resolveSearch } from "../../scenario/sections/search.ts";
import { conduct } from "../conduct.ts";
import type { RunTask } from "../plan.ts";
import { search } from "./search.ts";
import type { SearchOutcome } from "./search.ts";
import { noise, playBy } from "./testing/noisy.ts";

type Input = NonNullable<Parameters<typeof resolveSearch>[0]>;

function specOf(input: Input): SearchSpec {
  const findings: string[] = [];
  const spec = resolveSearch(input, { clients: [], operators: [] }, ({ path, found }) => void findings.push(`${path.join(".")}: ${found}`), () => ({ place: [], field: [] }));
  if (spec === null) throw new Error(findings.join("; "));
  return spec;
}

const { path } = findMetric("router.revenue")!;
const metric = "router.revenue";

function found(outcome: SearchOutcome | null): { readonly name: string; readonly value: number; readonly half: number } {
  const { contenders, chosen, fresh } = outcome!;
  const { values } = fresh[chosen!]!;
  return { name: contenders[chosen!]!.name, value: values.mean, half: (2.861 * values.standardDeviation) / Math.sqrt(values.count) };
}

/** A parabola with its top of 1,000 at 40, and noise of which a part is the future's, common to all, and a part its own. */
const parabola = playBy(({ "router.fee.flat": x = 0 }, seed) => ({ [path]: 1_000 - 0.5 * (x - 40) * (x - 40) + 50 * noise(seed, "common") + 15 * noise(seed, `own ${x}`) }));
const list = { maximise: metric, over: { "router.fee.flat": { from: "10 msat", to: "70 msat", steps: 7 } } } as const satisfies Input;

describe("the best of a list", () => {
  test("Kim and Nelson's race finds it, most are out early, and its value comes from fresh runs", () => {
    const outcome = conduct(search(specOf(list), { seed: 1 }), parabola)!;
    const { name, value, half } = found(outcome);
    expect(name).toBe("40 msat");
    expect(outcome.outcome).toBe("decided");
    // A hundredth of the largest value of a first look, whose noise is 50.
    expect(Math.abs(outcome.indifference - 10)).toBeLessThan(1.5);
    expect(Math.abs(value - 1_000)).toBeLessThan(half);
    expect(outcome.contenders.filter(({ eliminated }) => eliminated !== null)).toHaveLength(6);
    expect(outcome.contenders[0]!.values.count).toBe(10);
    // 50 off each way: what is stated as the most by which others may be better is below 0, as they are worse.
    expect(Math.max(...outcome.fresh.flatMap((look) => look?.atMost ?? []))).toBeLessThan(0);
  });

  test("in 95 % of 100 searches at least, though the best is ahead by no more than what matters", () => {
    // Neighbours are 0.5 * 10^2 = 50 worse: that much matters here, and the noise of its own is 150.
    const noisy = playBy(({ "router.fee.flat": x = 0 }, seed) => ({ [path]: 1_000 - 0.5 * (x - 40) * (x - 40) + 150 * noise(seed, `own ${x}`) }));
    let right = 0;
    for (let seed = 0; seed < 100; seed++) if (found(conduct(search(specOf({ ...list, indifference: "50 msat", fresh: 2 }), { seed }), noisy)).name === "40 msat") right++;
    expect(right).toBeGreaterThanOrEqual(95);
  });

  test("a goal to be minimised, two paths, and a budget that ends before the race does", () => {
    const spec = specOf({ minimise: metric, over: { "a.x": [1, 2, 3], "a.y": [1, 2, 3] }, indifference: 0.1 });
    const bowl = playBy(({ "a.x": x = 0, "a.y": y = 0 }, seed) => ({ [path]: (x - 2) * (x - 2) + (y - 3) * (y - 3) + noise(seed, `${x} ${y}`) }));
    expect(found(conduct(search(spec, { seed: 1 }), bowl)).name).toBe("2, 3");
    const outcome = conduct(search({ ...spec, budget: 150 }, { seed: 1 }), bowl)!;
    expect([outcome.outcome, outcome.chosen]).not.toContain(null);
    expect(outcome.outcome).toBe("budget");
    expect(outcome.tally.played).toBeLessThanOrEqual(150 + 9 * 20);
  });

  test("what throws, has no figure, or does not keep a constraint is set aside, and said why", () => {
    const goodput = findMetric("goodput")!.path;
    const spec = specOf({ ...list, subjectTo: { goodput: { atLeast: "90 %" } } });
    const outcome = conduct(search(spec, { seed: 1 }), (task, index) => playBy((numbers, seed) => {
      const x = numbers["router.fee.flat"]!;
      if (x === 30) throw new Error("broken");
      return { [path]: x === 20 ? null : 1_000 - (x - 40) * (x - 40) + noise(seed, "common"), [goodput]: x === 40 ? 0.8 : 0.95 };
    })(task, index))!;
    expect(found(outcome).name).toBe("50 msat");
    expect(outcome.contenders.map(({ setAside }) => setAside)).toEqual([null, "a run has no figure for routers' revenue", "Error: broken", `${findMetric("goodput")!.label} is 80 %, not at least 90 %`, null, null, null]);
    expect(outcome.tally.failed).toBe(11);
    expect([outcome.fresh[3], outcome.fresh[4] === null]).toEqual([null, false]);
  });

  test("OCBA spends its budget where it tells most, and says how sure it is", () => {
    const own = playBy(({ "router.fee.flat": x = 0 }, seed) => ({ [path]: 1_000 - 0.5 * (x - 40) * (x - 40) + 60 * noise(seed, `own ${x}`) }));
    const outcome = conduct(search(specOf({ ...list, method: "ocba", budget: 300 }), { seed: 1 }), own)!;
    const counts = outcome.contenders.map(({ values }) => values.count);
    expect(found(outcome).name).toBe("40 msat");
    expect(counts.reduce((a, b) => a + b, 0)).toBe(300);
    expect(Math.min(counts[2]!, counts[3]!, counts[4]!)).toBeGreaterThan(2 * Math.max(counts[0]!, counts[6]!));
    expect(outcome.approximateProbability).toBeGreaterThan(0.9);
  });
});

describe("the best of ranges", () => {
  test("a noisy parabola: the top within a twentieth of the range, its value within the interval of fresh runs", () => {
    const outcome = conduct(search(specOf({ ...list, over: { "router.fee.flat": { from: "0 msat", to: "100 msat", step: "0.5 msat" } }, indifference: "2 msat", budget: 600 }), { seed: 1 }), parabola)!;
    const { name, value, half } = found(outcome);
    expect(Math.abs(Number.parseFloat(name) - 40)).toBeLessThan(5);
    expect(Math.abs(value - (1_000 - 0.5 * (Number.parseFloat(name) - 40) * (Number.parseFloat(name) - 40)))).toBeLessThan(half);
    expect(outcome.points!.length).toBeGreaterThan(20);
    expect(outcome.tally.played).toBeLessThanOrEqual(600 + 5 * 20);
  });

  test("Rosenbrock's valley with noise: within 0.1 of its bottom at (1, 1)", () => {
    const spec = specOf({ minimise: metric, over: { "a.x": { from: -2, to: 2, step: 0.01 }, "a.y": { from: -1, to: 3, step: 0.01 } }, indifference: 0.05, replications: 2, budget: 1_300 });
    const valley = playBy(({ "a.x": x = 0, "a.y": y = 0 }, seed) => ({ [path]: 100 * (y - x * x) * (y - x * x) + (1 - x) * (1 - x) + noise(seed, "common") + 0.05 * noise(seed, `${x} ${y}`) }));
    const { name } = found(conduct(search(spec, { seed: 1 }), valley));
    const [x, y] = name.split(", ").map(Number) as [number, number];
    expect(Math.abs(x - 1)).toBeLessThan(0.1);
    expect(Math.abs(y - 1)).toBeLessThan(0.2);
  });
});

test("runs have names of their own, and the same seeds in every alternative", () => {
  const tasks: RunTask[] = [];
  conduct(search(specOf(list), { seed: 1 }), (task, index) => {
    tasks.push(task);
    return parabola(task, index);
  });
  expect(new Set(tasks.map(({ name }) => name)).size).toBe(tasks.length);
  const seeds = (value: string): number[] => tasks.filter(({ name }) => name.startsWith(`search ${value} `)).slice(0, 10).map(({ seed }) => seed);
  expect(seeds("10 msat")).toEqual(seeds("40 msat"));
  expect(seeds("10 msat")[0]).toBe(1);
  const phases = new Map(tasks.map(({ seed, name }) => [seed, name.split(" ")[0]]));
  for (const { seed, name } of tasks) expect(phases.get(seed)).toBe(name.split(" ")[0]);
});

test("interrupted, it reports what was played: nothing of nothing, and no guarantee", () => {
  const stopAt = (count: number): SearchOutcome | null => {
    const experiment = search(specOf(list), { seed: 1 });
    let left = count;
    let next = experiment.next();
    while (next.done !== true) {
      let index = 0;
      for (const task of next.value.tasks) {
        if (left-- <= 0) break;
        next.value.take(parabola(task, index++));
      }
      next = experiment.next({ interrupted: left < 0 });
    }
    return next.value;
  };
  expect(stopAt(0)).toBeNull();
  expect(stopAt(3)).toMatchObject({ interrupted: true, chosen: null });
  expect(stopAt(60)).toMatchObject({ interrupted: true, outcome: "interrupted", chosen: 3 });
  expect(stopAt(10_000)).toMatchObject({ interrupted: false, outcome: "decided", chosen: 3 });
});
