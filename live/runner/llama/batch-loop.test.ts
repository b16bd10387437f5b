import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { BatchLoop } from "./batch-loop.ts";
import type { ChildEvent, ChildJob } from "./messages.ts";
import type { BatchModel, StepPart } from "./model.ts";

const END = 9;

/** A model whose every token is 7, whose prompt has one token a letter, and whose steps wait to be let go. */
class FakeModel implements BatchModel {
  readonly sequences: number;
  readonly batchTokens: number;
  readonly lastDecodeUs = 5;
  readonly emptyPrompt = 1;
  /** What was asked of each step: sequence, position and number of tokens. */
  readonly steps: string[] = [];
  readonly forgotten: number[] = [];
  samplers = 0;
  next = 7;
  #release: ((picked: readonly number[]) => void) | null = null;
  #reject: ((error: Error) => void) | null = null;
  #parts: readonly StepPart[] = [];

  constructor(sequences: number, batchTokens: number) {
    this.sequences = sequences;
    this.batchTokens = batchTokens;
  }
  tokenize(text: string): readonly number[] {
    return [...text].map((letter) => letter.charCodeAt(0));
  }
  detokenize(tokens: readonly number[]): string {
    return tokens.map((token) => (token === 7 ? "x" : token === END ? "" : "p")).join("");
  }
  isEnd(token: number): boolean {
    return token === END;
  }
  newSampler(): { dispose(): void } {
    this.samplers++;
    return { dispose: () => void this.samplers-- };
  }
  forget(sequence: number): void {
    this.forgotten.push(sequence);
  }
  step(parts: readonly StepPart[]): Promise<readonly number[]> {
    this.steps.push(parts.map(({ sequence, position, tokens, sampler }) => `${sequence}@${position}+${tokens.length}${sampler === null ? "" : "!"}`).join(" "));
    this.#parts = parts;
    return new Promise((resolve, reject) => {
      this.#release = resolve;
      this.#reject = reject;
    });
  }
  /** Lets so many steps end, one after the other. */
  async finish(steps = 1): Promise<void> {
    for (let step = 0; step < steps; step++) {
      this.#release!(this.#parts.map(({ sampler }) => (sampler === null ? -1 : this.next)));
      await turn();
    }
  }
  async fail(): Promise<void> {
    this.#reject!(new Error("could not find a KV slot"));
    await turn();
  }
}

const turn = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });

const setUp = (sequences: number, batchTokens: number, tokensIntervalMs = 0): { model: FakeModel; loop: BatchLoop; told: ChildEvent[]; sends: ChildEvent[][]; faults: string[] } => {
  const model = new FakeModel(sequences, batchTokens);
  const told: ChildEvent[] = [];
  const sends: ChildEvent[][] = [];
  const faults: string[] = [];
  const loop = new BatchLoop(model, { vocabulary: 100, contextTokens: 64, tokensIntervalMs, tell: (events) => { told.push(...events); sends.push([...events]); }, fault: (words) => void faults.push(words) });
  return { model, loop, told, sends, faults };
};

const job = (ref: number, prompt: string, maxOutputTokens: number, more: Partial<ChildJob> = {}): ChildJob =>
  ({ ref, prompt, inputTokens: prompt.length, maxOutputTokens, endsAt: null, ignoreEos: false, seed: ref, ...more });

const of = (told: readonly ChildEvent[], ref: number): string[] =>
  told.filter((event) => event.ref === ref).map((event) => (event.kind === "tokens" ? `${event.count}:${event.text}` : event.kind === "finished" ? event.reason : event.kind === "failed" ? event.reason : `started ${event.inputTokens}`));

