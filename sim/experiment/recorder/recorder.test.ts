import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { JOB_STATUSES, resultsDigest, runReport } from "../../../protocol/result.ts";
import { play, script, type Script, type ScriptedJob } from "./testing/script.ts";
import { ToyMarket } from "./testing/toy-market.ts";

const RUNS = { seed: 1, numRuns: 100 };
const S = 1_000_000;

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const overlap = (fromUs: number, toUs: number, since: number, until: number): number => Math.max(0, Math.min(toUs, until) - Math.max(fromUs, since));
const isCompleted = (job: ScriptedJob): job is ScriptedJob & { served: NonNullable<ScriptedJob["served"]>; endedUs: number } => job.status === "completed" && job.endedUs !== null;
const measured = ({ jobs, setup }: Script): ScriptedJob[] => jobs.filter(({ submittedUs }) => submittedUs >= setup.warmupUs);
const met = (job: ScriptedJob, { setup }: Script): boolean => {
  if (!isCompleted(job)) return false;
  const { goals } = setup.clientClasses[job.clientClass]!;
  const { served } = job;
  const tpotUs = served.outputTokens > 1 ? (served.finishedUs - served.firstTokenUs) / (served.outputTokens - 1) : 0;
  return served.firstTokenUs - job.submittedUs <= (goals.ttftUs ?? Infinity) && tpotUs <= (goals.tpotUs ?? Infinity) && served.finishedUs - job.submittedUs <= (goals.endToEndUs ?? Infinity);
};

