import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { conduct } from "../conduct.ts";
import type { SensitivitySpec } from "../../scenario/sections/sensitivity.ts";
import { sensitivityStudy } from "./study.ts";
import { player, specOf } from "./testing/formulas.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
const held = (): number => {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

/** The most that a study holds while it is played, bytes. */
function most(method: SensitivitySpec["method"], replications: number, resamples: number): number {
  const play = player((x) => x[0]! + 2 * x[1]!, new Array<number>(8).fill(0.5));
  const spec = specOf(Array.from({ length: 8 }, () => [0, 1] as const), method, replications);
  const before = held();
  // Below nothing where what earlier tests left behind is collected meanwhile.
  let peak = -Infinity;
  const end = conduct(sensitivityStudy(spec, 1, resamples), (task, index) => {
    if (index % 9_973 === 9_972) peak = Math.max(peak, held() - before);
    return play(task, index);
  });
  expect(end!.results.runs.failed).toBe(0);
  expect(peak).toBeGreaterThan(-Infinity);
  return peak;
}

describe("ten times as many runs leave nothing more behind", () => {
  // 8 bytes a run more would be 0.8 MB.
  test.each([
    ["Sobol' indices with a bootstrap", (times: number) => most({ kind: "sobol", points: 1_100 * times, secondOrder: false }, 1, 20)],
    ["screening along trajectories", (times: number) => most({ kind: "morris", trajectories: 1_200 * times, levels: 4, design: "trajectories" }, 1, 20)],
    ["a tornado of many replications", (times: number) => most({ kind: "tornado" }, 700 * times, 0)],
  ])("%s", (_, of) => {
    // The first study brings code and text into memory that stay there.
    of(1);
    // What stays does so each time; what the engine has just compiled, or not collected yet, does not.
    const more = [1, 2, 3].map(() => -of(1) + of(10));
    expect(Math.min(...more)).toBeLessThan(400_000);
  });
});
