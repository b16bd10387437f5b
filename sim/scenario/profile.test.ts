import { describe, expect, test } from "vitest";
import type { FittedCost } from "../../protocol/fitted-cost.ts";
import type { MachineProfile } from "../../protocol/profile.ts";
import { startRun } from "../experiment/run.ts";
import { testProfile } from "../profile/testing/profiles.ts";
import { estimateLoad } from "./estimate.ts";
import { loadScenario } from "./load.ts";
import type { Scenario } from "./scenario.ts";
import { ScenarioError } from "./scenario-error.ts";

const market = `name: measured
question: Does a node behave as it was measured?
horizon: 10s
drain: true
network: {latency: 0s, sameRegion: 0s, signing: 0s, verifying: 0s}
payment: {latency: 0s}
operators:
  - {name: mine, profile: my.json, model: "synth:1m", price: free}
clients:
  - {name: one, model: "synth:1m", arrivals: {regular: {rate: 0.2/s}}, inputTokens: 64, outputTokens: 17, maxOutputTokens: 17}
`;
const load = (profile: MachineProfile | string, sets: string[] = [], source = market): Scenario =>
  loadScenario(source, "folder/market.yaml", { sets, readText: (path) => { expect(path).toMatch(/^folder\/my.json$|^my.json$/); return typeof profile === "string" ? profile : JSON.stringify(profile); } }).scenario;
const faults = (profile: MachineProfile | string, sets: string[] = []): string => {
  try {
    load(profile, sets);
  } catch (error) {
    if (error instanceof ScenarioError) return error.message;
    throw error;
  }
  return "no fault";
};
/** Time to first token and from there to the end, of a job that is alone. */
const played = (scenario: Scenario): readonly [ttftUs: number, decodeUs: number] => {
  const run = startRun(scenario, { seed: 1 });
  for (;;) if (run.step(1_000_000)) break;
  const { ttftUs, endToEndUs } = run.finish().overall.latency;
  return [ttftUs.mean!, endToEndUs.mean! - ttftUs.mean!];
};

describe("an operator with a machine profile", () => {
  test("has the profile's machine and settings, and all that it needs of the file is in the scenario", () => {
    const scenario = load(testProfile());
    expect(scenario.operators[0]).toMatchObject({ machine: null, engine: { kind: "llama.cpp", slots: 3, contextTokens: 1_024, batchTokens: 256 }, profile: { machine: "two cores", cost: { kind: "measured" } } });
    expect(JSON.stringify(scenario)).not.toContain("my.json");
    expect(load(testProfile(), ["operators.mine.engine={llama.cpp: {slots: 2}}"]).operators[0]!.engine).toEqual({ kind: "llama.cpp", slots: 2, contextTokens: 1_024, batchTokens: 256 });
    const bare = testProfile({ settings: { ...testProfile().settings, slots: null, contextTokens: null, batchTokens: null } });
    // The model was made for no more.
    expect(load(bare).operators[0]!.engine).toEqual({ kind: "llama.cpp", slots: 4, contextTokens: 2_048, batchTokens: 2_048 });
    expect(load(testProfile(), ["operators.mine.engine=sequential"]).operators[0]!.engine).toEqual({ kind: "sequential", contextTokens: 1_024 });
  });

  test("a mere name is that of a profile beside the scenario", () => {
    const asked: string[] = [];
    const readText = (path: string): string => {
      asked.push(path);
      return JSON.stringify(testProfile());
    };
    for (const name of ["my-machine", "a6000.v2", "sub/p.json", "P.JSON"]) loadScenario(market.replace("my.json", name), "folder/market.yaml", { readText });
    expect(asked).toEqual(["folder/profiles/my-machine.json", "folder/profiles/a6000.v2.json", "folder/sub/p.json", "folder/P.JSON"]);
  });

  test("a job alone takes as long as the measurements say", () => {
    const [ttftUs, decodeUs] = played(load(testProfile()));
    // 64 tokens after none; then 16 steps that read 65 to 80 tokens.
    expect(ttftUs).toBeCloseTo(100 + 40 * 64 + 0.05 * 64 * 63 / 2, -1);
    expect(decodeUs).toBeCloseTo(16 * (500 + 0.5 * (65 + 7.5)), -1);
  });

  test("where the profile has a fit, the fit counts", () => {
    const cost: FittedCost = { form: "affine", passTokens: null, mixed: "shared", fixedUs: 1_000, batchedUs: 0, readUs: 0, tokenUs: 10, sequenceUs: 0, contextUs: 0, promptContextUs: 0, experts: null, steps: null };
    const fitted = load(testProfile({ fit: { cost, residuals: [], note: "", date: null } }));
    expect(fitted.operators[0]!.profile!.cost).toEqual({ kind: "fitted", cost });
    const [ttftUs, decodeUs] = played(fitted);
    expect(ttftUs).toBeCloseTo(1_640, -1);
    expect(decodeUs).toBeCloseTo(16 * 1_010, -1);
  });

  test("the profile's power and price count where no machine is named", () => {
    const costs = ["operators.mine.costs={}", "exchangeRate=100000 USD/btc"];
    const supply = load(testProfile(), costs).operators[0]!.supply!;
    expect(supply.costs!.machine).toMatchObject({ kind: "owned", price: { currency: "msat", units: 200e6 } });
    const named = load(testProfile(), [...costs, "operators.mine.machine=RTX 4090"]);
    expect(named.operators[0]).toMatchObject({ machine: "RTX 4090", profile: { machine: "two cores" } });
    expect(played(named)).toEqual(played(load(testProfile())));
  });

  test("its load can be told beforehand", () => {
    const { slots, load: share } = estimateLoad(load(testProfile()));
    expect(slots).toBe(3);
    expect(share).toBeGreaterThan(0);
    expect(share).toBeLessThan(0.01);
  });

  test.each([
    ["a file that is no profile", "{}", [], /operators\[0\]\.profile: found nothing at schema, line 1, column 1 of "my\.json"; allowed: /],
    ["a profile without measurements", testProfile({ measured: { loadUs: null, prefill: [], decode: [], mixed: [] } }), [], /"my\.json": measurements without a single prompt/],
    ["another model of the catalogue", testProfile({ model: { ...testProfile().model, catalogue: "llama-3.1-8b:q4_k_m" } }), ["operators.mine.model=llama-3.1-8b:q8_0", "clients.one.model=llama-3.1-8b:q8_0"], /with a profile of llama-3\.1-8b:q4_k_m; allowed: the model that was measured/],
    ["a context beyond the model's", testProfile(), ["operators.mine.engine={llama.cpp: {context: 4Ki}}"], /found a context of 4096 tokens; allowed: at most 2048 tokens/],
    ["more slots than fit", testProfile({ machine: { ...testProfile().machine, memory: { bytes: 3e6, bandwidthBytesPerS: null } } }), [], /synth-1M takes 1\.0 MB and 3\.1 MB for 3072 tokens of context; two cores has 3\.0 MB; allowed: fewer slots/],
    ["queueing theory's server", testProfile(), ["operators.mine.engine={service-time: {service: 1s}}"], /found a profile, with the service-time engine/],
    ["a machine that nobody knows", testProfile(), ["operators.mine.machine=RTX 4091"], /found "RTX 4091"/],
  ])("refuses %s", (_, profile, sets, message) => {
    expect(faults(profile as MachineProfile | string, sets)).toMatch(message);
  });
});
