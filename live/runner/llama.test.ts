import { execFile } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { synthesizeModel } from "../gguf/synthesize.ts";
import { promptOfTokens } from "../gguf/vocabulary.ts";
import { until } from "../testing/peers.ts";
import { LlamaRunner, type LlamaRunnerOptions } from "./llama.ts";
import { RunnerError } from "./live-runner.ts";
import { openMeasuring } from "./llama/measure.ts";
import { RunnerEar } from "./testing/ear.ts";
import { llamaSkipped } from "./testing/subjects.ts";

const folder = mkdtempSync(join(tmpdir(), "infernet-llama-"));
const file = join(folder, "model.gguf");
// A thousand tokens take it two seconds: long enough to be caught at them.
beforeAll(() => synthesizeModel({ parameters: 12_000_000, quantisation: "f16", seed: 1, contextTokens: 1_024, file }));
afterAll(() => rmSync(folder, { recursive: true }));

const open = (more: Partial<LlamaRunnerOptions> = {}): LlamaRunner => new LlamaRunner({ file, models: ["m"], gpu: false, contextTokens: 256, tokensIntervalMs: 0, ...more });
const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe("what cannot be loaded is told in words before llama.cpp sees it", () => {
  test("no file, a broken one, too long a context", async () => {
    await expect(open({ file: join(folder, "none") }).start()).rejects.toThrow(`${join(folder, "none")}: there is no such file`);
    const broken = join(folder, "broken.gguf");
    writeFileSync(broken, readFileSync(file));
    truncateSync(broken, 250_000);
    await expect(open({ file: broken }).start()).rejects.toThrow("the file ends before tensor");
    await expect(open({ contextTokens: 1_025 }).start()).rejects.toThrow("a context of 1025 tokens was asked for; the model is made for 1024 at most");
    await expect(open({ contextTokens: 1_025 }).start()).rejects.toThrow(RunnerError);
  });

  test("options out of range", async () => {
    expect(() => open({ slots: 0 })).toThrow("at least one slot");
    await expect(open({ threads: 0 }).start()).rejects.toThrow("threads: a whole number from 1");
    await expect(open({ sampling: { temperature: -1 } }).start()).rejects.toThrow("temperature: 0 or more");
    await expect(open({ sampling: { topP: 0 } }).start()).rejects.toThrow("top-p: above 0");
  });
});

test("a missing node-llama-cpp is told with how to install it", async () => {
  // There is no node_modules above this folder.
  for (const name of ["load.ts", "messages.ts", "model.ts", "side-by-side.ts"]) copyFileSync(new URL(`./llama/${name}`, import.meta.url), join(folder, name));
  const script = `const { loadModel } = await import(${JSON.stringify(pathToFileURL(join(folder, "load.ts")).href)}); await loadModel({}).catch(({ message }) => console.log(message));`;
  const said = await new Promise<string>((resolve) => { execFile(process.execPath, ["--input-type=module", "--eval", script], { cwd: folder }, (_, stdout) => resolve(stdout)); });
  expect(said).toMatch(/^running models in llama\.cpp needs the package node-llama-cpp, which is not installed: npm install node-llama-cpp@3\.21\.1 /);
});

