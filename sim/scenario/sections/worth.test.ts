import { describe, expect, test } from "vitest";
import { loadScenario } from "../load.ts";
import { unlimitedMsat } from "../scenario.ts";
import { messageOf } from "../testing/sound-scenario.ts";

const source = `
name: worth
question: What are jobs worth to these clients?
horizon: 1h
exchangeRate: 100000 USD/btc
operators: [{ name: gpu, machine: RTX 4090, model: "llama-3.1-8b:q4_k_m", price: free }]
clients:
  - { name: c, model: "llama-3.1-8b:q4_k_m", arrivals: { poisson: { rate: 1/s } }, inputTokens: 10, outputTokens: 10 }
`;
const client = (...sets: readonly string[]) => loadScenario(source, "a.yaml", { sets: sets.map((set) => `clients.c.${set}`) }).scenario.clients[0]!;
const message = (...sets: readonly string[]): string => messageOf(() => client(...sets));

describe("what a job is worth", () => {
  test("is nothing that anybody knows unless stated; a maximum price stands alone", () => {
    expect(client()).toMatchObject({ maxPriceMsat: unlimitedMsat, worth: { valueMsat: null, maxPriceShare: null, delayMsatPerS: 0, budget: null, choice: null } });
    expect(client("maxPrice=5 sat")).toMatchObject({ maxPriceMsat: 5_000, worth: { valueMsat: null, maxPriceShare: null } });
  });

  test("is the maximum price, too, or that less the shading", () => {
    expect(client("value={uniform: {min: 0 msat, max: 1 sat}}")).toMatchObject({ maxPriceMsat: { uniform: { min: 0, max: 1_000 } }, worth: { valueMsat: { uniform: { min: 0, max: 1_000 } }, maxPriceShare: 1 } });
    expect(client("value=1 sat", "shading=25 %").worth.maxPriceShare).toBe(0.75);
    expect(client("value=0.01 USD", "maxPrice=2 sat")).toMatchObject({ maxPriceMsat: 2_000, worth: { valueMsat: 10_000, maxPriceShare: null } });
  });

  test("has a Pareto distribution where demand has a constant elasticity", () => {
    expect(client("elasticity={of: 1.5, from: 100 msat}").worth.valueMsat).toEqual({ pareto: { min: 100, shape: 1.5 } });
    expect(client("elasticity={of: 1.5, from: 100 msat, to: 1 sat}").worth.valueMsat).toEqual({ clip: { of: { pareto: { min: 100, shape: 1.5 } }, max: 1_000 } });
  });

  test.each<[string, readonly string[], RegExp]>([
    ["stated twice", ["value=1 sat", "elasticity={of: 1, from: 1 sat}"], /elasticity: found both `value` and `elasticity`; allowed: one of them/],
    ["shaded without a value", ["maxPrice=1 sat", "shading=10 %"], /shading: found "10 %"; allowed: shading only where `value` or `elasticity` is given and `maxPrice` is not/],
    ["in an empty range", ["elasticity={of: 1, from: 2 sat, to: 1 sat}"], /elasticity\.to: found "1 sat"; allowed: more than from, "2 sat"/],
    ["without a unit", ["value=5"], /value: found 5/],
  ])("%s is refused", (_, sets, expected) => {
    expect(message(...sets)).toMatch(expected);
  });
});

test("budget, delay and choice are brought to base units", () => {
  expect(client("budget={amount: 100 sat, per: 1h, spent: lower}", "delayCost=0.5 msat", "choice={logit: {scale: 50 msat, outside: 1 sat}}").worth).toMatchObject({
    budget: { amountMsat: 100_000, perUs: 3_600_000_000, spent: "lower" }, delayMsatPerS: 0.5, choice: { rule: "logit", scaleMsat: 50, outsideMsat: 1_000 },
  });
  expect(client("choice=price").worth.choice).toEqual({ rule: "price" });
  expect(client("choice={logit: {scale: 50 msat}}").worth.choice).toEqual({ rule: "logit", scaleMsat: 50, outsideMsat: -1 });
  expect(client("choice={logit: {scale: 50 msat, outside: none}}").worth.choice).toEqual({ rule: "logit", scaleMsat: 50 });
  expect(message("choice=dearest")).toMatch(/choice: found "dearest"/);
});
