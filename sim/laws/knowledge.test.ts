import { z } from "zod";
import { describe, expect, test } from "vitest";
import { message } from "../../protocol/messages.ts";
import { Router } from "../../scheduler/router.ts";
import { LoadScorer, WeightedScorer } from "../../scheduler/selection/scores.ts";
import { Selector } from "../../scheduler/selection/selector.ts";
import { loadScenario } from "../scenario/load.ts";
import type { Scenario } from "../scenario/scenario.ts";
import { plainEnvelopes } from "../world/envelopes.ts";
import { peerIdOf } from "../world/identity.ts";
import { Oracle } from "../world/oracle.ts";
import { SimulatedRunner } from "../world/runner.ts";
import { World } from "../world/world.ts";
import { arbitraryScenario } from "./testing/arbitrary-scenario.ts";
import { type Compared, freeze, livesOf, sameUntilTold } from "./testing/life.ts";
import { type Fault, patch, withPatches } from "./testing/patches.ts";
import { play } from "./testing/play.ts";
import { firstViolation, inRandomMarkets } from "./testing/violation.ts";

/** A world that differs from the scenario's in something that nobody has been told. */
interface Other {
  readonly scenario?: (scenario: Scenario) => Scenario;
  readonly fault?: Fault;
  /** Nodes may see the difference by looking at their own runners. */
  readonly runnersShowIt?: boolean;
}

/** Plays a market in two worlds and compares the lives of all participants up to the first thing that they are told differently. */
function compare(scenario: Scenario, other: Other, faults: readonly Fault[] = []): Compared {
  const one = play(scenario, { faults });
  const two = play(other.scenario?.(scenario) ?? scenario, { faults: [...faults, ...(other.fault === undefined ? [] : [other.fault])] });
  return sameUntilTold(livesOf(one, other.runnersShowIt), livesOf(two, other.runnersShowIt), Math.min(one.report.endUs, two.report.endUs));
}

/** Every second job turns out longer or shorter, and takes longer or shorter to serve, than in the other world. */
const otherLengths: Other = {
  fault: () => patch(Oracle.prototype, "add", (original) => function (this: Oracle, id, clientClass, user, outputTokens, maxOutputTokens, workSeed) {
    const changed = Number(id.split("-").at(-1)) % 2 === 1;
    return original.call(this, id, clientClass, user, changed ? outputTokens * 2 + 1 : outputTokens, maxOutputTokens, changed ? workSeed ^ 0x5555 : workSeed);
  }),
};
/** Other jobs fail, and nodes leave at other times. */
const otherFailures: Other = {
  scenario: (scenario) => ({
    ...scenario,
    operators: scenario.operators.map((spec) => ({ ...spec, churn: { ...spec.churn, failureShare: 0.3, presence: spec.churn.presence && { ...spec.churn.presence, uptimeUs: { uniform: { min: 6_000_000, max: 9_000_000 } } } } })),
  }),
};
/** Nodes are slower at times. */
const otherSpeeds: Other = {
  runnersShowIt: true,
  scenario: (scenario) => ({ ...scenario, operators: scenario.operators.map((spec) => ({ ...spec, churn: { ...spec.churn, slowdown: { everyUs: { uniform: { min: 4_000_000, max: 5_000_000 } }, lastsUs: 3_000_000, factor: 0.3 } } })) }),
};
/** One more class of clients loads the nodes. */
const otherLoad: Other = {
  scenario: (scenario) => ({ ...scenario, clients: [...scenario.clients, { ...scenario.clients[0]!, name: "others", count: 1, arrivals: { kind: "varying", points: [{ atUs: 5_000_000, ratePerS: 0 }, { atUs: 5_000_001, ratePerS: 4 }], periodUs: null } }] }),
};

function compareAll(scenarios: Parameters<typeof inRandomMarkets>[0], other: Other, numRuns: number): Compared {
  let compared = 0;
  let reacted = 0;
  inRandomMarkets(scenarios, numRuns, 9, (scenario) => {
    const result = compare(scenario, other);
    compared += result.compared;
    reacted += result.reacted;
  });
  return { compared, reacted };
}

