import { describe, expect, test } from "vitest";
import type { JobRow } from "../../protocol/result.ts";
import type { Decision } from "../../scheduler/environment.ts";
import { Registry } from "../../scheduler/registry.ts";
import { LoadScorer, PriceScorer, WeightedScorer } from "../../scheduler/selection/scores.ts";
import { Selector } from "../../scheduler/selection/selector.ts";
import type { Scenario } from "../scenario/scenario.ts";
import { arbitraryScenario } from "./testing/arbitrary-scenario.ts";
import { type Fault, patch } from "./testing/patches.ts";
import { type Played, play } from "./testing/play.ts";
import { amountOf, RouterView } from "./testing/router-view.ts";
import { firstViolation, inRandomMarkets, must } from "./testing/violation.ts";

/**
 * Law 11: a decision's score is the sum of its parts, to the last bit; its parts are what the router knew; the policy did
 * what it says; and the job went where the decision says.
 */
export function checkExplained({ scenario, seen }: Played): number {
  const { policy } = scenario.router;
  const views = Array.from({ length: scenario.router.count }, (_, peer) => new RouterView(scenario, peer));
  const due = new Map<string, string>();
  let decisions = 0;
  for (const entry of seen) {
    if (entry.kind === "send" && entry.message.type === "award") {
      const { jobId } = entry.message.job;
      must(due.get(jobId) === entry.to, () => `${jobId} goes to ${entry.to}, the decision says ${due.get(jobId)}`);
      due.delete(jobId);
    }
    if (entry.kind === "decided") {
      decisions++;
      const { candidates, chosen, jobId } = entry.decision;
      must(!due.has(jobId), () => `${jobId} was to go to ${due.get(jobId)} and is decided on again`);
      if (chosen !== "") due.set(jobId, chosen);
      const view = views.find(({ jobs }) => jobs.has(jobId))!;
      const { request } = view.jobs.get(jobId)!;
      candidates.forEach(({ node, score, parts }, i) => {
        let sum = 0;
        for (const { contribution } of parts) sum += contribution;
        must(parts.length > 0 && sum === score, () => `the parts of ${node} for ${jobId} sum to ${sum}, its score is ${score}`);
        must(i === 0 || candidates[i - 1]!.score >= score, () => `candidates for ${jobId} are not in the order of their scores`);
        const known = view.nodes.get(node)!;
        for (const { name, value } of parts) {
          if (name === "load") must(value === (known.own.size + known.others) / known.descriptor.slots, () => `${node} has a load of ${(known.own.size + known.others) / known.descriptor.slots} as far as the router knows, the decision on ${jobId} says ${value}`);
          if (name === "price") {
            const amount = Number(amountOf(known.descriptor.offers.find(({ model }) => model === request.model)!.prices, request.inputTokens, request.maxOutputTokens));
            must(Math.abs(value - amount) <= 1, () => `${node} costs ${amount} msat, the decision on ${jobId} says ${value}`);
          }
        }
      });
      const score = candidates.find(({ node }) => node === chosen)?.score ?? -Infinity;
      const { choice } = request;
      // A client that would rather do without chooses nobody.
      const declined = choice?.rule === "logit" && choice.outsideMsat !== undefined && chosen === "";
      const among = choice !== undefined ? (choice.rule === "logit" ? candidates.length : 1)
        : policy.kind === "cheapest" || policy.kind === "least-loaded" || policy.kind === "weighted-score" ? 1
        : policy.kind === "top-n-random" ? policy.n : policy.kind === "power-of-two" ? Math.max(1, candidates.length - policy.choices + 1) : candidates.length;
      const bound = candidates[Math.min(among, candidates.length) - 1];
      must(bound === undefined || declined || score >= bound.score, () => `${policy.kind} chose ${chosen} for ${jobId}, which is not among the best ${among}`);
    }
    for (const view of views) view.see(entry);
  }
  return decisions;
}

/** Permuting the nodes changes nothing: every job has the same fate. */
function checkPermutation(scenario: Scenario, faults: readonly Fault[] = []): number {
  const fates = (rows: readonly JobRow[]): string[] => rows.map((row) => JSON.stringify(row)).sort();
  const here = fates(play(scenario, { faults }).rows);
  const there = fates(play({ ...scenario, operators: [...scenario.operators].reverse() }, { faults }).rows);
  here.forEach((fate, i) => must(fate === there[i], () => `with the operators in another order a job has another fate: ${fate} and ${there[i]}`));
  return here.length;
}

