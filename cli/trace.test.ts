import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command, CommanderError } from "commander";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { loadScenario } from "../sim/scenario/load.ts";
import { registerTrace } from "./trace.ts";

const folder = mkdtempSync(join(tmpdir(), "cli-trace-"));
afterAll(() => rmSync(folder, { recursive: true }));
const azure = join(folder, "azure.csv");
writeFileSync(azure, `TIMESTAMP,ContextTokens,GeneratedTokens\n${Array.from({ length: 600 }, (_, at) => `2023-11-16 18:${String(Math.floor(at / 60)).padStart(2, "0")}:${String(at % 60).padStart(2, "0")}.5,${100 + (at % 7) * 50},${20 + (at % 11)}`).join("\n")}\n`);
const mooncake = join(folder, "mooncake.jsonl");
writeFileSync(mooncake, '{"timestamp": 0, "input_length": 1000, "output_length": 10, "hash_ids": [0, 1]}\n{"timestamp": 5, "input_length": 1000, "output_length": 0, "hash_ids": [9]}\n{"timestamp": 3000, "input_length": 1500, "output_length": 20, "hash_ids": [0, 2, 1]}\n');

let printed = "";
beforeEach(() => {
  printed = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    printed += String(text);
    return true;
  });
});
afterEach(() => vi.restoreAllMocks());

function run(...args: string[]): string {
  const program = new Command("infernet").exitOverride().configureOutput({ writeOut: (text) => (printed += text), writeErr: (text) => (printed += text) });
  registerTrace(program);
  for (const command of program.commands) for (const inner of [command, ...command.commands]) inner.copyInheritedSettings(program);
  program.parse(["trace", ...args], { from: "user" });
  return printed;
}

describe("trace inspect", () => {
  test("shows counts, rates, burstiness and lengths, within 80 columns", () => {
    const text = run("inspect", azure);
    expect(text).toContain("600 requests, format azure");
    expect(text).toContain("Arrivals over 9 min 59 s: mean 1/s, at most 60 in a minute");
    expect(text).toContain("CV of the gaps 0 (Poisson: 1)");
    expect(text).toMatch(/\ninput +249\.6 +0\.4 +100 +100 +150 +250 +350 +400 +400 +400\n/);
    expect(text).toMatch(/1\/s ┤█{50}/);
    for (const line of text.split("\n").slice(1)) expect(line.length).toBeLessThanOrEqual(80);
  });

  test("shows what a prefix cache would save, and what was left out", () => {
    const text = run("inspect", mooncake);
    expect(text).toContain("2 requests, format mooncake (left out as without output: 1)");
    expect(text).toContain("Prefix blocks: 5 in 2 requests; 40 % had been seen before,\n20 % at the beginning");
  });

  test("reads no more rows than asked for", () => {
    expect(run("inspect", azure, "--limit", "61")).toContain("61 requests");
    expect(() => run("inspect", azure, "--limit", "0")).toThrow(CommanderError);
    expect(printed).toContain("Allowed: a whole number, 1 or more.");
  });
});

describe("trace fit", () => {
  test("prints a section that a scenario takes", () => {
    const section = run("fit", azure, "--name", "office", "--arrivals", "gamma");
    expect(section).toContain("# Fitted to azure.csv by `infernet trace fit`.");
    const { scenario } = loadScenario(`name: fitted\nquestion: Does the section fit?\nhorizon: 1h\noperators:\n  - name: any\n    model: llama-3.1-8b:q4_k_m\n    engine: { service-time: { service: 1s } }\n    price: { input: 0 sat/Mtok, output: 0 sat/Mtok }\n${section}`, "fitted.yaml");
    expect(scenario.clients[0]).toMatchObject({ name: "office", maxOutputTokens: 30 });
  });

  test("names the kinds of arrivals that there are", () => {
    expect(() => run("fit", azure, "--arrivals", "bursty")).toThrow(CommanderError);
    expect(printed).toMatch(/Allowed choices are regular, poisson, gamma, weibull, mmpp, varying/);
  });

  test("its help has an example", () => {
    expect(() => run("fit", "--help")).toThrow(CommanderError);
    expect(printed).toContain("$ infernet trace fit AzureLLMInferenceTrace_conv.csv");
    expect(printed).toContain("mooncake  Mooncake traces");
  });
});
