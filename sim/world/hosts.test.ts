import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { runScenario } from "../experiment/run.ts";
import { loadScenario } from "../scenario/load.ts";
import type { Scenario } from "../scenario/scenario.ts";
import type { HostSpec, ShareTables } from "../scenario/sections/hosts.ts";
import { affineCost } from "./engine/cost.ts";
import type { Engine, EngineSink } from "./engine/engine.ts";
import { llamaCppEngine } from "./engine/llama-cpp.ts";
import { ServiceTimeEngine } from "./engine/service-time.ts";
import { Hosts, shareOf } from "./hosts.ts";

const host = (more: Partial<HostSpec> = {}): HostSpec => ({ name: "desk", cores: 1, usedCores: 0, shares: [], promptShares: [], ...more });

/** When the jobs finish: `ref` is the job's place in the list. */
function finishTimes(engines: readonly Engine[], spec: HostSpec, jobs: readonly { atUs: number; node: number; input?: number; output?: number }[], own: readonly { hostShares?: ShareTables }[] = []): number[] {
  const ends: number[] = [];
  const sink: EngineSink = { started() {}, firstToken() {}, preempted() {}, finished: (ref, atUs) => void (ends[ref] = atUs) };
  let nowUs = 0;
  const hosts = new Hosts([spec], engines.map((_, node) => ({ host: "desk", ...own[node] })), (node, share, promptShare) => engines[node]!.setShare(nowUs, share, promptShare));
  const changed = (): void => engines.forEach((engine, node) => hosts.changed(node, engine.running > 0));
  const waiting = jobs.map((job, ref) => ({ ...job, ref }));
  for (;;) {
    nowUs = Math.min(waiting[0]?.atUs ?? Infinity, ...engines.map(({ nextUs }) => nextUs));
    if (nowUs === Infinity) return ends;
    for (const engine of engines) if (engine.nextUs <= nowUs) engine.advance(nowUs, sink);
    changed();
    while (waiting[0]?.atUs === nowUs) {
      const { node, ref, input = 1, output = 1 } = waiting.shift()!;
      engines[node]!.submit(nowUs, ref, input, output, 0);
    }
    changed();
  }
}

const server = (workUs: number): Engine => new ServiceTimeEngine({ work: () => workUs });

describe("one core that two engines share", () => {
  test("each has half of it while both are busy", () => {
    // Alone until 4, then both at half speed: the first has 6 left and ends at 16, the second's last 4 take it to 20.
    expect(finishTimes([server(10), server(10)], host(), [{ atUs: 0, node: 0 }, { atUs: 4, node: 1 }])).toEqual([16, 20]);
  });

  test("it counts at once in the midst of a step, however long", () => {
    const cost = affineCost({ t0Us: 1_000, perSequenceUs: 0, perPrefillTokenUs: 0, contextUs: 0, prefillContextUs: 0 });
    const engine = (): Engine => llamaCppEngine({ cost, slots: 1 });
    // Steps of 1,000: two of them each. 250 alone; the second's 2,000 and the first's 1,750 share the core until 250 + 2 x 1,750.
    expect(finishTimes([engine(), engine()], host(), [{ atUs: 0, node: 0, output: 2 }, { atUs: 250, node: 1, output: 2 }])).toEqual([3_750, 4_000]);
  });

  test("three of them on two cores: two thirds each", () => {
    expect(finishTimes([server(30), server(30), server(30)], host({ cores: 2 }), [0, 1, 2].map((node) => ({ atUs: 0, node })))).toEqual([45, 45, 45]);
  });

  test("what others use is gone, and a measured table counts before the cores", () => {
    expect(finishTimes([server(30)], host({ cores: 2, usedCores: 1.5 }), [{ atUs: 0, node: 0 }])).toEqual([60]);
    expect(finishTimes([server(30), server(30)], host({ cores: 8, shares: [1, 0.75] }), [{ atUs: 0, node: 0 }, { atUs: 0, node: 1 }])).toEqual([40, 40]);
  });

  test("prompts and generation may suffer differently", () => {
    const cost = affineCost({ t0Us: 0, perSequenceUs: 1_000, perPrefillTokenUs: 10, contextUs: 0, prefillContextUs: 0 });
    const engine = (): Engine => llamaCppEngine({ cost, slots: 1 });
    // 1,000 us of prompt at a half, which gives the first token, then two steps of 1,000 us at a quarter.
    expect(finishTimes([engine(), engine()], host({ shares: [1, 0.25], promptShares: [1, 0.5] }), [0, 1].map((node) => ({ atUs: 0, node, input: 100, output: 3 })))).toEqual([10_000, 10_000]);
  });

  test("an operator's own tables count for its engines, the host's for the others", () => {
    const engines = [server(30), server(30)];
    const both = [0, 1].map((node) => ({ atUs: 0, node }));
    // The first has a quarter of its speed while both are busy, the other a half: that one ends at 60, the first has 15 left.
    expect(finishTimes(engines, host({ shares: [1, 0.5] }), both, [{ hostShares: { shares: [1, 0.25], promptShares: [] } }])).toEqual([75, 60]);
  });

  test("prompts go by the operator's own generation where it says no more, and generation by the host's", () => {
    const cost = affineCost({ t0Us: 0, perSequenceUs: 1_000, perPrefillTokenUs: 10, contextUs: 0, prefillContextUs: 0 });
    const engine = (): Engine => llamaCppEngine({ cost, slots: 1 });
    const jobs = [0, 1].map((node) => ({ atUs: 0, node, input: 100, output: 3 }));
    const spec = host({ shares: [1, 0.5], promptShares: [1, 0.8] });
    const times = (hostShares: ShareTables): number[] => finishTimes([engine(), engine()], spec, jobs, [{ hostShares }, { hostShares }]);
    expect(times({ shares: [1, 0.25], promptShares: [] })).toEqual([12_000, 12_000]);
    expect(times({ shares: [], promptShares: [1, 0.25] })).toEqual([8_000, 8_000]);
  });

  test("the total stays beyond the table's end", () => {
    const spec = host({ shares: [1, 0.9, 0.6] });
    expect([1, 2, 3, 4, 6].map((busy) => shareOf(spec, busy))).toEqual([1, 0.9, 0.6, expect.closeTo(0.45, 12), expect.closeTo(0.3, 12)]);
  });
});

