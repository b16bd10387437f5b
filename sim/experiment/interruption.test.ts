import { describe, expect, test } from "vitest";
import { loadScenario } from "../scenario/load.ts";
import type { Scenario } from "../scenario/scenario.ts";
import { runScenario, startRun } from "./run.ts";

const scenario = (horizon: string, drain: boolean): Scenario =>
  loadScenario(
    `
name: interrupted
question: Is what was played until an interruption reported as if it had been meant to end there?
horizon: ${horizon}
warmup: 1m
drain: ${drain}
router: { region: eu, policy: weighted-score }
operators:
  - name: desk
    count: 3
    machine: RTX 4090
    model: llama-3.1-8b:q4_k_m
    engine: llama.cpp
    price: { input: 20 sat/Mtok, output: 60 sat/Mtok }
    region: eu
    churn: { uptime: { exponential: { mean: 3m } }, downtime: { exponential: { mean: 20s } } }
clients:
  - name: chat
    region: eu
    model: llama-3.1-8b:q4_k_m
    arrivals: { poisson: { rate: 6/s } }
    inputTokens: { lognormal: { mean: 900, cv: 1.0 } }
    outputTokens: { lognormal: { mean: 200, cv: 1.0 } }
    maxOutputTokens: 1024
    maxPrice: 1 sat
    patience: 20s
`,
    "interrupted.yaml",
  ).scenario;

const minuteUs = 60_000_000;

describe("a run that is stopped before its horizon", () => {
  // Both horizons make windows of 5 s; the second stop lies inside one.
  test.each([["9m", 9 * minuteUs], ["541s", 541_000_000]] as const)("at %s is reported as a run whose horizon that is", (horizon, stopUs) => {
    const stopped = startRun(scenario("10m", true));
    stopped.step(stopUs);
    const report = stopped.finish();
    const meant = runScenario(scenario(horizon, false));
    expect(report.provenance.interrupted).toBe(true);
    expect(meant.provenance.interrupted).toBeUndefined();
    // Its batches were laid out for the longer run: those that are whole are what its intervals rest on.
    expect({ ...report, provenance: null, intervals: null }).toEqual({ ...meant, provenance: null, intervals: null });
    expect(report.intervals?.batches).toBe(17);
    const means = new Map(meant.intervals!.figures.map(({ figure, mean }) => [figure, mean]));
    // What happens seldom may be stated by one of them alone: their batches differ.
    const both = report.intervals!.figures.filter(({ figure }) => means.has(figure));
    expect(both.length).toBeGreaterThan(0.9 * means.size);
    expect(both.map(({ mean }) => mean)).toEqual(both.map(({ figure }) => means.get(figure)));
    expect(report.allJobs.inFlight).toBeGreaterThan(0);
    expect(report.operatorClasses[0]!.kvUtilisation).toBeGreaterThan(0);
  });

  test("during the drain has the horizon it was meant to have", () => {
    const stopped = startRun(scenario("10m", true));
    stopped.step(10 * minuteUs);
    stopped.step(1);
    expect(stopped.progress.done).toBe(false);
    const report = stopped.finish();
    expect(report.provenance.interrupted).toBe(true);
    expect(report).toMatchObject({ horizonUs: 10 * minuteUs, endUs: 10 * minuteUs + 1 });
  });

  test("during the warm-up has nothing to report", () => {
    const stopped = startRun(scenario("10m", true));
    stopped.step(minuteUs);
    expect(() => stopped.finish()).toThrow(/before its warm-up of 60000000 µs is over/);
  });
});
