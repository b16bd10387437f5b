import { expect, test } from "vitest";
import type { JobRow } from "../../protocol/result.ts";
import { compareJobs, errorOf, pearson, quantilesOf, ranksOf } from "./pairs.ts";

const row = (job: string, endToEndUs: number, more: Partial<JobRow> = {}): JobRow => ({
  job, clientClass: "c", status: "completed", reason: "", node: "n", operatorClass: "o", attempts: 1, submittedUs: 100, assignedUs: 100, startedUs: 150, firstTokenUs: 100 + endToEndUs / 2,
  finishedUs: 100 + endToEndUs, endedUs: 100 + endToEndUs, inputTokens: 10, outputTokens: 11, maxOutputTokens: 20, amountMsat: 7, feeMsat: 1, maxPriceMsat: 100, metGoals: true, measured: true, ...more,
});

test("errors, correlations and quantiles of paired jobs, by hand", () => {
  const pairs = [1_000, 2_000, 3_000].map((us, i) => ({ real: row(String(i), us), simulated: row(String(i), us * 1.1) }));
  const endToEnd = compareJobs(pairs).find(({ metric }) => metric === "endToEnd")!;
  expect(endToEnd).toMatchObject({ jobs: 3, unit: "us", real: { mean: 2_000, p50: 2_000 } });
  expect(endToEnd.error.mean).toBeCloseTo(0.1, 9);
  expect(endToEnd.error.p95).toBeCloseTo(0.1, 9);
  expect(endToEnd.pearson).toBeCloseTo(1, 9);
  expect(endToEnd.meanAbsoluteError).toBeCloseTo(0.1, 9);
  const tpot = compareJobs(pairs).find(({ metric }) => metric === "tpot")!;
  expect(tpot.real.mean).toBeCloseTo(100, 9);
  expect(compareJobs(pairs).find(({ metric }) => metric === "price")).toMatchObject({ real: { mean: 8 }, error: { mean: 0 }, pearson: null });
  expect(quantilesOf("endToEnd", pairs).map(([share, real]) => [share, real])).toEqual([[0, 1_000], [0.5, 2_000], [1, 3_000]]);
});

test("jobs that did not complete in both worlds are not compared", () => {
  const pairs = [{ real: row("a", 10), simulated: row("a", 20, { status: "failed" }) }];
  expect(compareJobs(pairs)).toEqual([]);
});

test("ranks share ties, and Spearman's correlation does not mind how a relation bends", () => {
  expect(ranksOf([5, 1, 5, 9])).toEqual([2.5, 1, 2.5, 4]);
  expect(pearson(ranksOf([1, 2, 3, 4]), ranksOf([1, 8, 27, 64]))).toBe(1);
  expect(pearson([1, 2, 3], [3, 2, 1])).toBe(-1);
  expect(pearson([1, 1], [1, 2])).toBeNull();
});

test("errors know zero", () => {
  expect([errorOf(0, 0), errorOf(0, 1), errorOf(2, 1)]).toEqual([0, null, -0.5]);
});
