import { describe, expect, test } from "vitest";
import type { Decision } from "../environment.ts";
import { Registry } from "../registry.ts";
import { agrees } from "../testing/chi-square.ts";
import { hex32, SeededRandom } from "../testing/fake-environment.ts";
import { descriptor, FREE, heartbeat, MODEL, offer, prices, request } from "../testing/market.ts";
import { WEIGHTS } from "../testing/policies.ts";
import { describePolicy, type PolicyOptions } from "./policy.ts";
import { Selector } from "./selector.ts";

const STALE_AFTER_US = 1e9;

interface NodeFacts {
  readonly price?: number;
  readonly load?: number;
  readonly accepting?: boolean;
  readonly speed?: number;
}

/** A market of nodes n0, n1, ... with these facts, each with room for a thousand jobs. */
function marketOf(nodes: readonly NodeFacts[]): Registry {
  const registry = new Registry({ failures: 3, coolDownUs: 100, growth: 2, maxCoolDownUs: 1000 });
  nodes.forEach(({ price = 1000, load = 0, accepting = true, speed = 50 }, i) => {
    registry.register(descriptor(`n${i}`, { slots: 4, queueLimit: 996, offers: [offer({ prices: prices(price), decodeTokensPerS: speed })] }), 0);
    registry.heartbeat(hex32(`n${i}`), heartbeat(0, { running: load, accepting }), 0);
  });
  return registry;
}

/** Chooses again and again, for jobs j0, j1, ...: `i` of the chosen `n<i>` each time, or -1. */
function choices(registry: Registry, policy: PolicyOptions, times: number, seed = 1): number[] {
  const selector = new Selector(registry, policy, FREE, STALE_AFTER_US, new SeededRandom(seed));
  const names = new Map(registry.ids.map((_, i) => [hex32(`n${i}`), i]));
  const job = request("j");
  return Array.from({ length: times }, (_, i) => {
    const market = registry.market(MODEL);
    const chosen = selector.choose({ ...job, jobId: `j${i}` }, market, [], 0);
    if (chosen < 0) return -1;
    market.lastServed = registry.ids[market.node[chosen]!]!;
    return names.get(market.lastServed)!;
  });
}

function explained(registry: Registry, policy: PolicyOptions): Decision {
  const selector = new Selector(registry, policy, FREE, STALE_AFTER_US, new SeededRandom(1));
  const market = registry.market(MODEL);
  return selector.explain(request("j"), market, 1, selector.choose(request("j"), market, [], 0));
}

function counts(drawn: readonly number[], nodes: number): number[] {
  const counted = new Array<number>(nodes).fill(0);
  for (const i of drawn) counted[i]!++;
  return counted;
}

const some = (n: number, facts: (i: number) => NodeFacts = () => ({})): NodeFacts[] => Array.from({ length: n }, (_, i) => facts(i));

describe("cheapest", () => {
  test("takes the lowest price for the job at its token limit", () => {
    // 100 tokens in, at most 100 out: dear input and cheap output can be the best.
    const registry = marketOf(some(3));
    registry.register(descriptor("n0", { offers: [offer({ prices: prices(9_000_000, 0) })] }), 0);
    registry.register(descriptor("n1", { offers: [offer({ prices: prices(4_000_000, 4_000_000) })] }), 0);
    registry.register(descriptor("n2", { offers: [offer({ prices: prices(0, 0, 850) })] }), 0);
    expect(choices(registry, { kind: "cheapest" }, 5)).toEqual([1, 1, 1, 1, 1]);
    const { candidates } = explained(registry, { kind: "cheapest" });
    expect(candidates.map(({ score }) => score)).toEqual([-800, -850, -900]);
  });

  test("equal nodes share the work evenly, whoever came first", () => {
    const drawn = choices(marketOf(some(8)), { kind: "cheapest" }, 8000);
    expect(agrees(counts(drawn, 8), new Array<number>(8).fill(1000))).toBe(true);
  });
});

describe("least-loaded", () => {
  test("takes the fewest jobs per slot, not the fewest jobs", () => {
    const registry = marketOf([{ load: 3 }, { load: 3 }, { load: 8 }]);
    registry.register(descriptor("n2", { slots: 16, queueLimit: 100 }), 0);
    expect(choices(registry, { kind: "least-loaded" }, 3)).toEqual([2, 2, 2]);
  });

  test("counts its own dispatches", () => {
    const registry = marketOf(some(3, () => ({ load: 2 })));
    registry.own[0] = 1;
    registry.own[2] = 2;
    expect(choices(registry, { kind: "least-loaded" }, 3)).toEqual([1, 1, 1]);
  });
});

