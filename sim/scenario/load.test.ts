import { describe, expect, test } from "vitest";
import { loadScenario } from "./load.ts";
import { foreverUs, unlimitedJobs, unlimitedMsat } from "./scenario.ts";
import type { Scenario } from "./scenario.ts";
import { changed, soundScenario } from "./testing/sound-scenario.ts";

function load(sets: readonly string[] = [], source = soundScenario): Scenario {
  return loadScenario(source, "folder/a.yaml", { sets }).scenario;
}

test("defaults and units are resolved", () => {
  const scenario = load();
  expect(scenario).toMatchObject({
    name: "test", seed: 1, horizonUs: 600_000_000, warmupUs: 0, drain: true, exchangeRates: [], exchange: null,
    network: { latencyUs: 40_000, sameRegionUs: 5_000, between: [], jitterCv: 0, signingUs: 60, verifyingUs: 100, messages: "plain" },
    router: {
      count: 1, region: "eu", policy: { kind: "weighted-score", weights: { price: 1, latency: 1, load: 1, reliability: 1 } },
      heartbeatUs: 10_000_000, staleAfterUs: 30_000_000, attempts: 3, acceptTimeoutUs: 2_000_000, jobTimeoutUs: 600_000_000,
      queue: { limit: 1000, maxWaitUs: 30_000_000 }, circuitBreaker: { failures: 3, coolDownUs: 30_000_000, growth: 2, maxCoolDownUs: 600_000_000 },
      fee: { shareBps: 0, flatMsat: 0 },
    },
    payment: { latencyUs: 300_000, baseFeeMsat: 0, feePpm: 0, failureShare: 0, clientBalanceMsat: 1_000_000_000, attempts: 3, retryUs: 1_000_000, invoiceExpiryUs: 3_600_000_000, feeBearer: "payer", capitalPerYear: 0.05, refundWithinUs: 60_000_000 },
  });
  expect(scenario.operators[0]).toEqual({
    settlement: { nonDeliveryShare: 0, channel: null }, name: "gpu", count: 1, machine: "RTX 4090", models: ["llama-3.1-8b:q4_k_m"],
    engine: { kind: "llama.cpp", slots: 4, contextTokens: 8_192, batchTokens: 2_048 },
    prices: { inputMsatPerMtok: 20_000, outputMsatPerMtok: 60_000, fixedMsat: 0 }, priceSpreadCv: 0,
    regions: [{ region: "eu", share: 1 }], queueLimit: 4, stakeMsat: 0, attested: false,
    churn: { presence: null, failureShare: 0, slowdown: null }, electricityMsatPerKwh: null, strategy: { rule: { kind: "fixed" }, repriceUs: 600_000_000, firstUs: null, startSlots: null, marginalCost: null }, supply: null,
  });
  expect(scenario.clients[0]).toEqual({
    settlement: { terms: null, dishonestShare: 1, nonPaymentShare: 0, channel: null }, name: "chat", count: 1, regions: [{ region: "eu", share: 1 }], model: "llama-3.1-8b:q4_k_m",
    arrivals: { kind: "poisson", ratePerS: 5 }, inputTokens: { lognormal: { mean: 1155, cv: 1 } }, outputTokens: 200,
    maxOutputTokens: 1024, maxPriceMsat: unlimitedMsat, latencyGoal: {}, patienceUs: 120_000_000, priority: 0,
    allowedRegions: null, minStakeMsat: 0, privacy: "any", verification: "none",
    worth: { valueMsat: null, maxPriceShare: null, delayMsatPerS: 0, budget: null, choice: null },
  });
});

