import fc from "fast-check";
import { expect, test } from "vitest";
import { BatchEngine } from "./batch.ts";
import { affineCost } from "./cost.ts";
import type { Engine, EngineSink } from "./engine.ts";
import { llamaCppEngine } from "./llama-cpp.ts";
import { sequentialRules } from "./sequential.ts";
import { vllmEngine } from "./vllm.ts";

interface Heard {
  readonly finished: Map<number, number>;
  readonly progress: [number, number][];
}

/** Jobs of so many tokens that come one after the other, played to the end; whoever is watched is watched anew at each word. */
function played(engine: Engine, jobs: readonly { readonly gapUs: number; readonly input: number; readonly output: number; readonly every: number }[]): Heard {
  const heard: Heard = { finished: new Map(), progress: [] };
  const watched = new Map<number, number>();
  let again: number[] = [];
  const sink: EngineSink = {
    started() {}, firstToken() {}, preempted() {},
    finished(ref, atUs) { heard.finished.set(ref, atUs); },
    progress(ref, atUs) { heard.progress.push([ref, atUs]); again.push(ref); },
  };
  let nowUs = 0;
  const advance = (untilUs: number): void => {
    while (engine.nextUs <= untilUs) {
      nowUs = engine.nextUs;
      engine.advance(nowUs, sink);
      for (const ref of again) {
        watched.set(ref, watched.get(ref)! + jobs[ref]!.every);
        engine.watch!(nowUs, ref, watched.get(ref)!);
      }
      again = [];
    }
    nowUs = untilUs;
  };
  jobs.forEach(({ gapUs, input, output, every }, ref) => {
    advance(nowUs + gapUs);
    engine.submit(nowUs, ref, input, output, 0);
    if (every > 0) {
      watched.set(ref, every);
      engine.watch!(nowUs, ref, every);
    }
  });
  advance(2 ** 50);
  return heard;
}

const cost = affineCost({ t0Us: 9_000, perSequenceUs: 300, perPrefillTokenUs: 20, contextUs: 0.5, prefillContextUs: 0.01 });
const engines: Record<string, () => Engine> = {
  "llama.cpp": () => llamaCppEngine({ cost, slots: 3, contextTokens: 400, kvTokensMax: 1_200, batchTokens: 64 }),
  vllm: () => vllmEngine({ cost, kvTokensMax: 480, maxSequences: 4, batchTokens: 64, contextTokens: 400 }),
  sequential: () => new BatchEngine(sequentialRules({ cost, contextTokens: 400, batchTokens: 64 })),
};
const jobs = fc.array(fc.record({ gapUs: fc.integer({ min: 0, max: 900_000 }), input: fc.integer({ min: 1, max: 100 }), output: fc.integer({ min: 1, max: 200 }), every: fc.constantFrom(0, 1, 7, 50) }), { minLength: 1, maxLength: 12 });

test.each(Object.keys(engines))("%s: watching a job changes nothing but what is said of it", (name) => {
  fc.assert(fc.property(jobs, (list) => {
    const watched = played(engines[name]!(), list);
    const plain = played(engines[name]!(), list.map((job) => ({ ...job, every: 0 })));
    expect([...watched.finished]).toEqual([...plain.finished]);
    expect(plain.progress).toEqual([]);
    // A job with so many tokens is told of as often as it reaches a multiple before its end.
    list.forEach(({ output, every }, ref) => {
      expect(watched.progress.filter(([of]) => of === ref)).toHaveLength(every === 0 ? 0 : Math.ceil(output / every) - 1);
    });
  }), { seed: 1, numRuns: 150 });
});

test.each(Object.keys(engines))("%s: alone, a job has so many tokens when a job of just so many is finished", (name) => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 2, max: 200 }), fc.integer({ min: 2, max: 200 }), (input, output, tokens) => {
    const { progress } = played(engines[name]!(), [{ gapUs: 5, input, output, every: tokens }]);
    const shorter = played(engines[name]!(), [{ gapUs: 5, input, output: tokens, every: 0 }]);
    expect(progress[0]?.[1]).toBe(output > tokens ? shorter.finished.get(0) : undefined);
  }), { seed: 2, numRuns: 150 });
});
