import { describe, expect, test } from "vitest";
import { runScenario } from "../../experiment/run.ts";
import { loadScenario } from "../load.ts";
import { messageOf } from "../testing/sound-scenario.ts";

const source = `name: a
question: What does a policy of its own come to?
horizon: 2min
pricing: {policy: ./price.ts}
operators:
  - {name: gpu, count: 2, model: m, engine: {service-time: {service: 1s}}, price: {fixed: 100 msat}}
clients:
  - {name: c, model: m, arrivals: {poisson: {rate: 1.5/s}}, inputTokens: 10, outputTokens: 10, maxPrice: 1 sat}
`;
const FLAT = "export default { options: { sat: 1 }, openMarket: ({ options }) => () => ({ inputMsatPerMtok: 0, outputMsatPerMtok: 0, fixedMsat: 1000 * options.sat }) };\n";
const MARGIN = "export default { options: { by: 11 }, openNode: ({ options }) => ({ prices: ({ prices }) => ({ ...prices, fixedMsat: prices.fixedMsat + options.by }) }) };\n";
const SCORE = "export default { openRouter: () => (node) => -node.jobs };\n";

const files: Record<string, string> = { "market/price.ts": FLAT, "market/margin.js": MARGIN, "market/score.mjs": SCORE, "elsewhere.ts": FLAT };
const load = (sets: readonly string[] = [], texts = files) => loadScenario(source, "market/a.yaml", {
  sets,
  readText(path) {
    const text = texts[path];
    if (text === undefined) throw new Error(`ENOENT ${path}`);
    return text;
  },
});