describe("weighted-score", () => {
  const only = (part: keyof typeof WEIGHTS): PolicyOptions => ({ kind: "weighted-score", weights: { price: 0, latency: 0, load: 0, reliability: 0, [part]: 1 } });

  test("each part by its formula", () => {
    const registry = marketOf([{ price: 2_000_000, load: 6, speed: 25 }]);
    registry.recordFailure(0, 0);
    const part = (name: keyof typeof WEIGHTS) => explained(registry, only(name)).candidates[0]!.score;
    // 200 tokens at 2,000,000 msat/Mtok of at most 1,000,000 msat.
    expect(part("price")).toBeCloseTo(1 - 400 / 1_000_000, 12);
    // 100 / 1000 s prefill and 100 / 25 s decoding make 4.1 s, and 3 jobs are ahead of 4 slots; patience is 60 s.
    expect(part("latency")).toBeCloseTo(60 / (60 + 4.1 * (1 + 3 / 4)), 12);
    expect(part("load")).toBeCloseTo(4 / (4 + 6), 12);
    expect(part("reliability")).toBeCloseTo(0.95, 12);
  });

  test("each part with the quantity that was judged", () => {
    const registry = marketOf([{ price: 2_000_000, load: 6, speed: 25 }]);
    registry.recordFailure(0, 0);
    const quantities = (policy: PolicyOptions) => explained(registry, policy).candidates[0]!.parts.map(({ name, value, unit }) => [name, Number(value.toPrecision(9)), unit]);
    expect(quantities({ kind: "weighted-score", weights: WEIGHTS })).toEqual([["price", 400, "msat"], ["latency", 7_175_000, "us"], ["load", 1.5, "jobs/slot"], ["reliability", 0.95, "share"]]);
    expect(quantities({ kind: "cheapest" })).toEqual([["price", 400, "msat"]]);
    expect(quantities({ kind: "least-loaded" })).toEqual([["load", 1.5, "jobs/slot"]]);
  });

  test("the latency goal counts before the patience, and what outputs were seen before the limit", () => {
    const registry = marketOf([{ speed: 50 }]);
    registry.market(MODEL).recordOutputTokens(50);
    const selector = new Selector(registry, only("latency"), FREE, STALE_AFTER_US, new SeededRandom(1));
    const job = request("j", { latencyGoal: { endToEndUs: 2_000_000 } });
    const market = registry.market(MODEL);
    const score = selector.explain(job, market, 1, selector.choose(job, market, [], 0)).candidates[0]!.score;
    expect(score).toBeCloseTo(2 / (2 + 0.1 + 1), 12);
  });

  test("the weights decide", () => {
    const registry = marketOf([{ price: 1_000_000, load: 3 }, { price: 4_000_000_000, load: 0 }]);
    expect([choices(registry, only("price"), 1), choices(registry, only("load"), 1)]).toEqual([[0], [1]]);
  });

  test.each([{ price: -1 }, { price: NaN }, { price: Infinity }, { price: 0, latency: 0, load: 0, reliability: 0 }])("weights %o are refused", (changes) => {
    expect(() => choices(marketOf(some(1)), { kind: "weighted-score", weights: { ...WEIGHTS, ...changes } }, 1)).toThrow(RangeError);
  });
});

describe("random", () => {
  test("every eligible node has the same odds, the others none", () => {
    const registry = marketOf(some(10, (i) => ({ accepting: i % 3 !== 0, load: i })));
    expect(agrees(counts(choices(registry, { kind: "random" }, 20_000), 10), some(10).map((_, i) => (i % 3 !== 0 ? 20_000 / 6 : 0)))).toBe(true);
  });

  test("also where hardly any node is eligible and probing gives up", () => {
    const registry = marketOf(some(200, (i) => ({ accepting: i === 7 || i === 150 })));
    const counted = counts(choices(registry, { kind: "random" }, 4000), 200);
    expect(counted[7]! + counted[150]!).toBe(4000);
    expect(agrees([counted[7]!, counted[150]!], [2000, 2000])).toBe(true);
  });

  test("no node, no choice", () => {
    expect(choices(marketOf(some(3, () => ({ accepting: false }))), { kind: "random" }, 1)).toEqual([-1]);
    expect(choices(new Registry({ failures: 1, coolDownUs: 1, growth: 1, maxCoolDownUs: 1 }), { kind: "random" }, 1)).toEqual([-1]);
  });
});