describe("--set reaches", () => {
  test.each<[string, readonly string[], (scenario: Scenario) => unknown, unknown]>([
    ["a scalar", ["horizon=1h"], (s) => s.horizonUs, 3_600_000_000],
    ["a map that is not in the file", ["router.queue.limit=unlimited"], (s) => s.router.queue.limit, unlimitedJobs],
    ["a list entry by name", ["operators.gpu.count=3"], (s) => s.operators[0]?.count, 3],
    ["a list entry by index", ["operators[0].count=3"], (s) => s.operators[0]?.count, 3],
    ["a key with a dot in it", ["operators.gpu.engine.llama.cpp.slots=2"], (s) => s.operators[0]?.engine, { kind: "llama.cpp", slots: 2, contextTokens: 8_192, batchTokens: 2_048 }],
    ["a key in quotes", ['operators.gpu.engine."llama.cpp".slots=2'], (s) => s.operators[0]?.engine, { kind: "llama.cpp", slots: 2, contextTokens: 8_192, batchTokens: 2_048 }],
    ["a choice by its name", ["router.policy=cheapest"], (s) => s.router.policy, { kind: "cheapest" }],
    ["a choice with settings", ["router.policy={softmax: {temperature: 0.2, price: 3}}"], (s) => s.router.policy, { kind: "softmax", temperature: 0.2, weights: { price: 3, latency: 1, load: 1, reliability: 1 } }],
    ["a setting of another choice than the file's", ["clients.chat.arrivals.gamma.rate=2/s", "clients.chat.arrivals.gamma.cv=2"], (s) => s.clients[0]?.arrivals, { kind: "gamma", ratePerS: 2, cv: 2 }],
    ["a distribution's parameter", ["clients.chat.inputTokens.lognormal.cv=0.5"], (s) => s.clients[0]?.inputTokens, { lognormal: { mean: 1155, cv: 0.5 } }],
    ["a distribution in place of a constant", ["clients.chat.outputTokens.exponential.mean=2k"], (s) => s.clients[0]?.outputTokens, { exponential: { mean: 2_000 } }],
    ["the later of two", ["seed=2", "seed=3"], (s) => s.seed, 3],
    ["a region pair", ["network.between.eu/us=45ms", "operators.gpu.region=us"], (s) => s.network.between, [{ a: "eu", b: "us", latencyUs: 45_000 }]],
    ["a value with an equals sign", ["description=a=b"], (s) => s.description, "a=b"],
  ])("%s", (_, sets, read, expected) => {
    expect(read(load(sets))).toEqual(expected);
  });

  test("one place where YAML aliases share a value", () => {
    const source = changed("    outputTokens: 200", "    outputTokens: &n {exponential: {mean: 200}}\n    patience: forever")
      + "  - {name: other, model: llama-3.1-8b, arrivals: {poisson: {rate: 1/s}}, inputTokens: 10, outputTokens: *n}\n";
    const { clients } = load(["clients.chat.outputTokens.exponential.mean=5"], source);
    expect(clients.map(({ outputTokens }) => outputTokens)).toEqual([{ exponential: { mean: 5 } }, { exponential: { mean: 200 } }]);
  });
});

