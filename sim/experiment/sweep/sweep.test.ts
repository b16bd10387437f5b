import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { sweepReport } from "../../../protocol/result/sweep.ts";
import { conduct } from "../conduct.ts";
import type { RunTask } from "../plan.ts";
import { replicationSeed } from "../seeds.ts";
import { sweep } from "./sweep.ts";
import { byFormula, sweepOf } from "./testing/formulas.ts";

const profit = "market.profitMsat";
const count = (changes: Readonly<Record<string, string>>): number => Number(changes["operators.gpu.count"]);

describe("a sweep", () => {
  test("plays replications of one point after the other, on the same random numbers at every point", () => {
    const tasks: RunTask[] = [];
    conduct(sweep(sweepOf("  axes: {operators.gpu.count: [1, 2]}\n  replications: 3\n  metrics: [profit]")), (task, index) => {
      tasks.push(task);
      return byFormula(() => ({ [profit]: 1 }))(task, index);
    });
    expect(tasks).toEqual([1, 2].flatMap((of, p) => [0, 1, 2].map((r) => ({ name: `point=${p} replication=${r}`, sets: [`operators.gpu.count=${of}`], seed: replicationSeed(1, r) }))));
  });

  test("takes replications from the sweep, the scenario, or 5; metrics likewise", () => {
    expect(sweepOf("  axes: {operators.gpu.count: [1, 2]}").replications).toBe(5);
    expect(sweepOf("  axes: {operators.gpu.count: [1, 2]}\nreplications: 7").replications).toBe(7);
    expect(sweepOf("  axes: {operators.gpu.count: [1, 2]}\n  replications: 2\nreplications: 7").replications).toBe(2);
    expect(sweepOf("  axes: {operators.gpu.count: [1, 2]}\n  replications: 2", { replications: 9 }).replications).toBe(9);
    expect(sweepOf("  axes: {operators.gpu.count: [1, 2]}\nmetrics: [profit]").metrics.map(({ id }) => id)).toEqual(["profit"]);
    expect(sweepOf("  axes: {operators.gpu.count: [1, 2]}").metrics.length).toBeGreaterThan(5);
  });

  test("says what each point comes to, and which is the best", () => {
    // A parabola with its top at 4, and noise that all points share: differences are free of it.
    const report = conduct(sweep(sweepOf("  axes: {operators.gpu.count: {from: 1, to: 7, steps: 7}}\n  replications: 6\n  metrics: [profit, latency.p95, price]")),
      byFormula((changes, chance) => ({ [profit]: 1_000 - (count(changes) - 4) * (count(changes) - 4) + 500 * chance, "overall.latency.endToEndUs.p95": null, "overall.prices.perMtokMsat.mean": count(changes) })))!;
    sweepReport.parse(report);
    expect(report.points.map(({ factors }) => factors)).toEqual([1, 2, 3, 4, 5, 6, 7].map((one) => [one]));
    const means = report.points.map(({ estimates }) => estimates[0]!.mean!);
    for (const [i, mean] of means.entries()) expect(mean - means[3]!).toBeCloseTo(-(i - 3) * (i - 3), 9);
    expect(report.best).toEqual([{ metric: "profit", point: 3, rivals: [] }]);
    expect(report.findings).toHaveLength(3);
    expect(report.findings[0]).toMatch(/^Operators' profit: highest, .* CI .* at operators\.gpu\.count = 4; lowest, .* at operators\.gpu\.count = 1\. Compared run by run, every other point is worse by more than chance\.$/);
    expect(report.findings[1]).toBe("P95 latency: no run has this figure.");
    expect(report.findings[2]).toBe("Mean price: highest, 7 msat/Mtok, at operators.gpu.count = 7; lowest, 1 msat/Mtok, at operators.gpu.count = 1.");
  });

  test("leaves metrics out that no run has where nobody asked for them", () => {
    const question = sweepOf("  axes: {operators.gpu.count: [1, 2]}\n  replications: 1");
    const report = conduct(sweep(question), byFormula((changes) => ({ [profit]: null, "market.utilisation": 1 / count(changes) })))!;
    expect(report.metrics.map(({ id }) => id)).toEqual(["utilisation"]);
    expect(report.best).toEqual([{ metric: "utilisation", point: 0, rivals: null }]);
  });

  test("counts figures that are listed only where they occurred as 0 elsewhere", () => {
    const path = "overall.reasons.rejected.too-dear.jobs";
    const report = conduct(sweep(sweepOf(`  axes: {operators.gpu.count: [1, 2]}\n  replications: 2\n  metrics: [${path}]`)), byFormula((changes): Record<string, number> => count(changes) === 1 ? { [path]: 6 } : {}))!;
    expect(report.points.map(({ estimates }) => estimates[0]!.mean)).toEqual([6, 0]);
  });

  test("makes a failed run a row of its point, and goes on", () => {
    const report = conduct(sweep(sweepOf("  axes: {operators.gpu.count: [1, 2, 3]}\n  replications: 2\n  metrics: [profit]")), byFormula((changes) => {
      if (count(changes) === 2) throw new RangeError("no such market");
      return { [profit]: count(changes) };
    }))!;
    expect(report.runs).toMatchObject({ played: 6, failed: 2, failures: [{ name: "point=1 replication=0", seed: 1, error: "RangeError: no such market" }, { name: "point=1 replication=1" }] });
    expect(report.points.map(({ runs, failed, estimates }) => [runs, failed, estimates[0]!.mean])).toEqual([[2, 0, 1], [2, 2, null], [2, 0, 3]]);
    sweepReport.parse(report);
    expect(conduct(sweep(sweepOf("  axes: {operators.gpu.count: [1, 2]}")), byFormula(() => { throw new Error("none"); }))).toBe(null);
  });

  test("reports what was played where it is interrupted", () => {
    const experiment = sweep(sweepOf("  axes: {operators.gpu.count: [1, 2, 3]}\n  replications: 2\n  metrics: [profit]"));
    const batch = experiment.next().value as { tasks: Iterable<RunTask>; take(outcome: unknown): void };
    const play = byFormula((changes) => ({ [profit]: count(changes) }));
    [...batch.tasks].slice(0, 3).forEach((task, index) => batch.take(play(task, index)));
    const report = experiment.next({ interrupted: true }).value as NonNullable<ReturnType<typeof conduct<ReturnType<typeof sweepReport.parse>>>>;
    expect(report.points.map(({ runs }) => runs)).toEqual([2, 1]);
    expect(report.provenance.interrupted).toBe(true);
    expect(report.design.points).toBe(3);
  });

  test("shares out the differences between points among the axes of a product, as the analysis of variance does", () => {
    // 3a + b + 0.5 a b over {-1, 1} x {-1, 1}, by count 1, 3 and attempts 1, 3: shares 9, 1 and 0.25 of 10.25.
    const report = conduct(sweep(sweepOf("  axes: {operators.gpu.count: [1, 3], router.attempts: [1, 3]}\n  combine: product\n  replications: 1\n  metrics: [profit]")), byFormula((changes) => {
      const [a, b] = [count(changes) - 2, Number(changes["router.attempts"]) - 2];
      return { [profit]: 3 * a + b + 0.5 * a * b };
    }))!;
    expect(report.effects.map(({ axis, share }) => [axis, share])).toEqual([["operators.gpu.count", expect.closeTo(9 / 10.25, 12)], ["router.attempts", expect.closeTo(1 / 10.25, 12)]]);
    expect(report.effects[0]!.means.map(({ from, mean }) => [from, mean])).toEqual([[1, -3], [3, 3]]);
    expect(report.findings[0]).toContain("operators.gpu.count alone explains 88 %, router.attempts alone explains 10 %");
  });

  test("finds the main effects of a random design, and the wholes of its axis", () => {
    const report = conduct(sweep(sweepOf("  axes: {router.queue.maxWait: {from: 0s, to: 10s}, operators.gpu.count: {from: 1, to: 30}}\n  combine: {sobol: {points: 256}}\n  replications: 1\n  metrics: [profit]")), byFormula((changes) =>
      ({ [profit]: 10 * Number(changes["router.queue.maxWait"]!.replace(" s", "")) + 0.1 * count(changes) })))!;
    const [wait, nodes] = report.effects;
    expect(wait!.share).toBeGreaterThan(0.98);
    expect(nodes!.share).toBeLessThan(0.05);
    expect(wait!.means).toHaveLength(10);
    expect(wait!.means.reduce((sum, { points }) => sum + points, 0)).toBe(256);
    for (const { from, to, mean } of wait!.means) expect(Math.abs(mean - 5 * ((from as number) + (to as number)) - 1.55)).toBeLessThan(3);
  });

  test("takes each of a few whole numbers that were drawn by itself", () => {
    const report = conduct(sweep(sweepOf("  axes: {operators.gpu.count: {from: 1, to: 6}, router.queue.maxWait: {from: 0s, to: 10s}}\n  combine: {sobol: {points: 64}}\n  replications: 1\n  metrics: [profit]")), byFormula((changes) => ({ [profit]: 10 * count(changes) })))!;
    expect(report.effects[0]!.share).toBe(1);
    expect(report.effects[0]!.means.map(({ from, to, mean }) => [from, to, mean])).toEqual([1, 2, 3, 4, 5, 6].map((n) => [n, n, 10 * n]));
  });

  test("rules out no truly best point more often than it says", () => {
    // Four points, two of them equally good, with noise of their own: point 0 or 1 may be named, the other has to stay a rival.
    const question = sweepOf("  axes: {operators.gpu.count: [1, 2, 3, 4]}\n  replications: 6\n  metrics: [profit]");
    let ruledOut = 0;
    const repetitions = 1_000;
    for (let seed = 0; seed < repetitions; seed++) {
      const report = conduct(sweep({ ...question, seed }), (task, index) => {
        const at = count(Object.fromEntries([task.sets[0]!.split("=")]));
        let state = Math.imul(task.seed ^ (at * 0x9e3779b9), 0x85ebca6b);
        // A sum of twelve uniform numbers is close to normal.
        let sum = 0;
        for (let i = 0; i < 12; i++) {
          state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5;
          sum += ((state ^ (state >>> 12)) >>> 0) / 4_294_967_296;
        }
        return { index, task, figures: { [profit]: sum - 6 + (at <= 2 ? 0 : -3) }, digest: "", error: null };
      })!;
      const { point, rivals } = report.best[0]!;
      for (const good of [0, 1]) if (good !== point && !rivals!.includes(good)) ruledOut++;
    }
    expect(ruledOut / repetitions).toBeLessThan(0.05);
    // Otherwise nothing would ever be ruled out.
    expect(ruledOut).toBeGreaterThan(0);
  });
});

describe("what keeps a sweep from being played", () => {
  test("is told before", () => {
    expect(() => sweepOf("  axes: {operators.gpu.count: [1, 2]}\n  arms: true")).toThrow("a.yaml has no arms to be crossed with the sweep.");
    expect(() => sweepOf("  axes: {x: {path: clients.chat.inputTokens, times: [1, 2]}}")).toThrow("a.yaml: sweep.axes.x.path: found clients.chat.inputTokens, which is a map with lognormal; allowed: a path at which the scenario has a number, to be multiplied.");
    expect(() => sweepOf("  axes: {operators.gpu.count: [1, -2]}")).toThrow("a.yaml:16:35: sweep.axes.operators.gpu.count[1]: found -2");
  });
});

test("memory does not grow with the number of runs", () => {
  setFlagsFromString("--expose_gc");
  const collect = runInNewContext("gc") as () => void;
  const figures = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`overall.f${i}`, i]));
  const heap = (replications: number): number => {
    const question = sweepOf("  axes: {operators.gpu.count: [1, 2, 3, 4]}\n  metrics: [profit, overall.f7]", { replications });
    let used = 0;
    conduct(sweep(question), (task, index) => {
      if (index === 4 * replications - 1) {
        collect();
        used = process.memoryUsage().heapUsed;
      }
      return { index, task, figures: { ...figures, [profit]: index }, digest: "", error: null };
    });
    return used;
  };
  heap(1_000);
  const few = heap(1_000);
  // 36,000 runs more, of 51 figures each: kept, they would be 15 MB at the least.
  expect(heap(10_000) - few).toBeLessThan(3e6);
});
