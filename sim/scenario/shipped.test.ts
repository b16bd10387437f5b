import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { estimateLoad } from "./estimate.ts";
import { scenarioJsonSchema } from "./json-schema.ts";
import { loadScenario } from "./load.ts";
import { type Scenario, unlimitedMsat } from "./scenario.ts";

const folder = fileURLToPath(new URL("../../scenarios/", import.meta.url));
const files = readdirSync(folder).filter((name) => name.endsWith(".yaml")).sort();
const accepts = new Ajv({ strict: true, strictTypes: false, strictTuples: false }).compile(scenarioJsonSchema() as object);

function text(file: string): string {
  return readFileSync(folder + file, "utf8");
}

function load(name: string, sets: readonly string[] = []): Scenario {
  return loadScenario(text(`${name}.yaml`), `${folder}${name}.yaml`, { sets }).scenario;
}

test("what is meant to be shipped is there", () => {
  expect(files).toEqual(expect.arrayContaining([
    "quickstart", "azure-conv", "herding", "churn", "overload", "price-war", "monopolist", "mm1", "mmc-2", "mmc-4", "mmc-16", "md1", "mg1", "mmck", "erlang-b",
    "two-class-priority", "processor-sharing", "processor-sharing-heavy", "power-of-two", "batch-server",
  ].map((name) => `${name}.yaml`)));
});

describe.each(files)("%s", (file) => {
  test("loads, is called like its file, and asks a question", () => {
    const { scenario } = loadScenario(text(file), folder + file);
    expect(`${scenario.name}.yaml`).toBe(file);
    expect(scenario.question).toMatch(/\?$/);
    expect(scenario.description.length).toBeGreaterThan(200);
  });

  test("satisfies the JSON Schema, and tells editors so", () => {
    expect(text(file).startsWith("# yaml-language-server: $schema=./scenario.schema.json\n")).toBe(true);
    expect(accepts(parse(text(file))), JSON.stringify(accepts.errors?.slice(0, 3))).toBe(true);
  });
});

test("the README lists every scenario with its question", () => {
  const listed = [...text("README.md").matchAll(/^\| \[([\w-]+)\]\(([\w-]+\.yaml)\) \| (.*) \|$/gm)].map(([, name, file, question]) => [`${name}.yaml`, file, question]);
  expect(listed.sort()).toEqual(files.map((file) => [file, file, loadScenario(text(file), folder + file).scenario.question]).sort());
});

test("every market says what its jobs are worth, so that its report has accounts of who gained; queueing theory needs none", () => {
  const [, markets] = /\| market \| question \|\n([\s\S]*?)\n\n/.exec(text("README.md"))!;
  const names = [...markets!.matchAll(/^\| \[([\w-]+)\]/gm)].map(([, name]) => name!);
  expect(names.length).toBeGreaterThanOrEqual(16);
  for (const file of files) {
    const name = file.replace(".yaml", "");
    const worthKnown = load(name).clients.map(({ worth, maxPriceMsat }) => (worth.valueMsat ?? maxPriceMsat) !== unlimitedMsat);
    expect(worthKnown.every((known) => known === names.includes(name)), name).toBe(true);
  }
});

test("the commands in the descriptions work", () => {
  let commands = 0;
  for (const file of files) {
    const { description } = loadScenario(text(file), folder + file).scenario;
    for (const [, quoted, plain] of description.matchAll(/--set (?:([\w.-]+='[^']*')|([\w.-]+=[^\s,;)]*[^\s,;).]))/g)) {
      const set = (quoted ?? plain)!.replace(/'/g, "");
      expect(() => loadScenario(text(file), folder + file, { sets: [set] }), `${file}: ${set}`).not.toThrow();
      commands++;
    }
  }
  expect(commands).toBeGreaterThan(15);
});

test("the market's scenarios play the fit of the Azure trace as it is committed", () => {
  const fit = parse(readFileSync(new URL("../demand/fits/azure-llm-2023-conv.yaml", import.meta.url), "utf8")) as { clients: [{ inputTokens: unknown; outputTokens: unknown }] };
  for (const name of ["quickstart", "azure-conv"]) {
    const chat = load(name).clients.find((client) => client.name === "chat");
    expect({ inputTokens: chat?.inputTokens, outputTokens: chat?.outputTokens }).toEqual({ inputTokens: fit.clients[0].inputTokens, outputTokens: fit.clients[0].outputTokens });
  }
});

describe("the load", () => {
  test.each([
    ["mm1", 0.8], ["mmc-2", 0.8], ["mmc-16", 0.8], ["md1", 0.8], ["mg1", 0.7], ["mmck", 1], ["erlang-b", 0.75], ["two-class-priority", 0.8],
    ["processor-sharing", 0.7], ["power-of-two", 0.9], ["batch-server", 4 / 5.2],
  ])("of %s is %f, as its description says", (name, load_) => {
    expect(estimateLoad(load(name)).load).toBeCloseTo(load_, 9);
  });

  test("of the quickstart is about two thirds, on fifty nodes", () => {
    const { nodes, load: share } = estimateLoad(load("quickstart"));
    expect(nodes).toBe(50);
    expect(share).toBeGreaterThan(0.6);
    expect(share).toBeLessThan(0.72);
  });

  test("is not known of a trace", () => {
    expect(estimateLoad(load("azure-conv", ["clients.chat.trace=t.csv"]))).toMatchObject({ nodes: 5, slots: 30, jobsPerS: null, load: null });
  });
});
