import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkVariations } from "./check-variations.ts";
import { SourceDocument } from "../../input/document.ts";
import { loadScenario } from "./load.ts";
import { messageOf, soundScenario } from "./testing/sound-scenario.ts";
import { setsOf, setText, variationOf } from "./variation.ts";

describe("a change as --set takes it", () => {
  test.each<[unknown, string]>([
    ["cheapest", "cheapest"], [5, "5"], ["5", '"5"'], ["50 sat/Mtok", "50 sat/Mtok"], [true, "true"], [null, "null"], [["eu", "us"], "[eu, us]"], [1e-7, "1e-7"],
    [{ "call-for-bids": { invited: 2 } }, "{call-for-bids: {invited: 2}}"], ["a: b", '"a: b"'], ["", '""'], ["2026-01-01", "2026-01-01"],
  ])("%j", (value, text) => expect(setText({ path: "router.policy", value })).toBe(`router.policy=${text}`));

  test("reads back as what it was", () => {
    fc.assert(fc.property(fc.jsonValue({ maxDepth: 3 }), (value) => {
      const text = setText({ path: "x", value });
      expect(text).not.toContain("\n");
      const read = new SourceDocument(`value: ${text.slice(2)}`, "");
      expect(read.problems).toEqual([]);
      expect((read.value as { value: unknown }).value).toEqual(JSON.parse(JSON.stringify(value)));
    }), { seed: 1, numRuns: 500 });
  });
});

test("is applied after the command line's", () => {
  const variation = variationOf({ "router.policy": "cheapest", "operators.gpu.count": 3 }, ["arms", "other"]);
  const { scenario } = loadScenario(soundScenario, "a.yaml", { sets: ["router.policy=random", "seed=4"], variation });
  expect([scenario.router.policy.kind, scenario.operators[0]!.count, scenario.seed]).toEqual(["cheapest", 3, 4]);
  expect(loadScenario(soundScenario, "a.yaml", { sets: ["router.policy=random", "seed=4", ...setsOf(variation)] }).scenario).toEqual(scenario);
});

/** What is said of a scenario with these arms, beginning at line 15. */
function check(arms: string): string {
  const source = `${soundScenario}arms:\n${arms}`;
  return messageOf(() => {
    const { experiment } = loadScenario(source, "a.yaml");
    checkVariations(source, "a.yaml", (experiment.arms?.arms ?? []).map(({ variation }) => variation));
  });
}

describe("a scenario's arms", () => {
  test("that are sound", () => {
    expect(check("  posted: {}\n  auction: {pricing: call-for-bids, operators.gpu.engine.llama.cpp.slots: 2}\nbaseline: auction\n")).toBe("no error");
    const loaded = loadScenario(`${soundScenario}arms: {b: {}, a: {router.policy: cheapest}}`, "a.yaml");
    expect(loaded.experiment.arms).toEqual({ baseline: "b", arms: [{ name: "b", variation: [] }, { name: "a", variation: [{ path: "router.policy", value: "cheapest", at: ["arms", "a", "router.policy"] }] }] });
    expect(loaded.hash, "no part of the market").toBe(loadScenario(soundScenario, "a.yaml").hash);
    expect(loadScenario(soundScenario, "a.yaml").experiment.arms).toBe(null);
  });

  test.each<[string, string, string]>([
    ["a value that does not exist", "  x: {}\n  y:\n    pricing: posted\n    router.policy: cheapst", `
a.yaml:19:20: arms.y.router.policy: found "cheapst"; allowed: one of cheapest, least-loaded, weighted-score, power-of-two, round-robin, random, softmax, top-n-random, or a map with one of the keys weighted-score, power-of-two, softmax, top-n-random, policy; did you mean "cheapest"?
  19 |     router.policy: cheapst
     |                    ^`],
    ["a misspelt key inside a value", "  x: {}\n  y: {pricing: {call-for-bids: {invitd: 2}}}", `
a.yaml:17:33: arms.y.pricing.call-for-bids.invitd: found the unknown key "invitd"; allowed: the keys payment, window, invited, reserve, rounds; did you mean "invited"?
  17 |   y: {pricing: {call-for-bids: {invitd: 2}}}
     |                                 ^`],
    ["a path that does not exist", "  x: {}\n  y: {operators.gpus.count: 2}", `
a.yaml:17:7: arms.y.operators.gpus.count: found no entry named "gpus"; allowed: gpu, or an index such as [0]; did you mean "gpu"?
  17 |   y: {operators.gpus.count: 2}
     |       ^`],
    ["a path that is none", "  x: {}\n  y: {router..policy: cheapest}", `
a.yaml:17:7: arms.y.router..policy: found the path "router..policy"; allowed: keys with dots between them and indexes in brackets, such as operators[0].count
  17 |   y: {router..policy: cheapest}
     |       ^`],
    ["an equals sign in a path", "  x: {}\n  y: {router=policy: cheapest}", `
a.yaml:17:7: arms.y.router=policy: found the path "router=policy"; allowed: a path without an equals sign, and its value after a colon
  17 |   y: {router=policy: cheapest}
     |       ^`],
    ["a change that does not fit what stands elsewhere", "  x: {}\n  y: {operators.gpu.model: mistral-7b}", `
a.yaml:17:7: arms.y.operators.gpu.model: found a change with which clients[0].model no longer fits ("llama-3.1-8b:q4_k_m", which no operator offers); allowed: at clients[0].model, a model that an operator offers: mistral-7b:q4_k_m
  17 |   y: {operators.gpu.model: mistral-7b}
     |       ^`],
    ["what all runs share", "  x: {}\n  y: {seed: 2}", `
a.yaml:17:7: arms.y.seed: found a change of "seed", which all runs of an experiment share; allowed: a path into the market: horizon, warmup, drain, exchangeRate, exchange, network, router, pricing, payment, settlement, hosts, operators, clients
  17 |   y: {seed: 2}
     |       ^`],
    ["one arm", "  x: {}", `
a.yaml:15:1: arms: found one arm; allowed: 2 to 50 arms; \`{}\` is the market as it stands
  15 | arms:
     | ^`],
    ["a baseline that is no arm", "  x: {}\n  yes-no: {}\nbaseline: no-yes", `
a.yaml:18:11: baseline: found "no-yes"; allowed: the name of an arm: x or yes-no; did you mean "yes-no"?
  18 | baseline: no-yes
     |           ^`],
    ["a name that is a number", "  x: {}\n  2: {}", `
a.yaml:17:3: arms.2: found the key "2"; allowed: letters, digits and hyphens, a letter first
  17 |   2: {}
     |   ^`],
    ["an arm that is a word", "  x: {}\n  y: cheapest", `
a.yaml:17:6: arms.y: found "cheapest"; allowed: a map
  17 |   y: cheapest
     |      ^`],
  ])("%s", (_, arms, message) => expect(`\n${check(arms)}`).toBe(message));

  test("are all checked, and what several have in common is told once", () => {
    const message = check("  x: {router.policy: a}\n  y: {router.policy: b, pricing: posted}\n  z: {router.policy: random, pricing: posed}");
    expect(message.match(/^a\.yaml/gm)).toHaveLength(3);
  });

  test("without them, a baseline means nothing", () => {
    expect(messageOf(() => loadScenario(`${soundScenario}baseline: x\n`, "a.yaml"))).toContain('baseline: found "x"; allowed: no baseline where there are no arms');
  });
});
