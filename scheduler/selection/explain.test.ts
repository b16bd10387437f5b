import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Candidate, Decision } from "../environment.ts";
import { hashString, mix } from "../hash.ts";
import { SeededRandom } from "../testing/fake-environment.ts";
import { allPolicies } from "../testing/policies.ts";
import { idAt, marketSpec, type MarketSpec, type NodeSpec, NOW_US, registryOf, STALE_AFTER_US, triedIn } from "../testing/random-market.ts";
import type { PolicyOptions } from "./policy.ts";
import { Selector } from "./selector.ts";

const deterministic = new Set(["cheapest", "least-loaded", "weighted-score"]);
const priced = new Set(["cheapest", "weighted-score", "softmax", "top-n-random"]);

/** Which law a planted fault breaks, or none. */
type Fault = (decision: Decision) => Decision;
const honest: Fault = (decision) => decision;

function decide(spec: MarketSpec, policy: PolicyOptions, { order, seed = 1 }: { order?: readonly number[]; seed?: number } = {}): Decision {
  const registry = registryOf(spec, order);
  const selector = new Selector(registry, policy, spec.fee, STALE_AFTER_US, new SeededRandom(seed));
  const market = registry.market(spec.job.model);
  const chosen = selector.choose(spec.job, market, triedIn(spec, registry), NOW_US);
  return selector.explain(spec.job, market, 1, chosen);
}

function partsSum(decision: Decision): void {
  for (const { score, parts } of decision.candidates) {
    expect(parts.length).toBeGreaterThan(0);
    expect(parts.reduce((sum, { contribution }) => sum + contribution, 0)).toBe(score);
  }
}

function coversAll(spec: MarketSpec, decision: Decision): void {
  const named = [...decision.candidates, ...decision.excluded].map(({ node }) => node).sort();
  expect(named).toEqual(spec.nodes.map((_, i) => idAt(i)).sort());
}

const rendezvous = (jobId: string, node: string): number => mix(hashString(jobId) ^ hashString(node));

/** The named rule: highest score, then highest rendezvous hash, then lowest id. */
function bestBy(jobId: string, candidates: readonly Candidate[]): string {
  return candidates.toSorted((a, b) => b.score - a.score || rendezvous(jobId, b.node) - rendezvous(jobId, a.node) || (a.node < b.node ? -1 : 1))[0]?.node ?? "";
}

function inOrder(decision: Decision): void {
  const scores = decision.candidates.map(({ score }) => score);
  expect(scores).toEqual(scores.toSorted((a, b) => b - a));
}

/** Candidates that are strictly better. */
const rank = (decision: Decision, node: string): number => {
  const own = decision.candidates.find((candidate) => candidate.node === node);
  return own === undefined ? Infinity : decision.candidates.filter(({ score }) => score > own.score).length;
};

/** Few different prices, loads and speeds, so that there are ties. */
const tiedSpec: fc.Arbitrary<MarketSpec> = marketSpec.map((spec) => ({
  ...spec,
  job: { ...spec.job, maxPriceMsat: 2 ** 53 - 1 },
  nodes: spec.nodes.map((node) => ({ ...node, slots: 2, own: node.own % 2, offers: node.offers.map((each) => ({ ...each, speed: 10, prices: [each.speed % 2, 0, 0] as const })) })),
}));
const anySpec = fc.oneof(marketSpec, tiedSpec);

describe.each(allPolicies)("$kind", (policy) => {
  const law = (check: (spec: MarketSpec) => void) => fc.assert(fc.property(anySpec, check), { seed: 1, numRuns: 200 });

  test("the parts sum to the score, to the last bit", () => {
    law((spec) => partsSum(decide(spec, policy)));
  });

  test("every registered node is a candidate or excluded, once; candidates come best first", () => {
    law((spec) => {
      const decision = decide(spec, policy);
      coversAll(spec, decision);
      inOrder(decision);
    });
  });

  test("the choice is among the candidates, and the best where the policy takes the best", () => {
    law((spec) => {
      const decision = decide(spec, policy);
      if (decision.candidates.length === 0) expect(decision.chosen).toBe("");
      else expect(decision.candidates.map(({ node }) => node)).toContain(decision.chosen);
      if (deterministic.has(policy.kind)) expect(decision.chosen).toBe(bestBy(spec.job.jobId, decision.candidates));
    });
  });

  test("the order in which nodes registered changes nothing", () => {
    const shuffled = anySpec.chain((spec) => fc.record({ spec: fc.constant(spec), order: fc.shuffledSubarray(spec.nodes.map((_, i) => i), { minLength: spec.nodes.length }), seed: fc.nat(1000) }));
    fc.assert(
      fc.property(shuffled, ({ spec, order, seed }) => {
        expect(decide(spec, policy, { order, seed })).toEqual(decide(spec, policy, { seed }));
      }),
      { seed: 1, numRuns: 200 },
    );
  });
});