describe("against a count by brute force", () => {
  const property = (check: (played: Script) => void): void => fc.assert(fc.property(script, check), RUNS);

  test("jobs by end, with and without the warm-up", () => {
    property((played) => {
      const { report } = play(played);
      const count = (of: readonly ScriptedJob[]): unknown => ({
        submitted: of.length,
        ...Object.fromEntries(JOB_STATUSES.map((status) => [status, of.filter((job) => job.endedUs !== null && job.status === status).length])),
        inFlight: of.filter(({ endedUs }) => endedUs === null).length,
      });
      expect(report.allJobs).toEqual(count(played.jobs));
      expect(report.overall.jobs).toEqual(count(measured(played)));
      report.clientClasses.forEach(({ jobs }, index) => expect(jobs).toEqual(count(measured(played).filter(({ clientClass }) => clientClass === index))));
      for (const { status, reason, jobs } of report.overall.reasons) {
        expect(jobs).toBe(measured(played).filter((job) => job.endedUs !== null && job.status === status && job.reason === reason).length);
      }
      expect(sum(report.overall.reasons.map(({ jobs }) => jobs))).toBe(measured(played).filter((job) => job.endedUs !== null && job.status !== "completed").length);
    });
  });

  test("latencies: exact moments, quantiles within half a per cent", () => {
    property((played) => {
      const { report } = play(played);
      for (const [operatorClass, { latency }] of [[null, report.overall] as const, ...report.operatorClasses.map((of, index) => [index, of] as const)]) {
        const jobs = measured(played).filter(isCompleted).filter(({ served }) => operatorClass === null || served.node % 2 === operatorClass);
        const expected = {
          ttftUs: jobs.map((job) => job.served.firstTokenUs - job.submittedUs),
          tpotUs: jobs.filter(({ served }) => served.outputTokens > 1).map(({ served }) => (served.finishedUs - served.firstTokenUs) / (served.outputTokens - 1)),
          endToEndUs: jobs.map((job) => job.served.finishedUs - job.submittedUs),
          queueingUs: jobs.map((job) => job.served.startedUs - job.submittedUs),
        };
        for (const metric of ["ttftUs", "tpotUs", "endToEndUs", "queueingUs"] as const) {
          const values = expected[metric].toSorted((a, b) => a - b);
          const { count, mean, min, p50, p95, max } = latency[metric];
          expect(count).toBe(values.length);
          if (values.length === 0) {
            expect([mean, min, p50, p95, max]).toEqual([null, null, null, null, null]);
            continue;
          }
          expect(mean!).toBeCloseTo(sum(values) / values.length, 6);
          expect([min, max]).toEqual([values[0], values.at(-1)]);
          for (const [p, found] of [[0.5, p50], [0.95, p95]] as const) {
            const exact = values[Math.max(0, Math.ceil(p * values.length) - 1)]!;
            expect(Math.abs(found! - exact)).toBeLessThanOrEqual(0.005 * exact);
          }
        }
      }
    });
  });

  test("histograms hold every value, between edges that never fall", () => {
    property((played) => {
      for (const { histograms, latency } of play(played).report.clientClasses) {
        for (const metric of ["ttftUs", "tpotUs", "endToEndUs", "queueingUs"] as const) {
          const { edges, counts } = histograms[metric];
          expect(sum(counts)).toBe(latency[metric].count);
          expect(edges.length).toBe(counts.length === 0 ? 0 : counts.length + 1);
          expect(edges).toEqual(edges.toSorted((a, b) => a - b));
          if (edges.length > 0) expect([edges[0], edges.at(-1)]).toEqual([latency[metric].min, latency[metric].max]);
        }
      }
    });
  });

  test("goodput, throughput, tokens and money", () => {
    property((played) => {
      const { setup } = played;
      const { report } = play(played);
      const seconds = (setup.horizonUs - setup.warmupUs) / S;
      const done = measured(played).filter(isCompleted);
      const inInterval = played.jobs.filter(isCompleted).filter(({ endedUs }) => endedUs >= setup.warmupUs && endedUs < setup.horizonUs);
      const { overall } = report;
      expect(overall.goodput.jobs).toBe(measured(played).filter(({ endedUs }) => endedUs !== null).length);
      expect(overall.goodput.met).toBe(done.filter((job) => met(job, played)).length);
      expect(overall.goodput.jobsPerS!).toBeCloseTo(inInterval.filter((job) => met(job, played)).length / seconds, 9);
      expect(overall.throughput.completedJobsPerS!).toBeCloseTo(inInterval.length / seconds, 9);
      expect(overall.throughput.outputTokensPerS!).toBeCloseTo(sum(inInterval.map(({ served }) => served.outputTokens)) / seconds, 6);
      expect(overall.tokens).toEqual({ input: sum(done.map(({ inputTokens }) => inputTokens)), output: sum(done.map(({ served }) => served.outputTokens)) });
      expect(overall.paidMsat).toBe(sum(done.map(({ served }) => served.amountMsat + served.feeMsat)));
      expect(overall.feesMsat).toBe(sum(done.map(({ served }) => served.feeMsat)));
      expect(sum(report.operatorClasses.map(({ revenueMsat }) => revenueMsat))).toBe(overall.paidMsat - overall.feesMsat);
      expect(sum(report.nodes.map(({ revenueMsat }) => revenueMsat))).toBe(overall.paidMsat - overall.feesMsat);
      expect(sum(report.flows.map(({ paidMsat }) => paidMsat))).toBe(overall.paidMsat);
      expect(sum(report.flows.map(({ jobs }) => jobs))).toBe(done.length);
    });
  });

  test("attempts, per node and per reason", () => {
    property((played) => {
      const { report } = play(played);
      const jobs = measured(played);
      report.nodes.forEach((node, index) => {
        const lost = jobs.flatMap((job) => job.lost).filter((attempt) => attempt.node === index).length;
        expect(node.failedAttempts).toBe(lost);
        expect(node.attempts).toBe(lost + jobs.filter(({ served }) => served?.node === index).length);
        expect(node.jobs).toBe(jobs.filter((job) => isCompleted(job) && job.served.node === index).length);
      });
      for (const { reason, attempts } of report.overall.attempts.failures) expect(attempts).toBe(jobs.flatMap((job) => job.lost).filter((attempt) => attempt.reason === reason).length);
      const ended = jobs.filter(({ endedUs }) => endedUs !== null).map((job) => job.lost.length + (job.served === null ? 0 : 1));
      expect(report.overall.attempts.retriedJobs).toBe(ended.filter((attempts) => attempts > 1).length);
      if (ended.length > 0) expect(report.overall.attempts.perJob!).toBeCloseTo(sum(ended) / ended.length, 9);
    });
  });

  test("utilisation, and every window of the time series", () => {
    property((played) => {
      const { setup, jobs } = played;
      const { overTime, nodes } = play(played).report;
      const busyUs = (since: number, until: number, of: (node: number) => boolean): number =>
        sum(jobs.map(({ served }) => (served !== null && of(served.node) ? overlap(served.startedUs, served.finishedUs, since, until) : 0)));
      nodes.forEach(({ utilisation, availability }, index) => {
        expect(availability).toBe(1);
        expect(utilisation! * 1_000).toBeCloseTo(busyUs(setup.warmupUs, setup.horizonUs, (node) => node === index) / (setup.horizonUs - setup.warmupUs), 9);
      });
      overTime.startUs.forEach((since, index) => {
        const until = Math.min(setup.horizonUs, since + overTime.windowUs);
        const within = (atUs: number | null): boolean => atUs !== null && atUs >= since && atUs < until;
        expect([overTime.submitted[index], overTime.metGoals[index], ...JOB_STATUSES.map((status) => overTime[status][index])]).toEqual([
          jobs.filter(({ submittedUs }) => within(submittedUs)).length, jobs.filter((job) => met(job, played) && within(job.endedUs)).length,
          ...JOB_STATUSES.map((status) => jobs.filter((job) => job.status === status && within(job.endedUs)).length),
        ]);
        expect(overTime.inSystem[index]!).toBeCloseTo(sum(jobs.map((job) => overlap(job.submittedUs, job.endedUs ?? Infinity, since, until))) / (until - since), 6);
        expect(overTime.running[index]!).toBeCloseTo(busyUs(since, until, () => true) / (until - since), 6);
        const ttfts = jobs.filter(isCompleted).filter(({ endedUs }) => within(endedUs)).map((job) => job.served.firstTokenUs - job.submittedUs).toSorted((a, b) => a - b);
        const median = ttfts.length === 0 ? null : ttfts[Math.max(0, Math.ceil(ttfts.length / 2) - 1)]!;
        if (median === null) expect(overTime.ttftP50Us[index]).toBeNull();
        else expect(Math.abs(overTime.ttftP50Us[index]! - median)).toBeLessThanOrEqual(0.005 * median);
      });
    });
  });

  test("Little's law: the integral is the sum of the sojourn times", () => {
    property((played) => {
      const sojourns = played.jobs.map((job) => BigInt((job.endedUs ?? played.endUs) - job.submittedUs));
      const { little } = play(played).report.checks;
      expect(little.jobUs).toBe(String(sojourns.reduce((total, value) => total + value, 0n)));
      const { warmupUs, horizonUs } = played.setup;
      const inSystem = sum(played.jobs.map((job) => overlap(job.submittedUs, job.endedUs ?? Infinity, warmupUs, horizonUs)));
      expect(little.meanInSystem!).toBeCloseTo(inSystem / (horizonUs - warmupUs), 6);
      expect(little.arrivalsPerS!).toBeCloseTo((measured(played).length * S) / (horizonUs - warmupUs), 6);
    });
  });

  test("rows: one per job, with the times of the attempt that delivered or of the last one", () => {
    property((played) => {
      const { rows, report } = play(played);
      expect(report.jobRows.rows).toBe(played.jobs.length);
      expect(rows.map(({ job }) => job).toSorted()).toEqual(played.jobs.map((_, index) => `job-${index}`).toSorted());
      for (const row of rows) {
        const job = played.jobs[Number(row.job.slice(4))]!;
        const last = job.served ?? { ...job.lost.at(-1), firstTokenUs: -1, finishedUs: -1, outputTokens: 0, amountMsat: 0, feeMsat: 0 };
        expect(row).toMatchObject({
          clientClass: "ab"[job.clientClass], status: job.endedUs === null ? "in-flight" : job.status, node: last.node === undefined ? "" : `n${last.node}`,
          attempts: job.lost.length + (job.served === null ? 0 : 1), submittedUs: job.submittedUs, assignedUs: last.assignedUs ?? -1, startedUs: last.startedUs ?? -1,
          firstTokenUs: last.firstTokenUs, finishedUs: last.finishedUs, endedUs: job.endedUs ?? -1, outputTokens: last.outputTokens, amountMsat: last.amountMsat,
          feeMsat: last.feeMsat, metGoals: met(job, played), measured: job.submittedUs >= played.setup.warmupUs,
        });
      }
    });
  });

  test("every report keeps to the schema, and its digest to its results", () => {
    property((played) => {
      const { report } = play(played);
      expect(runReport.safeParse(report).error).toBeUndefined();
      expect(report.provenance.resultsDigest).toBe(resultsDigest(report));
      expect(JSON.stringify(play(played).report)).toBe(JSON.stringify(report));
    });
  });
});

