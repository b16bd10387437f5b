import fc from "fast-check";
import { expect, test } from "vitest";
import { RunFigures } from "../sim/experiment/sweep/best.ts";
import { NumberFile } from "./number-file.ts";

test("points are compared alike whether their runs are held in memory or in a file, also of a sweep that was interrupted", () => {
  const sweeps = fc.record({ points: fc.integer({ min: 2, max: 4 }), metrics: fc.integer({ min: 1, max: 3 }), replications: fc.constantFrom(2, 3, 50, 4_096, 5_000), share: fc.double({ min: 0, max: 1, noNaN: true }), seed: fc.integer({ min: 1, max: 999 }) });
  fc.assert(fc.property(sweeps, ({ points, metrics, replications, share, seed }) => {
    const file = new NumberFile();
    const filed = new RunFigures(points, metrics, replications, () => file, 0);
    const held = new RunFigures(points, metrics, replications);
    const runs = Math.floor(share * points * replications);
    for (let run = 0; run < runs; run++) {
      const row = Array.from({ length: metrics }, (_, metric) => ((run * 7 + metric + seed) % 11 === 0 ? null : Math.sin(run * (metric + seed))));
      filed.add(row);
      held.add(row);
    }
    for (let point = 0; point < points; point++) {
      for (let metric = 0; metric < metrics; metric++) {
        const [a, b] = [filed.differences(point, 0, metric)!, held.differences(point, 0, metric)!];
        expect([a.count, a.mean, a.variance]).toEqual([b.count, b.mean, b.variance]);
        let count = 0;
        for (let r = 0; r < Math.min(replications, Math.max(0, runs - point * replications)); r++) {
          const missing = (run: number): boolean => (run * 7 + metric + seed) % 11 === 0;
          if (!missing(point * replications + r) && !missing(r)) count++;
        }
        expect(b.count).toBe(count);
      }
    }
    file.close();
  }), { seed: 1, numRuns: 60 });
});

test("without room for them, what does not fit is not compared", () => {
  expect(new RunFigures(2, 1, 2, undefined, 3).differences(0, 1, 0)).toBeNull();
});
