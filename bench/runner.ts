/** What a runner adds to llama.cpp: time around its decoding, the way to the node's process, and whether jobs truly share batches. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type * as Library from "node-llama-cpp";
import { synthesizeModel } from "../live/gguf/synthesize.ts";
import { openMeasuring } from "../live/runner/llama/measure.ts";
import { LlamaRunner } from "../live/runner/llama.ts";
import type { LiveRunner } from "../live/runner/live-runner.ts";
import { MockRunner } from "../live/runner/mock.ts";
import type { BenchRow } from "./row.ts";

const PROMPT_TOKENS = 20;
const OUTPUT_TOKENS = 400;
const REPETITIONS = 5;

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!;

/** Has all slots serve a job at once, `rounds` times. @returns tokens a second (median round), and this process's CPU time for a token, µs. */
const serve = async (runner: LiveRunner, rounds: number, outputTokens: number): Promise<{ readonly tokensPerS: number; readonly cpuUs: number }> => {
  let left = 0;
  let over = (): void => {};
  runner.listen(({ kind }) => {
    if (kind === "finished" && --left === 0) over();
  });
  await runner.start();
  const speeds: number[] = [];
  let cpuUs = 0;
  for (let round = 0; round < rounds; round++) {
    left = runner.slots;
    const done = new Promise<void>((resolve) => { over = resolve; });
    const before = process.cpuUsage();
    const fromMs = performance.now();
    for (let slot = 0; slot < runner.slots; slot++) runner.submit({ jobId: `${round}-${slot}`, model: "m", inputTokens: PROMPT_TOKENS, maxOutputTokens: outputTokens, priority: 0 });
    await done;
    speeds.push((1_000 * runner.slots * outputTokens) / (performance.now() - fromMs));
    const { user, system } = process.cpuUsage(before);
    cpuUs += user + system;
  }
  await runner.stop();
  return { tokensPerS: median(speeds), cpuUs: cpuUs / (rounds * runner.slots * outputTokens) };
};

/** node-llama-cpp's public way: a loop for each sequence. @returns tokens a second, in this process. */
const plain = async (library: typeof Library, file: string, sequences: number): Promise<number> => {
  const llama = await library.getLlama({ gpu: false, build: "never", skipDownload: true, maxThreads: 1, logLevel: library.LlamaLogLevel.error });
  const model = await llama.loadModel({ modelPath: file });
  const context = await model.createContext({ sequences, contextSize: 512, batchSize: 512, threads: 1 });
  const own = Array.from({ length: sequences }, () => context.getSequence());
  const prompt = Array.from({ length: PROMPT_TOKENS }, (_, at) => 300 + at) as Parameters<(typeof own)[0]["evaluate"]>[0];
  const speeds: number[] = [];
  for (let round = 0; round < REPETITIONS; round++) {
    for (const sequence of own) await sequence.clearHistory();
    const fromMs = performance.now();
    await Promise.all(own.map(async (sequence) => {
      let tokens = 0;
      for await (const _ of sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true })) if (++tokens === OUTPUT_TOKENS) break;
    }));
    speeds.push((1_000 * sequences * OUTPUT_TOKENS) / (performance.now() - fromMs));
  }
  await llama.dispose();
  return median(speeds);
};

/** Rows of the runners; those of llama.cpp where node-llama-cpp is installed. */
export const bench = async (): Promise<readonly BenchRow[]> => {
  const mock = await serve(new MockRunner({ models: ["m"], slots: 4 }), 5_000, PROMPT_TOKENS);
  const rows: BenchRow[] = [{ name: "runner: mock without any time of its own, jobs of 20 tokens", value: mock.tokensPerS / PROMPT_TOKENS, unit: "jobs/s" }];
  const library = await import("node-llama-cpp").catch(() => null);
  if (library === null) return [...rows, { name: "runner: llama.cpp", value: NaN, unit: "", note: "node-llama-cpp is not installed" }];

  const folder = mkdtempSync(join(tmpdir(), "infernet-bench-"));
  try {
    const file = join(folder, "model.gguf");
    await synthesizeModel({ parameters: 1_000_000, quantisation: "q8_0", seed: 1, file });
    for (const slots of [1, 2, 4, 8]) {
      const engine = await openMeasuring({ file, gpu: false, slots, contextTokens: 512 });
      const steps: number[] = [];
      const decodes: number[] = [];
      for (let round = 0; round < REPETITIONS; round++) {
        await engine.clear();
        await engine.prefill(slots, PROMPT_TOKENS);
        const times = await engine.decode(slots, OUTPUT_TOKENS);
        steps.push(times.reduce((sum, { us }) => sum + us, 0) / times.length);
        decodes.push(times.reduce((sum, { decodeUs }) => sum + decodeUs, 0) / times.length);
      }
      await engine.close();
      const options = { file, models: ["m"], gpu: false, slots, contextTokens: 512 } as const;
      const served = await serve(new LlamaRunner(options), REPETITIONS, OUTPUT_TOKENS);
      const usual = await plain(library, file, slots);
      const name = `runner: llama.cpp, model of 1 MB, ${slots} ${slots === 1 ? "sequence" : "sequences"}`;
      rows.push(
        { name: `${name}: tokens at the node, against node-llama-cpp's own loops`, value: served.tokensPerS, unit: "tokens/s", ratio: served.tokensPerS / usual, target: ">= 1x", pass: served.tokensPerS >= usual },
        { name: `${name}: a step, against llama_decode alone`, value: median(steps), unit: "µs", ratio: median(steps) / median(decodes) },
        { name: `${name}: the node's CPU time for a token, told each 50 ms`, value: served.cpuUs, unit: "µs" },
      );
      if (slots > 1) continue;
      const each = await serve(new LlamaRunner({ ...options, tokensIntervalMs: 0 }), REPETITIONS, OUTPUT_TOKENS);
      rows.push({ name: `${name}: the node's CPU time for a token, told one by one`, value: each.cpuUs, unit: "µs" });
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return rows;
};
