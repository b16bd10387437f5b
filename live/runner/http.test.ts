import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { RunnerJob } from "../../scheduler/environment.ts";
import { HttpRunner, type HttpRunnerOptions } from "./http.ts";
import { RunnerError } from "./live-runner.ts";
import { until } from "../testing/peers.ts";
import { PseudoText } from "./pseudo-text.ts";
import { RunnerEar } from "./testing/ear.ts";
import { type FakeAnswer, FakeOpenAi } from "./testing/fake-openai.ts";

const server = new FakeOpenAi();
let url = "";
beforeAll(async () => void (url = await server.start()));
afterAll(() => server.stop());
beforeEach(() => {
  server.answer = () => ({});
  server.models = { data: [{ id: "fake", max_model_len: 512 }] };
  server.modelsStatus = 200;
  server.requests.length = 0;
  server.aborted = 0;
});

let runners: HttpRunner[] = [];
const open = async (options: Partial<HttpRunnerOptions> = {}): Promise<{ runner: HttpRunner; ear: RunnerEar }> => {
  const runner = new HttpRunner({ url, model: "fake", models: ["m"], tokensIntervalMs: 0, ...options });
  runners.push(runner);
  const ear = new RunnerEar(runner);
  await runner.start();
  return { runner, ear };
};
afterEach(async () => {
  for (const runner of runners) await runner.stop();
  runners = [];
});

const job = (more: Partial<RunnerJob> = {}): RunnerJob => ({ jobId: "j", model: "m", inputTokens: 10, maxOutputTokens: 6, priority: 0, prompt: "one two three", ...more });
const textOf = (ear: RunnerEar): string => ear.of("j").map((event) => ("text" in event ? event.text : "")).join("");

describe("requests", () => {
  test("carry the prompt, the bound, and what was set", async () => {
    const { runner, ear } = await open({ temperature: 0.5, topP: 0.9, seed: 7 });
    runner.submit(job());
    await ear.ended("j");
    expect(server.requests).toEqual([{ model: "fake", prompt: "one two three", max_tokens: 6, temperature: 0.5, top_p: 0.9, seed: 7, stream: true, stream_options: { include_usage: true } }]);
  });

  test("of chats wrap it in a user's message", async () => {
    const { runner, ear } = await open({ api: "chat" });
    runner.submit(job());
    expect(await ear.ended("j")).toMatchObject({ kind: "finished", outputTokens: 6, inputTokens: 3 });
    expect(server.requests[0]).toMatchObject({ messages: [{ role: "user", content: "one two three" }] });
    expect(textOf(ear)).toBe(new PseudoText("one two three").take(6));
  });

  test("without a prompt ask for outputs of full length, of a text of about so many tokens", async () => {
    const { runner, ear } = await open();
    const { prompt: _, ...without } = job();
    runner.submit(without);
    expect(await ear.ended("j")).not.toHaveProperty("inputTokens");
    expect(server.requests[0]).toMatchObject({ ignore_eos: true });
    expect(String(server.requests[0]!["prompt"]).split(" ")).toHaveLength(10);
  });
});

describe("answers", () => {
  test.each<[string, FakeAnswer, object]>([
    ["that end by themselves", { tokens: 4 }, { outputTokens: 4, finishReason: "stop", inputTokens: 3 }],
    ["of several tokens a piece count as the server says", { perChunk: 4 }, { outputTokens: 6, finishReason: "length" }],
    ["of one piece", { perChunk: 6 }, { outputTokens: 6 }],
    ["that are not streamed", { whole: true }, { outputTokens: 6, inputTokens: 3 }],
    ["without counts are counted by pieces, and billed as declared", { usage: false, perChunk: 2 }, { outputTokens: 3 }],
  ])("%s", async (_, answer, end) => {
    server.answer = () => answer;
    const { runner, ear } = await open();
    runner.submit(job());
    expect(await ear.ended("j")).toMatchObject({ kind: "finished", ...end });
    const events = ear.of("j");
    const told = events.reduce((sum, event) => sum + (event.kind === "first-token" ? 1 : event.kind === "tokens" ? event.tokens : 0), 0);
    expect(told).toBe((events.at(-1) as { outputTokens: number }).outputTokens);
    expect(textOf(ear)).toBe(new PseudoText("one two three").take(answer.tokens ?? 6));
  });

  test("of more pieces than tokens are told as no more tokens than allowed, and whole", async () => {
    server.answer = () => ({ usage: false });
    const { runner, ear } = await open();
    // The fake counts words; two of them make it speak past the bound.
    server.answer = (body) => ({ tokens: 9, usage: false, ...(body["max_tokens"] = 9, {}) });
    runner.submit(job());
    expect(await ear.ended("j")).toMatchObject({ outputTokens: 6 });
    expect(textOf(ear)).toBe(new PseudoText("one two three").take(9));
  });

  test("to longer prompts than declared are billed as declared", async () => {
    const { runner, ear } = await open();
    runner.submit(job({ inputTokens: 2 }));
    expect(await ear.ended("j")).toMatchObject({ kind: "finished", inputTokens: 2 });
  });
});

