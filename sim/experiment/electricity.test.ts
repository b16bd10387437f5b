import { afterEach, describe, expect, test, vi } from "vitest";
import type { RunReport } from "../../protocol/result.ts";
import { loadScenario } from "../scenario/load.ts";
import { catalogueMachine } from "../world/catalogue/index.ts";
import { Recorder } from "./recorder/recorder.ts";
import { runScenario, SimulatedRun } from "./run.ts";

afterEach(() => void vi.restoreAllMocks());

const play = (source: string, ...sets: readonly string[]): RunReport => runScenario(loadScenario(source, "electricity.yaml", { sets }).scenario);

/** Two servers that draw 100 W idle and 300 W under load; jobs of 1 s, one every 2 s, to each in turn. */
const servers = `
name: electricity
question: What does a machine draw that is busy for a known time?
horizon: 1h
warmup: 10min
network: {latency: 0, sameRegion: 0, signing: 0, verifying: 0}
router: {policy: round-robin, heartbeat: 10min}
operators:
  - name: server
    count: 2
    model: job
    machine: &machine {name: box, family: cpu, memory: 1 GB, bandwidth: 1 GB/s, compute: 1 GFLOP/s, power: {idle: 100 W, load: 300 W}}
    engine: {service-time: {service: 1s, slots: 2}}
    price: free
    electricity: 40 sat/kWh
clients:
  - {name: users, model: job, arrivals: {regular: {rate: 0.5/s}}, inputTokens: 1, outputTokens: 1, maxOutputTokens: 1, patience: forever}
`;

describe("machines whose busy time is known", () => {
  test("draw idle power and, for that time, power under load", () => {
    const report = play(servers);
    // Each is busy a quarter of the measured 50 minutes: 150 W on average.
    for (const node of report.nodes) expect(node).toMatchObject({ utilisation: 0.125, energyKwh: 0.125, electricityMsat: 5_000 });
    expect(report.operatorClasses[0]).toMatchObject({ energyKwh: 0.25, electricityMsat: 10_000 });
  });

  test("draw no more for two jobs at once than for one", () => {
    // Every job finds the one before it half done: never fewer than one in service.
    const report = play(servers, "operators.server.count=1", "clients.users.arrivals.regular.rate=2/s", "operators.server.electricity=40.001 sat/kWh");
    expect(report.nodes[0]).toMatchObject({ utilisation: 1, energyKwh: 0.25, electricityMsat: 10_001 });
  });

  test("draw nothing while they are away", () => {
    const away = "operators.server.churn={uptime: 10min, downtime: 10min, abrupt: 100 %}";
    const report = play(servers, away, "clients.users.arrivals.regular.rate=0.00001/s", "operators.server.electricity=1 msat/kWh");
    // Up from minute 20 to 30 and from 40 to 50.
    for (const node of report.nodes) expect(node).toMatchObject({ availability: 0.4, energyKwh: 1 / 30, electricityMsat: 1 });
  });

  test("whose power nobody states have no energy", () => {
    const report = play(servers, "operators.server.machine.power={idle: 0, load: 0}");
    expect(report.operatorClasses[0]).toMatchObject({ energyKwh: null, electricityMsat: null });
  });

  test("of the catalogue draw what it says", () => {
    const { idleWatts, loadWatts } = catalogueMachine("RTX 4090");
    expect(loadWatts).toBeGreaterThan(idleWatts);
    const [node] = play(servers, "operators.server.machine=RTX 4090").nodes;
    expect(node!.machine).toBe("RTX 4090");
    expect(node!.energyKwh).toBeCloseTo((0.75 * idleWatts + 0.25 * loadWatts) * (50 / 60) / 1_000, 12);
  });
});

describe("the report's energy is that of the engines' own busy time", () => {
  /** Batches, cancellations, crashes, farewells and slow-downs; cut at the horizon. */
  const market = `
name: busy
question: Does the report know when engines work?
horizon: 10min
drain: false
router: {heartbeat: 2s}
operators:
  - name: gpu
    count: 4
    machine: {name: gpu, family: nvidia, memory: 24 GB, bandwidth: 1 TB/s, compute: 100 TFLOP/s, power: {idle: 0, load: 1 kW}}
    model: llama-3.1-8b:q4_k_m
    engine: llama.cpp
    price: free
    churn: {uptime: {exponential: {mean: 1min}}, downtime: {exponential: {mean: 10s}}, abrupt: 50 %, failure: 5 %, slowdown: {every: {exponential: {mean: 30s}}, lasts: 10s, factor: 0.3}}
clients:
  - name: hasty
    model: llama-3.1-8b:q4_k_m
    arrivals: {gamma: {rate: 1/s, cv: 3}}
    inputTokens: {exponential: {mean: 500}}
    outputTokens: {exponential: {mean: 200}}
    patience: {exponential: {mean: 4s}}
`;
  const perKwhUs = 3_600_000_000;
  const compare = (): { busyUs: number; errorUs: number; jobs: number }[] => {
    const run = new SimulatedRun(loadScenario(market, "busy.yaml").scenario, {});
    while (!run.step());
    const { horizonUs, nodes, overall } = run.finish();
    expect(overall.jobs.expired).toBeGreaterThan(20);
    return nodes.map(({ energyKwh, attempts }, n) => {
      const busyUs = run.world.runners[n]!.engine.busyUs(horizonUs);
      return { busyUs, errorUs: Math.abs(energyKwh! * perKwhUs - busyUs), jobs: attempts };
    });
  };

  // Engines count fractions of microseconds; what they tell is rounded up to whole ones.
  test("to a microsecond per job", () => {
    for (const { busyUs, errorUs, jobs } of compare()) {
      expect(busyUs).toBeGreaterThan(60_000_000);
      expect(errorUs).toBeLessThan(jobs);
    }
  });

  test("and a recorder that misses one change of load in fifty is found out", () => {
    const { nodeState } = Recorder.prototype;
    let calls = 0;
    vi.spyOn(Recorder.prototype, "nodeState").mockImplementation(function (this: Recorder, ...load) {
      if (++calls % 50 !== 0) nodeState.apply(this, load);
    });
    expect(compare().some(({ errorUs, jobs }) => errorUs > 100 * jobs)).toBe(true);
  });
});