describe("a policy of one's own", () => {
  test("is looked up beside the scenario, with --set from the current folder, and becomes part of the scenario", () => {
    const { scenario } = load();
    expect(scenario.pricing).toMatchObject({ kind: "custom", policy: { file: "./price.ts", code: FLAT, options: {} }, intervalUs: 10_000_000, posted: { fixedMsat: 100 } });
    expect(load(["pricing={policy: {file: elsewhere.ts, interval: 1min, options: {sat: 2}}}"]).scenario.pricing).toMatchObject({ policy: { file: "elsewhere.ts", options: { sat: 2 } }, intervalUs: 60_000_000 });
  });

  test("that an experiment in the file names is looked up beside the file too; what is set from outside still is not", () => {
    const readText = (path: string): string => files[path] ?? "";
    const { pricing } = loadScenario(source, "market/a.yaml", { readText, sets: ["router.policy={policy: market/score.mjs}"], innerSets: ["pricing.policy={file: ./price.ts, options: {sat: 3}}"] }).scenario;
    expect(pricing).toMatchObject({ policy: { code: FLAT, options: { sat: 3 } } });
  });

  test("changes the scenario's hash where its text changes", () => {
    const other = load([], { ...files, "market/price.ts": `${FLAT}// Says more.\n` });
    expect(other.hash).not.toBe(load().hash);
    expect(load().hash).toBe(load().hash);
  });

  test("prices jobs, sets operators' prices and chooses nodes, the same way every time", () => {
    const { scenario } = load(["pricing.policy={file: market/price.ts, interval: 5s, options: {sat: 0.3}}", "router.policy={policy: market/score.mjs}", "operators.gpu.strategy={policy: {file: market/margin.js, options: {by: 20}}}", "operators.gpu.reprice=30s"]);
    const first = runScenario(scenario);
    expect(first.pricing).toMatchObject({ mechanism: "custom" });
    expect(first.overall.jobs.completed).toBeGreaterThan(100);
    expect(first.overall.paidMsat).toBe(300 * first.overall.jobs.completed);
    expect(first.asks?.operatorClasses).toMatchObject([{ strategy: "custom" }]);
    expect(first.asks!.operatorClasses[0]!.changes).toBeGreaterThan(4);
    // What crosses to a thread is plain data.
    expect(runScenario(structuredClone(scenario)).provenance.resultsDigest).toBe(first.provenance.resultsDigest);
    const resolved = first.provenance.scenario.resolved as unknown as typeof scenario;
    expect(resolved.router.policy).toMatchObject({ kind: "custom", policy: { file: "market/score.mjs", sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string } });
    expect(runScenario(resolved).provenance.resultsDigest).toBe(first.provenance.resultsDigest);
  });

  test("that says what one of the lab's own says gives the same market", () => {
    const surge = "export default { openMarket: () => ({ utilisation }) => ({ factor: Math.min(3, 1 + 2 * Math.max(0, utilisation - 0.7)) }) };\n";
    const busy = ["clients.c.arrivals.poisson.rate=3/s", "horizon=10min"];
    const play = (texts: Record<string, string>, ...sets: readonly string[]) => runScenario(load([...busy, ...sets], texts).scenario);
    const [theirs, ours] = [play({ ...files, "market/price.ts": surge }), play(files, "pricing=surge")];
    expect(theirs.overall).toEqual(ours.overall);
    expect(theirs.pricing!.models).toEqual(ours.pricing!.models);
    const loaded = "export default { openRouter: () => (node) => -node.jobs / node.slots };\n";
    const [chosen, least] = [play({ ...files, "least.js": loaded }, "pricing=posted", "router.policy={policy: least.js}"), play(files, "pricing=posted", "router.policy=least-loaded")];
    expect(chosen.provenance.resultsDigest).toBe(least.provenance.resultsDigest);
  });

  test("that fails while it plays stops the run with one line that names it", () => {
    const broken = "export default {\n  openMarket: () => ({ interval, asks }) => {\n    if (interval === 2) return asks[99].fixedMsat;\n    return { factor: 1 };\n  },\n};\n";
    const { scenario } = load([], { ...files, "market/price.ts": broken });
    expect(() => runScenario(scenario)).toThrow("./price.ts:3:41: TypeError: Cannot read properties of undefined (reading 'fixedMsat') (the price of m at 20000000 us)");
  });

  test.each([
    ["that is not there", "pricing={policy: ./no.ts}", "pricing.policy: found \"./no.ts\", which cannot be read; allowed: a text file that can be read"],
    ["of another kind of file", "pricing.policy=market/a.yaml", "pricing.policy: found \"market/a.yaml\"; allowed: a file that ends in .ts, .js or .mjs"],
    ["of another kind", "pricing.policy=market/score.mjs", "pricing.policy: found market/score.mjs: the default export: an object without openMarket; allowed: a PricingPolicy, an object with the method openMarket"],
    ["with a setting that it does not have", "pricing.policy={file: market/price.ts, options: {sats: 1}}", "pricing.policy.file: found market/price.ts: the setting sats, which the policy does not have; allowed: sat"],
    ["with a setting of another type", "pricing.policy={file: market/price.ts, options: {sat: much}}", "pricing.policy.file: found market/price.ts: the setting sat: \"much\"; allowed: a number, as its default 1 is"],
    ["with a setting that is no value", "pricing.policy={file: market/price.ts, options: {sat: [1]}}", "pricing.policy.options.sat: found a list"],
    ["without a file", "pricing.policy={options: {sat: 1}}", "pricing.policy.file: found nothing"],
    ["in the place of a strategy", "operators.gpu.strategy={policy: market/no.ts}", "operators[0].strategy.policy: found \"market/no.ts\""],
    ["in the place of a choice", "router.policy={policy: market/no.ts}", "router.policy.policy: found \"market/no.ts\""],
  ])("%s is refused where it is named", (_, set, message) => {
    expect(messageOf(() => load([set]))).toContain(message);
  });

  test("that cannot be compiled is told with both files and lines", () => {
    expect(messageOf(() => load([], { ...files, "market/price.ts": "const a = 1;\nexport default { openMarket( };\n" }))).toMatch(/^market\/a\.yaml:4:19: pricing\.policy: found \.\/price\.ts:2[^\n]*; allowed: /);
  });
});
