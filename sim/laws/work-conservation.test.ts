import type fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JobRequest, PriceSheet } from "../../protocol/messages.ts";
import type { PricingOptions } from "../../scheduler/pricing/options.ts";
import { Registry } from "../../scheduler/registry.ts";
import { Router } from "../../scheduler/router.ts";
import { Eligibility, rules } from "../../scheduler/selection/eligibility.ts";
import type { EngineSpec, Scenario } from "../scenario/scenario.ts";
import { BatchEngine } from "../world/engine/batch.ts";
import type { World } from "../world/world.ts";
import { arbitraryScenario } from "./testing/arbitrary-scenario.ts";
import { type Contents, watchEngines } from "./testing/engine-witness.ts";
import { type Fault, patch } from "./testing/patches.ts";
import { play } from "./testing/play.ts";
import { amountOf, feeOf, type KnownJob, RouterView } from "./testing/router-view.ts";
import { firstViolation, inRandomMarkets, must } from "./testing/violation.ts";
import { Who } from "./testing/who.ts";
import { peerIdOf } from "../world/identity.ts";

/**
 * Law 7 at the nodes: no slot is idle while a job that it could run waits in front of it. A server of queueing theory
 * never is. An engine with a batch takes jobs in between steps: a slot may be idle until the step under way ends, or for
 * as long as the first in line finds no room in the KV cache (in vLLM also: as long as prompts take the step's tokens).
 */
export function checkNodes(scenario: Scenario, faults: readonly Fault[] = [], before?: (world: World) => void): Readonly<Record<EngineSpec["kind"], number>> {
  const { contents, watch } = watchEngines();
  const who = new Who(scenario, scenario.seed);
  /** By node: an idle slot with a job in front of it, until when that is allowed, and how many jobs had started. */
  const owed = new Map<number, { readonly dueUs: number; readonly starts: number }>();
  const judged = { "llama.cpp": 0, vllm: 0, sequential: 0, "service-time": 0 };
  play(scenario, {
    faults: [...faults, watch],
    ...(before === undefined ? {} : { before }),
    eachMoment: ({ kernel, runners }) => {
      const { nowUs } = kernel;
      runners.forEach(({ engine, running, waiting }, n) => {
        const plan = who.plans[n]!;
        const { slots, kvTokensMax } = plan.descriptor;
        if (waiting === 0) return void owed.delete(n);
        must(running > 0, () => `at ${nowUs} us node ${plan.name} does nothing while ${waiting} jobs wait there`);
        const { kind } = scenario.operators[plan.operatorClass]!.engine;
        if (running === slots) return void owed.delete(n);
        must(kind !== "service-time", () => `at ${nowUs} us node ${plan.name} uses ${running} of ${slots} slots while ${waiting} jobs wait there`);
        const inside = contents.get(engine)!;
        const since = owed.get(n);
        if (inside.preempted || !hasRoom(inside, kind, kvTokensMax)) return void owed.delete(n);
        if (since === undefined || since.starts !== inside.starts) {
          judged[kind]++;
          return void owed.set(n, { dueUs: engine.nextUs, starts: inside.starts });
        }
        must(nowUs < since.dueUs, () => `at ${nowUs} us node ${plan.name} uses ${running} of ${slots} slots while ${waiting} jobs wait there, although a step has ended`);
      });
      for (let n = 0; n < runners.length; n++) if (runners[n]!.running === who.plans[n]!.descriptor.slots) judged[scenario.operators[who.plans[n]!.operatorClass]!.engine.kind]++;
    },
  });
  return judged;
}

/** Whether the first in line has room beside those that run, whatever they go on to need. */
function hasRoom({ jobs, head }: Contents, kind: EngineSpec["kind"], kvTokensMax: number): boolean {
  const paged = kind === "vllm";
  const need = (job: { readonly inputTokens: number; readonly outputTokens: number }): number =>
    paged ? Math.ceil((job.inputTokens + job.outputTokens) / 16) * 16 : job.inputTokens + job.outputTokens - 1;
  let needed = need(head!);
  for (const job of jobs.values()) {
    if (!job.started) continue;
    if (paged && !job.decoding) return false;
    needed += need(job);
  }
  return needed <= kvTokensMax;
}

/**
 * Law 7 at the routers: after each sweep no job waits that could go to a node, as far as the router knows; and the
 * router does not take a node for full that has truly been empty for longer than news of it takes.
 */
