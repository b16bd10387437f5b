import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { RandomStreams } from "../kernel/random.ts";
import type { TraceSpec } from "../scenario/scenario.ts";
import type { JobSource } from "./job-source.ts";
import { JointLengths } from "./lengths.ts";
import { type DemandSpec, openDemand } from "./open-demand.ts";

const folder = mkdtempSync(join(tmpdir(), "demand-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, "trace.csv");
writeFileSync(file, "arrived_at,num_prefill_tokens,num_decode_tokens\n100,5,6\n101.5,7,8\n101.5,9,10\n103,11,12\n");
const lengthsOnly = join(folder, "lengths.csv");
writeFileSync(lengthsOnly, "num_prefill_tokens,num_decode_tokens\n5,6\n");

const trace: TraceSpec = { kind: "trace", file, format: null, timeScale: 1, limit: null };

function jobs(spec: DemandSpec, most = Infinity, seed = 1): number[][] {
  const streams = new RandomStreams(seed);
  const demand = openDemand(spec, (purpose) => streams.stream("demand", "chat", purpose));
  if (demand.kind !== "open") throw new Error("expected open demand");
  return take(demand.jobs, most);
}

function take(source: JobSource, most: number): number[][] {
  const rows: number[][] = [];
  while (rows.length < most && source.next()) rows.push([source.timeUs, source.inputTokens, source.outputTokens]);
  source.close();
  return rows;
}

test("a trace is replayed from its first request on, at its own or another speed", () => {
  expect(jobs({ arrivals: trace, inputTokens: "trace", outputTokens: "trace" })).toEqual([[0, 5, 6], [1_500_000, 7, 8], [1_500_000, 9, 10], [3_000_000, 11, 12]]);
  expect(jobs({ arrivals: { ...trace, timeScale: 1 / 3 }, inputTokens: "trace", outputTokens: "trace" }).map(([time]) => time)).toEqual([0, 500_000, 500_000, 1_000_000]);
  expect(jobs({ arrivals: { ...trace, limit: 2 }, inputTokens: "trace", outputTokens: "trace" })).toHaveLength(2);
});

test("a replayed trace's lengths can be drawn instead, each by itself", () => {
  const rows = jobs({ arrivals: trace, inputTokens: { uniform: { min: 100, max: 200 } }, outputTokens: "trace" });
  expect(rows.map(([, , output]) => output)).toEqual([6, 8, 10, 12]);
  expect(rows.every(([, input]) => input! >= 100 && input! <= 200)).toBe(true);
});

test("what cannot be replayed is refused with the reason", () => {
  expect(() => jobs({ arrivals: { ...trace, file: lengthsOnly }, inputTokens: "trace", outputTokens: "trace" })).toThrow(/lengths\.csv:1: the trace has no arrival times/);
  expect(() => jobs({ arrivals: { ...trace, format: "azure" }, inputTokens: "trace", outputTokens: "trace" })).toThrow(/trace\.csv:1: this is a trace in the format vidur, not azure/);
  expect(() => jobs({ arrivals: { kind: "poisson", ratePerS: 1 }, inputTokens: "trace", outputTokens: 3 })).toThrow(/need arrivals from a trace/);
});

test("changing the arrivals or one length leaves the other draws alone", () => {
  const base: DemandSpec = { arrivals: { kind: "poisson", ratePerS: 3 }, inputTokens: { lognormal: { mean: 1000, cv: 1 } }, outputTokens: { gamma: { mean: 200, cv: 0.8 } } };
  const column = (rows: number[][], at: number) => rows.map((row) => row[at]);
  const rows = jobs(base, 500);
  const otherArrivals = jobs({ ...base, arrivals: { kind: "mmpp", states: [{ ratePerS: 3, meanUs: 10 }, { ratePerS: 30, meanUs: 10 }] } }, 500);
  const otherOutput = jobs({ ...base, outputTokens: { exponential: { mean: 7 } } }, 500);
  expect(column(otherArrivals, 0)).not.toEqual(column(rows, 0));
  expect(column(otherArrivals, 1)).toEqual(column(rows, 1));
  expect(column(otherArrivals, 2)).toEqual(column(rows, 2));
  expect(column(otherOutput, 0)).toEqual(column(rows, 0));
  expect(column(otherOutput, 1)).toEqual(column(rows, 1));
  expect(column(otherOutput, 2)).not.toEqual(column(rows, 2));
});

test("pairs drawn from a list stay pairs", () => {
  const lengths = new JointLengths([10, 20, 30], [1, 2, 3], new RandomStreams(1).stream("demand", "chat", "lengths"));
  const seen = new Map<number, number>();
  for (let job = 0; job < 3_000; job += 1) {
    const { inputTokens, outputTokens } = lengths.next();
    expect(inputTokens).toBe(outputTokens * 10);
    seen.set(outputTokens, (seen.get(outputTokens) ?? 0) + 1);
  }
  expect([...seen.values()].every((times) => Math.abs(times - 1_000) < 100)).toBe(true);
});