describe("batches", () => {
  test("hold a token of every writing sequence first, then prompts in the order of admission", async () => {
    const { model, loop, told } = setUp(3, 8);
    loop.run(job(1, "abcdef", 3));
    loop.run(job(2, "abcdefgh", 3));
    loop.run(job(3, "abc", 2));
    await turn();
    await model.finish(6);
    expect(model.steps).toEqual([
      "0@0+6!",
      // The first writes; the others share what room there is.
      "0@6+1! 1@0+7",
      "0@7+1! 1@7+1! 2@0+3!",
      "1@8+1! 2@3+1!",
      "1@9+1!",
    ].slice(0, model.steps.length));
    expect(model.steps).toHaveLength(5);
    expect(of(told, 1)).toEqual(["started 6", "1:x", "1:x", "1:x", "length"]);
    expect(of(told, 2)).toEqual(["started 8", "1:x", "1:x", "1:x", "length"]);
    expect(of(told, 3)).toEqual(["started 3", "1:x", "1:x", "length"]);
    expect(model.samplers).toBe(0);
  });

  test("a prompt's start is told when its first tokens are computed, not when it is given", async () => {
    const { model, loop, told } = setUp(2, 4);
    loop.run(job(1, "abcdefgh", 1));
    loop.run(job(2, "ab", 1));
    await turn();
    expect(told).toEqual([{ kind: "started", ref: 1, inputTokens: 8 }]);
    await model.finish(2);
    expect(of(told, 2)).toEqual(["started 2"]);
  });

  test("jobs beyond the sequences wait, and find an empty sequence", async () => {
    const { model, loop } = setUp(1, 8);
    loop.run(job(1, "ab", 1));
    loop.run(job(2, "abc", 1));
    await turn();
    await model.finish();
    expect(model.steps).toEqual(["0@0+2!", "0@0+3!"]);
    expect(model.forgotten.length).toBeGreaterThanOrEqual(2);
  });
});

describe("outputs end", () => {
  test.each([
    ["where the model ends them", { }, END, ["1:", "stop"]],
    ["not there, where that is to be ignored", { ignoreEos: true }, END, ["1:", "1:", "1:", "length"]],
    ["by decree", { endsAt: 2 }, 7, ["1:x", "1:x", "stop"]],
    ["by a decree that is the bound", { endsAt: 3 }, 7, ["1:x", "1:x", "1:x", "stop"]],
    ["at the bound, whatever the decree", { endsAt: 4 }, 7, ["1:x", "1:x", "1:x", "length"]],
  ] as const)("%s", async (_, more, next, events) => {
    const { model, loop, told } = setUp(1, 8);
    model.next = next;
    loop.run(job(1, "ab", 3, more));
    await turn();
    for (let step = 0; step < 3 && !told.some(({ kind }) => kind === "finished"); step++) await model.finish();
    expect(of(told, 1).slice(1)).toEqual(events);
    const text = of(told, 1).filter((event) => event.includes(":")).map((event) => event.slice(2)).join("");
    expect(told.at(-1)).toMatchObject({ hash: createHash("sha256").update(text).digest("hex") });
  });
});

describe("cancelled jobs", () => {
  test("leave in the middle of their prompt, and of their output", async () => {
    const { model, loop, told } = setUp(2, 4);
    loop.run(job(1, "ab", 60));
    loop.run(job(2, "abcdefghijkl", 3));
    await turn();
    await model.finish(2);
    loop.cancel(1);
    loop.cancel(2);
    const before = told.length;
    await model.finish();
    expect(told).toHaveLength(before);
    expect(model.samplers).toBe(0);
    const { length } = model.steps;
    loop.run(job(3, "a", 1));
    await turn();
    expect(model.steps[length]).toMatch(/@0\+1!$/);
  });

  test("leave while they wait", async () => {
    const { model, loop, told } = setUp(1, 4);
    loop.run(job(1, "ab", 1));
    loop.run(job(2, "ab", 1));
    loop.cancel(2);
    await turn();
    await model.finish();
    expect(of(told, 2)).toEqual([]);
    expect(model.steps).toHaveLength(1);
  });
});