describe.each(allPolicies.filter(({ kind }) => priced.has(kind)))("$kind", (policy) => {
  test("lowering one node's price never lowers its rank", () => {
    const lowered = anySpec.chain((spec) => fc.record({ spec: fc.constant(spec), which: fc.nat(spec.nodes.length - 1), shares: fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })) }));
    fc.assert(
      fc.property(lowered, ({ spec, which, shares }) => {
        const cheaper: MarketSpec = {
          ...spec,
          nodes: spec.nodes.map((node, i) => (i !== which ? node : {
            ...node,
            offers: node.offers.map((each) => ({ ...each, prices: [Math.floor(each.prices[0] * shares[0]), Math.floor(each.prices[1] * shares[1]), Math.floor(each.prices[2] * shares[2])] as const })),
          })),
        };
        const [before, after] = [decide(spec, policy), decide(cheaper, policy)];
        expect(rank(after, idAt(which))).toBeLessThanOrEqual(rank(before, idAt(which)));
        if (deterministic.has(policy.kind) && before.chosen === idAt(which)) expect(after.chosen).toBe(idAt(which));
        // Nobody else's score has moved.
        const others = (decision: Decision) => decision.candidates.filter(({ node }) => node !== idAt(which));
        expect(others(after)).toEqual(others(before));
      }),
      { seed: 1, numRuns: 300 },
    );
  });
});

test("a job whose model nobody offers is explained too", () => {
  const spec = fc.sample(marketSpec, { seed: 1, numRuns: 1 })[0]!;
  const decision = decide({ ...spec, job: { ...spec.job, model: "unheard-of" } }, { kind: "cheapest" });
  expect(new Set(decision.excluded.map(({ rule, detail }) => `${rule}: ${detail}`))).toEqual(new Set(["no-model: does not offer unheard-of"]));
  expect([decision.chosen, decision.how, decision.excluded.length]).toEqual(["", "no node is eligible", spec.nodes.length]);
});

test("a decision says how the policy picked", () => {
  const spec = fc.sample(marketSpec.filter((each) => decide(each, { kind: "cheapest" }).candidates.length >= 3), { seed: 1, numRuns: 1 })[0]!;
  expect(allPolicies.map((policy) => decide(spec, policy).how)).toEqual([
    ...new Array<string>(3).fill("highest score; ties by rendezvous hash of job and node, then by id"),
    "least loaded of 2 candidates drawn uniformly",
    "next eligible node in the order of ids",
    "uniform draw among the candidates",
    "drawn with odds exp(score / 0.1)",
    "uniform draw among the 3 highest scores",
  ]);
});

test("exclusions tell their figures", () => {
  const node = {
    region: "eu", stakeMsat: 7, attested: true, banned: false, accepting: true, silentUs: 0, circuit: "closed" as NodeSpec["circuit"], slots: 1, queueLimit: 1, own: 1, others: 1, tried: false,
    offers: [{ model: "m1", contextTokensMax: 200, prices: [1_000_000, 1_000_000, 5] as const, speed: 10 }],
  };
  const base = fc.sample(marketSpec, { seed: 1, numRuns: 1 })[0]!;
  const { allowedRegions: _, ...plain } = base.job;
  const job = { ...plain, model: "m1", inputTokens: 100, maxOutputTokens: 100, maxPriceMsat: 1000, minStakeMsat: 0, privacy: "any" as const };
  const spec: MarketSpec = { nodes: [node], job, fee: { shareBps: 1000, flatMsat: 1 } };
  const detail = (changes: Partial<typeof node>, asks: object = {}) => decide({ ...spec, nodes: [{ ...node, ...changes }], job: { ...job, ...asks } }, { kind: "cheapest" }).excluded[0]?.detail;
  expect([
    detail({}),
    detail({}, { minStakeMsat: 8 }),
    detail({}, { allowedRegions: ["us", "asia"] }),
    detail({}, { maxOutputTokens: 101 }),
    // 205 msat, a tenth of it rounded down, and 1 msat.
    detail({}, { maxPriceMsat: 225 }),
    detail({ silentUs: STALE_AFTER_US + 1 }),
    detail({ circuit: "open" }),
  ]).toEqual([
    "holds 2 of 2 jobs",
    "has staked 7 msat, the client asks for 8 msat",
    "is in eu, the client allows us, asia",
    "takes at most 200 tokens, the job may need 201",
    "may cost 226 msat with the fee, the client pays at most 225 msat",
    "was last heard of 30000001 us ago, the limit is 30000000 us",
    `failed repeatedly; is left alone until ${NOW_US + 1} us, then tried with one job at a time`,
  ]);
});

/** Planted faults, one for each law above. */
const faults: readonly [string, Fault, (spec: MarketSpec, decision: Decision) => void][] = [
  ["a part is left out", (d) => ({ ...d, candidates: d.candidates.map((each) => ({ ...each, parts: each.parts.slice(1) })) }), (_, d) => partsSum(d)],
  ["an exclusion is kept silent", (d) => ({ ...d, excluded: d.excluded.slice(1) }), coversAll],
  ["candidates come worst first", (d) => ({ ...d, candidates: d.candidates.toReversed() }), (_, d) => inOrder(d)],
  ["ties go to the lowest id", (d) => ({ ...d, chosen: d.candidates[0]?.node ?? "" }), (spec, d) => void expect(d.chosen).toBe(bestBy(spec.job.jobId, d.candidates))],
];

test.each(faults)("the laws find a planted fault: %s", (_, plant, check) => {
  const run = (fault: Fault) => fc.check(fc.property(anySpec, (spec) => check(spec, fault(decide(spec, { kind: "weighted-score", weights: { price: 1, latency: 1, load: 1, reliability: 1 } })))), { seed: 1, numRuns: 500, endOnFailure: true });
  expect([run(honest).failed, run(plant).failed]).toEqual([false, true]);
});