describe("power-of-two", () => {
  const binomial = (n: number, k: number): number => (k < 0 || k > n ? 0 : k === 0 ? 1 : (binomial(n - 1, k - 1) * n) / k);
  /** Odds of the node with the r-th lowest load of n when d different ones are drawn and the least loaded taken. */
  const odds = (n: number, d: number) => some(n).map((_, r) => binomial(n - 1 - r, d - 1) / binomial(n, d));

  test.each([1, 2, 3, 7, 10])("of %i drawn from ten it takes the least loaded, in closed form", (d) => {
    const drawn = choices(marketOf(some(10, (i) => ({ load: i }))), { kind: "power-of-two", choices: d }, 30_000);
    expect(agrees(counts(drawn, 10), odds(10, d).map((share) => share * 30_000))).toBe(true);
  });

  test("the same where most nodes are not eligible, and where there are fewer than to be drawn", () => {
    const registry = marketOf(some(60, (i) => ({ load: i, accepting: i % 12 === 0 })));
    const five = (drawn: number[]) => counts(drawn, 60).filter((_, i) => i % 12 === 0);
    expect(agrees(five(choices(registry, { kind: "power-of-two", choices: 2 }, 20_000)), odds(5, 2).map((share) => share * 20_000))).toBe(true);
    expect(five(choices(registry, { kind: "power-of-two", choices: 9 }, 100))).toEqual([100, 0, 0, 0, 0]);
  });

  test("equal nodes share the work evenly", () => {
    const drawn = choices(marketOf(some(9)), { kind: "power-of-two", choices: 2 }, 18_000);
    expect(agrees(counts(drawn, 9), new Array<number>(9).fill(2000))).toBe(true);
  });
});

describe("round-robin", () => {
  const ring = (n: number): number[] => some(n).map((_, i) => i).sort((a, b) => (hex32(`n${a}`) < hex32(`n${b}`) ? -1 : 1));

  test("goes round in the order of ids", () => {
    const order = ring(5);
    expect(choices(marketOf(some(5)), { kind: "round-robin" }, 12)).toEqual([...order, ...order, order[0], order[1]]);
  });

  test("passes over those that are not eligible", () => {
    const order = ring(5).filter((i) => i !== 2 && i !== 3);
    expect(choices(marketOf(some(5, (i) => ({ accepting: i !== 2 && i !== 3 }))), { kind: "round-robin" }, 6)).toEqual([...order, ...order]);
  });

  test("goes on behind the last one served when nodes come and go", () => {
    const registry = marketOf(some(6));
    const order = ring(6);
    const selector = new Selector(registry, { kind: "round-robin" }, FREE, STALE_AFTER_US, new SeededRandom(1));
    const market = registry.market(MODEL);
    market.lastServed = hex32(`n${order[2]}`);
    // The one served last is gone, and so is the first: all positions have moved.
    for (const gone of [order[2]!, order[0]!]) registry.register(descriptor(`n${gone}`, { offers: [offer({ model: "other" })] }), 0);
    expect(registry.ids[market.node[selector.choose(request("j"), market, [], 0)]!]).toBe(hex32(`n${order[3]}`));
  });

  test("each model has a round of its own", () => {
    const registry = marketOf(some(4));
    registry.register(descriptor("solo", { offers: [offer({ model: "solo" })], slots: 4 }), 0);
    const selector = new Selector(registry, { kind: "round-robin" }, FREE, STALE_AFTER_US, new SeededRandom(1));
    const served = [MODEL, "solo", MODEL, "solo", MODEL, "solo", MODEL].map((model) => {
      const market = registry.market(model);
      market.lastServed = registry.ids[market.node[selector.choose(request("j", { model }), market, [], 0)]!]!;
      return market.lastServed;
    });
    expect(served.filter((id) => id !== hex32("solo"))).toEqual(ring(4).map((i) => hex32(`n${i}`)));
  });
});

