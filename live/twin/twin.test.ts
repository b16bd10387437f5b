import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runReport } from "../../protocol/result.ts";
import { twinReport } from "../../protocol/result/twin.ts";
import { errorTable } from "../../reports/twin/content.ts";
import { TwinFolder } from "../../reports/twin/folder.ts";
import { loadScenario } from "../../sim/scenario/load.ts";
import { performTwin } from "./perform.ts";
import { parseRecording, renderRecording, type TwinRecording } from "./recording.ts";
import { evaluateTwin, type Twin } from "./twin.ts";

const folder = mkdtempSync(join(tmpdir(), "infernet-twin-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const source = `
name: small-twin
question: Do two real nodes with a model of 1 MB do what the simulation says?
seed: 4
horizon: 4s
network: {latency: 1ms, sameRegion: 1ms}
payment: {latency: 2ms}
router: {policy: weighted-score, heartbeat: 500ms}
operators:
  - name: dear
    machine: &machine {name: test, family: cpu, memory: 16 GiB, bandwidth: 50 GB/s, compute: 400 GFLOP/s}
    model: qwen2.5-0.5b:q4_k_m
    engine: &engine {llama.cpp: {slots: 2, context: 256}}
    price: {input: 4000 sat/Mtok, output: 9000 sat/Mtok}
  - name: cheap
    machine: *machine
    model: qwen2.5-0.5b:q4_k_m
    engine: *engine
    price: {input: 2000 sat/Mtok, output: 5000 sat/Mtok}
clients:
  - name: chat
    count: 2
    model: qwen2.5-0.5b:q4_k_m
    arrivals: {poisson: {rate: 5/s}}
    inputTokens: {uniform: {min: 5, max: 60}}
    outputTokens: {uniform: {min: 2, max: 40}}
    maxOutputTokens: 30
    maxPrice: 100 sat
    patience: 30s
twin:
  models: {dear: {parameters: 1M}, cheap: {parameters: 1M, quantisation: f16}}
  repetitions: 2
  intermissions: [2s]
  stretch: 0.1s
  phases: [{name: first half, until: 2s}, {name: second half, until: 4s}]
`;

describe("a small market in both worlds", () => {
  const { scenario, experiment } = loadScenario(source, "small-twin.yaml");
  let recording: TwinRecording;
  let twin: Twin;

  beforeAll(async () => {
    recording = await performTwin({ scenario, twin: experiment.twin!, file: "small-twin.yaml", seed: scenario.seed, models: folder });
    twin = evaluateTwin(recording, { scenario, phases: experiment.twin!.phases, sets: [] });
  });

  test("every job completes on both sides", () => {
    const { jobs } = twin.report;
    expect(jobs.planned).toBeGreaterThan(10);
    expect(jobs.real).toEqual({ completed: jobs.planned, failed: 0, rejected: 0, expired: 0, cancelled: 0, inFlight: 0 });
    expect(jobs.simulated).toEqual(jobs.real);
    expect(jobs.alikeShare).toBe(1);
  });

  test("tokens agree for every job, and money to the millisatoshi wherever the same node served it", () => {
    const { jobs } = twin.report;
    expect(jobs.sameTokens).toBe(jobs.planned);
    expect(jobs.sameAmounts).toBe(jobs.completedOnSameNode);
    expect(jobs.completedOnSameNode).toBeGreaterThan(0);
    expect(new Set(twin.pairs.map(({ real }) => real.outputTokens)).size).toBeGreaterThan(3);
  });

  test("the market's time stands still in an intermission", () => {
    // How much later than in the simulation the second act's jobs came: as long as the last jobs of the first took to end.
    const lagsUs = twin.pairs.flatMap(({ real, simulated }) => (simulated.submittedUs >= 2_000_000 ? [real.submittedUs - simulated.submittedUs] : []));
    expect(lagsUs.length).toBeGreaterThan(3);
    expect(lagsUs.length).toBeLessThan(twin.pairs.length - 3);
    expect(Math.min(...lagsUs)).toBeLessThan(recording.bench[0]!.tookUs);
    expect(twin.real.report.horizonUs).toBe(scenario.horizonUs);
  });

  test("the ledger balances, and nodes hold what they billed", () => {
    for (const { report, rows } of [twin.real, twin.simulated]) {
      expect(report.money!.closingMsat).toBe(report.money!.openingMsat);
      const billed = rows.reduce((sum, row) => sum + row.amountMsat, 0);
      expect(billed).toBeGreaterThan(0);
      expect(report.money!.accounts.find(({ kind }) => kind === "nodes")?.changeMsat).toBe(billed);
    }
  });

  test("both sides report in the same schema and explain every decision in the same words", () => {
    expect(runReport.parse(twin.real.report)).toMatchObject({ world: "live" });
    expect(runReport.parse(twin.simulated.report)).toMatchObject({ world: "simulated" });
    const shape = ({ decisions }: Twin["real"]): unknown => decisions.map(({ decision }) => ({
      ...decision, candidates: decision.candidates.length + decision.excluded.length, excluded: [], chosen: decision.chosen !== "", how: "", price: "", jobId: "", attempt: 0,
    }))[0];
    expect(shape(twin.real)).toEqual(shape(twin.simulated));
    const decided = new Set(twin.real.decisions.map(({ decision }) => decision.jobId));
    expect(twin.pairs.every(({ real }) => decided.has(real.job))).toBe(true);
    for (const { decision: { candidates } } of twin.real.decisions) for (const { score, parts } of candidates) expect(parts.reduce((sum, { contribution }) => sum + contribution, 0)).toBe(score);
  });

  test("the report says all of it, and its folder holds it", () => {
    const { report, pairs } = twin;
    expect(twinReport.parse(report)).toEqual(report);
    expect(report.overall.comparisons.map(({ metric }) => metric)).toEqual(["ttft", "tpot", "endToEnd", "queueing", "price"]);
    expect(report.phases.map(({ name }) => name)).toEqual(["first half", "second half"]);
    expect(report.calibration.shares).toHaveLength(2);
    for (const { shares, promptShares } of report.calibration.nodes) for (const table of [shares, promptShares]) {
      expect(table).toHaveLength(2);
      expect(table[0]).toBe(1);
      expect(table[1]).toBeLessThanOrEqual(1);
    }
    // One round in the intermission, one after the play.
    expect(recording.bench).toHaveLength(2);
    expect(report.calibration.halves!.firstUs).toBeGreaterThan(0);
    expect(report.calibration.halves!.secondUs).toBeGreaterThan(0);
    expect(errorTable(report)).toMatch(/\| end-to-end \|/);
    const out = join(folder, "report");
    new TwinFolder(out).finish(report, pairs);
    expect(readFileSync(join(out, "jobs.csv"), "utf8").split("\n")).toHaveLength(pairs.length + 2);
    expect(readFileSync(join(out, "index.html"), "utf8")).toContain("real mean");
    expect(JSON.parse(readFileSync(join(out, "twin.json"), "utf8"))).toEqual(report);
  });

  test("a recording that went through a file says the same, to the last figure", () => {
    const again = evaluateTwin(parseRecording(renderRecording(recording)), { scenario, phases: experiment.twin!.phases, sets: [] });
    expect(again.report).toEqual(twin.report);
    expect(again.pairs).toEqual(twin.pairs);
  });

  test("what is no recording is told apart", () => {
    expect(() => parseRecording("{")).toThrow(/is no JSON/);
    expect(() => parseRecording("{}")).toThrow(/is no recording of a twin: schema: /);
    expect(() => parseRecording(renderRecording(recording).replace('"balances":[', '"balances":[1,'))).toThrow(/played\.balances\.0/);
  });
});