describe("what goes wrong fails the job, and no other", () => {
  test.each<[string, FakeAnswer, string]>([
    ["too many requests", { status: 429 }, "runner-failed"],
    ["a fault of the server", { status: 500 }, "runner-failed"],
    ["a bad request", { status: 400, body: "no such field" }, "runner-failed"],
    ["a context that is too long", { status: 400, body: '{"error":{"message":"This model\'s maximum context length is 512 tokens"}}' }, "context-too-long"],
    ["a connection that breaks before the first token", { after: { tokens: 0, what: "break" } }, "runner-failed"],
    ["one that breaks later", { after: { tokens: 3, what: "break" } }, "runner-failed"],
    ["a server that falls silent", { after: { tokens: 3, what: "stall" } }, "runner-failed"],
    ["one that never speaks", { firstMs: 10_000 }, "runner-failed"],
    ["one that says that it failed", { after: { tokens: 3, what: "error" } }, "runner-failed"],
    ["one that ends without a word", { after: { tokens: 3, what: "end" } }, "runner-failed"],
  ])("%s", async (_, answer, reason) => {
    server.answer = (body) => (body["prompt"] === "one two three" ? answer : {});
    const { runner, ear } = await open({ silenceMs: 1_000, firstTokenMs: 2_000 });
    runner.submit(job());
    runner.submit(job({ jobId: "other", prompt: "four" }));
    expect(await ear.ended("j")).toEqual({ kind: "failed", jobId: "j", reason });
    expect(await ear.ended("other")).toMatchObject({ kind: "finished" });
  });

  test("and cancelled jobs let go of their connection", async () => {
    server.answer = () => ({ firstMs: 50, tokenMs: 50 });
    const { runner, ear } = await open();
    runner.submit(job());
    await ear.until("its first token", ({ kind }) => kind === "first-token");
    runner.cancel("j");
    await until(() => server.aborted > 0, "the server sees it go");
    expect(server.aborted).toBe(1);
  });
});

describe("a server that will not do is told in words", () => {
  const start = (options: Partial<HttpRunnerOptions> = {}): Promise<unknown> => new HttpRunner({ url, model: "fake", models: ["m"], ...options }).start();

  test("nobody there", async () => {
    const gone = new FakeOpenAi();
    const itsUrl = await gone.start();
    await gone.stop();
    await expect(start({ url: itsUrl })).rejects.toThrow(`no server answers at ${itsUrl} (ECONNREFUSED): is it running?`);
  });
  test("another model", async () => {
    await expect(start({ model: "other" })).rejects.toThrow("does not serve other; it serves fake");
  });
  test("a wrong key", async () => {
    server.modelsStatus = 401;
    await expect(start()).rejects.toThrow("refuses the API key (401)");
  });
  test("something else", async () => {
    server.models = { hello: "world" };
    await expect(start()).rejects.toThrow("no OpenAI-compatible server");
    await expect(start()).rejects.toThrow(RunnerError);
  });
  test("no word of its context", async () => {
    server.models = { data: [{ id: "fake" }] };
    await expect(start()).rejects.toThrow("how long a context fake takes: set it");
    expect(await start({ contextTokensMax: 100 })).toMatchObject({ contextTokensMax: 100 });
  });
  test("no list of models is no hindrance", async () => {
    server.modelsStatus = 200;
    server.models = { data: [] };
    expect(await start({ contextTokensMax: 100 })).toMatchObject({ engine: "OpenAI-compatible server", slots: 4 });
  });
  test("no address", () => {
    expect(() => new HttpRunner({ url: "localhost:8080", model: "fake", models: ["m"] })).toThrow("begins with http://");
  });
});
