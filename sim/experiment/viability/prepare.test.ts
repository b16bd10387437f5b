import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { loadScenario } from "../../scenario/load.ts";
import { machines } from "../../world/catalogue/index.ts";
import { promptUs } from "../../world/catalogue/step-cost.ts";
import { measuredStepCost } from "../../world/catalogue/measured.ts";
import { flagNames, type FlagTexts } from "./flags.ts";
import { play } from "./market.ts";
import { prepare } from "./prepare.ts";
import { testProfile } from "../../profile/testing/profiles.ts";
import { readProfile } from "./profile.ts";
import { byHand } from "./testing/questions.ts";

const file = fileURLToPath(new URL("../../../scenarios/quickstart.yaml", import.meta.url));
const quickstart = loadScenario(readFileSync(file, "utf8"), file).scenario;
const ask = (machine: Parameters<typeof prepare>[1]["machine"], flags: FlagTexts = {}) => prepare(quickstart, { machine, flags, replications: 1, sets: [], lab: { name: "infernet-lab", version: "0" } });

describe("a machine joins the market", () => {
  test("as one node more, after the manner of its class; the rest stays", () => {
    const { scenario, operator, costs, prices } = ask("rtx 3060");
    expect(scenario.operators.slice(0, -1)).toEqual(quickstart.operators);
    expect(scenario.operators.at(-1)).toMatchObject({ name: operator, count: 1, machine: "RTX 3060 12GB", models: ["llama-3.1-8b:q4_k_m"], priceSpreadCv: 0, regions: [{ region: "eu", share: 1 }] });
    expect(prices).toEqual({ inputMsatPerMtok: 10_000, outputMsatPerMtok: 100_000, fixedMsat: 0 });
    expect(costs).toMatchObject({ electricityUsdPerKwh: 0.2, purchaseUsd: 329, usdPerBtc: 100_000, idleWatts: 13, loadWatts: 170 });
  });

  test("of a kind that nobody there has, at the price in the middle of the market", () => {
    expect(ask("M1 Max").prices).toEqual({ inputMsatPerMtok: 11_000, outputMsatPerMtok: 110_000, fixedMsat: 0 });
    expect(ask("H100 SXM").machine).toMatchObject({ engine: "llama.cpp", slots: 16, wattsScope: "board" });
  });

  test("every assumption has a source and a flag, and says what was given", () => {
    const { assumptions } = ask("RTX 4090", { electricity: "0.5" });
    for (const { name, source, flag, text } of assumptions) expect([name, source, flag, text].every((part) => part.length > 0), name).toBe(true);
    expect(assumptions.filter(({ given }) => given).map(({ id }) => id)).toEqual(["electricity"]);
    const changeable = new Set(assumptions.flatMap(({ flag }) => flag.split(", ")));
    for (const name of flagNames) if (name !== "model" && name !== "price-fixed") expect(changeable, name).toContain(`--${name}`);
  });

  test("flags take effect, with their units or without", () => {
    const { costs, prices, machine } = ask("RTX 4090", {
      electricity: "0.30 USD/kWh, 0.18 USD/kWh 22-6", purchase: "700", life: "30 months", residual: "10 %", capital: "7 %/year", uptime: "0.5", exchange: "50000 USD/btc",
      "price-input": "0.01 USD/Mtok", "price-output": "200 sat/Mtok", "price-fixed": "3 msat", slots: "2", region: "us", "host-power": "40", "idle-power": "15 W", "load-power": "0.4 kW", other: "2 USD", upkeep: "3 %", stake: "10 sat", rent: "0.2 USD/h",
    });
    expect(costs).toEqual({
      electricityUsdPerKwh: expect.closeTo((16 * 0.3 + 8 * 0.18) / 24, 9), idleWatts: 15, loadWatts: 400, hostWatts: 40, purchaseUsd: 700, lifeYears: 2.5, residualShare: 0.1, rentUsdPerHour: 0.2,
      capitalPerYear: 0.07, upkeepPerYear: 0.03, stakeMsat: 10_000, otherUsdPerMonth: 2, uptime: 0.5, usdPerBtc: 50_000,
    });
    // 0.01 USD at 50,000 USD/btc are 20 sat.
    expect(prices).toEqual({ inputMsatPerMtok: 20_000, outputMsatPerMtok: 200_000, fixedMsat: 3 });
    expect(machine).toMatchObject({ slots: 2, region: "us" });
  });
});