describe("law 9: the oracle's knowledge stays with the oracle", () => {
  test.each<readonly [string, Other]>([["true lengths and service times", otherLengths], ["true failures and departures", otherFailures]])(
    "in two worlds that differ in %s, everybody does the same until told of a difference", (_, other) => {
      const { compared, reacted } = compareAll(arbitraryScenario(), other, 20);
      expect(compared).toBeGreaterThan(2_500);
      expect(reacted).toBeGreaterThan(30);
    });

  const trueLengths = new Map<string, number>();
  const learn: Fault = () => patch(Oracle.prototype, "add", (original) => function (this: Oracle, id, clientClass, user, outputTokens, maxOutputTokens, workSeed) {
    trueLengths.set(id, outputTokens);
    return original.call(this, id, clientClass, user, outputTokens, maxOutputTokens, workSeed);
  });
  test.each<readonly [string, Fault]>([
    ["a router turns long jobs away", () => patch(Selector.prototype, "choose", (original) => function (this: Selector, job, market, tried, nowUs) {
      const chosen = original.call(this, job, market, tried, nowUs);
      return trueLengths.get(job.jobId)! > 60 ? -1 : chosen;
    })],
    ["a heartbeat tells how long the jobs will be", () => {
      let last = 0;
      const restores = [
        patch(SimulatedRunner.prototype, "submit", (original) => function (this: SimulatedRunner, job) { last = trueLengths.get(job.jobId)! % 100; original.call(this, job); }),
        patch(SimulatedRunner.prototype, "kvTokensUsed", () => (() => last) as never),
      ];
      return () => { for (const restore of restores.reverse()) restore(); };
    }],
  ])("is seen to be broken where %s", (_, fault) => {
    // The other world's lengths are changed before anybody learns them.
    expect(firstViolation(arbitraryScenario(), (scenario) => void compare(scenario, otherLengths, [learn, fault]))).toMatch(/is told of no difference/);
  });

  test("no message that travels before the result has a field for what only the simulator knows", () => {
    const fields = (value: unknown, into: Set<string>): Set<string> => {
      if (typeof value !== "object" || value === null) return into;
      for (const [key, part] of Object.entries(value)) {
        if (key === "properties") for (const name of Object.keys(part as object)) into.add(name);
        fields(part, into);
      }
      return into;
    };
    const told = new Set<string>();
    for (const option of message.options) {
      if (!["result", "metering-receipt"].includes(option.shape.type.value)) fields(z.toJSONSchema(option), told);
    }
    expect(told.size).toBeGreaterThan(40);
    expect([...told].filter((name) => /^(true|actual|real|hidden)|^outputTokens$|quality|workSeed|serviceUs|willFail|costMsat/i.test(name))).toEqual([]);
  });

  test("nobody changes what another has said: with immutable messages the results are the same, and a change is noticed", () => {
    const frozen: Fault = () => patch(plainEnvelopes, "seal", (original) => (from, to, said, departUs) => original(from, to, freeze(said), departUs));
    inRandomMarkets(arbitraryScenario(), 15, 9, (scenario) => {
      expect(play(scenario, { faults: [frozen] }).report.jobRows.digest).toBe(play(scenario).report.jobRows.digest);
    });
    const meddler: Fault = () => patch(Router.prototype, "onMessage", (original) => function (this: Router, from, said) {
      if (said.type === "job") said.job.priority = 9;
      original.call(this, from, said);
    });
    expect(() => inRandomMarkets(arbitraryScenario(), 5, 9, (scenario) => void withPatches([], () => play(scenario, { faults: [meddler, frozen] })))).toThrow();
  });
});

