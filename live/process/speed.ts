import type { RunnerEvent } from "../../scheduler/environment.ts";
import { type LiveRunner, RunnerError, type RunnerFacts } from "../runner/live-runner.ts";

/** Tokens per second of an idle node. */
export interface Speed {
  readonly prefillTokensPerS: number;
  readonly decodeTokensPerS: number;
}

/** Length of the job that is measured, tokens. */
const INPUT_TOKENS = 128;
const OUTPUT_TOKENS = 32;
/** Faster than this is not claimed: clocks and events are not finer. */
const FASTEST_PER_S = 1e6;

/** Measures a started runner by one short job: what a node claims of itself until its operator says better. @throws RunnerError where the job fails */
export async function measureSpeed(runner: LiveRunner, facts: RunnerFacts, listen: (onEvent: (event: RunnerEvent) => void) => void): Promise<Speed> {
  const jobId = "speed-of-this-node";
  const inputTokens = Math.max(1, Math.min(INPUT_TOKENS, Math.floor(facts.contextTokensMax / 2)));
  const maxOutputTokens = Math.max(1, Math.min(OUTPUT_TOKENS, facts.contextTokensMax - inputTokens));
  let firstMs = 0;
  let startedMs = 0;
  const outputTokens = await new Promise<number>((resolve, reject) => {
    listen((event) => {
      if (event.jobId !== jobId) return;
      if (event.kind === "started") startedMs = performance.now();
      else if (event.kind === "first-token") firstMs = performance.now();
      else if (event.kind === "finished") resolve(event.outputTokens);
      else if (event.kind === "failed") reject(new RunnerError(`the model does not answer: a first job of ${inputTokens} tokens failed (${event.reason})`));
    });
    startedMs = performance.now();
    runner.submit({ jobId, model: facts.models[0]!, inputTokens, maxOutputTokens, priority: 0 });
  });
  const endMs = performance.now();
  const perS = (tokens: number, ms: number): number => Math.min(FASTEST_PER_S, Math.max(0.001, (1_000 * Math.max(1, tokens)) / Math.max(0.001, ms)));
  return { prefillTokensPerS: perS(inputTokens, firstMs - startedMs), decodeTokensPerS: perS(outputTokens - 1, endMs - firstMs) };
}