describe("what makes no sense is said so", () => {
  test.each<[string, string, FlagTexts, RegExp]>([
    ["an unknown machine", "RTX 4091", {}, /--machine: there is no machine "RTX 4091" in the catalogue; did you mean RTX 4090/],
    ["a machine of which there are several", "H100", {}, /"H100" may be H100 PCIe, H100 NVL or H100 SXM; which one\?/],
    ["an unknown model", "RTX 4090", { model: "lama-3.1-8b" }, /--model: no model "lama-3.1-8b".*Did you mean "llama-3.1-8b"/],
    ["a model that does not fit", "RTX 4090", { model: "llama-3.1-70b" }, /llama-3.1-70b:q4_k_m does not fit: .* takes 42.5 GB .*RTX 4090 leaves/],
    ["a model that nobody asks for", "RTX 4090", { model: "qwen2.5-7b" }, /nobody in quickstart asks for qwen2.5-7b:q4_k_m; its clients ask for llama-3.1-8b:q4_k_m/],
    ["more slots than fit", "RTX 3070 8GB", { slots: "4" }, /does not fit so: .* With --slots 2 it fits\./],
    ["an unknown engine", "RTX 4090", { engine: "vlm" }, /--engine: found "vlm"; allowed: llama.cpp, vllm, sequential; did you mean vllm\?/],
    ["electricity without a unit of energy", "RTX 4090", { electricity: "3 USD" }, /--electricity: found "3 USD"; allowed: prices such as 0.20 USD\/kWh/],
    ["electricity at some hours only", "RTX 4090", { electricity: "0.2 8-20" }, /a price for every hour of the day; 0-1 h has none/],
    ["euros", "RTX 4090", { purchase: "700 EUR" }, /--purchase: found "700 EUR"; .*nothing says what a euro is worth/],
    ["a token price without its unit", "RTX 4090", { "price-input": "10" }, /--price-input: found "10"; allowed: a price of tokens such as 50 sat\/Mtok/],
    ["never on", "RTX 4090", { uptime: "0 %" }, /--uptime: found "0 %"; allowed: a share such as 95 %/],
    ["no life", "RTX 4090", { life: "0" }, /--life: found "0"; allowed: years such as 4y/],
    ["a region where nobody is", "RTX 4090", { region: "uss" }, /--region: found "uss"; allowed: asia, eu, us; did you mean us\?/],
    ["less power at work than at rest", "RTX 4090", { "load-power": "10 W" }, /--load-power: found 10 W; allowed: at least the 20 W/],
  ])("%s", (_, machine, flags, message) => {
    expect(() => ask(machine, flags)).toThrow(message);
  });

  test("a scenario whose models the catalogue does not have", () => {
    const mm1 = fileURLToPath(new URL("../../../scenarios/mm1.yaml", import.meta.url));
    expect(() => prepare(loadScenario(readFileSync(mm1, "utf8"), mm1).scenario, { machine: "RTX 4090", flags: {}, replications: 1, sets: [], lab: { name: "x", version: "0" } })).toThrow(/which is no model of the catalogue/);
  });

  test("every machine of the catalogue gets an answer: it joins, or it does not fit", () => {
    for (const { name } of machines) {
      try {
        expect(ask(name).machine.slots).toBeGreaterThan(0);
      } catch (error) {
        expect(String(error)).toContain("does not fit");
      }
    }
  });
});

