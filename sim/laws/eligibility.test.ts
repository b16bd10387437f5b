import { describe, expect, test } from "vitest";
import type { Descriptor } from "../../protocol/messages.ts";
import { CircuitBreaker } from "../../scheduler/circuit-breaker.ts";
import { ModelMarket } from "../../scheduler/model-market.ts";
import type { PricingOptions } from "../../scheduler/pricing/options.ts";
import { Registry } from "../../scheduler/registry.ts";
import { Eligibility, rules } from "../../scheduler/selection/eligibility.ts";
import { Audit } from "../world/audit.ts";
import { arbitraryScenario } from "./testing/arbitrary-scenario.ts";
import { type Fault, patch, type Restore } from "./testing/patches.ts";
import { type Played, play } from "./testing/play.ts";
import { RouterView } from "./testing/router-view.ts";
import { firstViolation, inRandomMarkets, must } from "./testing/violation.ts";

const CALLS: PricingOptions = { kind: "call-for-bids", payment: "second-price", windowUs: 50_000, invited: 4, reserveMsat: null, rounds: 1 };

/**
 * Law 3: a job never goes to a node that is unregistered, stale, banned, under-staked, full, too dear, in the wrong
 * region, or without the model or the context length. Judged by a second opinion on what each router knows, in both
 * directions: nobody chosen who may not be, nobody left out who may, and every stated reason true.
 */
export function checkEligibility({ scenario, seen }: Played): { awards: number; exclusions: number; calls: number } {
  const views = Array.from({ length: scenario.router.count }, (_, peer) => new RouterView(scenario, peer));
  const viewOf = (jobId: string): RouterView => {
    const view = views.find(({ jobs }) => jobs.has(jobId));
    must(view !== undefined, () => `no router has job ${jobId}`);
    return view;
  };
  // Where prices are found, a node may be eligible and yet not suit: its ask, or its bid, is for the mechanism to judge.
  const mayLeave = !["posted", "network", "surge", "base-fee", "custom"].includes(scenario.pricing.kind);
  let awards = 0;
  let exclusions = 0;
  let calls = 0;
  for (const entry of seen) {
    if (entry.kind === "decided") {
      const { decision, atUs } = entry;
      const view = viewOf(decision.jobId);
      const { request, tried } = view.jobs.get(decision.jobId)!;
      const judged = new Set<string>();
      for (const { node } of decision.candidates) {
        judged.add(node);
        const objections = view.objections(request, tried, node, atUs);
        must(objections.length === 0, () => `at ${atUs} us node ${node} is a candidate for ${decision.jobId} although ${objections.join(", ")}`);
      }
      for (const { node, rule } of decision.excluded) {
        judged.add(node);
        exclusions++;
        const objections = view.objections(request, tried, node, atUs);
        const isTrue = rule === "no-bid" ? scenario.pricing.kind !== "posted" && objections.length === 0
          : objections.includes(rule) || (view.pricesUnseen && (rule === "too-dear" || rule === "asks-more"));
        must(isTrue, () => `at ${atUs} us node ${node} is excluded for ${decision.jobId} as ${rule}, which it is not`);
      }
      must(judged.size === view.nodes.size && judged.size === decision.candidates.length + decision.excluded.length, () => `${judged.size} of ${view.nodes.size} nodes were judged for ${decision.jobId}`);
      const mayDecline = request.choice?.rule === "logit" && request.choice.outsideMsat !== undefined && decision.attempt === 1;
      must(decision.chosen === "" ? decision.candidates.length === 0 || mayDecline || mayLeave : decision.candidates.some(({ node }) => node === decision.chosen), () => `${decision.jobId} goes to ${decision.chosen}, which is no candidate`);
    } else if (entry.kind === "send" && entry.message.type === "award") {
      const { job } = entry.message;
      const view = viewOf(job.jobId);
      const objections = view.objections(job, view.jobs.get(job.jobId)!.tried, entry.to, entry.atUs);
      must(objections.length === 0, () => `at ${entry.atUs} us ${job.jobId} goes to ${entry.to} although ${objections.join(", ")}`);
      must(view.jobs.get(job.jobId)!.node === "", () => `${job.jobId} is awarded while it is at a node`);
      awards++;
    } else if (entry.kind === "send" && entry.message.type === "call-for-bids") {
      const { job } = entry.message;
      const view = viewOf(job.jobId);
      const objections = view.objections(job, view.jobs.get(job.jobId)!.tried, entry.to, entry.atUs);
      must(objections.length === 0, () => `at ${entry.atUs} us ${entry.to} is called for ${job.jobId} although ${objections.join(", ")}`);
      calls++;
    }
    for (const view of views) view.see(entry);
  }
  return { awards, exclusions, calls };
}

