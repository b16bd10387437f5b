import { existsSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { machineProfile } from "../../../protocol/profile.ts";
import { importedProfile } from "./profile.ts";
import { readBenchFile } from "./read.ts";
import { BenchFileError, type ImportedFile } from "./source.ts";

const fixture = (name: string): string => readFileSync(new URL(`../fixtures/${name}`, import.meta.url), "utf8");
const read = (name: string): ImportedFile => readBenchFile(fixture(name), name);
const fault = (text: string): string => {
  try {
    readBenchFile(text, "f");
  } catch (error) {
    expect(error).toBeInstanceOf(BenchFileError);
    return (error as Error).message.split("\n")[0]!;
  }
  return "no fault";
};
const shared = new URL("../../../../shared/data/llama-batched-bench/dgx-spark.csv", import.meta.url);

describe("llama-bench", () => {
  test("-o json: medians of the samples, and all that it tells of machine, build and settings", () => {
    const { tool, groups, leftOut } = read("llama-bench.json");
    expect(tool).toBe("llama-bench");
    expect(groups).toHaveLength(1);
    const [group] = groups;
    expect(group).toMatchObject({
      label: "Qwen2.5-3B-Instruct-Q8_0", date: "2026-11-05T09:30:04Z",
      machine: { cpu: { model: "AMD EPYC 7443 24-Core Processor" }, gpus: [{ name: "NVIDIA RTX A4000" }] }, software: { engineVersion: "b6673", backend: "CUDA" },
      model: { name: "Qwen2.5-3B-Instruct-Q8_0", fileBytes: 3_279_000_000, parameters: 3_085_938_688, quantisation: "Q8_0" },
      settings: { threads: 24, gpuLayers: 99, batchTokens: 2_048, passTokens: 512, flashAttention: true, kvType: "f16" },
    });
    expect(group!.prefill.map(({ tokens, contextTokens }) => [tokens, contextTokens])).toEqual([[512, 0], [2_048, 0], [512, 4_096]]);
    const samples = (JSON.parse(fixture("llama-bench.json")) as { samples_ns: number[] }[]).map(({ samples_ns }) => samples_ns.toSorted((a, b) => a - b).map((ns) => ns / 1_000));
    expect(group!.prefill[0]).toMatchObject({ sequences: 1, us: samples[0]![1], repetitions: 3, spread: { minUs: samples[0]![0], maxUs: samples[0]![2] } });
    expect(group!.decode.map(({ contextTokens, steps }) => [contextTokens, steps])).toEqual([[0, 128], [4_096, 128]]);
    expect(group!.decode[1]!.usPerStep).toBeCloseTo(samples[4]![1]! / 128, 2);
    expect(leftOut).toEqual([expect.stringMatching(/^line \d+: a prompt of 512 and 128 generated tokens, timed as one$/)]);
  });

  test("-o jsonl, csv and md tell the same, as far as they tell it", () => {
    const [json] = read("llama-bench.json").groups;
    expect(read("llama-bench.jsonl").groups[0]).toEqual(json);
    for (const name of ["llama-bench.csv", "llama-bench.md"]) {
      const { groups: [group], leftOut, tool } = read(name);
      expect([tool, leftOut.length]).toEqual(["llama-bench", 1]);
      const speeds = (one: typeof group): number[][] => [one!.prefill.map(({ tokens, us }) => tokens / us * 1e6), one!.decode.map(({ usPerStep }) => 1e6 / usPerStep)];
      // Means of the repetitions in place of their medians, in the table to five digits.
      speeds(group).forEach((row, i) => row.forEach((speed, j) => expect(speed / speeds(json)[i]![j]!).toBeCloseTo(1, 2)));
      expect(group).toMatchObject({ software: { engineVersion: "b6673", backend: "CUDA" }, settings: { gpuLayers: 99, flashAttention: true } });
    }
    expect(read("llama-bench.csv").groups[0]).toMatchObject({ date: json!.date, model: json!.model, settings: json!.settings });
    expect(read("llama-bench.md").groups[0]).toMatchObject({ label: "qwen2 3B Q8_0", model: { fileBytes: Math.round(3.05 * 2 ** 30), parameters: 3.09e9, quantisation: "Q8_0" } });
  });

  test("several settings or models in one file are told apart by what differs", () => {
    const two = fixture("llama-bench.jsonl").replace(/"n_threads": 24/, "\"n_threads\": 8");
    expect(readBenchFile(two, "f").groups.map(({ label }) => label)).toEqual(["Qwen2.5-3B-Instruct-Q8_0, n_threads=8", "Qwen2.5-3B-Instruct-Q8_0, n_threads=24"]);
    const old = "| model | size | params | backend | threads | test | t/s |\n| --- | ---: | ---: | --- | ---: | --- | ---: |\n| llama 7B mostly Q4_0 | 3.56 GiB | 6.74 B | CPU | 8 | pp 64 | 23.18 ± 0.06 |\n| llama 7B mostly Q4_0 | 3.56 GiB | 6.74 B | CPU | 16 | tg 16 | 12.22 ± 0.07 |\n";
    const { groups } = readBenchFile(old, "f");
    expect(groups.map(({ settings: { threads, gpuLayers }, prefill, decode }) => [threads, gpuLayers, prefill.length, decode.length])).toEqual([[8, 0, 1, 0], [16, 0, 0, 1]]);
    expect(groups[0]!.prefill[0]!.us).toBeCloseTo(64 / 23.18 * 1e6, 2);
  });
});

describe("llama-batched-bench", () => {
  test("its table, with the settings printed above it", () => {
    const { tool, groups: [group] } = read("llama-batched-bench.txt");
    expect(tool).toBe("llama-batched-bench");
    expect(group!.settings).toMatchObject({ threads: 24, kvTokens: 16_384, batchTokens: 2_048, passTokens: 512, gpuLayers: 99, flashAttention: true });
    expect(group!.prefill[1]).toEqual({ sequences: 4, tokens: 128, contextTokens: 0, us: 118_000, repetitions: 1, spread: null });
    expect(group!.decode[4]).toEqual({ batch: 8, contextTokens: 512, steps: 64, usPerStep: 987_000 / 64, repetitions: 1, spread: null });
  });

  test("--output-format jsonl tells the same", () => {
    expect(read("llama-batched-bench.jsonl").groups).toEqual(read("llama-batched-bench.txt").groups);
  });

  test("a shared prompt is processed once", () => {
    const { groups: [group] } = readBenchFile(fixture("llama-batched-bench.txt").replace("is_pp_shared = 0", "is_pp_shared = 1"), "f");
    expect(group!.prefill.map(({ sequences }) => sequences)).toEqual([1, 1, 1, 1, 1]);
    expect(group!.decode[4]!.batch).toBe(8);
  });

  test.skipIf(!existsSync(shared))("a CSV of its columns, a group for each model (needs ../shared/data)", () => {
    const { groups, leftOut } = readBenchFile(readFileSync(shared, "utf8"), "dgx-spark.csv");
    expect(groups.map(({ label, prefill, decode }) => [label, prefill.length, decode.length])).toEqual([["gpt-oss-20b-mxfp4", 18, 18], ["qwen2.5-coder-7b-q8_0", 18, 18]]);
    expect(groups[1]!.decode[0]).toEqual({ batch: 1, contextTokens: 512, steps: 32, usPerStep: 1_095_000 / 32, repetitions: 1, spread: null });
    expect(leftOut).toEqual([]);
  });
});

test("a profile of it keeps its schema, and names what it comes from", () => {
  const { tool, groups: [group] } = read("llama-bench.json");
  const profile = importedProfile(tool, group!, { name: null, catalogueModel: null, file: "llama-bench.json", lab: "0.1.0", power: { idleWatts: 10, loadWatts: 140, scope: "board" }, priceUsd: 700 });
  expect(machineProfile.parse(profile)).toEqual(profile);
  expect(profile).toMatchObject({ name: "NVIDIA RTX A4000: Qwen2.5-3B-Instruct-Q8_0", source: { tool: "llama-bench", file: "llama-bench.json" }, machine: { priceUsd: 700 }, measured: { loadUs: null } });
});

describe("what is wrong is told with its line", () => {
  const jsonl = fixture("llama-batched-bench.jsonl");
  test.each([
    ["nothing", "\n", /^f:1:1: found an empty file; allowed: what llama-bench prints/],
    ["prose", "Dear all,\n", /^f:1:1: found a file that begins with "Dear all,"; allowed: what llama-bench prints with -o json/],
    ["the lab's own profile", "{\n  \"schema\": \"infernet-lab/machine-profile\"}", /a machine profile needs no import/],
    ["a negative number", jsonl.replace("\"pl\": 4", "\"pl\": -4"), /^f:2:\d+: pl: found -4; allowed: a whole number of at least 1/],
    ["a missing column", jsonl.replace("\"t_pp\": 0.118000, ", ""), /^f:2:1: t_pp: found nothing; allowed: a number of at least 0/],
    ["half a line", jsonl.slice(0, -40), /^f:5:1: found something that is no JSON; allowed: an object/],
    ["half a list", fixture("llama-bench.json").slice(0, 3_000), /^f:\d+:\d+: .*found .*JSON.*is the file complete\?/],
    ["a wrong value in a list", fixture("llama-bench.json").replace("\"n_gen\": 0", "\"n_gen\": \"many\""), /^f:2:1: \[0\]\.n_gen: found "many"; allowed: a whole number of at least 0/],
    ["a short CSV row", fixture("llama-bench.csv").replace(/,"[^"]*"\n"1d2/, "\n\"1d2"), /^f:2:1: found \d+ values; allowed: \d+, as in the heading/],
    ["a short table row", fixture("llama-batched-bench.txt").replace("|    1 |    192 |", "|    192 |"), /^f:6:1: found 9 columns; allowed: 10, as in the table's heading/],
    ["an unknown test", fixture("llama-bench.md").replace("pp2048", "xx2048"), /^f:6:\d+: test: found "xx2048"; allowed: a test such as pp512, tg128 or tg128 @ d512/],
    ["a speed that is none", fixture("llama-bench.md").replace(/4338\.98|43\d\d\.\d\d/, "fast"), /t\/s: found fast.*; allowed: tokens per second/],
    ["pairs alone", `[${JSON.stringify({ n_prompt: 512, n_gen: 128, avg_ns: 1e9 })}]`, /^f:1:1: found nothing of use \(line 1: a prompt of 512 and 128 generated tokens, timed as one\)/],
    ["an empty list", "[]", /^f:1:1: found no measurement/],
  ])("%s", (_, text, message) => {
    expect(fault(text)).toMatch(message);
  });
});

test("whatever becomes of a file on its way, it is read or refused with the place, and what is read makes a profile", () => {
  const texts = ["llama-bench.json", "llama-bench.jsonl", "llama-bench.csv", "llama-bench.md", "llama-batched-bench.txt", "llama-batched-bench.jsonl"].map(fixture);
  let [taken, refused] = [0, 0];
  fc.assert(fc.property(fc.constantFrom(...texts), fc.nat(), fc.nat({ max: 60 }), fc.constantFrom("", "-", "9999999999", "\"", "|", ",", "null", "\n", "NaN", "[", "}"), (text, where, length, instead) => {
    const at = where % text.length;
    const changed = text.slice(0, at) + instead + text.slice(at + length);
    try {
      const { tool, groups } = readBenchFile(changed, "f");
      for (const group of groups) machineProfile.parse(importedProfile(tool, group, { name: null, catalogueModel: null, file: "f", lab: "0.1.0", power: null, priceUsd: null }));
      taken++;
    } catch (error) {
      expect(error, `${(error as Error).stack}`).toBeInstanceOf(BenchFileError);
      refused++;
    }
  }), { seed: 1, numRuns: 300 });
  expect(Math.min(taken, refused)).toBeGreaterThan(50);
});
