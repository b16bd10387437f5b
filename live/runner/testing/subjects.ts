import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { synthesizeModel } from "../../gguf/synthesize.ts";
import { promptOfTokens } from "../../gguf/vocabulary.ts";
import { HttpRunner } from "../http.ts";
import type { LiveRunner } from "../live-runner.ts";
import { LlamaRunner } from "../llama.ts";
import { MockRunner } from "../mock.ts";
import { FakeOpenAi } from "./fake-openai.ts";
import { LlamaServer, llamaServerSkipped } from "./llama-server.ts";

/** What every runner is tested with. Their model is called "m"; their contexts hold 512 tokens; the engine is slow enough to be caught at work. */
export interface SubjectOptions {
  readonly slots: number;
  readonly queueLimit?: number;
  readonly tokensIntervalMs?: number;
}

/** A kind of runner under test. */
export interface Subject {
  readonly name: string;
  /** "": it can be tested here. */
  readonly skipped: string;
  /** Whether prompts are counted, and fail where they are longer than declared. */
  readonly counts: boolean;
  prepare(): Promise<void>;
  dispose(): Promise<void>;
  runner(options: SubjectOptions): LiveRunner;
  /** One that cannot start. */
  broken(): LiveRunner;
  /** A prompt of so many tokens. */
  prompt(tokens: number): string;
  /** Kills the engine behind it. */
  crash(runner: LiveRunner): void;
}

const mock: Subject = {
  name: "mock",
  skipped: "",
  counts: false,
  prepare: () => Promise.resolve(),
  dispose: () => Promise.resolve(),
  runner: (options) => new MockRunner({ models: ["m"], contextTokensMax: 512, prefillTokensPerS: 50_000, decodeTokensPerS: 400, restartMs: 10, ...options }),
  broken: () => new MockRunner({ models: ["m"], failStart: "there is no engine" }),
  prompt: (tokens) => promptOfTokens(tokens, 1),
  crash: (runner) => (runner as MockRunner).crash(),
};

const http = (): Subject => {
  const server = new FakeOpenAi();
  let url = "";
  server.answer = () => ({ tokenMs: 1 });
  return {
    name: "http",
    skipped: "",
    counts: false,
    prepare: async () => void (url = await server.start()),
    dispose: () => server.stop(),
    runner: (options) => new HttpRunner({ url, model: "fake", models: ["m"], tokensIntervalMs: 0, ...options }),
    broken: () => new HttpRunner({ url: "http://127.0.0.1:1/v1", model: "fake", models: ["m"] }),
    prompt: (tokens) => promptOfTokens(tokens, 1),
    crash: () => server.breakAll(),
  };
};

const llamaServer = (): Subject => {
  const file = join(tmpdir(), `infernet-llama-server-${process.pid}.gguf`);
  const server = new LlamaServer("--model", file, "--alias", "real", "--ctx-size", "1024", "--parallel", "2");
  return {
    name: "http (llama-server)",
    skipped: llamaServerSkipped,
    counts: false,
    prepare: async () => {
      await synthesizeModel({ parameters: 5_000_000, quantisation: "q8_0", seed: 1, file });
      await server.start();
    },
    dispose: async () => {
      await server.kill();
      rmSync(file, { force: true });
    },
    // What it was started with is found out; it is back sooner than it is looked for.
    runner: (options) => new HttpRunner({ url: server.url, model: "real", models: ["m"], tokensIntervalMs: 0, ignoreEos: true, restartMs: 2_000, ...options }),
    broken: () => new HttpRunner({ url: server.url, model: "other", models: ["m"] }),
    prompt: (tokens) => promptOfTokens(tokens, 1),
    crash: () => void server.kill().then(() => server.start()),
  };
};

/** Whether node-llama-cpp is there. */
export const llamaSkipped = ((): string => {
  try {
    import.meta.resolve("node-llama-cpp");
    return "";
  } catch {
    return "node-llama-cpp is not installed";
  }
})();

const llama = (): Subject => {
  // Made only where the subject is prepared: some import this file for other things.
  let folder = "";
  let file = "";
  return {
    name: "llama",
    skipped: llamaSkipped,
    counts: true,
    prepare: async () => {
      folder = mkdtempSync(join(tmpdir(), "infernet-llama-"));
      file = join(folder, "model.gguf");
      // 500 tokens take it a second.
      await synthesizeModel({ parameters: 12_000_000, quantisation: "f16", seed: 1, file });
    },
    dispose: () => Promise.resolve(rmSync(folder, { recursive: true })),
    runner: (options) => new LlamaRunner({ file, models: ["m"], gpu: false, contextTokens: 512, batchTokens: 64, tokensIntervalMs: 0, restartMs: 10, ignoreEos: true, ...options }),
    broken: () => new LlamaRunner({ file: join(folder, "none.gguf"), models: ["m"], gpu: false }),
    prompt: (tokens) => promptOfTokens(tokens, 1),
    crash: (runner) => void process.kill((runner as LlamaRunner).enginePid!, "SIGKILL"),
  };
};

export const subjects: readonly Subject[] = [mock, http(), llamaServer(), llama()];
