import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "../../protocol/canonical.ts";
import type { RunReport } from "../../protocol/result.ts";
import { Selector } from "../../scheduler/selection/selector.ts";
import { runScenario, startRun } from "../experiment/run.ts";
import { RandomStreams } from "../kernel/random.ts";
import type { OperatorSpec, Scenario } from "../scenario/scenario.ts";
import { arbitraryPolicy, arbitraryScenario } from "./testing/arbitrary-scenario.ts";
import { type Fault, patch, withPatches } from "./testing/patches.ts";
import { type Played, play } from "./testing/play.ts";
import { firstViolation, inRandomMarkets, must } from "./testing/violation.ts";

const resultsOf = (report: RunReport): string => report.provenance.resultsDigest;

/** Law 13: the same bytes of report, however often and in however many steps the scenario is played, in whatever order its keys are written. */
function checkRepeat(scenario: Scenario, shuffle: <T>(value: T) => T = (value) => value, slices: readonly number[] = [1_000_003]): void {
  const report = JSON.stringify(runScenario(scenario));
  // The report repeats the scenario as it was given; apart from the order of keys there, it is the same.
  must(canonicalJson(runScenario(shuffle(scenario))) === canonicalJson(JSON.parse(report)), () => "a second run has another report");
  const run = startRun(scenario, { explain: new Set(["users-x-1"]), onDecision: () => {}, onEvent: () => {}, onJobRow: () => {} });
  for (let i = 0; !run.step(slices[i % slices.length]); i++);
  must(JSON.stringify(run.finish()) === report, () => "a run in other steps, with somebody listening, has another report");
}

/** The same value with the keys of every object in another order. */
function reordered<T>(value: T): T {
  if (Array.isArray(value)) return value.map(reordered) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).reverse().map(([key, part]) => [key, reordered(part)])) as T;
}

/** What the demand of a class is: its jobs, their lengths, prices and patience, and for open arrivals their times. */
function demandOf({ scenario, seen, truth }: Played): Map<string, string[]> {
  const demand = new Map<string, string[]>();
  for (const entry of seen) {
    if (entry.kind !== "send" || entry.message.type !== "job") continue;
    const { jobId, client: _, ...request } = entry.message.job;
    const name = jobId.slice(0, jobId.lastIndexOf("-"));
    const closed = scenario.clients.find((spec) => spec.name === name)!.arrivals.kind === "closed";
    const jobs = demand.get(name) ?? [];
    if (jobs.length === 0) demand.set(name, jobs);
    jobs.push(JSON.stringify([closed ? 0 : entry.atUs, request, truth.get(jobId)]));
  }
  return demand;
}

/** Common random numbers: what a class asks for is the same in both, as far as both were played. With a budget it depends on what jobs cost. */
function checkDemand(one: Played, two: Played): number {
  const other = demandOf(two);
  let compared = 0;
  for (const [name, jobs] of demandOf(one)) {
    if (one.scenario.clients.find((spec) => spec.name === name)!.worth.budget !== null) continue;
    const others = other.get(name) ?? [];
    const both = Math.min(jobs.length, others.length);
    const open = one.scenario.clients.find((spec) => spec.name === name)!.arrivals.kind !== "closed";
    must(!open || jobs.length === others.length, () => `${name} submits ${jobs.length} jobs here and ${others.length} there`);
    for (let i = 0; i < both; i++) must(jobs[i] === others[i], () => `job ${i} of ${name} is another: ${jobs[i]} and ${others[i]}`);
    compared += both;
  }
  return compared;
}

/** Nodes by their class and their place there, with their prices and, where they leave without notice, their comings and goings. */
function suppliesOf({ seen, report, scenario }: Played): Map<string, string> {
  const lives = new Map<string, string[]>();
  for (const entry of seen) if (entry.kind === "node-down" || entry.kind === "node-up") lives.set(entry.node, [...(lives.get(entry.node) ?? []), `${entry.kind} ${entry.atUs}`]);
  const places = new Map<string, number>();
  return new Map(report.nodes.map((node) => {
    const place = places.get(node.operatorClass) ?? 0;
    places.set(node.operatorClass, place + 1);
    const spec = scenario.operators.find(({ name }) => name === node.operatorClass)!;
    const punctual = (spec.churn.presence?.abruptShare ?? 1) === 1;
    const life = (lives.get(node.name) ?? []).filter((step) => Number(step.split(" ")[1]) < scenario.horizonUs);
    return [`${node.operatorClass} ${place}`, JSON.stringify([node.region, node.inputMsatPerMtok, node.outputMsatPerMtok, punctual ? life : []])];
  }));
}

function checkSupply(one: Played, two: Played): number {
  const there = suppliesOf(two);
  const here = suppliesOf(one);
  for (const [name, supply] of here) must(there.get(name) === supply, () => `node ${name} is another: ${supply} and ${there.get(name)}`);
  return here.size;
}

const moreClients = (scenario: Scenario): Scenario => ({ ...scenario, clients: [{ ...scenario.clients[0]!, name: "newcomers", count: 2 }, ...scenario.clients] });
const moreOperators = (scenario: Scenario): Scenario => ({ ...scenario, operators: [{ ...scenario.operators[0]!, name: "newcomer", count: 2 }, ...scenario.operators] });
const grown = (count: number) => (scenario: Scenario): Scenario => ({ ...scenario, operators: scenario.operators.map((spec): OperatorSpec => ({ ...spec, count: spec.count + count })) });

