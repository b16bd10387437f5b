import { describe, expect, test } from "vitest";
import { loadScenario } from "../load.ts";
import { messageOf } from "../testing/sound-scenario.ts";
import type { Scenario } from "../scenario.ts";

const source = `
name: pricing
question: How do prices come about in this market?
horizon: 1h
operators:
  - {name: a, count: 3, model: m, engine: {service-time: {service: 1s}}, price: {input: 10 sat/Mtok, output: 30 sat/Mtok, fixed: 4 msat}}
  - {name: b, count: 1, model: m, engine: {service-time: {service: 1s}}, price: {input: 30 sat/Mtok, output: 50 sat/Mtok}}
clients:
  - {name: c, model: m, arrivals: {poisson: {rate: 1/s}}, inputTokens: 10, outputTokens: 10}
`;
const load = (...sets: readonly string[]): Scenario => loadScenario(source, "a.yaml", { sets, fileExists: () => false }).scenario;
/** The mean of what the four nodes post. */
const MEAN = { inputMsatPerMtok: 15_000, outputMsatPerMtok: 35_000, fixedMsat: 3 };
const NONE = { inputMsatPerMtok: 0, outputMsatPerMtok: 0, fixedMsat: 0 };

describe("pricing", () => {
  test.each<[string, unknown]>([
    ["posted", { kind: "posted" }],
    ["network", { kind: "network", prices: MEAN }],
    ["{network: {price: {input: 1 sat/Mtok}}}", { kind: "network", prices: { ...NONE, inputMsatPerMtok: 1_000 } }],
    ["surge", { kind: "surge", above: 0.7, slope: 2, max: 3, intervalUs: 10_000_000 }],
    ["base-fee", { kind: "base-fee", start: MEAN, floor: NONE, target: { low: 0.5, high: 0.7 }, step: 0.125, intervalUs: 60_000_000 }],
    ["{base-fee: {target: 50 %, step: 5 %, interval: 1s, floor: {fixed: 3 msat}}}", { kind: "base-fee", start: MEAN, floor: { ...NONE, fixedMsat: 3 }, target: { low: 0.5, high: 0.5 }, step: 0.05, intervalUs: 1_000_000 }],
    ["call-for-bids", { kind: "call-for-bids", payment: "second-price", windowUs: 200_000, invited: 8, reserveMsat: null, rounds: 1 }],
    ["{call-for-bids: {payment: first-price, reserve: 2 sat, invited: 3, window: 1s, rounds: 2}}", { kind: "call-for-bids", payment: "first-price", windowUs: 1_000_000, invited: 3, reserveMsat: 2_000, rounds: 2 }],
    ["uniform-price", { kind: "uniform-price", intervalUs: 1_000_000 }],
    ["{call-market: {rule: mcafee}}", { kind: "call-market", intervalUs: 1_000_000, rule: "mcafee" }],
    ["continuous", { kind: "continuous" }],
  ])("%s", (value, expected) => {
    expect(load(`pricing=${value}`).pricing).toEqual(expected);
  });

  test("nodes are told how their market stands with every heartbeat where prices move, unless told otherwise", () => {
    const everyUs = (...sets: readonly string[]): number => load(...sets).router.marketStateUs;
    expect([everyUs(), everyUs("pricing=surge"), everyUs("operators.a.strategy=truthful"), everyUs("pricing=surge", "router.marketState=never"), everyUs("router.marketState=3s")]).toEqual([0, 10_000_000, 10_000_000, 0, 3_000_000]);
  });

  test.each<[string, RegExp]>([
    ["pricing={base-fee: {target: [80 %, 50 %]}}", /pricing\.base-fee\.target: found 80 % to 50 %; allowed: a share above 0 and below 100 %/],
    ["pricing={base-fee: {target: 100 %}}", /pricing\.base-fee\.target: found "?100 %"?; allowed: a share above 0 and below 100 %/],
    ["pricing={base-fee: {floor: {fixed: 4 msat}}}", /pricing\.base-fee\.floor\.fixed: found "?4 msat"?; allowed: at most the start's, 3 msat/],
    ["pricing={call-for-bids: {payment: third-price}}", /payment: found "third-price"; allowed: one of first-price, second-price/],
    ["pricing={surge: {max: 0.5}}", /pricing\.surge\.max: found 0\.5; allowed: a number from 1 to 1000/],
    ["pricing=auction", /pricing: found "auction"; allowed: one of posted, surge, network/],
    ["pricing={uniform-price: {interval: 0}}", /interval: found 0; allowed: a duration/],
  ])("refuses %s", (set, message) => {
    expect(messageOf(() => load(set))).toMatch(message);
  });

  test("trade reduction needs a fee that clients bear", () => {
    expect(messageOf(() => load("router.fee.bearer=operator", "pricing={call-market: {rule: mcafee}}"))).toMatch(/found mcafee, with a fee that operators bear/);
  });

  test("a client's own choice needs prices that are there before the job comes, unless it goes by the price", () => {
    const kinds = ["call-for-bids", "uniform-price", "call-market", "continuous"];
    for (const choice of ["score", "{logit: {scale: 50 msat}}"]) {
      const rule = choice === "score" ? "score" : "logit";
      for (const kind of kinds) {
        expect(messageOf(() => load(`clients.c.choice=${choice}`, `pricing=${kind}`))).toMatch(new RegExp(`choice: found ${rule}, under the pricing ${kind}, where the price alone decides; allowed: router or price; ${rule} under the pricing posted, network, surge, base-fee`));
      }
      for (const kind of ["posted", "network", "surge", "base-fee"]) expect(load(`clients.c.choice=${choice}`, `pricing=${kind}`).clients[0]!.worth.choice).toMatchObject({ rule });
    }
    for (const kind of kinds) expect(load(`clients.c.choice=price`, `pricing=${kind}`).clients[0]!.worth.choice).toEqual({ rule: "price" });
  });
});