const profile = `name: My card
memory: 24 GiB
power: {idle: 20 W, load: 250 W}
price: 700 USD
scope: board
model: llama-3.1-8b:q4_k_m
prefill: [{tokens: 500, tokensPerS: 5000}, {tokens: 2000, tokensPerS: 4000}]
decode:
  - {batch: 1, tokensPerS: 100}
  - {batch: 4, tokensPerS: 250}
`;

describe("a machine that was measured", () => {
  test("is read from YAML or JSON, and joins with its figures", () => {
    const read = readProfile(profile, "my.yaml");
    expect(readProfile(JSON.stringify({ name: "My card", memory: "24 GiB", power: { idle: "20 W", load: "250 W" }, price: "700 USD", scope: "board", model: read.model, prefill: read.speeds.prefill, decode: read.speeds.decode }), "my.json")).toEqual(read);
    expect(ask(read)).toMatchObject({ machine: { name: "My card", measured: true }, costs: { purchaseUsd: 700, idleWatts: 20, loadWatts: 250 }, rental: null });
  });

  test("serves as fast as it was measured", () => {
    const cost = measuredStepCost(readProfile(profile, "my.yaml").speeds);
    expect(promptUs(cost, 500)).toBeCloseTo(100_000, 6);
    expect(promptUs(cost, 2_000)).toBeCloseTo(500_000, 6);
    expect(cost.baseUs(0, 1)).toBeCloseTo(10_000, 6);
    expect(cost.baseUs(0, 4)).toBeCloseTo(16_000, 6);
    expect(cost.baseUs(0, 2)).toBeCloseTo(12_000, 6);
    expect(cost.baseUs(0, 7)).toBeCloseTo(22_000, 6);
    expect(cost.baseUs(500, 4)).toBeCloseTo(116_000, 6);

    const { scenario, operator, power } = prepare(byHand(), { machine: readProfile(profile, "my.yaml"), flags: { "price-input": "100 sat/Mtok", "price-output": "1000 sat/Mtok" }, replications: 1, sets: [], lab: { name: "x", version: "0" } });
    const outcome = play({ scenario, operator, seed: 1, power });
    // 1,000 tokens of prompt: a third of the way from 500 to 2,000; then 99 steps, the first token coming with the prompt.
    expect(outcome.busyShare * 5e6).toBeCloseTo(100_000 + 400_000 / 3 + 99 * 10_000, -4);
  });

  test.each<[string, string, string, RegExp]>([
    ["a misspelt key", "decode:", "decoding:", /^my.yaml:1:1: decoding: found the unknown key "decoding"; allowed: the keys name, .*; did you mean "decode"\?$|^my.yaml:\d+:\d+: decode: found nothing/],
    ["no unit", "24 GiB", "24", /^my.yaml:2:9: memory: found 24; allowed: a size of memory such as 24 GB or 24 GiB, above 0$/],
    ["a speed of 0", "tokensPerS: 100}", "tokensPerS: 0}", /^my.yaml:9:\d+: decode\[0\].tokensPerS: found 0; allowed: a number above 0$/],
    ["batches that fall", "batch: 4", "batch: 1", /^my.yaml:10:\d+: decode\[1\].batch: found 1; allowed: more than the row before, 1$/],
    ["a batch that takes no longer", "tokensPerS: 250", "tokensPerS: 400", /^my.yaml:10:\d+: decode\[1\].tokensPerS: found 400, with which the larger batch takes no longer; allowed: below 400: tokens per second of the whole batch$/],
    ["no single sequence", "batch: 1,", "batch: 2,", /decode\[0\].batch: found 2; allowed: 1 first/],
    ["less power at work", "load: 250 W", "load: 10 W", /power.load: found 10 W; allowed: at least the 20 W/],
    ["no YAML", "name: My card", "name: [", /^my.yaml:\d+:\d+: found something that is no YAML/],
  ])("%s", (_, from, to, message) => {
    let text = "";
    try {
      readProfile(profile.replace(from, to), "my.yaml");
    } catch (error) {
      text = (error as Error).message;
    }
    expect(text).toMatch(message);
  });

  test("holds for the model it was measured with alone", () => {
    expect(() => ask(readProfile(profile, "my.yaml"), { model: "llama-3.1-8b:q8_0" })).toThrow(/was measured with llama-3.1-8b:q4_k_m, and its speeds hold for that alone/);
  });
});