/** Lowering one node's price, all else equal, never lowers its rank, and never excludes it. */
function checkLowerPrice(scenario: Scenario, faults: readonly Fault[] = []): number {
  const [first, ...others] = scenario.operators;
  const { inputMsatPerMtok, outputMsatPerMtok, fixedMsat } = first!.prices;
  const prices = { inputMsatPerMtok: Math.floor(inputMsatPerMtok * 0.6), outputMsatPerMtok: Math.floor(outputMsatPerMtok * 0.6), fixedMsat: Math.floor(fixedMsat * 0.6) };
  const decisionsOf = (played: Played): { readonly decision: Decision; readonly node: string }[] => {
    const id = played.seen.flatMap((entry) => (entry.kind === "send" && entry.peer === scenario.router.count && entry.message.type === "descriptor" ? [entry.message.node] : []))[0]!;
    return played.seen.flatMap((entry) => (entry.kind === "decided" ? [{ decision: entry.decision, node: id }] : []));
  };
  const before = decisionsOf(play(scenario, { faults }));
  const after = decisionsOf(play({ ...scenario, operators: [{ ...first!, prices }, ...others] }, { faults }));
  const rank = ({ candidates }: Decision, node: string): number => {
    const own = candidates.find((candidate) => candidate.node === node);
    return own === undefined ? Infinity : candidates.filter(({ score }) => score > own.score).length;
  };
  let compared = 0;
  for (const [i, { decision, node }] of before.entries()) {
    const other = after[i]?.decision;
    if (other === undefined || other.jobId !== decision.jobId || other.attempt !== decision.attempt) break;
    compared++;
    must(rank(other, node) <= rank(decision, node), () => `at a lower price ${node} falls from rank ${rank(decision, node)} to ${rank(other, node)} for ${decision.jobId}`);
    // From here on not all else is equal.
    if (other.chosen !== decision.chosen) break;
  }
  return compared;
}

describe("law 11: explainability", () => {
  test("every decision in random markets is the sum of its parts and did what it says", () => {
    let decisions = 0;
    inRandomMarkets(arbitraryScenario(), 45, 11, (scenario) => void (decisions += checkExplained(play(scenario))));
    expect(decisions).toBeGreaterThan(5_000);
  });

  // Messages that arrive in the same microsecond, such as all nodes' first words, are verified one after the other: such a
  // tie is broken by the order of the list. Where verifying takes no time, nothing is.
  const atOnce = { network: { signingUs: 0, verifyingUs: 0 } };
  test("the order in which operators are listed changes nothing", () => {
    let jobs = 0;
    inRandomMarkets(arbitraryScenario(atOnce), 25, 11, (scenario) => void (jobs += checkPermutation(scenario)));
    // Several nodes found dead in one sweep, and their jobs to be placed anew.
    inRandomMarkets(arbitraryScenario({
      ...atOnce,
      router: { policy: { kind: "random" }, heartbeatUs: 2_000_000, staleAfterUs: 3_000_000, jobTimeoutUs: 30_000_000, attempts: 4 },
      operators: { count: 4, regions: [{ region: "eu", share: 1 }] },
      churn: { presence: { uptimeUs: { exponential: { mean: 5_000_000 } }, downtimeUs: 8_000_000, abruptShare: 1 }, failureShare: 0, slowdown: null },
      clients: { patienceUs: 60_000_000, allowedRegions: null, minStakeMsat: 0, privacy: "any", maxPriceMsat: 1_000_000 },
    }), 15, 11, (scenario) => void (jobs += checkPermutation(scenario)));
    expect(jobs).toBeGreaterThan(3_000);
  });

  const single = arbitraryScenario({ operators: { count: 1 }, scenario: { drain: false } });
  test("a lower price never lowers a node's rank", () => {
    let compared = 0;
    inRandomMarkets(single, 45, 11, (scenario) => void (compared += checkLowerPrice(scenario)));
    expect(compared).toBeGreaterThan(500);
  });

  test.each<readonly [string, RegExp, Fault]>([
    ["a part is left out", /sum to/, () => patch(WeightedScorer.prototype, "parts", (original) => function (this: WeightedScorer, offer, amount) { return original.call(this, offer, amount).slice(1); })],
    ["a part is made up", /has a load of/, () => patch(LoadScorer.prototype, "parts", (original) => function (this: LoadScorer, offer) { return original.call(this, offer).map((part) => ({ ...part, value: part.value + 1 })); })],
    ["the policy does another thing than it says", /not among the best|the decision says/, () => patch(PriceScorer.prototype, "scoreAll", () => function (this: PriceScorer, _candidates, amounts, count, scores) {
      for (let i = 0; i < count; i++) scores[i] = amounts[i]!;
    })],
    ["a decision is told that was not made", /the decision says/, () => patch(Selector.prototype, "explain", (original) => function (this: Selector, job, market, attempt, chosen) {
      const decision = original.call(this, job, market, attempt, chosen);
      return { ...decision, chosen: decision.candidates.at(-1)?.node ?? "" };
    })],
  ])("is seen to be broken where %s", (_, how, fault) => {
    expect(firstViolation(arbitraryScenario(), (scenario) => void checkExplained(play(scenario, { faults: [fault] })))).toMatch(how);
  });

  test("is seen to be broken where ties go to whoever registered first", () => {
    const ties: Fault = () => patch(Registry.prototype, "register", (original) => function (this: Registry, descriptor, nowUs) {
      const change = original.call(this, descriptor, nowUs);
      const n = this.indexOf(descriptor.node);
      this.salt[n] = n;
      return change;
    });
    expect(firstViolation(arbitraryScenario(atOnce), (scenario) => void checkPermutation(scenario, [ties]))).toMatch(/another fate/);
  });

  test("is seen to be broken where a higher price is a better one", () => {
    const snob: Fault = () => patch(PriceScorer.prototype, "score", (original) => function (this: PriceScorer, offer, amount) { return -original.call(this, offer, amount); });
    expect(firstViolation(single, (scenario) => void checkLowerPrice(scenario, [snob]), 200)).toMatch(/falls from rank/);
  });
});
