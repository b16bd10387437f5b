import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { meanCores, OtherWork, ticksOfFamily } from "./other-work.ts";

test("a family is a process, its children and theirs", () => {
  const processes = new Map([[1, { parent: 0, ticks: 1 }], [10, { parent: 1, ticks: 10 }], [11, { parent: 10, ticks: 100 }], [12, { parent: 11, ticks: 1_000 }], [20, { parent: 1, ticks: 10_000 }], [30, { parent: 29, ticks: 100_000 }]]);
  expect(ticksOfFamily(10, processes)).toBe(1_110);
  expect(ticksOfFamily(12, processes)).toBe(1_000);
  expect(ticksOfFamily(1, processes)).toBe(11_111);
  expect(ticksOfFamily(99, processes)).toBe(0);
});

test.skipIf(!existsSync("/proc/stat"))("what others do while the own children are busy is some number of cores", async () => {
  const child = spawn(process.execPath, ["-e", "const end = Date.now() + 60_000; while (Date.now() < end);"], { stdio: "ignore" });
  const work = new OtherWork();
  await new Promise((resolve) => setTimeout(resolve, 500));
  const cores = work.cores();
  child.kill("SIGKILL");
  expect(cores).toBeGreaterThanOrEqual(0);
});

test("over several stretches each counts as long as it lasted, and one that is not known leaves nothing known", () => {
  expect(meanCores([{ tookUs: 1_000, othersCores: 0.5 }, { tookUs: 3_000, othersCores: 0.1 }])).toBeCloseTo(0.2, 12);
  expect(meanCores([{ tookUs: 1_000, othersCores: 0.5 }, { tookUs: 3_000, othersCores: null }])).toBeNull();
  expect(meanCores([])).toBe(0);
});
