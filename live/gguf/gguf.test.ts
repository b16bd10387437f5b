import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { modelFacts } from "./facts.ts";
import { readGguf } from "./reader.ts";
import { parametersOf, shapeFor } from "./shape.ts";
import { synthesizeModel, type SynthesisOptions } from "./synthesize.ts";
import { promptOfTokens, VOCABULARY_MIN, vocabularyTokens } from "./vocabulary.ts";

const folder = mkdtempSync(join(tmpdir(), "infernet-gguf-"));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const synth = async (more: Partial<SynthesisOptions> = {}): Promise<string> => {
  const file = join(folder, `${files++}.gguf`);
  await synthesizeModel({ parameters: 150_000, quantisation: "q8_0", seed: 1, file, ...more });
  return file;
};
const sha256 = (file: string): string => createHash("sha256").update(readFileSync(file)).digest("hex");

describe("shapes", () => {
  test("have the asked parameters to 3 % from a million on, 6 % below", () => {
    fc.assert(fc.property(fc.double({ min: Math.log(1e5), max: Math.log(1e11), noNaN: true }), (logarithm) => {
      const parameters = Math.round(Math.exp(logarithm));
      const shape = shapeFor(parameters);
      expect(Math.abs(parametersOf(shape) / parameters - 1)).toBeLessThan(parameters < 1e6 ? 0.06 : 0.03);
      expect(shape.embedding % shape.heads).toBe(0);
      expect(shape.heads % shape.kvHeads).toBe(0);
      // Rows are whole numbers of blocks.
      for (const row of [shape.embedding, shape.feedForward]) expect(row % 32).toBe(0);
    }), { seed: 1, numRuns: 150 });
  });

  test.each([
    // TinyLlama 1.1B and Llama 2 7B: width, layers, feed-forward.
    [1.1e9, 2_048, 22, 5_632],
    [6.74e9, 4_096, 32, 11_008],
  ])("%d parameters are laid out much as in published models", (parameters, embedding, layers, feedForward) => {
    const shape = shapeFor(parameters);
    expect(shape.embedding / embedding).toBeGreaterThan(0.85);
    expect(shape.embedding / embedding).toBeLessThan(1.15);
    expect(Math.abs(shape.layers / layers - 1)).toBeLessThan(0.15);
    expect(Math.abs(shape.feedForward / feedForward - 1)).toBeLessThan(0.15);
  });

  test("there is none for too few parameters, and none with too large a vocabulary", () => {
    expect(() => shapeFor(99_999)).toThrow("from 100 thousand to 100 billion");
    expect(() => shapeFor(200_000, 32_000)).toThrow("try a smaller one");
    expect(() => shapeFor(1e6, VOCABULARY_MIN - 1)).toThrow(`from ${VOCABULARY_MIN}`);
  });
});

describe("synthetic models", () => {
  test.each(["f32", "f16", "q8_0", "q4_0"] as const)("in %s are read back as what they are", async (quantisation) => {
    const facts = modelFacts(await synth({ parameters: 300_000, quantisation, contextTokens: 2_048 }));
    const shape = shapeFor(300_000);
    expect(facts).toMatchObject({
      architecture: "llama", quantisation: quantisation.toUpperCase(), parameters: parametersOf(shape), activeParameters: parametersOf(shape), layers: shape.layers,
      embedding: shape.embedding, heads: shape.heads, kvHeads: shape.kvHeads, vocabulary: 512, contextTokensMax: 2_048, experts: 0, parts: 1,
      kvBytesPerToken: 2 * 2 * shape.layers * (shape.embedding / shape.heads) * shape.kvHeads,
    });
    const bits = { f32: 32, f16: 16, q8_0: 8.5, q4_0: 4.5 }[quantisation];
    expect(facts.weightBytes / ((facts.parameters * bits) / 8)).toBeCloseTo(1, 1);
    expect(facts.fileBytes).toBeGreaterThan(facts.weightBytes);
  });

  test("are the same bytes for the same seed, and others for another; nothing else is left in the folder", async () => {
    const [a, b, c] = [await synth(), await synth(), await synth({ seed: 2 })];
    expect(sha256(a)).toBe(sha256(b));
    expect(sha256(a)).not.toBe(sha256(c));
    expect(readdirSync(folder).every((name) => name.endsWith(".gguf"))).toBe(true);
  });

  test("keep their bytes from one version to the next, as measurements name them by seed and size", async () => {
    expect(sha256(await synth())).toBe("242c79700506b186ce07b4288ff605445c46f14cc77dd1220d236441fda69848");
  });

  test("are refused in words", async () => {
    await expect(synth({ contextTokens: 1 })).rejects.toThrow("from 8 to 10 million tokens");
    await expect(synth({ file: join(folder, "no", "such.gguf") })).rejects.toThrow("no such file");
    await expect(synth({ parameters: 9e10, quantisation: "f32" })).rejects.toThrow(/needs \d+ bytes, the disk has/);
  });
});

