import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { conduct } from "../conduct.ts";
import { sensitivityStudy } from "./study.ts";
import { player, specOf } from "./testing/formulas.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
const held = (): number => {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

test("100,000 runs leave a number each, and nothing else", () => {
  const play = player((x) => x[0]! + 2 * x[1]!);
  const before = held();
  let most = 0;
  const end = conduct(sensitivityStudy(specOf(Array.from({ length: 8 }, () => [0, 1] as const), { kind: "sobol", points: 10_000, secondOrder: false }), 1, 0), (task, index) => {
    if (index % 33_000 === 32_999) most = Math.max(most, held() - before);
    return play(task, index);
  });
  expect(end!.results.runs.played).toBe(100_000);
  // 8 bytes a run are 0.8 MB; tasks, outcomes and points would be 60 MB.
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThan(4_000_000);
}, 60_000);
