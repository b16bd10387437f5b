import { describe, expect, test } from "vitest";
import { endsOf } from "../../../protocol/result/precision.ts";
import { RandomStreams } from "../../kernel/random.ts";
import { Estimates } from "./estimates.ts";
import { BATCHES, Marks } from "./marks.ts";
import { Sample } from "./sample.ts";

const RHO = 0.8;
const S = 1e6;
/** Of M/M/1, mean service 1 s: the time in the system is exponential with mean 1 / (1 - rho). */
const mean = 1 / (1 - RHO);
const truths: Readonly<Record<string, number>> = {
  "time.count": NaN, "time.mean": mean, "time.sd": mean, "time.p50": mean * Math.log(2), "time.p90": mean * Math.log(10), "time.p95": mean * Math.log(20), "time.p99": mean * Math.log(100),
  throughput: RHO, utilisation: RHO, inSystem: RHO / (1 - RHO), late: Math.exp(-10 / mean),
};

/** Estimates of one queue in `lengthS` seconds after 2,000 of warm-up, kept as a run keeps them: by totals at the ends of batches. */
function queue(seed: number, lengthS: number): Map<string, { readonly low: number; readonly high: number }> {
  const streams = new RandomStreams(seed);
  const gaps = streams.stream("mm1", "gaps", "draw");
  const services = streams.stream("mm1", "services", "draw");
  const fromS = 2_000;
  const marks = new Marks(fromS * S, (fromS + lengthS) * S);
  const sample = new Sample();
  const totals = { completed: 0, count: 0, sum: 0, late: 0, busy: 0, present: 0 };
  let [arrivedS, freeS, rest] = [0, 0, false];
  const pending: { readonly arrivedS: number; readonly startS: number; readonly endS: number }[] = [];
  let next = 0;
  /** Busy time, and customers times time, of those in `pending` until now. */
  const take = (nowS: number): void => {
    let [busy, present] = [totals.busy, totals.present];
    for (let i = next; i < pending.length; i++) {
      busy += Math.max(0, nowS - Math.max(fromS, pending[i]!.startS));
      present += Math.max(0, nowS - Math.max(fromS, pending[i]!.arrivedS));
    }
    const gather = (add: (name: string, total: number) => void): void => {
      for (const name of ["completed", "count", "sum", "late"] as const) add(name, totals[name]);
      add("busy", busy);
      add("present", present);
    };
    if (rest) marks.takeRest(gather);
    else marks.take(gather);
    if (rest || marks.batches > 0) sample.mark(rest ? 0 : marks.batches - 1);
  };
  const leave = (untilS: number): void => {
    for (; next < pending.length && pending[next]!.endS <= untilS; next++) {
      const one = pending[next]!;
      while (one.endS * S > marks.nextUs) take(marks.nextUs / S);
      if (one.endS > fromS && one.endS <= fromS + lengthS) totals.completed++;
      totals.busy += Math.max(0, one.endS - Math.max(fromS, one.startS));
      totals.present += Math.max(0, one.endS - Math.max(fromS, one.arrivedS));
      if (one.arrivedS < fromS) continue;
      totals.count++;
      totals.sum += one.endS - one.arrivedS;
      if (one.endS - one.arrivedS > 10) totals.late++;
      sample.add(one.endS - one.arrivedS);
    }
  };
  for (;;) {
    arrivedS -= Math.log(1 - gaps.next()) / RHO;
    leave(arrivedS);
    if (next > 512) {
      pending.splice(0, next);
      next = 0;
    }
    while (arrivedS * S > marks.nextUs) take(marks.nextUs / S);
    if (arrivedS >= fromS + lengthS) break;
    const startS = Math.max(arrivedS, freeS);
    freeS = startS - Math.log(1 - services.next());
    pending.push({ arrivedS, startS, endS: freeS });
  }
  leave(Infinity);
  rest = true;
  take(freeS);
  const summary = sample.summary();
  const seconds = marks.lengthsUs.map((us) => us / S);
  const figures = { throughput: totals.completed / lengthS, utilisation: NaN, inSystem: NaN, late: totals.late / totals.count, ...Object.fromEntries(Object.entries(summary).map(([name, value]) => [`time.${name}`, value])) };
  const sum = (of: Float64Array): number => of.reduce((all, one) => all + one, 0);
  figures.utilisation = sum(marks.inTime("busy")) / lengthS;
  figures.inSystem = sum(marks.inTime("present")) / lengthS;
  const estimates = new Estimates(BATCHES, BATCHES, figures);
  estimates.sample("time", sample, marks.ofJobs("sum"), marks.ofJobs("count"));
  estimates.ratio("throughput", marks.inTime("completed"), seconds);
  estimates.ratio("utilisation", marks.inTime("busy"), seconds);
  estimates.ratio("inSystem", marks.inTime("present"), seconds);
  estimates.share("late", marks.ofJobs("late"), marks.ofJobs("count"));
  expect(sum(marks.ofJobs("count"))).toBe(sample.count);
  expect(sum(sample.byBatch(BATCHES, ({ count }) => count))).toBe(sample.count);
  return new Map(estimates.report(() => "unknown")!.figures.map((one) => [one.figure, endsOf(one)]));
}

describe("95 % intervals from one run of M/M/1 at rho 0.8, by what they are of", () => {
  const runs = 300;
  const stated: Record<string, number> = {};
  const covered: Record<string, number> = {};
  for (let seed = 1; seed <= runs; seed++) {
    for (const [figure, { low, high }] of queue(seed, 50_000)) {
      const truth = truths[figure]!;
      stated[figure] = (stated[figure] ?? 0) + 1;
      covered[figure] = (covered[figure] ?? 0) + (low <= truth && truth <= high ? 1 : 0);
    }
  }
  const percent = (figure: string): number => (100 * covered[figure]!) / stated[figure]!;

  test.each(["time.mean", "time.sd", "time.p50", "time.p90", "time.p95", "time.p99", "inSystem", "late"])("%s: 93 to 97 % of seeded runs of 40,000 customers, give or take what 300 of them can tell", (figure) => {
    expect(stated[figure]).toBeGreaterThanOrEqual(0.95 * runs);
    // 300 runs at 95 % come to 93 to 97 % themselves in nine of ten cases only.
    expect(percent(figure)).toBeGreaterThanOrEqual(92);
    expect(percent(figure)).toBeLessThanOrEqual(98);
  });

  // Departures of neighbouring batches make up for each other, which the intervals do not use.
  test.each(["throughput", "utilisation"])("%s: no less than 93 %, and wider than need be", (figure) => {
    expect(stated[figure]).toBe(runs);
    expect(percent(figure)).toBeGreaterThanOrEqual(95);
    expect(percent(figure)).toBeLessThanOrEqual(99);
  });

  test("of the 99th percentile nothing is said of a run that is too short to know it", () => {
    let said = 0;
    for (let seed = 1; seed <= 20; seed++) if (queue(seed, 4_000).has("time.p99")) said++;
    expect(said).toBe(0);
  });
});
