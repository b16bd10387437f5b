import fc from "fast-check";
import { expect, test } from "vitest";
import { figuresOf } from "../../../protocol/result/figures.ts";
import { batchRatio } from "../../kernel/statistics/index.ts";
import { BATCHES } from "./batches.ts";
import { play, script } from "./testing/script.ts";

test("a run's intervals are those of a count by brute force: completed jobs by the part of the measured time in which they were submitted", () => {
  let seen = 0;
  fc.assert(fc.property(script, (played) => {
    const { report } = play(played);
    const figures = figuresOf(report);
    for (const { figure, mean } of report.intervals?.figures ?? []) {
      const stated = figures[figure];
      expect(stated, figure).not.toBeUndefined();
      expect(Math.abs(mean - stated!)).toBeLessThanOrEqual(1e-9 * Math.abs(mean));
    }
    const { warmupUs, horizonUs } = played.setup;
    const sums = new Float64Array(BATCHES);
    const weights = new Float64Array(BATCHES);
    for (const job of played.jobs) {
      if (job.submittedUs < warmupUs || job.status !== "completed" || job.endedUs === null || job.served === null || job.served === undefined) continue;
      const batch = Math.min(BATCHES - 1, Math.floor((job.submittedUs - warmupUs) * (1 / ((horizonUs - warmupUs) / BATCHES))));
      sums[batch]! += job.served.finishedUs - job.submittedUs;
      weights[batch]! += 1;
    }
    const expected = batchRatio(sums, weights, 0.95);
    const found = report.intervals?.figures.find(({ figure }) => figure === "overall.latency.endToEndUs.mean");
    expect(found === undefined).toBe(expected === null);
    if (found === undefined || expected === null) return;
    seen++;
    expect(found.halfWidth).toBeCloseTo(expected.halfWidth, 3);
    expect([found.correlation, found.trusted]).toEqual([expected.correlation, expected.trusted]);
  }), { seed: 1, numRuns: 100 });
  expect(seen).toBeGreaterThan(20);
});