describe("a machine with a profile", () => {
  const catalogued = testProfile({ model: { ...testProfile().model, catalogue: "llama-3.1-8b:q4_k_m" } });

  test("serves with its own slots and context, at the speed that was measured", () => {
    const question = ask(catalogued);
    expect(question).toMatchObject({ machine: { name: "two cores", model: "llama-3.1-8b:q4_k_m", engine: "llama.cpp", slots: 3, measured: true, wattsScope: "machine" }, costs: { purchaseUsd: 200, idleWatts: 5, loadWatts: 30 } });
    expect(question.scenario.operators.find(({ name }) => name === question.operator)).toMatchObject({ machine: null, engine: { slots: 3, contextTokens: 1_024, batchTokens: 256 }, profile: { machine: "two cores" } });
    expect(question.assumptions.find(({ id }) => id === "profile")!.text).toBe("as measured with synth-1M on 2026-11-21, straight from the measurements");
    expect(ask(catalogued, { slots: "2", context: "512" }).machine.slots).toBe(2);

    const { scenario, operator, power } = prepare(byHand(), { machine: testProfile({ ...catalogued, settings: { ...catalogued.settings, contextTokens: 2_048 } }), flags: { "price-input": "100 sat/Mtok", "price-output": "1000 sat/Mtok" }, replications: 1, sets: [], lab: { name: "x", version: "0" } });
    const outcome = play({ scenario, operator, seed: 1, power });
    // 1,000 tokens of prompt in passes of 256; then 99 steps, which read 1,001 to 1,099 tokens.
    const promptUs = 4 * 100 + 40 * 1_000 + 0.05 * 1_000 * 999 / 2;
    expect(outcome.busyShare * 5e6).toBeCloseTo(promptUs + 99 * (500 + 0.5 * 1_050), -2);
  });

  test("says what it does not know", () => {
    expect(() => ask(testProfile())).toThrow(/was measured with synth-1M, which may be any model; say with --model which one of the market it serves: /);
    expect(ask(testProfile(), { model: "llama-3.1-8b" }).machine.model).toBe("llama-3.1-8b:q4_k_m");
    expect(() => ask(catalogued, { model: "llama-3.1-8b:q8_0" })).toThrow(/was measured with llama-3.1-8b:q4_k_m, and its speeds hold for that alone/);
    const unpowered = { ...catalogued, machine: { ...catalogued.machine, power: null, priceUsd: null } };
    expect(() => ask(unpowered)).toThrow(/does not say what power the machine draws; add --idle-power and --load-power/);
    expect(ask(unpowered, { "idle-power": "3 W", "load-power": "9 W" }).costs).toMatchObject({ idleWatts: 3, loadWatts: 9, purchaseUsd: 0 });
    expect(() => ask(catalogued, { slots: "60000" })).toThrow(/for 61440000 tokens of context; two cores has 8\.0 GB/);
    expect(() => ask({ ...catalogued, machine: { ...catalogued.machine, memory: { bytes: 3e6, bandwidthBytesPerS: null } } })).toThrow(/synth-1M does not fit so: .* Choose fewer --slots or a shorter --context/);
    expect(() => ask({ ...catalogued, measured: { loadUs: null, prefill: [], decode: [], mixed: [] } })).toThrow(/cannot be used: measurements without a single prompt/);
  });
});
