import fc from "fast-check";
import { expect, test } from "vitest";
import type { PlannedJob } from "../../sim/world/planned-jobs.ts";
import { actsOf, roundsOfParts } from "./acts.ts";

const jobAt = (atUs: number, i: number): PlannedJob => ({ atUs, client: i, request: { jobId: `job-${i}` } }) as unknown as PlannedJob;

test("every job is in the act of its time, and its time counts from there", () => {
  const acts = actsOf(100, [30, 60, 100, 120], [0, 29, 30, 59, 99].map(jobAt));
  expect(acts.map(({ fromUs, untilUs, first, jobs }) => [fromUs, untilUs, first, jobs.map(({ atUs, client }) => [atUs, client])])).toEqual([
    [0, 30, 0, [[0, 0], [29, 1]]],
    [30, 60, 2, [[0, 2], [29, 3]]],
    [60, 100, 4, [[39, 4]]],
  ]);
});

test("without intermissions there is one act, and no job is lost where some come at the horizon or later", () => {
  const [act, ...others] = actsOf(100, [], [5, 100, 130].map(jobAt));
  expect(others).toEqual([]);
  expect(act).toMatchObject({ fromUs: 0, untilUs: 100, first: 0 });
  expect(act!.jobs).toHaveLength(3);
});

test("rounds are shared out in order, evenly, and the last part has one", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 100 }), (rounds, parts) => {
    const shared = roundsOfParts(rounds, parts);
    expect(shared).toHaveLength(parts);
    expect(shared.flat()).toEqual(Array.from({ length: rounds }, (_, round) => round));
    const sizes = shared.map(({ length }) => length);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    expect(sizes.at(-1)).toBeGreaterThan(0);
  }));
  expect(roundsOfParts(3, 2)).toEqual([[0], [1, 2]]);
});