export function checkRouters(scenario: Scenario, faults: readonly Fault[] = []): { waits: number; emptyNodes: number } {
  const who = new Who(scenario, scenario.seed);
  const ids = who.plans.map((plan) => peerIdOf(scenario.seed, `node/${plan.entity}`));
  const views = Array.from({ length: scenario.router.count }, (_, peer) => new RouterView(scenario, peer));
  const down = new Set<string>();
  const emptySinceUs = who.plans.map(() => 0);
  const newsUs = 2 * scenario.router.heartbeatUs + 6 * Math.max(scenario.network.latencyUs, scenario.network.sameRegionUs, 45_000) + 500_000;
  let handled = 0;
  let waits = 0;
  let emptyNodes = 0;
  play(scenario, {
    faults,
    eachMoment: ({ kernel, runners }, seen) => {
      const stirred = new Set<RouterView>();
      for (; handled < seen.length; handled++) {
        const entry = seen[handled]!;
        for (const view of views) {
          view.see(entry);
          if ("peer" in entry && entry.peer === view.peer) stirred.add(view);
        }
        if (entry.kind === "node-down") down.add(entry.node);
        else if (entry.kind === "node-up") down.delete(entry.node);
      }
      const { nowUs } = kernel;
      for (const view of stirred) {
        for (const { request, node, tried, waitingSinceUs } of view.jobs.values()) {
          if (node !== "") continue;
          waits++;
          ids.forEach((id, n) => {
            const objections = view.objections(request, tried, id, nowUs);
            must(objections.length > 0, () => `at ${nowUs} us ${request.jobId} waits at router ${view.peer} although node ${who.plans[n]!.name} could take it`);
            const idleUs = nowUs - Math.max(waitingSinceUs, emptySinceUs[n]!);
            if (idleUs > newsUs) emptyNodes++;
            must(idleUs <= newsUs || objections.some((rule) => rule !== "full"), () => `at ${nowUs} us ${request.jobId} waits at router ${view.peer} for node ${who.plans[n]!.name}, which has been empty for ${idleUs} us`);
          });
        }
      }
      runners.forEach(({ running, waiting }, n) => {
        if (running + waiting > 0 || down.has(who.plans[n]!.name)) emptySinceUs[n] = Infinity;
        else if (emptySinceUs[n] === Infinity) emptySinceUs[n] = kernel.nowUs;
      });
    },
  });
  return { waits, emptyNodes };
}

/**
 * The same where prices are found. Call for bids: as with posted prices, but that a job whose call is open waits for its
 * bids. Continuous: no job waits while a slot is free within its limit. Batches at one price, where every free slot suits
 * every job: after each round no job is left beside a free slot although it would pay prices, in the market's proportions, of which
 * no part is below what that asks.
 */
export function checkFoundPrices(scenario: Scenario, faults: readonly Fault[] = []): { waits: number; pairs: number } {
  const { pricing } = scenario;
  const views = Array.from({ length: scenario.router.count }, (_, peer) => new RouterView(scenario, peer));
  /** By router and job: when its last call closes, µs. */
  const callsUntilUs = views.map(() => new Map<string, number>());
  let handled = 0;
  let waits = 0;
  let pairs = 0;
  const mayWait = (view: RouterView, job: KnownJob, id: string, nowUs: number): boolean => {
    const { request, tried, waitingSinceUs } = job;
    const { prices: ask } = view.nodes.get(id)!.descriptor.offers.find(({ model }) => model === request.model) ?? {};
    if (ask === undefined) return true;
    pairs++;
    switch (pricing.kind) {
      case "continuous": if (view.freeSlots(id) <= 0) return true; break;
      case "uniform-price":
      case "call-market": {
        if (waitingSinceUs === nowUs || view.freeSlots(id) <= 0) return true;
        const price = meanAskAbove(view, request.model, ask);
        const amount = amountOf(price, request.inputTokens, request.maxOutputTokens);
        if (amount + feeOf(scenario.router.fee, amount) > BigInt(request.maxPriceMsat)) return true;
      }
    }
    return view.objections(request, tried, id, nowUs).length > 0;
  };
  const isBatch = pricing.kind === "uniform-price" || pricing.kind === "call-market";
  play(scenario, {
    faults,
    eachMoment: ({ kernel: { nowUs } }, seen) => {
      const stirred = new Set<RouterView>();
      const cleared = new Set<number>();
      const served = views.map((): JobRequest[] => []);
      for (; handled < seen.length; handled++) {
        const entry = seen[handled]!;
        for (const view of views) {
          view.see(entry);
          if ("peer" in entry && entry.peer === view.peer) stirred.add(view);
        }
        if (entry.kind === "timer-set" && entry.timer.kind === "mechanism") cleared.add(entry.peer);
        if (entry.kind === "send" && entry.message.type === "award") served[entry.peer]!.push(entry.message.job);
        if (entry.kind === "send" && entry.message.type === "call-for-bids") callsUntilUs[entry.peer]!.set(entry.message.job.jobId, entry.atUs + entry.message.closesInUs);
      }
      for (const view of stirred) {
        if (isBatch && !(cleared.has(view.peer) && suitAll(view, served[view.peer]!, nowUs))) continue;
        for (const [jobId, job] of view.jobs) {
          if (job.node !== "" || (callsUntilUs[view.peer]!.get(jobId) ?? -1) >= nowUs) continue;
          waits++;
          for (const id of view.nodes.keys()) {
            must(mayWait(view, job, id, nowUs), () => `at ${nowUs} us ${jobId} waits at router ${view.peer} under ${pricing.kind} although node ${id} could take it`);
          }
        }
      }
    },
  });
  return { waits, pairs };
}