describe("law 10: routers see heartbeats and their own dispatches, not the truth", () => {
  const severalRouters = arbitraryScenario({ router: { count: 3 } });
  test.each<readonly [string, Other]>([["the nodes' true speed", otherSpeeds], ["the load that others bring", otherLoad]])(
    "in two worlds that differ in %s, everybody does the same until told of a difference", (_, other) => {
      const { compared, reacted } = compareAll(severalRouters, other, 20);
      expect(compared).toBeGreaterThan(2_500);
      expect(reacted).toBeGreaterThan(30);
    });

  /** Load is what it truly is at this moment. */
  const omniscient: Fault = () => {
    const worlds = new Set<World>();
    const truly = (): number => -([...worlds].at(-1)?.runners.reduce((sum, { running, waiting }) => sum + running + waiting, 0) ?? 0) / 7;
    const restores = [
      patch(World.prototype, "run", (original) => function (this: World, untilUs) { worlds.add(this); original.call(this, untilUs); }),
      ...[LoadScorer.prototype, WeightedScorer.prototype].flatMap((prototype) => [
        patch(prototype, "score", (original) => function (this: never, offer: number, amountMsat: number) { return offer % 2 === 0 ? truly() : original.call(this, offer, amountMsat); } as never),
        patch(prototype, "scoreAll", (original) => function (this: never, candidates, amountsMsat, count, scores) {
          original.call(this, candidates, amountsMsat, count, scores);
          for (let i = 0; i < count; i++) if (candidates[i]! % 2 === 0) scores[i] = truly();
        }),
      ]),
    ];
    return () => { for (const restore of restores.reverse()) restore(); };
  };
  test("is seen to be broken by a router that knows the true load", () => {
    expect(firstViolation(severalRouters, (scenario) => void compare(scenario, otherSpeeds, [omniscient]), 150)).toMatch(/is told of no difference/);
  });

  test("a job of another router's counts from the heartbeat on, not before", () => {
    const { scenario } = loadScenario(`
name: stale
question: When does a router hear of another's job?
horizon: 60s
drain: false
network: { latency: 1ms, sameRegion: 1ms }
router: { count: 2, policy: least-loaded, heartbeat: 10s }
operators:
  - { name: node, count: 2, model: m, engine: { service-time: { slots: 1, service: 1h } }, queueLimit: 8, price: free }
clients:
  - { name: quiet, count: 3, model: m, arrivals: { regular: { rate: 0.0001/s } }, inputTokens: 10, outputTokens: 10, patience: 1h }
`, "stale.yaml");
    const identities = [0, 1, 2].map((i) => peerIdOf(scenario.seed, `client/quiet/${i}`));
    const asked = new Set<string>();
    const ask = (world: World, client: number, s: number): void => {
      const jobId = `at-${s}-by-${client}`;
      if (world.kernel.nowUs < s * 1_000_000 || asked.has(jobId)) return;
      asked.add(jobId);
      world.oracle.add(jobId, 0, -1, 10, 20, 1);
      world.clients[client]!.submit({
        jobId, client: identities[client]!, model: "m", inputTokens: 10, maxOutputTokens: 20, maxPriceMsat: 1e9, latencyGoal: {}, patienceUs: 3.6e9, priority: 0,
        region: "eu", minStakeMsat: 0, privacy: "any", verification: "none", promptHash: "0".repeat(64),
      });
    };
    // A client's first job goes by the router that is its own: the first and the third client have the first router.
    const { seen } = play(scenario, { eachMoment: (world) => { ask(world, 1, 20); ask(world, 0, 20.1); ask(world, 2, 31); } });
    const sent = seen.find((entry) => entry.kind === "send" && entry.peer === 1 && entry.message.type === "award");
    const busy = sent?.kind === "send" ? sent.to : "";
    const told = seen.find((entry) => entry.kind === "deliver" && entry.peer === 0 && entry.from === busy && entry.message.type === "heartbeat" && entry.message.running === 1);
    expect(told!.atUs).toBeGreaterThan(20_200_000);
    const loads = seen.flatMap((entry) => (entry.kind !== "decided" ? [] : [[entry.decision.jobId, entry.decision.candidates.find(({ node }) => node === busy)?.parts[0]?.value]]));
    const mine = seen.some((entry) => entry.kind === "send" && entry.peer === 0 && entry.message.type === "award" && entry.to === busy && entry.atUs < told!.atUs) ? 1 : 0;
    expect(loads).toEqual([["at-20-by-1", 0], ["at-20.1-by-0", 0], ["at-31-by-2", 1 + mine]]);
  });
});
