import { expect, test } from "vitest";
import { sharesOf } from "./calibrate.ts";

test("shares are found from jobs that overlap only in part", () => {
  // Two thirds of the speed with two busy, and two fifths with three. Each job's own time alone follows.
  const stages = [
    [[0, 300], [100, 400]],
    [[0, 600], [100, 500], [200, 700]],
    [[0, 200], [0, 200], [50, 350]],
  ];
  const shareWith = [0, 1, 2 / 3, 2 / 5];
  const runs = stages.flatMap((jobs, stage) => jobs.map(([startedUs, endedUs]) => {
    let aloneUs = 0;
    for (let at = startedUs!; at < endedUs!; at++) aloneUs += shareWith[jobs.filter(([from, until]) => from! <= at && until! > at).length]!;
    return { stage, startedUs: startedUs!, endedUs: endedUs!, fromUs: startedUs!, untilUs: endedUs!, aloneUs };
  }));
  const found = sharesOf(runs, 3);
  expect(found[0]).toBe(1);
  expect(found[1]).toBeCloseTo(2 / 3, 6);
  expect(found[2]).toBeCloseTo(2 / 5, 6);
});

test("nodes that were never busy at once say nothing of each other", () => {
  expect(() => sharesOf([{ stage: 0, startedUs: 0, endedUs: 10, fromUs: 0, untilUs: 10, aloneUs: 10 }], 2)).toThrow(/2 nodes were never busy at once/);
  expect(sharesOf([], 1)).toEqual([1]);
});
