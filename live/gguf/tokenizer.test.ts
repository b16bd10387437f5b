import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Llama } from "node-llama-cpp";
import { llamaSkipped } from "../runner/testing/subjects.ts";
import { synthesizeModel } from "./synthesize.ts";
import { promptOfTokens, VOCABULARY_MIN, vocabularyTokens } from "./vocabulary.ts";

const why = llamaSkipped === "" ? "" : ` (skipped: ${llamaSkipped})`;

describe.skipIf(why !== "")(`llama.cpp's tokenizer${why}`, () => {
  const folder = mkdtempSync(join(tmpdir(), "infernet-tokenizer-"));
  let llama: Llama;
  beforeAll(async () => {
    const { getLlama, LlamaLogLevel } = await import("node-llama-cpp");
    llama = await getLlama({ gpu: false, build: "never", skipDownload: true, maxThreads: 1, logLevel: LlamaLogLevel.error });
  });
  afterAll(async () => {
    await llama.dispose();
    rmSync(folder, { recursive: true });
  });

  test.each([VOCABULARY_MIN, 8_192])("makes exactly the asked number of tokens of a prompt, and every word one token, with a vocabulary of %d", async (vocabulary) => {
    const file = join(folder, `${vocabulary}.gguf`);
    await synthesizeModel({ parameters: 3_000_000, vocabulary, quantisation: "q4_0", seed: 1, file });
    const model = await llama.loadModel({ modelPath: file, vocabOnly: true });
    for (const tokens of [1, 2, 3, 64, 1_000, 20_000]) expect(model.tokenize(promptOfTokens(tokens, tokens), true)).toHaveLength(tokens);
    // No token before the prompt is asked for, so none is counted.
    expect(model.tokens.shouldPrependBosToken).toBe(false);
    expect(model.isEogToken(model.tokens.eos!)).toBe(true);
    // Words, with the space before them that the tokenizer puts in front of a text by itself.
    const words = [...vocabularyTokens(vocabulary)].map(({ text }, token) => ({ text, token })).filter(({ text }) => /^\u2581[a-z]/.test(text));
    for (const { text, token } of words) expect(model.tokenize(text.slice(1), false)).toEqual([token]);
    // Anything else falls back to bytes, and comes back whole.
    const other = "Grüße, 世界! 😀\n\tx9";
    expect(model.detokenize(model.tokenize(other, false))).toBe(other);
    await model.dispose();
  });
});