describe("law 3: eligibility", () => {
  test("every decision of every router agrees with a second opinion on what it knows", () => {
    let awards = 0;
    let exclusions = 0;
    inRandomMarkets(arbitraryScenario(), 80, 3, (scenario) => {
      const checked = checkEligibility(play(scenario));
      awards += checked.awards;
      exclusions += checked.exclusions;
    });
    expect(awards).toBeGreaterThan(2_000);
    expect(exclusions).toBeGreaterThan(10_000);
  });

  test("the same where prices are found, for those that are called as for those that are awarded", () => {
    const awards = new Map<string, number>();
    let calls = 0;
    inRandomMarkets(arbitraryScenario({ pricing: "found" }), 90, 3, (scenario) => {
      const { kind } = scenario.pricing;
      const checked = checkEligibility(play(scenario));
      awards.set(kind, (awards.get(kind) ?? 0) + checked.awards);
      calls += checked.calls;
    });
    for (const kind of ["network", "surge", "base-fee", "custom", "call-for-bids", "uniform-price", "call-market", "continuous"]) expect(awards.get(kind), kind).toBeGreaterThan(50);
    expect(calls).toBeGreaterThan(200);
  });

  /** Without the check that every run makes: here it is the second opinion that has to notice. */
  const unaudited: readonly Fault[] = [() => patch(Audit.prototype, "assigned", () => () => {}), () => patch(Audit.prototype, "finished", () => () => {})];
  /** Routers that see a node as it is not, or look away. */
  const faults: readonly [string, RegExp, Fault][] = [
    ["cannot tell what is too dear", /too-dear/, () => patch(Eligibility.prototype, "judge", (original) => function (this: Eligibility, offer) {
      const code = original.call(this, offer);
      return rules[code] === "too-dear" ? 0 : code;
    })],
    ["takes a stale node for a fresh one", /stale/, () => patch(Registry.prototype, "heartbeat", (original) => function (this: Registry, node, beat, nowUs) { return original.call(this, node, beat, nowUs + 60_000_000); })],
    ["does not hear that a node is full", /full/, () => patch(Registry.prototype, "heartbeat", (original) => function (this: Registry, node, beat, nowUs) { return original.call(this, node, { ...beat, running: 0, waiting: 0 }, nowUs); })],
    ["does not hear that a node leaves", /not-accepting/, () => patch(Registry.prototype, "heartbeat", (original) => function (this: Registry, node, beat, nowUs) { return original.call(this, node, { ...beat, accepting: true }, nowUs); })],
    ["believes in more stake than there is", /under-staked/, () => registered((descriptor) => ({ ...descriptor, stakeMsat: 1_000_000 }))],
    ["mistakes regions", /wrong-region/, () => registered((descriptor) => ({ ...descriptor, region: "eu" }))],
    ["takes every node for attested", /not-attested/, () => registered((descriptor) => ({ ...descriptor, attested: true }))],
    ["overrates contexts", /context-too-short/, () => registered((descriptor) => ({ ...descriptor, offers: descriptor.offers.map((offer) => ({ ...offer, contextTokensMax: 1_000_000 })) }))],
    ["forgets failures", /circuit-open/, () => patch(CircuitBreaker.prototype, "allows", () => () => true)],
    ["excludes a node that may serve", /which it is not/, () => patch(Eligibility.prototype, "judge", (original) => function (this: Eligibility, offer) { return offer === 1 ? rules.indexOf("stale") : original.call(this, offer); })],
  ];
  test.each(faults)("is seen to be broken by a router that %s", (_, how, fault) => {
    expect(firstViolation(arbitraryScenario(), (scenario) => void checkEligibility(play(scenario, { faults: [...unaudited, fault] })))).toMatch(how);
  });

  test.each<[string, RegExp, Fault]>([
    ["calls whomever it knows", /is called for .* although/, () => patch(Eligibility.prototype, "judge", () => () => 0)],
    ["has nodes serve whatever they ask", /although asks-more/, () => patch(ModelMarket.prototype, "serves", () => () => true)],
  ])("is seen to be broken by a router that %s, where prices are found", (_, how, fault) => {
    expect(firstViolation(arbitraryScenario({ pricing: _.startsWith("calls") ? CALLS : "found" }), (scenario) => void checkEligibility(play(scenario, { faults: [...unaudited, fault] })), 120)).toMatch(how);
  });
});

function registered(lie: (descriptor: Descriptor) => Descriptor): Restore {
  return patch(Registry.prototype, "register", (original) => function (this: Registry, descriptor, nowUs) { return original.call(this, lie(descriptor), nowUs); });
}