const mmc2 = readFileSync(new URL("../../scenarios/mmc-2.yaml", import.meta.url), "utf8");
const apart = (more: readonly string[] = []) => loadScenario(mmc2, "mmc-2.yaml", {
  sets: [
    "operators.server.count=6", "operators.server.queueLimit=0", "operators.server.engine.service-time.slots=1",
    "router.policy=least-loaded", "router.queue={limit: unlimited, maxWait: forever}", ...more,
  ],
}).scenario;
const shared = (more: readonly string[] = []) => apart(["hosts=[{name: desk, cores: 2}]", "operators.server.host=desk", ...more]);

describe("in a market", () => {
  test("six nodes on two cores are M/M/2: nodes beyond the cores bring nothing", () => {
    const { overall, allJobs } = runScenario(shared(["horizon=1d"]));
    expect(allJobs.completed).toBe(allJobs.submitted);
    // Erlang C at rho 0.8: 1 s of service and 1.7778 s of waiting; the run's own spread is about 1 %.
    expect((overall.latency.endToEndUs?.mean ?? 0) / 1e6).toBeGreaterThan(2.7778 * 0.96);
    expect((overall.latency.endToEndUs?.mean ?? 0) / 1e6).toBeLessThan(2.7778 * 1.04);
  });

  test("with cores for all of them, a host changes nothing", () => {
    const digest = (scenario: Scenario): string => runScenario(scenario).jobRows.digest;
    const alone = digest(apart(["horizon=4h"]));
    for (const set of ["hosts=[{name: desk, cores: 6}]", "hosts=[{name: desk, cores: 1, shares: [1, 1, 1, 1, 1, 1]}]"]) expect(digest(shared(["horizon=4h", set]))).toBe(alone);
    const contended = digest(shared(["horizon=4h"]));
    expect(contended).not.toBe(alone);
    // What the cores say, said of the operator itself.
    expect(digest(shared(["horizon=4h", "operators.server.host={name: desk, shares: [1, 1]}"]))).toBe(contended);
  });

  test("a node that loses power leaves its share to the others, and slow-downs count on top", () => {
    const churned = shared(["horizon=12h", "operators.server.churn={uptime: {exponential: {mean: 20min}}, downtime: {exponential: {mean: 1min}}, slowdown: {every: 10min, lasts: 2min, factor: 0.5}}", "router.attempts=100", "clients.customers.arrivals.poisson.rate=1/s"]);
    const { allJobs, checks } = runScenario(churned);
    expect(allJobs.inFlight).toBe(0);
    expect(checks.laws.every(({ passed }) => passed > 0)).toBe(true);
  });
});

test("an unknown host, and one that others use up, are told where they stand", () => {
  expect(() => shared(["operators.server.host=dekc"])).toThrow(/"dekc".*one of the hosts: desk|host/s);
  expect(() => shared(["operators.server.host={name: dekc, shares: [1, 0.5]}"])).toThrow(/"dekc".*one of the hosts: desk/s);
  expect(() => shared(["operators.server.host={name: desk, shares: [1, 0]}"])).toThrow(/shares/);
  expect(() => shared(["hosts=[{name: desk, cores: 2, used: 2}]"])).toThrow(/less than the host's 2 cores/);
});