/** Whether each slot that is free suits every job of the batch: those that wait, and those just served. */
function suitAll(view: RouterView, served: readonly JobRequest[], nowUs: number): boolean {
  const free = [...view.nodes.keys()].filter((id) => view.freeSlots(id) > 0);
  const waiting = [...view.jobs.values()].filter(({ node }) => node === "");
  return free.every((id) => waiting.every(({ request, tried }) => view.objections(request, tried, id, nowUs).length === 0)
    && served.every((request) => view.objections(request, view.jobs.get(request.jobId)?.tried ?? new Set(), id, nowUs).length === 0));
}

/** Prices in the proportions of the mean ask for the model, of which no part is below this ask; a little more, for rounding. */
function meanAskAbove(view: RouterView, model: string, ask: PriceSheet): PriceSheet {
  const asks = [...view.nodes.values()].flatMap(({ descriptor }) => descriptor.offers.filter((offer) => offer.model === model).map(({ prices }) => prices));
  const mean = (part: typeof PARTS[number]): number => asks.reduce((sum, each) => sum + each[part], 0) / asks.length;
  const factor = Math.max(...PARTS.map((part) => (ask[part] === 0 ? 0 : ask[part] / mean(part))));
  const above = (part: typeof PARTS[number]): number => Math.ceil(mean(part) * factor * 1.01) + 1;
  return { inputMsatPerMtok: above("inputMsatPerMtok"), outputMsatPerMtok: above("outputMsatPerMtok"), fixedMsat: above("fixedMsat") };
}

const PARTS = ["inputMsatPerMtok", "outputMsatPerMtok", "fixedMsat"] as const;

