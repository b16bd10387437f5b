import { expect, test } from "vitest";
import { RandomStreams } from "../../kernel/random.ts";
import type { RunBatch } from "../plan.ts";
import type { StudyEnd } from "./study.ts";
import { sensitivityStudy } from "./study.ts";
import { player, specOf, studied } from "./testing/formulas.ts";

const tornado = { kind: "tornado" } as const;
const ranges = [[0, 10], [2, 4], [-1, 1]] as const;
const line = ([x1, x2, x3]: readonly number[]): number => 100 + 2 * x1! - 5 * x2! + 0 * x3!;

test("is exact on a linear function, whatever chance does to all points alike", () => {
  const [of] = studied(specOf(ranges, tornado, 5), (x, seed) => line(x) + seed % 1_000, { base: [4, 3, 0] }).metrics;
  expect(of!.tornado!.bars.map(({ factor, swing, low, high }) => [factor, swing, low.difference.mean, high.difference.mean, low.text, high.text])).toEqual([
    ["x1", 20, -8, 12, "0", "10"], ["x2", 10, 5, -5, "2", "4"], ["x3", 0, 0, 0, "-1", "1"],
  ]);
  for (const { low, high } of of!.tornado!.bars) for (const { difference } of [low, high]) expect(difference.interval!.high - difference.interval!.low).toBeLessThan(1e-9);
  expect(of!.tornado!.base.sd).toBeGreaterThan(0);
  expect(of!.headline).toMatch(/^X1 matters most for the result: .+ at 0, .+ at 10, .+ as the scenario stands; then x2 \(10\)\.$/);
  expect(of!.findings).toEqual(["X1: at 0 it falls by 8 (8 to 8); at 10 it rises by 12 (12 to 12).", "X2: at 2 it rises by 5 (5 to 5); at 4 it falls by 5 (5 to 5).", "X3: at -1 it is the same; at 1 it is the same."]);
});

test("intervals of differences hold the truth in 92 to 98 % of 300 repetitions", () => {
  const noise = (x: readonly number[], seed: number): number => {
    const random = new RandomStreams(`${seed} ${x.join(" ")}`).stream("test", "noise", "point");
    return random.next() + random.next() + random.next();
  };
  let held = 0;
  for (let seed = 1; seed <= 300; seed++) {
    const [of] = studied(specOf(ranges.slice(0, 2), tornado, 8), (x, runSeed) => line([...x, 0]) + noise(x, runSeed), { seed, base: [4, 3] }).metrics;
    const { low, high } = of!.tornado!.bars[0]!;
    if (low.difference.interval!.low <= -8 && -8 <= low.difference.interval!.high) held++;
    if (high.difference.interval!.low <= 12 && 12 <= high.difference.interval!.high) held++;
  }
  expect(held / 600).toBeGreaterThan(0.92);
  expect(held / 600).toBeLessThan(0.98);
});

test("a bend shows its full swing, though both ends are alike", () => {
  const [of] = studied(specOf([[-1, 1]], tornado, 2), ([x]) => x! * x!, { base: [0] }).metrics;
  expect(of!.tornado!.bars[0]).toMatchObject({ swing: 1, low: { difference: { mean: 1 } }, high: { difference: { mean: 1 } } });
});

test("a failed run takes its pair with it, and nothing else", () => {
  let seen = 0;
  const found = studied(specOf([[0, 1], [0, 1]], tornado, 4), (x) => (x[0] === 1 && seen++ === 0 ? NaN : x[0]! + x[1]!), { base: [0.5, 0.5] });
  const [of] = found.metrics;
  expect(found.runs).toMatchObject({ played: 20, failed: 1, failures: [{ name: "x1=high replication=0" }] });
  const bar = of!.tornado!.bars.find(({ factor }) => factor === "x1")!;
  expect([bar.high.difference.runs, bar.low.difference.runs, bar.swing]).toEqual([3, 4, 1]);
  expect(of!.blocks).toEqual({ used: 15, dropped: 1 });
  expect(of!.findings.at(-1)).toMatch(/^1 of 16 pairs of runs was left out, since a run of its failed/);
});

test("what was not played when it was interrupted is not left out for a fault", () => {
  const study = sensitivityStudy(specOf([[0, 1], [0, 1]], tornado, 3), 1);
  const batch = study.next().value as RunBatch;
  const play = player(([x1, x2]) => x1! + x2!, [0.5, 0.5]);
  let index = 0;
  for (const task of batch.tasks) {
    if (index === 8) break;
    batch.take(play(task, index++));
  }
  const end = study.next({ interrupted: true }).value as StudyEnd;
  expect(end.interrupted).toBe(true);
  expect(end.results.metrics[0]!.blocks).toEqual({ used: 5, dropped: 0 });
  expect(end.results.metrics[0]!.tornado!.bars.map(({ factor, swing }) => [factor, swing])).toEqual([["x1", 1], ["x2", null]]);
});

test("without the scenario itself there is nothing to compare with", () => {
  const [of] = studied(specOf([[0, 1]], tornado, 2), (x) => (x[0] === undefined ? NaN : x[0]), { base: [] }).metrics;
  expect(of!.tornado!.bars[0]!.swing).toBe(null);
  expect(of!.headline).toMatch(/^Nothing can be said of the result/);
});
