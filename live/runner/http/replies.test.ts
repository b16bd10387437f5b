import { readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { RunnerJob } from "../../../scheduler/environment.ts";
import { until } from "../../testing/peers.ts";
import { HttpRunner, type HttpRunnerOptions } from "../http.ts";
import { RunnerError } from "../live-runner.ts";
import { RunnerEar } from "../testing/ear.ts";
import { FakeOpenAi } from "../testing/fake-openai.ts";

/**
 * What servers have said, with a synthetic model: llama-server (build 7e4c0a9, August 2026) with two slots of 512 tokens,
 * Ollama (0.17.4, built from its Go module, which knows no version), and vLLM (0.32.0, for CPUs) with a context of 1,024 tokens.
 */
const said = (name: string, of = "llama-server"): Buffer => readFileSync(new URL(`../testing/${of}-replies/${name}`, import.meta.url));
const jsonOf = (name: string, of?: string): unknown => JSON.parse(said(name, of).toString());

const server = new FakeOpenAi();
let url = "";
let runner: HttpRunner;
let told: string[];
beforeAll(async () => void (url = await server.start()));
beforeEach(() => {
  server.models = jsonOf("models.json");
  server.modelsStatus = 200;
  server.others = { "/props": jsonOf("props.json") };
  server.requests.length = 0;
  told = [];
});
afterEach(() => runner.stop());
afterAll(() => server.stop());

const make = (options: Partial<HttpRunnerOptions> = {}): HttpRunner => {
  runner = new HttpRunner({ url, model: "synthetic", models: ["m"], tokensIntervalMs: 0, onEngine: (state, detail) => told.push(`${state}: ${detail}`), ...options });
  return runner;
};
const open = async (options: Partial<HttpRunnerOptions> = {}): Promise<RunnerEar> => {
  const ear = new RunnerEar(make(options));
  await runner.start();
  return ear;
};
const job = (more: Partial<RunnerJob> = {}): RunnerJob => ({ jobId: "j", model: "m", inputTokens: 20, maxOutputTokens: 64, priority: 0, prompt: "the market of", ...more });
const replay = (name: string, { of = "llama-server", bytesAtOnce = 1e6 } = {}): void => void (server.answer = () => ({ replay: { stream: said(name, of), bytesAtOnce } }));

test("slots, context and version are the server's word", async () => {
  expect(await make().start()).toEqual({ engine: "llama-server b1-7e4c0a9", slots: 2, models: ["m"], contextTokensMax: 512, kvTokensMax: 1_024 });
  expect(await make({ slots: 1, contextTokensMax: 256 }).start()).toMatchObject({ slots: 1, contextTokensMax: 256, kvTokensMax: 256 });
  await expect(make({ contextTokensMax: 513 }).start()).rejects.toThrow("has 512 tokens of context for a job, not 513");
});

test.each([1, 7, 1e6])("pieces count as many tokens as they stand for, cut anywhere (%d bytes at once)", async (bytesAtOnce) => {
  replay("completion.sse", { bytesAtOnce });
  const ear = await open();
  runner.submit(job());
  // The last token is the end's own, and has no text.
  expect(await ear.ended("j")).toMatchObject({ kind: "finished", outputTokens: 17, finishReason: "stop", inputTokens: 10 });
  const pieces = ear.of("j").flatMap((event) => (event.kind === "first-token" ? [[0, 1, event.text]] : event.kind === "tokens" ? [[event.firstToken, event.tokens, event.text]] : []));
  expect(pieces).toEqual([[0, 1, "n"], [1, 2, "é"], [3, 1, " "], [4, 1, "5"], [5, 3, "€"], [8, 1, " "], [9, 4, "😀"], [13, 1, " "], [14, 1, "o"], [15, 1, "k"], [16, 1, ""]]);
});

test("chats begin with a role, which is no token, and end with counts in a piece of their own", async () => {
  replay("chat.sse");
  const ear = await open({ api: "chat" });
  runner.submit(job({ maxOutputTokens: 3 }));
  // The template's tokens are beyond what was declared.
  expect(await ear.ended("j")).toMatchObject({ kind: "finished", outputTokens: 3, finishReason: "length", inputTokens: 20 });
  expect(ear.of("j").map((event) => ("text" in event ? event.text : "")).join("")).toBe(" dimi diwi cola");
});

test("a prompt that leaves no room is longer than declared, and says nothing against the server", async () => {
  server.answer = () => ({ status: 400, body: said("context-exceeded.json").toString() });
  const ear = await open();
  runner.submit(job());
  expect(await ear.ended("j")).toEqual({ kind: "failed", jobId: "j", reason: "input-over-declared" });
  expect(told).toEqual([]);
});

test("where slots turn out to share their context, they are given no more than there is", async () => {
  replay("pool-exceeded.sse");
  const ear = await open();
  runner.submit(job());
  expect(await ear.ended("j")).toEqual({ kind: "failed", jobId: "j", reason: "runner-failed" });
  expect(told).toEqual([`failed: ${url}: breaks off (server_error): its slots share 512 tokens of context, and get no more from now on`]);
  expect(runner.kvTokensMax).toBe(512);
  server.answer = () => ({ tokenMs: 1 });
  for (const jobId of ["a", "b"]) runner.submit(job({ jobId, maxOutputTokens: 250 }));
  expect([runner.running, runner.waiting]).toEqual([1, 1]);
  for (const jobId of ["a", "b"]) expect(await ear.ended(jobId)).toMatchObject({ kind: "finished" });
});

test("a server that loads is waited for", async () => {
  server.modelsStatus = 503;
  setTimeout(() => (server.modelsStatus = 200), 100);
  expect(await make().start()).toMatchObject({ slots: 2 });
  server.modelsStatus = 503;
  await expect(make({ loadMs: 0 }).start()).rejects.toThrow(new RunnerError(`${url} is still loading its model`));
});

test("jobs for a server that has started again and loads fail at once, until it is there", async () => {
  const ear = await open({ slots: 1, restartMs: 20, restartMsMax: 20 });
  server.modelsStatus = 503;
  server.answer = () => ({ status: 503, body: said("loading.json").toString() });
  runner.submit(job());
  expect(await ear.ended("j")).toMatchObject({ reason: "runner-failed" });
  expect(told).toEqual([`failed: ${url}: answers 503`]);
  runner.submit(job({ jobId: "waits" }));
  expect(await ear.ended("waits")).toMatchObject({ reason: "runner-failed" });
  expect(new Set(told.slice(1))).toEqual(new Set([`lost: ${url} is still loading its model`]));
  runner.submit(job({ jobId: "late" }));
  expect(await ear.ended("late")).toMatchObject({ reason: "runner-failed" });
  expect(server.requests).toHaveLength(1);
  server.modelsStatus = 200;
  server.answer = () => ({});
  await until(() => told.at(-1)?.startsWith("back") === true, "it is back");
  expect(told.at(-1)).toBe("back: llama-server b1-7e4c0a9");
  runner.submit(job({ jobId: "after" }));
  expect(await ear.ended("after")).toMatchObject({ kind: "finished" });
});

test("measurements send as many tokens as were asked for, never the same", async () => {
  const ear = await open();
  const { prompt: _, ...without } = job();
  for (const jobId of ["a", "b"]) runner.submit({ ...without, jobId });
  for (const jobId of ["a", "b"]) await ear.ended(jobId);
  const [a, b] = server.requests.map(({ prompt }) => prompt as number[]);
  expect(a).toHaveLength(20);
  expect(a!.every((token) => Number.isInteger(token) && token >= 512 && token < 1_024)).toBe(true);
  expect(b).not.toEqual(a);
  expect(server.requests[0]).toMatchObject({ ignore_eos: true, timings_per_token: true });
});

test.each([["completions", "completion.sse"], ["chat", "chat.sse"]] as const)("Ollama's %s say 0 tokens with each piece, and are streamed all the same", async (api, name) => {
  server.models = jsonOf("models.json", "ollama");
  server.others = { "/api/version": jsonOf("version.json", "ollama") };
  replay(name, { of: "ollama" });
  const ear = new RunnerEar(make({ api, contextTokensMax: 512 }));
  // It lists synthetic:latest.
  expect(await runner.start()).toMatchObject({ engine: "Ollama 0.0.0", slots: 4 });
  runner.submit(job({ maxOutputTokens: 4 }));
  expect(await ear.ended("j")).toMatchObject({ kind: "finished", outputTokens: 3, finishReason: "length", inputTokens: 10 });
  expect(ear.of("j").flatMap((event) => ("text" in event ? [event.text] : []))).toEqual([" buga", " cave", " bofa"]);
});

describe("vLLM", () => {
  beforeEach(() => {
    server.models = jsonOf("models.json", "vllm");
    server.others = { "/version": jsonOf("version.json", "vllm") };
  });

  test("says its version and how long a context it takes, not how many jobs at once", async () => {
    expect(await make().start()).toMatchObject({ engine: "vLLM 0.32.0", slots: 4, contextTokensMax: 1_024, kvTokensMax: 4_096 });
  });

  test("counts tokens with each piece, those without a text too", async () => {
    replay("completion.sse", { of: "vllm" });
    const ear = await open();
    runner.submit(job({ maxOutputTokens: 6 }));
    expect(await ear.ended("j")).toMatchObject({ kind: "finished", outputTokens: 6, finishReason: "length", inputTokens: 3 });
    // The last token of the bound is told with the end.
    const pieces = ear.of("j").flatMap((event) => (event.kind === "first-token" ? [[0, 1, event.text]] : event.kind === "tokens" ? [[event.firstToken, event.tokens, event.text]] : []));
    expect(pieces).toEqual([[0, 1, "\ufffd\ufffd\ufffdey"], [1, 3, ""], [4, 1, "fs"], [5, 1, "br"]]);
    expect(server.requests[0]).toMatchObject({ stream_options: { include_usage: true, continuous_usage_stats: true }, max_tokens: 6 });
  });

  test("begins chats with a role and no token", async () => {
    replay("chat.sse", { of: "vllm" });
    const ear = await open({ api: "chat" });
    runner.submit(job({ maxOutputTokens: 4 }));
    expect(await ear.ended("j")).toMatchObject({ kind: "finished", outputTokens: 4, finishReason: "length", inputTokens: 12 });
    expect(ear.of("j").flatMap((event) => ("text" in event ? [event.text] : []))).toEqual(["LM", "262", "262", "262"]);
  });

  test("says how long a prompt is that leaves no room", async () => {
    server.answer = () => ({ status: 400, body: said("context-exceeded.json", "vllm").toString() });
    const ear = await open();
    runner.submit(job());
    expect(await ear.ended("j")).toEqual({ kind: "failed", jobId: "j", reason: "input-over-declared" });
    server.answer = () => ({ status: 400, body: JSON.stringify({ error: { message: "max_tokens=1020 cannot be greater than max_model_len=512. Please request fewer output tokens.", type: "BadRequestError", code: 400 } }) });
    runner.submit(job({ jobId: "bound", maxOutputTokens: 1_000 }));
    expect(await ear.ended("bound")).toEqual({ kind: "failed", jobId: "bound", reason: "context-too-long" });
    expect(told).toEqual([]);
  });

  test("is measured with as many tokens as were asked for", async () => {
    const ear = await open();
    const { prompt: _, ...without } = job();
    runner.submit(without);
    await ear.ended("j");
    const prompt = server.requests[0]!["prompt"] as number[];
    expect(prompt).toHaveLength(20);
    expect(prompt.every((token) => Number.isInteger(token) && token >= 1_000 && token < 2_000)).toBe(true);
    expect(server.requests[0]).toMatchObject({ ignore_eos: true });
  });
});
