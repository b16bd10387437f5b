import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { machineProfile } from "../../protocol/profile.ts";
import type { MachineProfile } from "../../protocol/profile.ts";
import { ownProfile } from "./own-profile.ts";
import { contextNeeded, planRound, quickGrid, usualGrid } from "./plan.ts";
import { type BenchEngine, runBench, type TimedStep } from "./run.ts";
import { summarise } from "./statistics.ts";
import { fileSha256, profileText, writeProfile } from "./write-profile.ts";

const folder = mkdtempSync(join(tmpdir(), "infernet-bench-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Half of the time somebody else is on the processor. */
const timed = (us: number): TimedStep => ({ us, cpuUs: us / 2 });

/** An engine that follows a rule: 10 µs a prompt token, 100 µs a step and 20 for each sequence, 0.1 for each token of context. */
class RuledEngine implements BenchEngine {
  readonly contexts: number[] = [];
  calls = 0;

  #grow(sequences: number, tokens: number): number {
    let before = 0;
    for (let i = 0; i < sequences; i++) {
      before += this.contexts[i] ?? 0;
      this.contexts[i] = (this.contexts[i] ?? 0) + tokens;
    }
    this.calls++;
    return before;
  }

  async prefill(sequences: number, tokens: number): Promise<TimedStep[]> {
    const before = this.#grow(sequences, tokens);
    return [timed(10 * sequences * tokens), timed(0.1 * before)];
  }

  async decode(sequences: number, steps: number): Promise<TimedStep[]> {
    return Array.from({ length: steps }, () => timed(100 + 20 * sequences + 0.1 * this.#grow(sequences, 1)));
  }

  async mixed(sequences: number, promptTokens: number): Promise<TimedStep> {
    const before = this.#grow(sequences, 1);
    this.contexts[sequences] = (this.contexts[sequences] ?? 0) + promptTokens;
    return timed(100 + 20 * sequences + 0.1 * before + 10 * promptTokens);
  }

  async clear(): Promise<void> {
    this.contexts.length = 0;
  }
}

const grid = { prompts: [16, 64], contexts: [32, 128], batches: [1, 2, 4], steps: 8, contextTokens: 256, batchTokens: 128 };

describe("the plan", () => {
  test("keeps within the context, whatever is asked", () => {
    for (const contextTokens of [40, 64, 256, 4_096]) {
      const used: number[] = [];
      for (const step of planRound({ ...grid, ...usualGrid, contextTokens })) {
        if (step.kind === "clear") used.length = 0;
        else if (step.kind === "prefill") for (let i = 0; i < step.sequences; i++) used[i] = (used[i] ?? 0) + step.tokens;
        else if (step.kind === "decode") for (let i = 0; i < step.batch; i++) used[i] = (used[i] ?? 0) + step.steps;
        else used[step.batch] = (used[step.batch] ?? 0) + step.promptTokens;
        expect(Math.max(0, ...used)).toBeLessThanOrEqual(contextTokens);
      }
    }
  });

  test("measures every batch at every context, and every prompt, where there is room", () => {
    for (const usual of [usualGrid, quickGrid]) {
      const plan = planRound({ ...usual, contextTokens: contextNeeded(usual), batchTokens: 512 });
      expect(plan.filter(({ kind }) => kind === "decode")).toHaveLength(usual.batches.length * usual.contexts.length);
      expect(plan.filter((step) => step.kind === "prefill" && step.sequences === 1).length).toBeGreaterThanOrEqual(usual.prompts.length + usual.contexts.length);
      expect(plan.filter(({ kind }) => kind === "mixed")).toHaveLength(usual.batches.length - 1);
    }
  });
});

describe("the run", () => {
  test("knows each sequence's context, and takes medians over the rounds", async () => {
    const engine = new RuledEngine();
    const signal = new AbortController().signal;
    const { prefill, decode, mixed } = await runBench(engine, planRound(grid), 3, signal, () => {});
    for (const { sequences, tokens, contextTokens, us, repetitions } of prefill) {
      expect(us).toBeCloseTo(10 * sequences * tokens + 0.1 * sequences * contextTokens, 3);
      expect(repetitions).toBeGreaterThanOrEqual(3);
    }
    for (const { batch, contextTokens, steps, usPerStep } of decode) expect(usPerStep).toBeCloseTo(100 + 20 * batch + 0.1 * batch * (contextTokens + (steps - 1) / 2), 3);
    expect(decode.map(({ batch, contextTokens }) => [batch, contextTokens])).toEqual([[4, 32], [2, 40], [1, 48], [4, 128], [2, 136], [1, 144]]);
    expect(mixed).toEqual([1, 2].map((batch) => ({ batch, contextTokens: 32, promptTokens: 64, promptContextTokens: 32, us: 100 + 20 * batch + 0.1 * batch * 32 + 640, repetitions: 3, spread: { minUs: expect.any(Number), maxUs: expect.any(Number), sdUs: 0 } })));
  });

  test("by the processor's time, where that is asked for", async () => {
    const { prefill: [prompt], decode, mixed } = await runBench(new RuledEngine(), planRound(grid), 1, new AbortController().signal, () => {}, "cpu");
    expect(prompt!.us).toBe(80);
    expect(decode[0]!.usPerStep).toBeCloseTo((100 + 80 + 0.4 * (32 + 3.5)) / 2, 3);
    expect(mixed[0]!.us).toBeCloseTo((100 + 20 + 3.2 + 640) / 2, 3);
  });

  test("stopped, it keeps what was measured until then", async () => {
    const engine = new RuledEngine();
    const stopper = new AbortController();
    const seen: [number, number][] = [];
    const { prefill, decode } = await runBench(engine, planRound(grid), 5, stopper.signal, (done, all) => {
      seen.push([done, all]);
      if (seen.length === 6) stopper.abort();
    });
    expect(prefill.length).toBeGreaterThan(0);
    expect(decode).toEqual([]);
    expect(seen.every(([done, all], i) => done <= all && (i === 0 || done >= seen[i - 1]![0]))).toBe(true);
    stopper.abort();
    const calls = engine.calls;
    expect(await runBench(engine, planRound(grid), 5, stopper.signal, () => {})).toEqual({ prefill: [], decode: [], mixed: [] });
    expect(engine.calls).toBe(calls);
  });

  test("progress is in proportion to the time, once it has seen each kind", async () => {
    const shares: number[] = [];
    await runBench(new RuledEngine(), planRound(grid), 10, new AbortController().signal, (done, all) => void shares.push(done / all));
    const half = shares[Math.floor(shares.length / 2)]!;
    expect(half).toBeGreaterThan(0.4);
    expect(half).toBeLessThan(0.6);
    expect(shares.at(-1)).toBe(1);
  });
});

test("median and spread", () => {
  expect(summarise([5, 1, 3])).toEqual({ medianUs: 3, repetitions: 3, spread: { minUs: 1, maxUs: 5, sdUs: 2 } });
  expect(summarise([4, 2])).toMatchObject({ medianUs: 3, spread: { sdUs: 1.414 } });
  expect(summarise([7])).toEqual({ medianUs: 7, repetitions: 1, spread: null });
});

describe("the profile", async () => {
  const measured = { loadUs: 1_234, ...await runBench(new RuledEngine(), planRound(grid), 2, new AbortController().signal, () => {}) };
  const profile: MachineProfile = ownProfile({
    name: "here", date: "2026-11-21T20:00:00Z", interrupted: false, clock: "wall",
    machine: { cpu: null, memory: null, gpus: [], os: null, power: null, priceUsd: null },
    model: { file: "/m/x.gguf", fileBytes: 10, name: "", architecture: "llama", quantisation: "Q8_0", parameters: 9, activeParameters: 9, weightBytes: 9, layers: 1, embedding: 1, heads: 1, kvHeads: 1, feedForward: 1, experts: 0, expertsUsed: 0, vocabulary: 3, contextTokensMax: 512, kvBytesPerToken: 4, parts: 1 },
    catalogueModel: null, sha256: null, engine: { release: "b1", engine: "llama.cpp b1", backend: "cpu", gpuLayers: 0 },
    settings: { threads: 1, slots: 4, contextTokens: 256, batchTokens: 128 }, measured, lab: "0.1.0",
  });

  test("keeps its schema, and reads well", () => {
    const text = profileText(profile);
    expect(machineProfile.parse(JSON.parse(text))).toEqual(profile);
    expect(profile.model.name).toBe("x.gguf");
    expect(text).toMatch(/^ +\{ "sequences": 1, "tokens": 16, "contextTokens": 0, "us": 160, "repetitions": 2, "spread": \{ .* \} \},?$/m);
    expect(() => profileText({ ...profile, date: "today" })).toThrow();
  });

  test("is written whole or not at all", () => {
    const file = join(folder, "p.json");
    writeProfile(file, profile);
    writeProfile(file, { ...profile, name: "there" });
    expect((JSON.parse(readFileSync(file, "utf8")) as MachineProfile).name).toBe("there");
    expect(() => writeProfile(file, { ...profile, name: "" })).toThrow();
    expect((JSON.parse(readFileSync(file, "utf8")) as MachineProfile).name).toBe("there");
    expect(() => writeProfile(join(folder, "none", "p.json"), profile)).toThrow(/ENOENT/);
    expect(readdirSync(folder)).toEqual(["p.json"]);
  });

  test("knows the model file by its hash", async () => {
    const file = join(folder, "abc");
    writeFileSync(file, "abc");
    expect(await fileSha256(file, 3)).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect(await fileSha256(join(folder, "huge"), 2 ** 40)).toBeNull();
    rmSync(file);
    expect(existsSync(file)).toBe(false);
  });
});