describe("refused", () => {
  test("a prompt that is longer than declared, or does not fit with its output", async () => {
    const { loop, told } = setUp(1, 8);
    loop.run(job(1, "abc", 1, { inputTokens: 2 }));
    loop.run(job(2, "abcd", 61));
    loop.run(job(3, "", 65, { prompt: null, inputTokens: 10 }));
    await turn();
    expect(told).toEqual([
      { kind: "failed", ref: 1, reason: "input-over-declared" }, { kind: "failed", ref: 2, reason: "context-too-long" }, { kind: "failed", ref: 3, reason: "context-too-long" },
    ]);
  });

  test("nothing: a prompt without tokens is served", async () => {
    const { model, loop, told } = setUp(1, 8);
    loop.run(job(1, "", 1));
    await turn();
    await model.finish();
    expect(of(told, 1)).toEqual(["started 0", "1:x", "length"]);
  });
});

test("a step that fails fails the jobs in it, and no others", async () => {
  const { model, loop, told, faults } = setUp(1, 8);
  loop.run(job(1, "ab", 5));
  loop.run(job(2, "abc", 1));
  await turn();
  await model.fail();
  expect(faults).toEqual(["could not find a KV slot"]);
  await model.finish();
  expect(of(told, 1)).toEqual(["started 2", "runner-failed"]);
  expect(of(told, 2)).toEqual(["started 3", "1:x", "length"]);
});

test("tokens are put together, but for the first, what is watched for, and the last", async () => {
  const { model, loop, told, sends } = setUp(1, 8, 1_000_000);
  loop.run(job(1, "ab", 9));
  loop.watch(1, 5);
  await turn();
  await model.finish(9);
  expect(of(told, 1)).toEqual(["started 2", "1:x", "4:xxxx", "4:xxxx", "length"]);
  // The last tokens and the end travel together.
  expect(sends.at(-1)).toHaveLength(2);
});

test("and told after the interval while a step goes on", async () => {
  const { model, loop, told } = setUp(1, 8, 5);
  loop.run(job(1, "ab", 9));
  await turn();
  await model.finish(3);
  await new Promise((resolve) => { setTimeout(resolve, 20); });
  expect(of(told, 1)).toEqual(["started 2", "1:x", "2:xx"]);
});

describe("measurements", () => {
  test("go the way of jobs: the same steps", async () => {
    const { model, loop } = setUp(3, 8);
    const measure = async (what: Parameters<BatchLoop["measure"]>[0], steps: number): Promise<readonly { decodeUs: number; tokens: number }[]> => {
      const result = loop.measure(what);
      await turn();
      await model.finish(steps);
      return result;
    };
    expect((await measure({ kind: "prefill", sequences: 2, tokensEach: 6 }, 2)).map(({ tokens }) => tokens)).toEqual([8, 4]);
    expect(await measure({ kind: "decode", sequences: 2, steps: 2 }, 2)).toMatchObject([{ decodeUs: 5, tokens: 2 }, { decodeUs: 5, tokens: 2 }]);
    expect((await measure({ kind: "mixed", sequences: 2, promptTokens: 5 }, 1)).map(({ tokens }) => tokens)).toEqual([7]);
    expect(model.steps).toEqual(["0@0+6! 1@0+2", "1@2+4!", "0@6+1! 1@6+1!", "0@7+1! 1@7+1!", "0@8+1! 1@8+1! 2@0+5!"]);
    await loop.measure({ kind: "clear" });
    await measure({ kind: "decode", sequences: 1, steps: 1 }, 1);
    expect(model.steps.at(-1)).toBe("0@0+1!");
    expect(model.samplers).toBe(0);
  });

  test("are refused beyond the context, the sequences, and beside jobs", async () => {
    const { loop } = setUp(1, 8);
    await expect(loop.measure({ kind: "prefill", sequences: 1, tokensEach: 65 })).rejects.toThrow("64 tokens; ");
    await expect(loop.measure({ kind: "decode", sequences: 2, steps: 1 })).rejects.toThrow("1 sequences, 2");
    loop.run(job(1, "ab", 5));
    await expect(loop.measure({ kind: "decode", sequences: 1, steps: 1 })).rejects.toThrow("idle");
  });
});
