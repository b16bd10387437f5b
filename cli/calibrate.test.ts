import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command, CommanderError } from "commander";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { readMachineProfile } from "../sim/profile/read.ts";
import { registerCalibrate } from "./calibrate.ts";
import { testFolder } from "./testing/process.ts";

const folder = testFolder("calibrate");
const at = (name: string): string => join(folder, name);

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
  const program = new Command("infernet").exitOverride().configureOutput({ writeOut: () => {}, writeErr: () => {} });
  registerCalibrate(program);
  for (const command of program.commands) command.copyInheritedSettings(program);
  program.parse(["calibrate", ...args], { from: "user" });
  return printed;
}

// A dense model: 20 ms a pass, 0.2 ms a token, 0.3 us a token of context; passes of 512 tokens.
const rows = (model: string, slope: number): string => [512, 2048].flatMap((pp) => [1, 2, 4, 8].map((b) => {
  const prompt = b * pp / 512 * 0.02 + b * pp * 0.0002;
  const step = 0.02 + slope * b * b + 0.0002 * b + 3e-7 * b * (pp + 8.5);
  return `${model},${pp},16,${b},${prompt},${16 * step}\n`;
})).join("");
writeFileSync(at("bench.csv"), `model,pp,tg,b,t_pp_s,t_tg_s\n${rows("straight", 0)}${rows("bent", 0.004)}`);

describe("calibrate", () => {
  test("shows every point's error, the coefficients and a verdict; writes a profile that scenarios can use, and a plot", () => {
    const text = run(at("bench.csv"), "--model", "straight", "--batches", "1,8", "--out", at("profile.json"), "--plot", at("fit.svg"));
    expect(text).toMatch(/\ndecode +4 +1 tok +512 tok +21\.42 +21\.42 +0\.0 %  predicted\n/);
    expect(text).toMatch(/a pass of at most 512 tokens +20 ms\n/);
    expect(text).toMatch(/a token of context read in decoding +0\.3 us\n/);
    expect(text).toContain("The form fits: mean errors and trends stay within 5.0 %.");
    const profile = readMachineProfile(readFileSync(at("profile.json"), "utf8"), "profile.json");
    expect(profile.fit!.cost).toMatchObject({ form: "affine", mixed: "shared", passTokens: 512 });
    expect(profile.fit!.residuals.length).toBe(16);
    expect(readFileSync(at("fit.svg"), "utf8")).toContain("Measured and fitted: bench: straight");
    // And again, from the profile.
    expect(JSON.parse(run(at("profile.json"), "--json").slice(text.length))).toMatchObject({ cost: { form: "affine" }, verdict: { fits: true }, decode: { points: 8 } });
  });

  test("says when the form does not fit", () => {
    expect(run(at("bench.csv"), "--model", "bent", "--form", "affine")).toMatch(/The form does NOT fit \(limit 5\.0 %\): .*decode steps with \d sequences at once by [+-]/);
  });

  test("fits timed requests by playing them", () => {
    // One after the other, alone: 10 ms a step, 0.1 ms a prompt token more.
    const log = Array.from({ length: 12 }, (_, i) => {
      const input = 100 + 50 * (i % 5);
      const first = 100 * i + 0.01 + 0.0001 * input;
      return JSON.stringify({ input_toks: input, output_toks: 50, queued_ts: 100 * i, first_token_ts: first, last_token_ts: first + 49 * 0.0101 });
    });
    writeFileSync(at("requests.jsonl"), log.join("\n"));
    const fit = JSON.parse(run(at("requests.jsonl"), "--kv-tokens", "100000", "--first", "8", "--engine", "llama.cpp", "--out", at("served.json"), "--json")) as { cost: { tokenUs: number }; all: Record<string, number>; publicFigures: null };
    for (const error of Object.values(fit.all)) expect(Math.abs(error)).toBeLessThan(0.01);
    expect(fit.publicFigures).toBeNull();
    expect(readMachineProfile(readFileSync(at("served.json"), "utf8"), "served.json").fit!.cost).toEqual(fit.cost);
  });

  test.each([
    [["bench.csv"], 'has measurements of 2 models or settings: "straight", "bent". Choose one with --model'],
    [["bench.csv", "--model", "straight", "--form", "roofline"], "form roofline is for timed requests"],
    [["bench.csv", "--model", "straight", "--batches", "3"], "no prompt among the measurements to fit with 3 sequences"],
    [["bench.csv", "--model", "straight", "--form", "experts"], "how many experts"],
    [["bench.csv", "--model", "straight", "--catalogue-model", "lama-3"], "no model"],
    [["requests.jsonl"], "state --kv-tokens"],
    [["requests.jsonl", "--form", "steps"], "form steps needs measured points"],
    [["requests.jsonl", "--machine", "RTX 4090"], "together with --catalogue-model"],
  ] as const)("%j: %s", ([file, ...flags], message) => {
    expect(() => run(at(file), ...flags)).toThrow(message);
  });

  test("refuses a list that is none", () => {
    expect(() => run(at("bench.csv"), "--batches", "1,x")).toThrow(CommanderError);
  });
});