describe("law 13: determinism", () => {
  test("the same market has the same report to the byte, in whatever steps it is played, whoever listens, and in whatever order its keys are written", () => {
    inRandomMarkets(arbitraryScenario(), 30, 13, (scenario) => checkRepeat(scenario, reordered, [1, 777_777, 123_456_789]));
  });

  test("the same where prices are found", () => {
    inRandomMarkets(arbitraryScenario({ pricing: "found" }), 20, 13, (scenario) => checkRepeat(scenario, reordered, [777_777]));
  });

  test("other processes come to the same results", () => {
    const scenarios = fc.sample(arbitraryScenario(), { seed: 13, numRuns: 15 });
    const here = scenarios.map((scenario) => resultsOf(runScenario(scenario)));
    const script = fileURLToPath(new URL("testing/digests.ts", import.meta.url));
    for (const flags of [[], ["--max-semi-space-size=1", "--no-opt"]]) {
      const { stdout, stderr, status } = spawnSync(process.execPath, [...flags, script], { input: JSON.stringify(scenarios), encoding: "utf8", maxBuffer: 1 << 26 });
      expect(stderr).toBe("");
      expect(status).toBe(0);
      expect(JSON.parse(stdout)).toEqual(here);
    }
  });

  test("messages as they are, checked and signed come to the same results", () => {
    const small = arbitraryScenario({ scenario: { horizonUs: 6_000_000, warmupUs: 0, drain: false }, router: { count: 1 } });
    const played = (scenario: Scenario, messages: Scenario["network"]["messages"]): RunReport => runScenario({ ...scenario, network: { ...scenario.network, messages } }, { realKeys: true });
    let jobs = 0;
    inRandomMarkets(small, 10, 13, (scenario) => {
      const plain = played(scenario, "plain");
      expect(played(scenario, "checked").jobRows).toEqual(plain.jobRows);
    });
    for (const scenario of fc.sample(small, { seed: 4, numRuns: 3 })) {
      const few: Scenario = { ...scenario, clients: [{ ...scenario.clients[0]!, arrivals: { kind: "regular", ratePerS: 2 } }] };
      const plain = played(few, "plain");
      jobs += plain.jobRows.rows;
      expect(played(few, "signed").jobRows).toEqual(plain.jobRows);
    }
    expect(jobs).toBeGreaterThan(20);
  });

  test("another policy, other operators, another class of clients: what the others ask for and offer stays the same", () => {
    let compared = 0;
    let nodes = 0;
    inRandomMarkets(arbitraryScenario(), 20, 13, (scenario) => {
      const base = play(scenario);
      const [policy] = fc.sample(arbitraryPolicy, { seed: scenario.seed, numRuns: 1 });
      for (const other of [{ ...scenario, router: { ...scenario.router, policy: policy!, heartbeatUs: 1_234_567, count: 2 } }, moreOperators(scenario), moreClients(scenario)]) {
        const played = play(other);
        compared += checkDemand(base, played);
        nodes += checkSupply(base, played);
      }
    });
    expect(compared).toBeGreaterThan(5_000);
    expect(nodes).toBeGreaterThan(300);
  });

  test.each<readonly [string, Fault]>([
    ["a policy draws from elsewhere", () => {
      let draws = 0;
      return patch(Selector.prototype, "choose", (original) => function (this: Selector, job, market, tried, nowUs) {
        const chosen = original.call(this, job, market, tried, nowUs);
        return draws++ % 97 === 96 ? -1 : chosen;
      });
    }],
  ])("is seen to be broken where %s", (_, fault) => {
    expect(firstViolation(arbitraryScenario(), (scenario) => withPatches([fault], () => checkRepeat(scenario)))).toMatch(/another report/);
  });

  const shared: Fault = () => {
    const streams = new RandomStreams("shared").stream("one", "for", "all");
    return patch(RandomStreams.prototype, "stream", () => () => streams);
  };
  test("is seen to be broken where streams are shared", () => {
    expect(firstViolation(arbitraryScenario(), (scenario) => void checkDemand(play(scenario, { faults: [shared] }), play(moreClients(scenario), { faults: [shared] })))).toMatch(/is another|submits/);
    expect(firstViolation(arbitraryScenario({ operators: { priceSpreadCv: 0.3 } }), (scenario) => void checkSupply(play(scenario, { faults: [shared] }), play(moreOperators(scenario), { faults: [shared] })))).toMatch(/is another/);
  });

  test("is seen to be broken where the order of keys matters", () => {
    const keyed: Fault = () => patch(RandomStreams.prototype, "stream", (original) => function (this: RandomStreams, subsystem, entity, purpose) {
      return original.call(this, subsystem, entity, purpose + firstKey);
    });
    let firstKey = "";
    const noticed = <T>(value: T): T => {
      const other = reordered(value);
      firstKey = Object.keys(other as object)[0]!;
      return other;
    };
    expect(firstViolation(arbitraryScenario(), (scenario) => {
      firstKey = "";
      withPatches([keyed], () => checkRepeat(scenario, noticed));
    })).toMatch(/second run has another report/);
  });

  test("a class that grows keeps the members that it had", () => {
    let nodes = 0;
    inRandomMarkets(arbitraryScenario({ scenario: { drain: false }, operators: { regions: [{ region: "eu", share: 1 }] } }), 6, 13, (scenario) => {
      const base = play(scenario);
      for (const more of [1, 12]) nodes += checkSupply(base, play(grown(more)(scenario)));
    });
    expect(nodes).toBeGreaterThan(40);
  });
});
