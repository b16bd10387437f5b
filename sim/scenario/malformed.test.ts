import { describe, expect, test } from "vitest";
import { loadScenario } from "./load.ts";
import { ScenarioError } from "./scenario-error.ts";
import { scenarioSchema } from "./schema.ts";
import { changed, messageOf, soundScenario } from "./testing/sound-scenario.ts";

function load(source: string | Uint8Array, sets: readonly string[] = []): string {
  return messageOf(() => loadScenario(source, "a.yaml", { sets, fileExists: () => false }));
}

test("the sound scenario is sound", () => {
  expect(load(soundScenario)).toBe("no error");
});

describe("one thing wrong", () => {
  test.each<[string, string, string, string]>([
    ["a misspelt key at the top", "horizon: 10min", "horizon: 10min\nwarmpu: 1min", `
a.yaml:4:1: warmpu: found the unknown key "warmpu"; allowed: the keys ${Object.keys(scenarioSchema.shape).join(", ")}; did you mean "warmup"?
  4 | warmpu: 1min
    | ^`],
    ["a misspelt key deep down", "poisson: {rate: 5/s}", "poisson: {raet: 5/s}", `
a.yaml:12:26: clients[0].arrivals.poisson.raet: found the unknown key "raet"; allowed: the keys rate; did you mean "rate"?
  12 |     arrivals: {poisson: {raet: 5/s}}
     |                          ^`],
    ["a misspelt choice", "{poisson: {rate: 5/s}}", "{poison: {rate: 5/s}}", `
a.yaml:12:16: clients[0].arrivals.poison: found the unknown key "poison"; allowed: exactly one of the keys regular, poisson, gamma, weibull, mmpp, varying, closed, trace; did you mean "poisson"?
  12 |     arrivals: {poison: {rate: 5/s}}
     |                ^`],
    ["two choices at once", "{poisson: {rate: 5/s}}", "{poisson: {rate: 5/s}, gamma: {rate: 5/s, cv: 2}}", `
a.yaml:12:15: clients[0].arrivals: found the keys poisson, gamma; allowed: exactly one of the keys regular, poisson, gamma, weibull, mmpp, varying, closed, trace
  12 |     arrivals: {poisson: {rate: 5/s}, gamma: {rate: 5/s, cv: 2}}
     |               ^`],
    ["a misspelt parameter of a distribution", "{mean: 1155, cv: 1}", "{mean: 1155, vc: 1}", `
a.yaml:13:43: clients[0].inputTokens.lognormal.vc: found the unknown key "vc"; allowed: the keys mean, cv, median, sigma; did you mean "cv"?
  13 |     inputTokens: {lognormal: {mean: 1155, vc: 1}}
     |                                           ^`],
    ["a misspelt word", "horizon: 10min", "horizon: 10min\nrouter: {policy: wieghted-score}", `
a.yaml:4:18: router.policy: found "wieghted-score"; allowed: one of cheapest, least-loaded, weighted-score, power-of-two, round-robin, random, softmax, top-n-random, or a map with one of the keys weighted-score, power-of-two, softmax, top-n-random, policy; did you mean "weighted-score"?
  4 | router: {policy: wieghted-score}
    |                  ^`],
    ["a number without a unit", "horizon: 10min", "horizon: 10", `
a.yaml:3:10: horizon: found 10, a number without a unit; allowed: a duration such as 250ms, 10s or 2h, above 0 (units: us, ms, s, min, h, d, w, y)
  3 | horizon: 10
    |          ^`],
    ["the wrong dimension", "rate: 5/s", "rate: 5 s", `
a.yaml:12:32: clients[0].arrivals.poisson.rate: found "5 s", a duration; allowed: a rate such as 5/s, 300/min or 10/h, above 0 (units: /us, /ms, /s, /min, /h, /d, /w)
  12 |     arrivals: {poisson: {rate: 5 s}}
     |                                ^`],
    ["more digits than the unit holds", "horizon: 10min", "horizon: 0.1234567 s", `
a.yaml:3:10: horizon: found "0.1234567 s", finer than 1 us; allowed: whole multiples of 1 us
  3 | horizon: 0.1234567 s
    |          ^`],
    ["fiat money without a rate", "input: 20 sat/Mtok", "input: 0.02 USD/Mtok", `
a.yaml:8:20: operators[0].price.input: found "0.02 USD/Mtok", without an exchange rate for USD; allowed: an amount in msat, sat or btc, or a rate at the top level such as "exchangeRate: 100000 USD/btc"
  8 |     price: {input: 0.02 USD/Mtok, output: 60 sat/Mtok}
    |                    ^`],
    ["a number out of range", "horizon: 10min", "horizon: 10min\nrouter: {attempts: 0}", `
a.yaml:4:20: router.attempts: found 0; allowed: a whole number from 1 to 1000
  4 | router: {attempts: 0}
    |                    ^`],
    ["a missing key", "name: test\n", "", `
a.yaml:1:1: name: found nothing; allowed: lower-case letters, digits and hyphens
  1 | question: What becomes of a market this small?
    | ^`],
    ["a list where a map is expected", "horizon: 10min", "horizon: 10min\nrouter:\n  - policy: cheapest", `
a.yaml:4:1: router: found a list of 1; allowed: a map with the keys count, region, policy, heartbeat, marketState, staleAfter, attempts, acceptTimeout, jobTimeout, queue, circuitBreaker and fee
  4 | router:
    | ^`],
    ["a machine that nobody has heard of", "RTX 4090", "RTX 409", `
a.yaml:6:14: operators[0].machine: found "RTX 409"; allowed: a machine of the catalogue, or a map that describes one; did you mean "RTX 4090"?
  6 |     machine: RTX 409
    |              ^`],
    ["a model too large for its machine", "RTX 4090", "RTX 3070 8GB", `
a.yaml:7:12: operators[0].model: found llama-3.1-8b:q4_k_m, which takes 4.9 GB for weights and 4.3 GB for 32768 tokens of context; allowed: what fits into RTX 3070 8GB with 8.6 GB, of which the engine and the system take a part: a smaller model, fewer slots, a shorter context or a larger machine
  7 |     model: llama-3.1-8b:q4_k_m
    |            ^`],
    ["a misspelt model of an operator", "    model: llama-3.1-8b:q4_k_m\n    price", "    model: lama-3.1-8b:q8_0\n    price", `
a.yaml:7:12: operators[0].model: found "lama-3.1-8b:q8_0"; allowed: a model of the catalogue; did you mean "llama-3.1-8b:q8_0"?
  7 |     model: lama-3.1-8b:q8_0
    |            ^`],
    ["a model that nobody offers", "    model: llama-3.1-8b:q4_k_m\n    arrivals", "    model: llama-3.1-8b:q8_0\n    arrivals", `
a.yaml:11:12: clients[0].model: found "llama-3.1-8b:q8_0", which no operator offers; allowed: a model that an operator offers: llama-3.1-8b:q4_k_m; did you mean "llama-3.1-8b:q4_k_m"?
  11 |     model: llama-3.1-8b:q8_0
     |            ^`],
    ["answers longer than any context", "outputTokens: 200", "outputTokens: 200\n    maxOutputTokens: 9k", `
a.yaml:15:22: clients[0].maxOutputTokens: found 9000, with the shortest prompt 9001 tokens; allowed: prompt and output together within the longest context offered, 8192 tokens
  15 |     maxOutputTokens: 9k
     |                      ^`],
    ["a warm-up as long as the horizon", "horizon: 10min", "horizon: 10min\nwarmup: 600s", `
a.yaml:4:9: warmup: found 10 min; allowed: less than the horizon, 10 min
  4 | warmup: 600s
    |         ^`],
    ["a pause between payments that outgrows any clock", "horizon: 10min", "horizon: 10min\npayment: {attempts: 20, retryPause: 52w}", `
a.yaml:4:37: payment.retryPause: found 364 d, which grows beyond a century before attempt 20; allowed: a shorter pause, or fewer attempts
  4 | payment: {attempts: 20, retryPause: 52w}
    |                                     ^`],
    ["a region where nobody is", "horizon: 10min", "horizon: 10min\nnetwork: {between: {eu/uss: 40ms}}\nrouter: {region: us}", `
a.yaml:4:21: network.between.eu/uss: found the region "uss", where nobody is; allowed: the regions in use: eu, us; did you mean "us"?
  4 | network: {between: {eu/uss: 40ms}}
    |                     ^`],
    ["percentages that are no parts of a whole", "machine: RTX 4090", "region: {eu: 60 %, us: 90 %}\n    machine: RTX 4090", `
a.yaml:6:13: operators[0].region: found a map with eu, us, 150 % in all; allowed: percentages that add up to 100 %, or plain numbers as weights, such as {eu: 3, us: 2}
  6 |     region: {eu: 60 %, us: 90 %}
    |             ^`],
    ["two classes of one name", "clients:", "  - {name: gpu, machine: RTX 4090, model: llama-3.1-8b, price: free}\nclients:", `
a.yaml:9:12: operators[1].name: found a second "gpu"; allowed: a name that no other of the operators has
  9 |   - {name: gpu, machine: RTX 4090, model: llama-3.1-8b, price: free}
    |            ^`],
    ["a trace that is not there", "arrivals: {poisson: {rate: 5/s}}", "trace: nowhere.csv", `
a.yaml:12:12: clients[0].trace: found "nowhere.csv", which is not there; allowed: a file that can be read
  12 |     trace: nowhere.csv
     |            ^`],
    ["a key twice", "horizon: 10min", "horizon: 10min\nname: again", `
a.yaml:4:1: found a key that this map has already; allowed: each key once
  4 | name: again
    | ^`],
    ["a tab", "    machine: RTX", "\tmachine: RTX", `
a.yaml:6:1: found a tab in the indentation; allowed: spaces
  6 |  machine: RTX 4090
    | ^`],
    ["a bracket left open", "output: 60 sat/Mtok}", "output: 60 sat/Mtok", `
a.yaml:9:1: found something that is no YAML (Flow map in block collection must be sufficiently indented and end with a }); allowed: YAML 1.2
  9 | clients:
    | ^`],
  ])("%s", (_, from, to, expected) => {
    expect(`\n${load(changed(from, to))}`).toBe(expected);
  });
});