test("the digest of the rows tells runs apart that differ in a single fact", () => {
  const [played] = fc.sample(script.filter(({ jobs }) => jobs.some(isCompleted)), { seed: 3, numRuns: 1 }) as [Script];
  const index = played.jobs.findIndex(isCompleted);
  const changed = (change: Partial<NonNullable<ScriptedJob["served"]>>): string => {
    const jobs = played.jobs.map((job, at) => (at === index ? { ...job, served: { ...job.served!, ...change } } : job));
    return play({ ...played, jobs }).report.jobRows.digest;
  };
  const { amountMsat, feeMsat, outputTokens, node } = played.jobs[index]!.served!;
  const digests = [
    changed({}), changed({ amountMsat: amountMsat === 0 ? 1 : amountMsat - 1 }), changed({ feeMsat: feeMsat === 0 ? 1 : feeMsat - 1 }),
    changed({ outputTokens: outputTokens === 1 ? 0 : outputTokens - 1 }), changed({ node: (node + 1) % 5 }),
  ];
  expect(new Set(digests).size).toBe(digests.length);
});

test("the example report is that of the toy market (npx vitest run sim/experiment/recorder -u writes it)", async () => {
  const report = new ToyMarket(1, 1_200 * S, 120 * S).play();
  await expect(`${JSON.stringify(report)}\n`).toMatchFileSnapshot("../../../reports/fixtures/toy-report.json");
});