describe("a vocabulary", () => {
  test.each([VOCABULARY_MIN, 512, 8_192, 32_000])("of %d tokens has no token twice", (size) => {
    const tokens = [...vocabularyTokens(size)];
    expect(tokens).toHaveLength(size);
    expect(new Set(tokens.map(({ text }) => text)).size).toBe(size);
  });

  test("prompts are the same for the same seed, of so many words", () => {
    expect(promptOfTokens(50, 7)).toBe(promptOfTokens(50, 7));
    expect(promptOfTokens(50, 7)).not.toBe(promptOfTokens(50, 8));
    expect(promptOfTokens(50, 7).split(" ")).toHaveLength(50);
  });
});

describe("model files that llama.cpp would die of", () => {
  /** Changes a key's name, so that it is missing. */
  const without = async (key: string): Promise<string> => {
    const file = await synth();
    const bytes = readFileSync(file);
    const at = bytes.indexOf(key);
    expect(at).toBeGreaterThan(0);
    bytes.write("?", at + key.length - 1);
    writeFileSync(file, bytes);
    return file;
  };

  test.each([
    "llama.context_length", "llama.embedding_length", "llama.block_count", "llama.feed_forward_length", "llama.attention.head_count",
    "llama.attention.layer_norm_rms_epsilon", "tokenizer.ggml.model", "tokenizer.ggml.tokens",
  ])("for want of %s are refused by that name", async (key) => {
    const file = await without(key);
    expect(() => modelFacts(file)).toThrow(`needs the key ${key}`);
  });

  test("for layers without number are refused", async () => {
    const file = await synth();
    const bytes = readFileSync(file);
    bytes.writeUInt32LE(0xffffffff, bytes.indexOf("llama.block_count") + "llama.block_count".length + 4);
    writeFileSync(file, bytes);
    expect(() => modelFacts(file)).toThrow("4294967295 layers");
  });

  test("are told apart from files of other kinds, and from those cut short", async () => {
    const text = join(folder, "text");
    writeFileSync(text, "this is a text and long enough to be a head");
    expect(() => readGguf(text)).toThrow('does not begin with "GGUF"');
    expect(() => readGguf(folder)).toThrow("a folder");
    const file = await synth();
    truncateSync(file, readFileSync(file).length - 100);
    expect(() => readGguf(file)).toThrow(/ends before tensor .* does/);
    truncateSync(file, 500);
    expect(() => readGguf(file)).toThrow("ends in the middle of its head");
  });

  test("whatever bytes of their head are changed, are read or refused in words, within bounds", async () => {
    const file = await synth({ vocabulary: VOCABULARY_MIN });
    const original = readFileSync(file);
    const copy = join(folder, "changed");
    writeFileSync(copy, original);
    const descriptor = openSync(copy, "r+");
    fc.assert(fc.property(fc.nat(6_000), fc.uint8Array({ minLength: 1, maxLength: 8 }), (at, bytes) => {
      writeSync(descriptor, bytes, 0, bytes.length, at);
      try {
        modelFacts(copy);
      } catch (error) {
        expect((error as Error).name).toBe("UserError");
      }
      writeSync(descriptor, original, at, bytes.length, at);
    }), { seed: 1, numRuns: 150 });
    closeSync(descriptor);
  });
});
