import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ExclusionRule } from "../environment.ts";
import type { Registry } from "../registry.ts";
import { SeededRandom } from "../testing/fake-environment.ts";
import { allPolicies } from "../testing/policies.ts";
import { brokenRules, idAt, marketSpec, type MarketSpec, NOW_US, registryOf, STALE_AFTER_US, triedIn } from "../testing/random-market.ts";
import { Eligibility } from "./eligibility.ts";
import type { PolicyOptions } from "./policy.ts";
import { Selector } from "./selector.ts";

const TEMPORARY: readonly ExclusionRule[] = ["not-accepting", "circuit-open", "full"];

/** Law 3: whom the selector chooses and excludes in this market is whom the rules allow and exclude, each by its first rule. */
function holds(spec: MarketSpec, policy: PolicyOptions, tamper: (registry: Registry, spec: MarketSpec) => void = () => {}): void {
  const registry = registryOf(spec);
  tamper(registry, spec);
  const selector = new Selector(registry, policy, spec.fee, STALE_AFTER_US, new SeededRandom(1));
  const market = registry.market(spec.job.model);
  const chosen = selector.choose(spec.job, market, triedIn(spec, registry), NOW_US);
  const decision = selector.explain(spec.job, market, 1, chosen);

  const eligible: string[] = [];
  const excluded = new Map<string, ExclusionRule>();
  spec.nodes.forEach((node, i) => {
    const rule = brokenRules(spec, node)[0];
    if (rule === undefined) eligible.push(idAt(i));
    else excluded.set(idAt(i), rule);
  });
  expect(decision.candidates.map(({ node }) => node).sort()).toEqual(eligible.sort());
  expect(new Map(decision.excluded.map(({ node, rule }) => [node, rule]))).toEqual(excluded);
  expect(decision.candidates.length + decision.excluded.length).toBe(spec.nodes.length);
  for (const { detail } of decision.excluded) expect(detail).toMatch(/^\S.{5,}$/);
  if (eligible.length === 0) {
    expect([chosen, decision.chosen]).toEqual([-1, ""]);
    expect(selector.waitable).toBe([...excluded.values()].filter((rule) => TEMPORARY.includes(rule)).length);
  } else {
    expect(eligible).toContain(decision.chosen);
    expect(registry.ids[market.node[chosen]!]).toBe(decision.chosen);
  }
  // What is gathered in one pass over flat arrays is what is judged one by one.
  const eligibility = new Eligibility(registry, spec.fee, STALE_AFTER_US);
  eligibility.begin(spec.job, market, triedIn(spec, registry), NOW_US);
  const [gathered, amountsMsat] = [new Int32Array(market.count), new Float64Array(market.count)];
  const count = eligibility.gather(gathered, amountsMsat);
  expect([...gathered.subarray(0, count)].map((offer) => registry.ids[market.node[offer]!])).toEqual(eligible.sort());
  expect([...amountsMsat.subarray(0, count)]).toEqual([...gathered.subarray(0, count)].map((offer) => eligibility.amountMsat(offer)));
  expect(eligibility.waitable).toBe([...excluded.values()].filter((rule) => TEMPORARY.includes(rule)).length);
  // What one offer is asked alone is what all are asked together.
  for (let offer = 0; offer < market.count; offer++) {
    const node = registry.ids[market.node[offer]!]!;
    expect(selector.fits(spec.job, market, offer, triedIn(spec, registry), NOW_US)).toBe(eligible.includes(node));
  }
}

describe.each(allPolicies)("$kind", (policy) => {
  test("a job goes only where every rule allows it, and each exclusion names its rule", () => {
    fc.assert(fc.property(marketSpec, (spec) => holds(spec, policy)), { seed: 1, numRuns: 400 });
  });
});

test("the random markets break every rule, alone, and leave some nodes eligible", () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(marketSpec, (spec) => {
      for (const node of spec.nodes) {
        const rules = brokenRules(spec, node);
        if (rules.length <= 1) seen.set(rules[0] ?? "eligible", (seen.get(rules[0] ?? "eligible") ?? 0) + 1);
      }
    }),
    { seed: 1, numRuns: 400 },
  );
  const names = ["eligible", "no-model", "banned", "under-staked", "wrong-region", "not-attested", "context-too-short", "too-dear", "already-tried", "stale", "not-accepting", "circuit-open", "full"];
  expect([...seen.keys()].sort()).toEqual([...names].sort());
  for (const name of names) expect([name, seen.get(name)! >= 10]).toEqual([name, true]);
});

/** Faults planted into what the router knows of every node: one rule each ceases to be kept. */
const faults: Readonly<Record<string, (registry: Registry, n: number, spec: MarketSpec) => void>> = {
  banned: (registry, n) => void (registry.banned[n] = 0),
  "under-staked": (registry, n) => void (registry.stakeMsat[n] = 1e9),
  "wrong-region": (registry, n, { job }) => void (registry.regionIndex[n] = registry.region(job.allowedRegions?.[0] ?? "eu")),
  "not-attested": (registry, n) => void (registry.attested[n] = 1),
  "context-too-short": (registry) => void registry.market("m1").contextTokensMax.fill(1e12),
  "too-dear": (registry) => {
    for (const { prices } of registry.market("m1").offers) if (prices.fixedMsat > 0) prices.fixedMsat--;
  },
  stale: (registry, n) => void (registry.lastSeenUs[n] = Math.max(registry.lastSeenUs[n]!, NOW_US - STALE_AFTER_US)),
  "not-accepting": (registry, n) => void (registry.accepting[n] = 1),
  "circuit-open": (registry, n) => registry.breaker.success(n),
  full: (registry, n) => void (registry.others[n] = 0),
};

test.each(Object.keys(faults))("the property finds a planted fault: %s is not kept", (rule) => {
  const tamper = (registry: Registry, spec: MarketSpec): void => {
    for (let n = 0; n < registry.size; n++) faults[rule]!(registry, n, spec);
  };
  for (const policy of allPolicies) {
    expect(fc.check(fc.property(marketSpec, (spec) => holds(spec, policy, tamper)), { seed: 1, numRuns: 2000, endOnFailure: true }).failed).toBe(true);
  }
});