describe.skipIf(llamaSkipped !== "")(`llama.cpp${llamaSkipped === "" ? "" : ` (skipped: ${llamaSkipped})`}`, () => {
  test("says what it does not take, and the node lives on", async () => {
    const strange = join(folder, "strange.gguf");
    const bytes = readFileSync(file);
    // A vector of the wrong length: found by llama.cpp alone.
    bytes.writeBigUInt64LE(32n, bytes.indexOf("output_norm.weight") + "output_norm.weight".length + 4);
    writeFileSync(strange, bytes);
    await expect(open({ file: strange }).start()).rejects.toThrow(new RegExp(`^${strange}: `));
  });

  test("draws by temperature and seed, and ends outputs where it is told to", async () => {
    const runner = open({ slots: 1, sampling: { temperature: 1.5, topK: 100, seed: 5 }, outputTokens: ({ jobId }) => (jobId === "ends" ? 7 : undefined) });
    const ear = new RunnerEar(runner);
    expect(await runner.start()).toMatchObject({ engine: expect.stringMatching(/^llama\.cpp \S+ \(node-llama-cpp 3\.\S+, CPU\)$/), contextTokensMax: 256, kvTokensMax: 256 });
    const submit = (jobId: string, maxOutputTokens: number): void => runner.submit({ jobId, model: "m", inputTokens: 5, maxOutputTokens, priority: 0, prompt: promptOfTokens(5, 1) });
    const text = (jobId: string): string => ear.of(jobId).map((event) => ("text" in event ? event.text : "")).join("");
    submit("a", 12);
    submit("b", 12);
    submit("ends", 12);
    expect(await ear.ended("ends")).toMatchObject({ kind: "finished", outputTokens: 7, finishReason: "stop" });
    // The same seed for every job: jobs do not depend on what was served before.
    expect(text("a")).toBe(text("b"));
    expect(text("a").startsWith(text("ends"))).toBe(true);
    expect(text("a").length).toBeGreaterThan(0);

    const pid = runner.enginePid!;
    await runner.stop();
    expect(isAlive(pid)).toBe(false);
  });

  test("is ended and started again where it stalls", async () => {
    const heard: string[] = [];
    const runner = open({ slots: 1, contextTokens: 1_024, ignoreEos: true, stallMs: 2_000, restartMs: 1, onEngine: (state, detail) => heard.push(`${state}: ${detail}`) });
    const ear = new RunnerEar(runner);
    await runner.start();
    const submit = (jobId: string, maxOutputTokens: number): void => runner.submit({ jobId, model: "m", inputTokens: 5, maxOutputTokens, priority: 0 });
    submit("stalled", 1_000);
    submit("next", 5);
    await ear.until("its first token", ({ kind }) => kind === "first-token");
    process.kill(runner.enginePid!, "SIGSTOP");
    expect(await ear.ended("stalled")).toMatchObject({ kind: "failed", reason: "runner-failed" });
    expect(await ear.ended("next")).toMatchObject({ kind: "finished", outputTokens: 5 });
    expect(heard).toEqual(["lost: llama.cpp was ended by SIGKILL", expect.stringMatching(/^back: llama\.cpp/)]);
    await runner.stop();
  });

  test("gives up loading when it is stopped", async () => {
    const runner = open();
    runner.listen(() => {});
    const started = runner.start();
    await new Promise((resolve) => { setTimeout(resolve, 20); });
    await runner.stop();
    await expect(started).rejects.toThrow("was ended by SIGKILL while loading the model");
    expect(runner.enginePid).toBe(null);
  });

  test("is measured by the same steps as it serves by", async () => {
    const engine = await openMeasuring({ file, gpu: false, slots: 2, contextTokens: 256, batchTokens: 128 });
    expect(engine.facts).toMatchObject({ backend: "cpu", gpuLayers: 0, addsBos: false });
    expect(engine.facts.loadUs).toBeGreaterThan(0);
    const prefill = await engine.prefill(1, 200);
    expect(prefill.map(({ tokens }) => tokens)).toEqual([128, 72]);
    const decode = await engine.decode(2, 3);
    expect(decode.map(({ tokens }) => tokens)).toEqual([2, 2, 2]);
    expect(await engine.mixed(1, 10)).toMatchObject({ tokens: 11 });
    for (const { us, decodeUs } of [...prefill, ...decode]) {
      expect(decodeUs).toBeGreaterThan(0);
      expect(us).toBeGreaterThan(decodeUs);
    }
    await expect(engine.prefill(1, 53)).rejects.toThrow("a context of 256 tokens; 257 do not fit");
    await engine.clear();
    expect(await engine.prefill(2, 256)).toHaveLength(4);
    await engine.close();
  });

  test("ends with the node, however that ends", async () => {
    const script = join(folder, "node.mjs");
    writeFileSync(script, `
      const { LlamaRunner } = await import(${JSON.stringify(new URL("./llama.ts", import.meta.url).href)});
      const runner = new LlamaRunner({ file: ${JSON.stringify(file)}, models: ["m"], gpu: false, contextTokens: 1024 });
      runner.listen((event) => { if (event.kind === "first-token") { console.log(runner.enginePid); setTimeout(() => process.kill(process.pid, "SIGKILL"), 20); } });
      await runner.start();
      runner.submit({ jobId: "j", model: "m", inputTokens: 10, maxOutputTokens: 1000, priority: 0 });
    `);
    const pid = await new Promise<number>((resolve) => { execFile(process.execPath, [script], (_, stdout) => resolve(Number(stdout))); });
    expect(pid).toBeGreaterThan(0);
    await until(() => !isAlive(pid), "the engine is gone");
  });
});