describe("softmax", () => {
  const facts = some(6, (i) => ({ price: 500_000_000 * (i + 1), load: i, accepting: i !== 4 }));

  test.each([0.02, 0.3, 5])("at temperature %d the odds are those of exp(score / temperature)", (temperature) => {
    const policy: PolicyOptions = { kind: "softmax", temperature, weights: WEIGHTS };
    const registry = marketOf(facts);
    const scores = new Map(explained(registry, policy).candidates.map(({ node, score }) => [node, score]));
    const exps = facts.map((_, i) => (scores.has(hex32(`n${i}`)) ? Math.exp(scores.get(hex32(`n${i}`))! / temperature) : 0));
    const total = exps.reduce((a, b) => a + b, 0);
    const drawn = counts(choices(registry, policy, 40_000), 6);
    expect(agrees(drawn, exps.map((exp) => (exp / total) * 40_000))).toBe(true);
    expect(drawn[4]).toBe(0);
  });

  test("near absolute zero it takes the best; far above it anyone", () => {
    const best = explained(marketOf(facts), { kind: "weighted-score", weights: WEIGHTS }).chosen;
    const cold = choices(marketOf(facts), { kind: "softmax", temperature: 1e-9, weights: WEIGHTS }, 50);
    expect(new Set(cold.map((i) => hex32(`n${i}`)))).toEqual(new Set([best]));
    const hot = counts(choices(marketOf(facts), { kind: "softmax", temperature: 1e9, weights: WEIGHTS }, 20_000), 6);
    expect(agrees(hot, [4000, 4000, 4000, 4000, 0, 4000])).toBe(true);
  });
});

describe("top-n-random", () => {
  const facts = some(30, (i) => ({ price: 1_000_000 * (((i * 7) % 30) + 1), accepting: i !== 13 }));

  test.each([1, 3, 29, 100])("n = %i: evenly among the n best scores, nobody else", (n) => {
    const policy: PolicyOptions = { kind: "top-n-random", n, weights: WEIGHTS };
    const registry = marketOf(facts);
    const best = explained(registry, policy).candidates.slice(0, n).map(({ node }) => node);
    expect(best).toHaveLength(Math.min(n, 29));
    const drawn = counts(choices(registry, policy, 29_000), 30);
    expect(agrees(drawn, facts.map((_, i) => (best.includes(hex32(`n${i}`)) ? 29_000 / best.length : 0)))).toBe(true);
  });

  test("of equals, those with the higher rendezvous hash make the cut: over many jobs, all", () => {
    const drawn = counts(choices(marketOf(some(12)), { kind: "top-n-random", n: 2, weights: WEIGHTS }, 24_000), 12);
    expect(agrees(drawn, new Array<number>(12).fill(2000))).toBe(true);
  });
});

describe("settings", () => {
  const refused: PolicyOptions[] = [
    { kind: "power-of-two", choices: 0 }, { kind: "power-of-two", choices: 1.5 }, { kind: "top-n-random", n: 0, weights: WEIGHTS },
    { kind: "softmax", temperature: 0, weights: WEIGHTS }, { kind: "softmax", temperature: NaN, weights: WEIGHTS },
  ];
  test.each(refused)("%o is refused", (policy) => {
    expect(() => choices(marketOf(some(1)), policy, 1)).toThrow(RangeError);
  });

  test("a policy's name tells its settings", () => {
    expect(describePolicy({ kind: "softmax", temperature: 0.5, weights: WEIGHTS })).toBe("softmax (temperature 0.5, price 1, latency 2, load 0.5, reliability 3)");
    expect(describePolicy({ kind: "power-of-two", choices: 2 })).toBe("power-of-two (2 choices)");
    expect(describePolicy({ kind: "top-n-random", n: 3, weights: WEIGHTS })).toBe("top-n-random (n 3, price 1, latency 2, load 0.5, reliability 3)");
    expect(describePolicy({ kind: "weighted-score", weights: WEIGHTS })).toBe("weighted-score (price 1, latency 2, load 0.5, reliability 3)");
    expect(describePolicy({ kind: "cheapest" })).toBe("cheapest");
  });
});

describe("work per decision", () => {
  /** Offers judged, all choices together: each judgement asks once whether the node is banned. */
  function judged(registry: Registry, policy: PolicyOptions, times: number): number {
    const { banned } = registry;
    let asked = 0;
    Object.defineProperty(registry, "banned", { get: () => (asked++, banned) });
    choices(registry, policy, times);
    return asked;
  }

  test.each([{ kind: "random" } as const, { kind: "power-of-two", choices: 2 } as const])("$kind looks at a handful of 10,000 nodes", (policy) => {
    const registry = marketOf(some(10_000, (i) => ({ accepting: i % 5 !== 0 })));
    // Four of five nodes are eligible: 1.25 looks for each that is wanted.
    expect(judged(registry, policy, 1000) / 1000).toBeLessThan(1.4 * ("choices" in policy ? policy.choices : 1));
  });

  test("round-robin looks at those it passes over, and one more", () => {
    expect(judged(marketOf(some(10_000)), { kind: "round-robin" }, 1000)).toBe(1000);
  });
});