describe("law 7: work conservation", () => {
  test("no slot of random markets is idle while a job that it could run waits in front of it", () => {
    const judged = { "llama.cpp": 0, vllm: 0, sequential: 0, "service-time": 0 };
    inRandomMarkets(arbitraryScenario(), 45, 7, (scenario) => {
      for (const [kind, count] of Object.entries(checkNodes(scenario))) judged[kind as EngineSpec["kind"]] += count;
    });
    for (const count of Object.values(judged)) expect(count).toBeGreaterThan(200);
  });

  test("the same where prices are found", () => {
    inRandomMarkets(arbitraryScenario({ pricing: "found" }), 15, 7, (scenario) => void checkNodes(scenario));
  });

  const patient = arbitraryScenario({
    network: { jitterCv: 0, signingUs: 0, verifyingUs: 0 },
    router: { queue: { limit: 50, maxWaitUs: 15_000_000 } },
    operators: { queueLimit: 1 },
    clients: { minStakeMsat: 0, privacy: "any", maxPriceMsat: 1_000_000, allowedRegions: null },
  });
  test("no job waits at a router of random markets while it could be served, but for the time that news takes", () => {
    let waits = 0;
    inRandomMarkets(patient, 45, 7, (scenario) => void (waits += checkRouters(scenario).waits));
    expect(waits).toBeGreaterThan(2_000);
  });

  const batches: Readonly<Record<string, PricingOptions>> = {
    "uniform-price": { kind: "uniform-price", intervalUs: 400_000 },
    "call-market": { kind: "call-market", rule: "midpoint", intervalUs: 400_000 },
  };
  const found: Readonly<Record<string, PricingOptions>> = {
    "call-for-bids": { kind: "call-for-bids", payment: "second-price", windowUs: 80_000, invited: 3, reserveMsat: null, rounds: 2 },
    ...batches,
    continuous: { kind: "continuous" },
  };
  const marketsOf = (kind: string): fc.Arbitrary<Scenario> => arbitraryScenario({
    router: { queue: { limit: 50, maxWaitUs: 15_000_000 }, ...(kind in batches ? { attempts: 1 } : {}) }, operators: { queueLimit: 1 }, pricing: found[kind]!,
    ...(kind in batches ? { clients: { minStakeMsat: 0, privacy: "any", allowedRegions: null } } : {}),
  });
  test.each(Object.keys(found))("no job waits at a router under %s while it could be served by its rules", (kind) => {
    const sum = { waits: 0, pairs: 0 };
    inRandomMarkets(marketsOf(kind), 25, 7, (scenario) => {
      const { waits, pairs } = checkFoundPrices(scenario);
      sum.waits += waits;
      sum.pairs += pairs;
    });
    expect(Math.min(sum.waits, sum.pairs)).toBeGreaterThan(500);
  });

  test.each(Object.keys(found))("is seen to be broken by a router that overlooks a node under %s", (kind) => {
    // Whatever the rules are, the first offer in the market is passed over.
    const fault: Fault = () => patch(Eligibility.prototype, "judge", (original) => function (this: Eligibility, offer) {
      const code = original.call(this, offer);
      return code === 0 && offer === 0 ? rules.indexOf("full") : code;
    });
    const blind: Fault = () => patch(Eligibility.prototype, "gather", (original) => function (this: Eligibility, candidates, amountsMsat) {
      const count = original.call(this, candidates, amountsMsat);
      if (count === 0 || candidates[0] !== 0) return count;
      candidates.copyWithin(0, 1, count);
      amountsMsat.copyWithin(0, 1, count);
      this.waitable++;
      return count - 1;
    });
    expect(firstViolation(marketsOf(kind), (scenario) => void checkFoundPrices(scenario, [fault, blind]), 120)).toMatch(/could take it/);
  });

  test.each<readonly [string, RegExp, Fault, ((world: World) => void) | undefined]>([
    ["an engine leaves a slot unused", /uses \d+ of \d+ slots/, () => () => {}, ({ runners }) => {
      for (const { engine } of runners) (engine as { slots: number }).slots = Math.max(1, engine.slots - 1);
    }],
    ["an engine sleeps on after a step", /does nothing|a step has ended/, () => patch(BatchEngine.prototype, "submit", (original) => function (this: BatchEngine, nowUs, ref, input, output, priority) {
      original.call(this, nowUs, ref, input, output, priority);
      if (this.running === 0) Object.defineProperty(this, "nextUs", { value: Infinity });
    }), undefined],
  ])("is seen to be broken where %s", (_, how, fault, before) => {
    expect(firstViolation(arbitraryScenario(), (scenario) => void checkNodes(scenario, [fault], before))).toMatch(how);
  });

  test.each<readonly [string, RegExp, Fault]>([
    ["does not hear of its nodes' news", /has been empty for/, () => patch(Router.prototype, "onMessage", (original) => function (this: Router, from, message) {
      // The second opinion hears as little.
      original.call(this, from, message.type === "heartbeat" ? Object.assign(message, { running: 9, waiting: 9 }) : message);
    })],
    ["does not look after the jobs that wait", /could take it/, () => patch(Router.prototype, "onMessage", (original) => function (this: Router, from, message) {
      if (message.type !== "heartbeat" && message.type !== "descriptor") return original.call(this, from, message);
      const { hasRoom } = this.registry;
      this.registry.hasRoom = () => false;
      original.call(this, from, message);
      this.registry.hasRoom = hasRoom;
    })],
    ["never takes a node for empty again", /could take it/, () => patch(Registry.prototype, "recordSuccess", (original) => function (this: Registry, n) {
      original.call(this, n);
      this.own[n] = this.own[n]! + 1;
    })],
  ])("is seen to be broken where a router %s", (_, how, fault) => {
    expect(firstViolation(patient, (scenario) => void checkRouters(scenario, [fault]))).toMatch(how);
  });
});
