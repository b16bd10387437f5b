import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import type { DistributionSpec } from "../../../kernel/distributions/index.ts";
import { RandomStreams } from "../../../kernel/random.ts";
import { loadScenario } from "../../../scenario/load.ts";
import type { ClientSpec } from "../../../scenario/scenario.ts";
import { openDemand, type DrawnArrivals } from "../../open-demand.ts";
import { analyseTrace, type TraceAnalysis } from "../analysis/analyse.ts";
import { TraceReader } from "../trace-reader.ts";
import { fittedArrivals } from "./fit-arrivals.ts";
import { fitTrace, type TraceFit } from "./fit-trace.ts";
import { fitYaml } from "./fit-yaml.ts";

const folder = mkdtempSync(join(tmpdir(), "fit-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Writes a trace drawn from a workload. */
function draw(arrivals: DrawnArrivals, inputTokens: DistributionSpec, outputTokens: DistributionSpec, jobs: number, seed = 7): string {
  const streams = new RandomStreams(seed);
  const demand = openDemand({ arrivals, inputTokens, outputTokens }, (purpose) => streams.stream("demand", "test", purpose));
  if (demand.kind !== "open") throw new Error("expected open demand");
  const lines = ["arrived_at,num_prefill_tokens,num_decode_tokens"];
  while (lines.length <= jobs && demand.jobs.next()) lines.push(`${(demand.jobs.timeUs / 1e6).toFixed(6)},${demand.jobs.inputTokens},${demand.jobs.outputTokens}`);
  const file = join(folder, `${arrivals.kind}-${jobs}-${seed}.csv`);
  writeFileSync(file, lines.join("\n"));
  return file;
}

/** The client class that a scenario with the printed section holds. */
function pasted(fit: TraceFit): ClientSpec {
  const yaml = `name: fitted\nquestion: Does the section fit?\nhorizon: 1h\noperators:\n  - name: any\n    model: llama-3.1-8b:q4_k_m\n    engine: { service-time: { service: 1s } }\n    price: { input: 0 sat/Mtok, output: 0 sat/Mtok }\n${fitYaml(fit, "chat")}`;
  return loadScenario(yaml, "fitted.yaml").scenario.clients[0]!;
}

/** What a trace drawn from the client class would show. */
function replayed(client: ClientSpec, jobs: number): TraceAnalysis {
  if (client.arrivals.kind === "closed" || client.arrivals.kind === "trace" || client.inputTokens === "trace" || client.outputTokens === "trace") throw new Error("expected drawn demand");
  return analyseTrace(new TraceReader(draw(client.arrivals, client.inputTokens, client.outputTokens, jobs, 99)));
}

const lognormal: DistributionSpec = { lognormal: { mean: 900, cv: 1.2 } };
const gamma: DistributionSpec = { gamma: { mean: 250, cv: 0.7 } };

describe("a workload is found again in a trace drawn from it", () => {
  test("Poisson arrivals, lognormal input, gamma output", () => {
    const fit = fitTrace(draw({ kind: "poisson", ratePerS: 4 }, lognormal, gamma, 30_000));
    expect(fit.arrivals!.spec.kind).toBe("poisson");
    expect(fit.arrivals!.error.ratePerS.fit / 4).toBeCloseTo(1, 1);
    expect(fit.input.family).toMatch(/lognormal/);
    expect(fit.output.family).toBe("gamma");
    for (const { error } of [fit.input, fit.output]) {
      expect(error.distance).toBeLessThan(0.02);
      expect(Math.abs(error.mean.fit / error.mean.trace - 1)).toBeLessThan(0.03);
      expect(Math.abs(error.p95.fit / error.p95.trace - 1)).toBeLessThan(0.04);
    }
  });

  test.each(["gamma", "weibull"] as const)("%s arrivals with bursts", (kind) => {
    const fit = fitTrace(draw({ kind, ratePerS: 4, cv: 2 }, lognormal, { weibull: { mean: 300, cv: 0.5 } }, 40_000));
    const { spec } = fit.arrivals!;
    if (spec.kind !== kind) throw new Error(`expected ${kind}, found ${spec.kind}`);
    expect(Math.abs(spec.cv / 2 - 1)).toBeLessThan(0.06);
    expect(Math.abs(spec.ratePerS / 4 - 1)).toBeLessThan(0.06);
    expect(fit.output.family).toBe("Weibull");
  });

  test("Markov-modulated arrivals, by rate, dispersion and memory", () => {
    const states = [{ ratePerS: 30, meanUs: 10_000_000 }, { ratePerS: 5, meanUs: 30_000_000 }];
    const fit = fitTrace(draw({ kind: "mmpp", states }, lognormal, gamma, 100_000));
    const { spec, error } = fit.arrivals!;
    if (spec.kind !== "mmpp") throw new Error(`expected mmpp, found ${spec.kind}`);
    const [busy, quiet] = [spec.states[0]!, spec.states[1]!];
    const rate = (busy.ratePerS * busy.meanUs + quiet.ratePerS * quiet.meanUs) / (busy.meanUs + quiet.meanUs);
    expect(rate / error.ratePerS.trace).toBeCloseTo(1, 2);
    // Two states by moments, from some 200 changes of state: the dispersion is known to about a tenth.
    expect(Math.abs(error.dispersionPerMinute.fit / error.dispersionPerMinute.trace - 1)).toBeLessThan(0.3);
    expect(spec.states[0]!.ratePerS / spec.states[1]!.ratePerS).toBeGreaterThan(3);
  });

  test("a rate that rises and falls over hours", () => {
    const points = [{ atUs: 0, ratePerS: 1 }, { atUs: 7_200_000_000, ratePerS: 9 }, { atUs: 14_400_000_000, ratePerS: 1 }];
    const fit = fitTrace(draw({ kind: "varying", points, periodUs: null }, lognormal, gamma, 70_000));
    const { spec, error } = fit.arrivals!;
    if (spec.kind !== "varying") throw new Error(`expected varying, found ${spec.kind}`);
    const middle = spec.points.reduce((most, point) => (point.ratePerS > most.ratePerS ? point : most));
    expect(Math.abs(middle.atUs - 7_200_000_000)).toBeLessThan(1_200_000_000);
    expect(Math.abs(middle.ratePerS - 9)).toBeLessThan(1);
    expect(Math.abs(error.dispersionPerMinute.fit / error.dispersionPerMinute.trace - 1)).toBeLessThan(0.1);
  });

  test("days, by the hour of the day", () => {
    const hours = Array.from({ length: 24 }, (_, hour) => ({ atUs: (hour + 0.5) * 3_600_000_000, ratePerS: hour < 8 ? 0.02 : 0.2 }));
    const fit = fitTrace(draw({ kind: "varying", points: hours, periodUs: 86_400_000_000 }, lognormal, gamma, 40_000));
    const { spec } = fit.arrivals!;
    if (spec.kind !== "varying") throw new Error(`expected varying, found ${spec.kind}`);
    expect(spec.periodUs).toBe(86_400_000_000);
    expect(spec.points[3]!.ratePerS).toBeLessThan(0.03);
    expect(spec.points[15]!.ratePerS).toBeGreaterThan(0.17);
  });

  test("every kind of arrivals can be asked for, and every section loads into a scenario", () => {
    const file = draw({ kind: "gamma", ratePerS: 4, cv: 1.5 }, { uniform: { min: 5, max: 90 } }, 12, 5_000);
    for (const arrivals of fittedArrivals) {
      const fit = fitTrace(file, { arrivals });
      expect(fit.arrivals!.spec.kind).toBe(arrivals);
      const client = pasted(fit);
      expect(client.arrivals).toEqual(fit.arrivals!.spec);
      expect(client.inputTokens).toEqual(fit.input.spec);
      expect(client.outputTokens).toBe(12);
    }
  });
});

test("evenly spaced requests are found to be so", () => {
  const fit = fitTrace(draw({ kind: "regular", ratePerS: 3 }, 100, 20, 1_000));
  expect(fit.arrivals!.spec).toEqual({ kind: "regular", ratePerS: 3 });
  expect(pasted(fit)).toMatchObject({ arrivals: { kind: "regular", ratePerS: 3 }, inputTokens: 100, outputTokens: 20 });
});

test("a trace without times is fitted by its lengths alone", () => {
  const file = join(folder, "lengths.csv");
  writeFileSync(file, `num_prefill_tokens,num_decode_tokens\n${"10,20\n300,4\n".repeat(50)}`);
  const fit = fitTrace(file);
  expect(fit.arrivals).toBeNull();
  expect(fit.input.error.mean).toEqual({ trace: 155, fit: expect.closeTo(155, 0) as number });
  expect(pasted(fit).arrivals.kind).toBe("poisson");
});

test("too few rows are refused", () => {
  const file = join(folder, "few.csv");
  writeFileSync(file, `num_prefill_tokens,num_decode_tokens\n${"10,20\n".repeat(19)}`);
  expect(() => fitTrace(file)).toThrow(/few\.csv: found 19 requests, a fit needs at least 20/);
});

const azure = fileURLToPath(new URL("../../../../../shared/data/traces/azure-llm-2023-conv.csv", import.meta.url));
const committed = fileURLToPath(new URL("../../fits/azure-llm-2023-conv.yaml", import.meta.url));

describe.skipIf(!existsSync(azure))("the Azure conversation trace of 2023 (skipped where ../shared/data/traces is absent)", () => {
  test("what is known of it is found in it", () => {
    const trace = analyseTrace(new TraceReader(azure));
    expect(trace.rows).toBe(19_366);
    expect(trace.arrivals!.meanRatePerS).toBeCloseTo(5.53, 2);
    expect(trace.arrivals!.gaps.cv).toBeCloseTo(1.09, 2);
    expect(trace.input.mean).toBeCloseTo(1_154.7, 1);
    expect(trace.output.mean).toBeCloseTo(211.1, 1);
  });

  test("the pasted section shows the trace's rate, lengths and changes of rate again", () => {
    const fit = fitTrace(azure);
    const trace = analyseTrace(new TraceReader(azure));
    const again = replayed(pasted(fit), 60_000);
    for (const side of ["input", "output"] as const) {
      for (const p of [0.5, 0.95]) expect(Math.abs(again[side].quantile(p) / trace[side].quantile(p) - 1)).toBeLessThan(0.03);
      expect(Math.abs(again[side].mean / trace[side].mean - 1)).toBeLessThan(0.02);
      expect(Math.abs(again[side].cv / trace[side].cv - 1)).toBeLessThan(0.03);
    }
    expect(Math.abs(again.arrivals!.meanRatePerS / trace.arrivals!.meanRatePerS - 1)).toBeLessThan(0.05);
    expect(Math.abs(again.arrivals!.gaps.cv / trace.arrivals!.gaps.cv - 1)).toBeLessThan(0.07);
    expect(Math.abs(again.arrivals!.windows[2]!.dispersion / trace.arrivals!.windows[2]!.dispersion - 1)).toBeLessThan(0.2);
  });

  test("the committed fit is the one that is made today", () => {
    expect(readFileSync(committed, "utf8").endsWith(fitYaml(fitTrace(azure), "chat"))).toBe(true);
  });
});

test.skipIf(!existsSync(fileURLToPath(new URL("../../../../../shared/data/traces/mooncake-conversation.jsonl", import.meta.url))))(
  "the Mooncake conversation trace shares 36.6 % of its prefix blocks (skipped where ../shared/data/traces is absent)",
  () => {
    const trace = analyseTrace(new TraceReader(fileURLToPath(new URL("../../../../../shared/data/traces/mooncake-conversation.jsonl", import.meta.url))));
    expect(trace.rows).toBe(12_031);
    expect(trace.prefixes).toEqual({ requests: 12_031, blocks: 288_500, seenBlocks: 105_710, cachedBlocks: 105_710, exact: true });
  },
);

test("any trace of twenty requests or more gives a section that loads", () => {
  const row = fc.record({ gapMs: fc.oneof(fc.constant(0), fc.nat(5_000), fc.nat(90_000_000)), input: fc.oneof(fc.nat(3), fc.nat(2_000_000)), output: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 200_000 })) });
  const file = join(folder, "any.jsonl");
  fc.assert(fc.property(fc.array(row, { minLength: 20, maxLength: 300 }), fc.option(fc.constantFrom(...fittedArrivals)), (rows, arrivals) => {
    let timestamp = 0;
    writeFileSync(file, rows.map(({ gapMs, input, output }) => JSON.stringify({ timestamp: (timestamp += gapMs), input_length: input, output_length: output })).join("\n"));
    const client = pasted(fitTrace(file, { arrivals }));
    expect(client.name).toBe("chat");
  }), { seed: 1, numRuns: 15 });
});
