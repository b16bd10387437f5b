import { afterEach, beforeAll, describe, expect, test } from "vitest";
import type { RunnerJob } from "../../../scheduler/environment.ts";
import { HttpRunner, type HttpRunnerOptions } from "../http.ts";
import { RunnerEar } from "../testing/ear.ts";

/** A vLLM that runs, with `--max-num-seqs 4` at least and a context of 1,024 tokens at least: http://127.0.0.1:8000/v1. */
const url = process.env["INFERNET_VLLM"] ?? "";
const why = url === "" ? " (skipped: INFERNET_VLLM names no vLLM's address)" : "";

describe.skipIf(why !== "")(`a real vLLM${why}`, () => {
  let model = "";
  let runner: HttpRunner;
  let told: string[];
  beforeAll(async () => {
    const { data } = await (await fetch(`${url}/models`)).json() as { data: { id: string }[] };
    model = data[0]!.id;
  });
  afterEach(() => runner.stop());

  const open = async (options: Partial<HttpRunnerOptions> = {}): Promise<RunnerEar> => {
    told = [];
    runner = new HttpRunner({ url, model, models: ["m"], tokensIntervalMs: 0, ignoreEos: true, onEngine: (state, detail) => told.push(`${state}: ${detail}`), ...options });
    const ear = new RunnerEar(runner);
    expect(await runner.start()).toMatchObject({ engine: expect.stringMatching(/^vLLM \d/) as string, slots: options.slots ?? 4 });
    return ear;
  };
  const job = (jobId: string, inputTokens: number, maxOutputTokens: number, prompt?: string): RunnerJob =>
    ({ jobId, model: "m", inputTokens, maxOutputTokens, priority: 0, ...(prompt === undefined ? {} : { prompt }) });
  const metric = async (name: string): Promise<number> => {
    const metrics = await (await fetch(url.replace(/v1$/, "metrics"))).text();
    return Number(new RegExp(`^${name}\\{[^}]*\\} (\\S+)$`, "m").exec(metrics)?.[1]);
  };
  const busy = async (): Promise<number> => await metric("vllm:num_requests_running") + await metric("vllm:num_requests_waiting");
  const until = async (jobs: number): Promise<void> => {
    for (let tries = 0; tries < 500 && await busy() !== jobs; tries++) await new Promise((resolve) => { setTimeout(resolve, 10); });
    expect(await busy()).toBe(jobs);
  };

  test.each(["completions", "chat"] as const)("writes as many tokens as it should, several jobs at once (%s)", async (api) => {
    const ear = await open({ api });
    const ids = ["a", "b", "c", "d", "e", "f"];
    for (const id of ids) runner.submit(job(id, 100, 64, "the market of tokens"));
    expect([runner.running, runner.waiting]).toEqual([4, 2]);
    for (const id of ids) expect(await ear.ended(id)).toMatchObject({ kind: "finished", outputTokens: 64, finishReason: "length" });
    expect(told).toEqual([]);
  });

  test("streams", async () => {
    const ear = await open();
    runner.submit(job("j", 50, 64));
    await ear.ended("j");
    // A piece may hold more than one token, but not many.
    expect(ear.of("j").filter(({ kind }) => kind === "tokens").length).toBeGreaterThan(16);
  });

  test("reads measurements to the token", async () => {
    const ear = await open();
    const before = await metric("vllm:prompt_tokens_total");
    runner.submit(job("j", 500, 16));
    expect(await ear.ended("j")).toMatchObject({ kind: "finished", outputTokens: 16 });
    expect(await metric("vllm:prompt_tokens_total") - before).toBe(500);
  });

  test("computes no further for cancelled jobs", async () => {
    const ear = await open();
    for (const id of ["a", "b"]) runner.submit(job(id, 10, 900));
    for (const id of ["a", "b"]) await ear.until("its tokens", ({ kind, jobId }) => kind === "tokens" && jobId === id);
    await until(2);
    runner.cancel("a");
    await until(1);
    runner.cancel("b");
    await until(0);
  });

  test("refuses what exceeds its context, whatever was declared", async () => {
    const ear = await open();
    runner.submit(job("long", 10, 30, "market ".repeat(200_000)));
    expect(await ear.ended("long")).toEqual({ kind: "failed", jobId: "long", reason: "input-over-declared" });
    expect(told).toEqual([]);
  });
});
