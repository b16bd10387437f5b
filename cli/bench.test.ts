import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { machineProfile } from "../protocol/profile.ts";
import type { MachineProfile } from "../protocol/profile.ts";
import { filesOf } from "../lab/subject-files.ts";
import { describeError } from "./errors.ts";
import { buildProgram } from "./program.ts";
import { synthesizeModel } from "../live/gguf/synthesize.ts";
import { infernet as infernetIn, type Outcome, start, testFolder } from "./testing/process.ts";

const folder = testFolder("bench");
const infernet = (...args: readonly string[]): Outcome => infernetIn(folder, ...args);
const fixture = (name: string): string => fileURLToPath(new URL(`../live/bench/fixtures/${name}`, import.meta.url));
const profileIn = (path: string): MachineProfile => machineProfile.parse(JSON.parse(readFileSync(join(folder, path), "utf8")));

describe("bench", () => {
  test("measures a model with llama.cpp: every point of the grid, on this machine, with a fit", async () => {
    await synthesizeModel({ parameters: 150e3, quantisation: "f16", contextTokens: 512, seed: 1, file: join(folder, "tiny.gguf") });
    const { status, stdout, stderr } = infernet("bench", "--model", "tiny.gguf", "--gpu", "off", "--prompt", "16,64", "--context", "32,128", "--batch", "1,2", "--steps", "8", "--repetitions", "2", "--name", "Here", "--idle-power", "5 W", "--load-power", "30 W", "--price", "200 USD", "--out", "here.json");
    expect(stderr).toMatch(/^\d+ % \| /);
    expect(status).toBe(0);
    const { name, source, machine, model, settings, measured, software, fit } = profileIn("here.json");
    expect([name, source.interrupted, software.backend]).toEqual(["Here", false, "CPU"]);
    expect(machine).toMatchObject({ power: { idleWatts: 5, loadWatts: 30, scope: "machine" }, priceUsd: 200 });
    expect(machine.memory!.bandwidthBytesPerS).toBeGreaterThan(1e8);
    expect(model).toMatchObject({ quantisation: "F16", contextTokensMax: 512, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(settings).toMatchObject({ threads: 1, gpuLayers: 0, slots: 2, batchTokens: 512 });
    expect(measured.loadUs).toBeGreaterThan(0);
    expect(measured.decode.map(({ batch, contextTokens, repetitions }) => [batch, contextTokens, repetitions])).toEqual([[2, 32, 2], [1, 40, 2], [2, 128, 2], [1, 136, 2]]);
    expect(measured.prefill.filter(({ contextTokens }) => contextTokens === 0).map(({ sequences, tokens }) => [sequences, tokens])).toEqual([[1, 16], [1, 64], [1, 32], [2, 32], [1, 128], [2, 128]]);
    expect(measured.mixed).toHaveLength(1);
    // On a machine that is busy with other tests, what was measured may follow no form at all.
    if (fit === undefined) expect(stdout).toContain("No coefficients were fitted");
    else expect(fit.residuals.length).toBe(measured.prefill.length + measured.decode.length + measured.mixed.length);
    expect(stdout).toMatch(/^Here\n/);
    expect(stdout).toContain("viability --machine here.json --model MODEL\n");
  });

  test("takes over llama-bench's measurements; two models in a file are one too many", () => {
    const imported = infernet("bench", "--import", fixture("llama-bench.json"), "--as", "llama-3.2-3b", "--json", "--quiet");
    expect(imported.stderr).toBe("");
    const profile = machineProfile.parse(JSON.parse(imported.stdout));
    expect(profile).toMatchObject({ source: { tool: "llama-bench", file: "llama-bench.json" }, model: { catalogue: expect.stringMatching(/^llama-3\.2-3b:/) } });
    const two = readFileSync(fixture("llama-bench.jsonl"), "utf8").replace(/"n_threads": 24/, "\"n_threads\": 8");
    writeFileSync(join(folder, "two.jsonl"), two);
    expect(infernet("bench", "--import", "two.jsonl").stderr).toMatch(/^error: two\.jsonl holds 2 models or settings; choose one with --only: .*n_threads=8; .*n_threads=24\.$/m);
    const one = infernet("bench", "--import", "two.jsonl", "--only", "threads=24", "--name", "A4000");
    expect(one.stderr).toMatch(/^Left out, line \d+: a prompt of 512 and 128 generated tokens, timed as one\.$/m);
    expect(one.status).toBe(0);
    expect(profileIn("profiles/a4000.json")).toMatchObject({ settings: { threads: 24 }, model: { catalogue: null } });
    writeFileSync(join(folder, "spark.csv"), "model,pp,tg,b,t_pp_s,t_tg_s\nqwen2.5-coder-7b-q8_0,512,32,1,0.215,1.095\nqwen2.5-coder-7b-q8_0,512,32,4,0.880,1.227\n");
    const known = infernet("bench", "--import", "spark.csv", "--json", "--quiet");
    expect((JSON.parse(known.stdout) as MachineProfile).model.catalogue).toBe("qwen2.5-coder-7b:q8_0");
  });

  test("the profile is taken by its name, and by scenarios wherever they are played", () => {
    writeFileSync(join(folder, "market.yaml"), `name: measured
question: Is a profile carried to all workers?
horizon: 2min
operators: [{name: mine, count: 2, profile: a4000, model: qwen, price: {output: 60 sat/Mtok}}]
clients: [{name: one, model: qwen, arrivals: {poisson: {rate: 1/s}}, inputTokens: 200, outputTokens: 50}]
`);
    const viability = infernet("viability", "--machine", "a4000", "--scenario", "market.yaml", "--model", "qwen", "--idle-power", "12 W", "--load-power", "140 W", "--replications", "1", "--json", "--quiet");
    expect(viability.stderr).toBe("");
    expect(JSON.parse(viability.stdout)).toMatchObject({ machine: { name: "A4000", model: "qwen", measured: true, engine: "llama.cpp" } });
    const runs = infernet("run", "market.yaml", "--replications", "2", "--workers", "2", "--json", "--quiet");
    expect(runs.stderr).toBe("");
    expect((JSON.parse(runs.stdout) as { runs: unknown }).runs).toMatchObject({ played: 2, failed: 0 });
    const subject = { source: readFileSync(join(folder, "market.yaml"), "utf8"), fileName: join(folder, "market.yaml"), sets: [] };
    expect(filesOf(subject as unknown as Parameters<typeof filesOf>[0]).map(({ path }) => path)).toEqual([join(folder, "profiles/a4000.json")]);
  });

  test("what is wrong is told in a sentence", async () => {
    const cases: [string[], RegExp][] = [
      [[], /^error: bench needs a model to measure \(--model model\.gguf\), or a file of measurements/],
      [["--model", "a.gguf", "--import", "b.json"], /^error: bench needs a model/],
      [["--model", "none.gguf"], /none\.gguf/],
      [["--import", "none.json"], /^error: none\.json: there is no such file/],
      [["--import", fixture("../plan.ts")], /plan\.ts:1:1: found a file that begins with "\/\*\* One thing to do/],
      [["--import", fixture("llama-bench.json"), "--as", "gpt-9"], /^error: --as: there is no model "gpt-9" in the catalogue/],
      [["--import", fixture("llama-bench.json"), "--idle-power", "5 W"], /^error: --idle-power and --load-power go together/],
      [["--import", fixture("llama-bench.json"), "--idle-power", "5 W", "--load-power", "3 W"], /found 3 W; allowed: at least the 5 W/],
      [["--model", "a.gguf", "--batch", "1,two"], /Allowed: a whole number from 1 to 256/],
      [["--model", "a.gguf", "--prompt", "0"], /Allowed: a number of tokens/],
      [["--model", "a.gguf", "--price", "3 sat"], /Allowed: a price in dollars/],
    ];
    for (const [args, message] of cases) {
      const program = buildProgram();
      program.commands.find((command) => command.name() === "bench")!.configureOutput({ writeErr: () => {} });
      const error: unknown = await program.parseAsync(["bench", ...args, "--quiet"], { from: "user" }).catch((thrown: unknown) => thrown);
      const { text, exitCode } = describeError(error);
      expect(text || (error as Error).message).toMatch(message);
      expect(exitCode).toBe(2);
    }
  });

  test("Ctrl-C keeps what has been measured", async () => {
    const { child, outcome } = start(folder, "bench", "--model", "tiny.gguf", "--gpu", "off", "--prompt", "16", "--context", "16", "--batch", "1", "--steps", "4", "--repetitions", "1000", "--out", "stopped.json");
    child.stderr.once("data", () => child.kill("SIGINT"));
    const { status, stdout } = await outcome;
    expect(status).toBe(130);
    expect(stdout).toContain("Interrupted: the profile holds what was measured until then.");
    const { source, measured } = profileIn("stopped.json");
    expect(source.interrupted).toBe(true);
    expect(measured.decode[0]!.repetitions).toBeGreaterThan(10);
    expect(measured.decode[0]!.repetitions).toBeLessThan(1_000);
  });

  test("a failed measurement leaves what was there", () => {
    mkdirSync(join(folder, "kept"));
    writeFileSync(join(folder, "kept", "p.json"), "old");
    writeFileSync(join(folder, "broken.gguf"), "GGUF");
    expect(infernet("bench", "--model", "broken.gguf", "--out", "kept/p.json").status).toBe(2);
    expect(readFileSync(join(folder, "kept", "p.json"), "utf8")).toBe("old");
    expect(readdirSync(join(folder, "kept"))).toEqual(["p.json"]);
    expect(existsSync(join(folder, "profiles"))).toBe(true);
  });
});
