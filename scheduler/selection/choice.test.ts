import { describe, expect, test } from "vitest";
import type { ChoiceRule } from "../../protocol/messages.ts";
import { Registry } from "../registry.ts";
import { agrees } from "../testing/chi-square.ts";
import { hex32, SeededRandom } from "../testing/fake-environment.ts";
import { descriptor, heartbeat, MODEL, offer, prices, request } from "../testing/market.ts";
import { Selector } from "./selector.ts";

const FEE = { shareBps: 1_000, flatMsat: 7 };
/** Prices per job, msat, fee left out; the third node takes no jobs. */
const PRICES = [100, 130, 90, 180];
/** What the client pays: 10 % and 7 msat more. */
const PAID = PRICES.map((price) => price * 1.1 + 7);
const TIMES = 40_000;

function marketOf(): Registry {
  const registry = new Registry({ failures: 3, coolDownUs: 100, growth: 2, maxCoolDownUs: 1000 });
  PRICES.forEach((price, i) => {
    registry.register(descriptor(`n${i}`, { slots: 4, queueLimit: 996, offers: [offer({ prices: prices(0, 0, price) })] }), 0);
    registry.heartbeat(hex32(`n${i}`), heartbeat(0, { accepting: i !== 2, running: i === 0 ? 500 : 0 }), 0);
  });
  return registry;
}

/** How often each node was chosen, and in the last place how often the client did without. */
function drawn(choice: ChoiceRule, tried: readonly number[] = []): number[] {
  const registry = marketOf();
  const selector = new Selector(registry, { kind: "least-loaded" }, FEE, 1e9, new SeededRandom(3));
  const names = new Map(PRICES.map((_, i) => [hex32(`n${i}`), i]));
  const counts = [0, 0, 0, 0, 0];
  for (let i = 0; i < TIMES; i++) {
    const market = registry.market(MODEL);
    const chosen = selector.choose({ ...request("j"), jobId: `j${i}`, choice }, market, tried, 0);
    expect(selector.declined).toBe(chosen < 0);
    counts[chosen < 0 ? 4 : names.get(registry.ids[market.node[chosen]!]!)!]!++;
  }
  return counts;
}

/** Closed form of the multinomial logit. */
function expected(scale: number, paid: readonly (number | null)[]): number[] {
  const weights = paid.map((price) => (price === null ? 0 : Math.exp(-price / scale)));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => (TIMES * weight) / total);
}

describe("logit", () => {
  const [a, b, , d] = PAID;

  test.each([10, 40, 1_000])("at a scale of %d msat: odds exp(-price / scale), fee included, among the eligible", (scale) => {
    expect(agrees(drawn({ rule: "logit", scaleMsat: scale }), expected(scale, [a!, b!, null, d!, null]))).toBe(true);
  });

  test.each([0, 120, 160, 1_000_000])("doing without at %d msat has its odds too", (outside) => {
    const found = drawn({ rule: "logit", scaleMsat: 30, outsideMsat: outside });
    expect(agrees(found, expected(30, [a!, b!, null, d!, outside]))).toBe(true);
  });

  test("the test would notice: other odds do not agree", () => {
    expect(agrees(drawn({ rule: "logit", scaleMsat: 30 }), expected(33, [a!, b!, null, d!, null]))).toBe(false);
  });

  test("whoever has been tried once has decided to buy: no second thought about doing without", () => {
    const found = drawn({ rule: "logit", scaleMsat: 30, outsideMsat: 0 }, [0]);
    expect(agrees(found, expected(30, [null, b!, null, d!, null]))).toBe(true);
  });
});

test("price: the cheapest, whatever the router's policy", () => {
  expect(drawn({ rule: "price" })).toEqual([TIMES, 0, 0, 0, 0]);
});

test("score: price, latency, load and reliability alike", () => {
  // The cheapest has 500 jobs in front of it, the others are equal but for their price.
  expect(drawn({ rule: "score" })).toEqual([0, TIMES, 0, 0, 0]);
});

test("a decision says whose choice it was", () => {
  const registry = marketOf();
  const selector = new Selector(registry, { kind: "least-loaded" }, FEE, 1e9, new SeededRandom(3));
  const market = registry.market(MODEL);
  const job = { ...request("j"), choice: { rule: "logit", scaleMsat: 1, outsideMsat: 0 } as const };
  const decision = selector.explain(job, market, 1, selector.choose(job, market, [], 0));
  expect(decision).toMatchObject({ policy: "the client's choice: logit", chosen: "" });
  expect(decision.how).toMatch(/^the client does without: drawn with odds exp\(-price \/ 1 msat\), against doing without at 0 msat$/);
  expect(decision.candidates).toHaveLength(3);
  for (const { score, parts } of decision.candidates) expect(parts.reduce((sum, part) => sum + part.contribution, 0)).toBe(score);
});