describe("no scenario at all", () => {
  test.each<[string, string | Uint8Array, string]>([
    ["an empty file", "", "a.yaml:1:1: found an empty file; allowed: a scenario: a map with at least name, question, horizon, operators and clients"],
    ["comments only", "\n# nothing\n", "a.yaml:1:1: found an empty file; allowed: a scenario: a map with at least name, question, horizon, operators and clients"],
    ["a list", "- a\n", "a.yaml:1:1: found a list; allowed: a map with keys such as name, question, horizon, operators and clients\n  1 | - a\n    | ^"],
    ["a word", "hello", 'a.yaml:1:1: found "hello"; allowed: a map with keys such as name, question, horizon, operators and clients\n  1 | hello\n    | ^'],
    ["two documents", "a: 1\n---\nb: 2\n", "a.yaml:2:1: found a second document (after ---); allowed: one scenario per file\n  2 | ---\n    | ^"],
    ["a picture", Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0xff, 0xfe]), "a.yaml:1:1: found bytes that are no UTF-8 text; allowed: a YAML file in UTF-8"],
    ["control characters", "a: \u0001\n", "a.yaml:1:1: found binary data; allowed: a YAML file in UTF-8\n  1 | a:  \n    | ^"],
    ["an alias without an anchor", "a: *b\n", "a.yaml:1:4: found *b, an alias without an anchor before it; allowed: an anchor &b further up\n  1 | a: *b\n    |    ^"],
  ])("%s", (_, source, expected) => {
    expect(load(source)).toBe(expected);
  });

  test("an alias bomb is not unfolded", () => {
    const lines = ["a0: &a0 [x]", ...Array.from({ length: 30 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]`)];
    expect(load(lines.join("\n"))).toContain("found aliases that unfold into too much; allowed: at most 1000 expansions");
  });

  test("an alias inside its own anchor", () => {
    expect(load("a: &a [*a]\n")).toContain("none inside its own anchor");
  });

  test.each([100, 5_000, 100_000])("%d open brackets", (depth) => {
    expect(load(`a: ${"[".repeat(depth)}${"]".repeat(depth)}`)).toMatch(/inside each other; allowed: at most 60$/m);
  });
});

test("all problems are told at once, in the order of the file", () => {
  const text = changed("cv: 1}", "cv: -1}").replace("horizon: 10min", "horizon: 10 W").replace("price: {input: 20", "prize: {input: 20").replace("outputTokens: 200", "outputTokens: many");
  try {
    loadScenario(text, "a.yaml");
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(ScenarioError);
    expect((error as ScenarioError).problems.map(({ path, line }) => `${line} ${path}`)).toEqual([
      "3 horizon", "8 operators[0].prize", "13 clients[0].inputTokens.lognormal.cv", "14 clients[0].outputTokens",
    ]);
  }
});

test("a flood of problems is cut", () => {
  const text = soundScenario + Array.from({ length: 40 }, (_, i) => `key${i}: 1\n`).join("");
  expect(load(text)).toMatch(/\n\.\.\. and 20 more$/);
});

describe("--set", () => {
  test.each<[string, string]>([
    ["router.polcy=cheapest", '--set router.polcy=cheapest:1:8: router.polcy: found the unknown key "polcy"; allowed: the keys count, region, policy, heartbeat, marketState, staleAfter, attempts, acceptTimeout, jobTimeout, queue, circuitBreaker, fee; did you mean "policy"?\n  1 | router.polcy=cheapest\n    |        ^'],
    ["router.policy=cheepest", '--set router.policy=cheepest:1:15: router.policy: found "cheepest"; allowed: one of cheapest, least-loaded, weighted-score, power-of-two, round-robin, random, softmax, top-n-random, or a map with one of the keys weighted-score, power-of-two, softmax, top-n-random, policy; did you mean "cheapest"?\n  1 | router.policy=cheepest\n    |               ^'],
    ["clients.caht.patience=1s", '--set clients.caht.patience=1s:1:9: clients.caht: found no entry named "caht"; allowed: chat, or an index such as [0]; did you mean "chat"?\n  1 | clients.caht.patience=1s\n    |         ^'],
    ["operators[1].count=2", "--set operators[1].count=2:1:10: operators[1]: found the index 1; allowed: index 0: the list has one entry\n  1 | operators[1].count=2\n    |          ^"],
    ["horizon.x=1", '--set horizon.x=1:1:9: horizon.x: found the key "x" below horizon; allowed: no keys there: horizon is a duration such as 250ms, 10s or 2h, above 0\n  1 | horizon.x=1\n    |         ^'],
    ["horizon", '--set horizon:1:1: found "horizon"; allowed: path=value, such as router.policy=cheapest\n  1 | horizon\n    | ^'],
    ["router.policy={softmax", "--set router.policy={softmax:1:23: found something that is no YAML (Flow map in block collection must be sufficiently indented and end with a }); allowed: a value in YAML\n  1 | router.policy={softmax\n    |                       ^"],
    ["clients.chat.arrivals.gamma.cv=2", "--set clients.chat.arrivals.gamma.cv=2:1:32: clients[0].arrivals.gamma.rate: found nothing; allowed: a rate such as 5/s, 300/min or 10/h, above 0\n  1 | clients.chat.arrivals.gamma.cv=2\n    |                                ^"],
  ])("%s", (set, expected) => {
    expect(load(soundScenario, [set])).toBe(expected);
  });
});