describe("resolves", () => {
  test.each<[string, readonly string[], (scenario: Scenario) => unknown, unknown]>([
    ["heartbeats to staleness", ["router.heartbeat=1s"], (s) => s.router.staleAfterUs, 3_000_000],
    ["a share to basis points", ["router.fee.share=1.5 %"], (s) => s.router.fee.shareBps, 150],
    ["region shares to a sum of 1", ["operators.gpu.region={eu: 1, us: 3}"], (s) => s.operators[0]?.regions, [{ region: "eu", share: 0.25 }, { region: "us", share: 0.75 }]],
    ["region percentages", ["operators.gpu.region={eu: 75 %, us: 25 %}"], (s) => s.operators[0]?.regions, [{ region: "eu", share: 0.75 }, { region: "us", share: 0.25 }]],
    ["free", ["operators.gpu.price=free"], (s) => s.operators[0]?.prices, { inputMsatPerMtok: 0, outputMsatPerMtok: 0, fixedMsat: 0 }],
    ["forever", ["clients.chat.patience=forever"], (s) => s.clients[0]?.patienceUs, foreverUs],
    ["fiat", ["exchangeRate=100000 USD/btc", "operators.gpu.price.input=0.05 USD/Mtok"], (s) => s.operators[0]?.prices.inputMsatPerMtok, 50_000],
    ["two currencies", ["exchangeRate=[100000 USD/btc, 80000 EUR/btc]", "operators.gpu.electricity=0.30 EUR/kWh"], (s) => s.operators[0]?.electricityMsatPerKwh, 375_000],
    ["loose names of machines", ["operators.gpu.machine=rtx-4090"], (s) => s.operators[0]?.machine, "RTX 4090"],
    ["a model without a quantisation", ["operators.gpu.model=llama-3.1-8b", "clients.chat.model=llama-3.1-8b"], (s) => [s.operators[0]?.models, s.clients[0]?.model], [["llama-3.1-8b:q4_k_m"], "llama-3.1-8b:q4_k_m"]],
    ["a server's slots", ["operators.gpu.engine.service-time={service: 1s, slots: 3}"], (s) => s.operators[0]?.engine, { kind: "service-time", slots: 3, serviceUs: 1_000_000, discipline: "fifo", rates: [1, 2, 3] }],
    ["a batch server", ["operators.gpu.engine.service-time={service: 1s, rates: [1, 1.5]}"], (s) => s.operators[0]?.engine, { kind: "service-time", slots: 2, serviceUs: 1_000_000, discipline: "fifo", rates: [1, 1.5] }],
    ["processor sharing", ["operators.gpu.engine.service-time={service: 1s, slots: 2, discipline: processor-sharing}"], (s) => s.operators[0]?.engine, { kind: "service-time", slots: 2, serviceUs: 1_000_000, discipline: "fifo", rates: [1, 1] }],
    ["a described machine", ["operators.gpu.machine={name: mine, family: nvidia-ada, memory: 24 GiB, bandwidth: 1008 GB/s, compute: 165 TFLOP/s, power: {idle: 20W, load: 0.35 kW}}"], (s) => s.operators[0]?.machine,
      { name: "mine", family: "nvidia-ada", memoryBytes: 25_769_803_776, bandwidthBytesPerS: 1.008e12, flopPerS: 1.65e14, idleWatts: 20, loadWatts: 350 }],
    ["states of arrivals", ["clients.chat.arrivals={mmpp: {states: [{rate: 1/s, lasts: 1min}, {rate: 600/min, lasts: 10s}]}}"], (s) => s.clients[0]?.arrivals, { kind: "mmpp", states: [{ ratePerS: 1, meanUs: 60_000_000 }, { ratePerS: 10, meanUs: 10_000_000 }] }],
    ["a rate over the day", ["clients.chat.arrivals={varying: {points: [[0s, 1/s], [12h, 2/s]], period: 24h}}"], (s) => s.clients[0]?.arrivals, { kind: "varying", points: [{ atUs: 0, ratePerS: 1 }, { atUs: 43_200_000_000, ratePerS: 2 }], periodUs: 86_400_000_000 }],
    ["nested distributions", ["clients.chat.patience={clip: {of: {mixture: [{weight: 1, of: {exponential: {mean: 1min}}}, {weight: 2, of: 5s}]}, max: 2min}}"], (s) => s.clients[0]?.patienceUs,
      { clip: { max: 120_000_000, of: { mixture: [{ weight: 1, of: { exponential: { mean: 60_000_000 } } }, { weight: 2, of: 5_000_000 }] } } }],
  ])("%s", (_, sets, read, expected) => {
    expect(read(load(sets))).toEqual(expected);
  });

  test("a trace's place: beside the scenario, or as the command line says; it brings its own tokens", () => {
    const source = changed("arrivals: {poisson: {rate: 5/s}}", "trace: data/t.csv");
    const [client] = load([], source).clients;
    expect(client?.arrivals).toEqual({ kind: "trace", file: "folder/data/t.csv", format: null, timeScale: 1, limit: null });
    expect([client?.inputTokens, client?.outputTokens]).toEqual(["trace", "trace"]);
    expect(load(["clients.chat.trace={file: t.csv, timeScale: 0.5}"]).clients[0]?.arrivals).toEqual({ kind: "trace", file: "t.csv", format: null, timeScale: 0.5, limit: null });
  });
});

test("the hash is of what is played, not of how it is written", () => {
  const hash = (source: string): string => loadScenario(source, "a.yaml").hash;
  expect(hash(changed("horizon: 10min", "horizon: 600s # ten minutes"))).toBe(hash(soundScenario));
  expect(hash(changed("horizon: 10min", "horizon: 601s"))).not.toBe(hash(soundScenario));
});
