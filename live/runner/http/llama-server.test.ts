import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { RunnerJob } from "../../../scheduler/environment.ts";
import { synthesizeModel } from "../../gguf/synthesize.ts";
import { promptOfTokens } from "../../gguf/vocabulary.ts";
import { HttpRunner, type HttpRunnerOptions } from "../http.ts";
import type { RunnerFacts } from "../live-runner.ts";
import { RunnerEar } from "../testing/ear.ts";
import { LlamaServer, llamaServerSkipped } from "../testing/llama-server.ts";

const why = llamaServerSkipped === "" ? "" : ` (skipped: ${llamaServerSkipped})`;

describe.skipIf(why !== "")(`a real llama-server${why}`, () => {
  const file = join(tmpdir(), `infernet-llama-server-faults-${process.pid}.gguf`);
  let server: LlamaServer;
  let runner: HttpRunner;
  let told: string[];
  beforeAll(() => synthesizeModel({ parameters: 25_000_000, quantisation: "q8_0", seed: 1, file }));
  afterAll(() => rmSync(file, { force: true }));
  afterEach(async () => {
    await runner.stop();
    await server.kill();
  });

  const open = async (args: readonly string[], options: Partial<HttpRunnerOptions> = {}): Promise<[RunnerFacts, RunnerEar]> => {
    server = new LlamaServer("--model", file, "--alias", "real", ...args);
    await server.start();
    told = [];
    runner = new HttpRunner({ url: server.url, model: "real", models: ["m"], tokensIntervalMs: 0, ignoreEos: true, onEngine: (state, detail) => told.push(`${state}: ${detail}`), ...options });
    const ear = new RunnerEar(runner);
    // It is loading now.
    return [await runner.start(), ear];
  };
  const job = (jobId: string, inputTokens: number, maxOutputTokens: number, more: Partial<RunnerJob> = {}): RunnerJob =>
    ({ jobId, model: "m", inputTokens, maxOutputTokens, priority: 0, prompt: promptOfTokens(inputTokens, 1), ...more });

  test("is known by what it says of itself", async () => {
    const [facts] = await open(["--ctx-size", "1024", "--parallel", "2"]);
    expect(facts).toMatchObject({ slots: 2, contextTokensMax: 512, kvTokensMax: 1_024, engine: expect.stringMatching(/^llama-server b\d/) as string });
  });

  test("counts prompts and outputs as this vocabulary does, in completions and in chats", async () => {
    const [, ear] = await open(["--ctx-size", "1024", "--parallel", "2"]);
    runner.submit(job("tight", 60, 30));
    expect(await ear.ended("tight")).toMatchObject({ kind: "finished", inputTokens: 60, outputTokens: 30, finishReason: "length" });
    await runner.stop();
    // The model has no template; the server's own one adds to the prompt, at the operator's cost.
    runner = new HttpRunner({ url: server.url, model: "real", models: ["m"], tokensIntervalMs: 0, ignoreEos: true, api: "chat" });
    const chat = new RunnerEar(runner);
    await runner.start();
    runner.submit(job("chat", 60, 30));
    runner.submit(job("wide", 200, 30, { prompt: promptOfTokens(60, 1) }));
    expect(await chat.ended("chat")).toMatchObject({ kind: "finished", inputTokens: 60, outputTokens: 30 });
    const wide = await chat.ended("wide") as { inputTokens: number };
    expect(wide.inputTokens).toBeGreaterThan(60);
    expect(wide.inputTokens).toBeLessThan(200);
  });

  test("refuses what exceeds its slot, whatever was declared", async () => {
    const [, ear] = await open(["--ctx-size", "1024", "--parallel", "2"]);
    runner.submit(job("long", 10, 30, { prompt: promptOfTokens(700, 1) }));
    expect(await ear.ended("long")).toEqual({ kind: "failed", jobId: "long", reason: "input-over-declared" });
    expect(told).toEqual([]);
  });

  test("computes no further for cancelled jobs", async () => {
    const [, ear] = await open(["--ctx-size", "1024", "--parallel", "2"]);
    for (const id of ["a", "b"]) runner.submit(job(id, 10, 500));
    for (const id of ["a", "b"]) await ear.until("its tokens", ({ kind, jobId }) => kind === "tokens" && jobId === id);
    const busy = async (): Promise<number> => (await server.slots()).filter((slot) => slot.is_processing).length;
    expect(await busy()).toBe(2);
    runner.cancel("a");
    for (let tries = 0; tries < 3_000 && await busy() > 1; tries++) await new Promise((resolve) => { setTimeout(resolve, 10); });
    expect(await busy()).toBe(1);
    expect(await ear.ended("b")).toMatchObject({ kind: "finished", outputTokens: 500 });
  });

  test("without -np shares one pool between four slots, which is found out by the first loss, and not lost again", async () => {
    const [facts, ear] = await open(["--ctx-size", "512"]);
    expect(facts).toMatchObject({ slots: 4, contextTokensMax: 512, kvTokensMax: 2_048 });
    const jobs = async (prefix: string): Promise<string[]> => {
      const ids = [1, 2, 3, 4].map((at) => `${prefix}${at}`);
      for (const id of ids) runner.submit(job(id, 10, 240));
      return (await Promise.all(ids.map((id) => ear.ended(id)))).map(({ kind }) => kind);
    };
    expect(await jobs("lost")).toContain("failed");
    expect(told[0]).toMatch(/its slots share 512 tokens of context, and get no more from now on$/);
    expect(await jobs("held")).toEqual(["finished", "finished", "finished", "finished"]);
  });

  test("reads measurements anew each time, and to the token", async () => {
    const [, ear] = await open(["--ctx-size", "2048", "--parallel", "1"]);
    const firstMs: number[] = [];
    for (const id of ["speed", "speed again"]) {
      const sinceMs = performance.now();
      runner.submit({ jobId: id, model: "m", inputTokens: 1_000, maxOutputTokens: 1_000, priority: 0 });
      await ear.until("its first token", ({ kind, jobId }) => kind === "first-token" && jobId === id);
      firstMs.push(performance.now() - sinceMs);
      runner.cancel(id);
    }
    // A prompt that the server still had would take it no time at all.
    expect(firstMs[1]).toBeGreaterThan(firstMs[0]! / 5);
  });
});
