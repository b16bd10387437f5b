import { createCipheriv, createHash } from "node:crypto";
import { constants } from "node:fs";
import { access, type FileHandle, open, rename, rm, statfs } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { GgufError } from "./gguf-error.ts";
import { type ModelShape, parametersOf, shapeFor } from "./shape.ts";
import { QUANTISATIONS, type Quantisation, TENSOR_TYPES, type TensorType } from "./tensor-types.ts";
import { BYTE_TOKENS, EOS_TOKEN, vocabularyTokens } from "./vocabulary.ts";

/** A model to make up. */
export interface SynthesisOptions {
  /** How many, nearly: the shape is the nearest with real models' proportions. From 100 thousand. */
  readonly parameters: number;
  readonly quantisation: Quantisation;
  /** Tokens of the vocabulary. Default: by the number of parameters, from 512 to 32,000. */
  readonly vocabulary?: number | undefined;
  /** Context that the model claims to be trained for, tokens. Default 4,096. */
  readonly contextTokens?: number | undefined;
  readonly seed: number;
  /** Where to; written under another name first. */
  readonly file: string;
}

/** The model that was made. */
export interface SynthesizedModel {
  readonly file: string;
  readonly shape: ModelShape;
  readonly parameters: number;
  readonly fileBytes: number;
}

interface Plan {
  readonly name: string;
  readonly dimensions: readonly number[];
  readonly type: TensorType;
  readonly typeNumber: number;
  readonly bytes: number;
  /** Standard deviation of the weights; 0: all are 1. */
  readonly deviation: number;
  /** Bytes of it that are 0, from and to. */
  readonly zeros: readonly [number, number];
}

const ALIGNMENT = 32;
const F32 = 0;
const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** The tensors that llama.cpp asks of this architecture, the row length first. */
const tensorsOf = (shape: ModelShape, quantisation: Quantisation): Plan[] => {
  const { vocabulary, embedding, layers, heads, kvHeads, feedForward } = shape;
  const kvWidth = (embedding / heads) * kvHeads;
  const plan = (name: string, dimensions: readonly number[], deviation: number): Plan => {
    const typeNumber = deviation === 0 ? F32 : QUANTISATIONS[quantisation];
    const type = TENSOR_TYPES.get(typeNumber)!;
    const elements = dimensions.reduce((product, size) => product * size, 1);
    return { name: `${name}.weight`, dimensions, type, typeNumber, bytes: (elements / type.blockElements) * type.blockBytes, deviation, zeros: [0, 0] };
  };
  // Outputs of the size of inputs, whatever the width: nothing overflows, and no token wins by far.
  const matrix = (name: string, from: number, to: number): Plan => plan(name, [from, to], 1 / Math.sqrt(from));
  const norm = (name: string): Plan => plan(name, [embedding], 0);
  // The likeliest token is never a lone byte: some servers break off where an output is no text (llama-server, summer of 2026).
  const output = matrix("output", embedding, vocabulary);
  const rowBytes = output.bytes / vocabulary;
  return [
    plan("token_embd", [embedding, vocabulary], 1),
    norm("output_norm"),
    // Untied from token_embd: tied, random weights say the same token for ever.
    { ...output, zeros: [BYTE_TOKENS.from * rowBytes, BYTE_TOKENS.to * rowBytes] },
    ...Array.from({ length: layers }, (_, layer) => [
      norm(`blk.${layer}.attn_norm`),
      matrix(`blk.${layer}.attn_q`, embedding, embedding),
      matrix(`blk.${layer}.attn_k`, embedding, kvWidth),
      matrix(`blk.${layer}.attn_v`, embedding, kvWidth),
      matrix(`blk.${layer}.attn_output`, embedding, embedding),
      norm(`blk.${layer}.ffn_norm`),
      matrix(`blk.${layer}.ffn_gate`, embedding, feedForward),
      matrix(`blk.${layer}.ffn_up`, embedding, feedForward),
      matrix(`blk.${layer}.ffn_down`, feedForward, embedding),
    ]).flat(),
  ];
};

/** Puts together what comes before the weights. */
class HeadWriter {
  readonly #parts: Buffer[] = [];

  u32(value: number): this {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    this.#parts.push(bytes);
    return this;
  }
  u64(value: number): this {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(value));
    this.#parts.push(bytes);
    return this;
  }
  f32(value: number): this {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatLE(value);
    this.#parts.push(bytes);
    return this;
  }
  raw(bytes: Buffer): this {
    this.#parts.push(bytes);
    return this;
  }
  string(value: string): this {
    const bytes = Buffer.from(value, "utf8");
    return this.u64(bytes.length).raw(bytes);
  }
  done(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

const VALUE_TYPE = { u32: 4, i32: 5, f32: 6, bool: 7, string: 8, list: 9 } as const;
/** `general.file_type` of llama.cpp (llama_ftype). */
const FILE_TYPE: Readonly<Record<Quantisation, number>> = { f32: 0, f16: 1, q4_0: 2, q8_0: 7 };

const headOf = (shape: ModelShape, options: SynthesisOptions, tensors: readonly Plan[]): Buffer => {
  const keys: HeadWriter[] = [];
  const key = (name: string, type: number): HeadWriter => {
    const writer = new HeadWriter().string(name).u32(type);
    keys.push(writer);
    return writer;
  };
  const { embedding, heads, kvHeads, layers, feedForward, vocabulary } = shape;
  key("general.architecture", VALUE_TYPE.string).string("llama");
  key("general.name", VALUE_TYPE.string).string(`synthetic ${parametersOf(shape)} parameters, seed ${options.seed}`);
  key("general.file_type", VALUE_TYPE.u32).u32(FILE_TYPE[options.quantisation]);
  key("general.quantization_version", VALUE_TYPE.u32).u32(2);
  key("llama.vocab_size", VALUE_TYPE.u32).u32(vocabulary);
  key("llama.context_length", VALUE_TYPE.u32).u32(options.contextTokens ?? 4_096);
  key("llama.embedding_length", VALUE_TYPE.u32).u32(embedding);
  key("llama.block_count", VALUE_TYPE.u32).u32(layers);
  key("llama.feed_forward_length", VALUE_TYPE.u32).u32(feedForward);
  key("llama.rope.dimension_count", VALUE_TYPE.u32).u32(embedding / heads);
  key("llama.attention.head_count", VALUE_TYPE.u32).u32(heads);
  key("llama.attention.head_count_kv", VALUE_TYPE.u32).u32(kvHeads);
  key("llama.attention.layer_norm_rms_epsilon", VALUE_TYPE.f32).f32(1e-5);
  key("tokenizer.ggml.model", VALUE_TYPE.string).string("llama");
  const tokens = [...vocabularyTokens(vocabulary)];
  const list = (name: string, of: number): HeadWriter => key(name, VALUE_TYPE.list).u32(of).u64(tokens.length);
  const texts = list("tokenizer.ggml.tokens", VALUE_TYPE.string);
  const scores = list("tokenizer.ggml.scores", VALUE_TYPE.f32);
  const types = list("tokenizer.ggml.token_type", VALUE_TYPE.i32);
  for (const { text, score, type } of tokens) {
    texts.string(text);
    scores.f32(score);
    types.u32(type);
  }
  key("tokenizer.ggml.unknown_token_id", VALUE_TYPE.u32).u32(0);
  key("tokenizer.ggml.bos_token_id", VALUE_TYPE.u32).u32(1);
  key("tokenizer.ggml.eos_token_id", VALUE_TYPE.u32).u32(EOS_TOKEN);
  key("tokenizer.ggml.add_bos_token", VALUE_TYPE.bool).raw(Buffer.of(0));
  key("tokenizer.ggml.add_eos_token", VALUE_TYPE.bool).raw(Buffer.of(0));

  const head = new HeadWriter().raw(Buffer.from("GGUF")).u32(3).u64(tensors.length).u64(keys.length);
  for (const writer of keys) head.raw(writer.done());
  let offset = 0;
  for (const { name, dimensions, typeNumber, bytes } of tensors) {
    head.string(name).u32(dimensions.length);
    for (const size of dimensions) head.u64(size);
    head.u32(typeNumber).u64(offset);
    offset += aligned(bytes);
  }
  const written = head.done();
  return Buffer.concat([written, Buffer.alloc(aligned(written.length) - written.length)]);
};

/** IEEE half of a positive number in the normal range. */
const halfOf = (value: number): number => {
  const exponent = Math.floor(Math.log2(value));
  return ((exponent + 15) << 10) + Math.round((value / 2 ** exponent - 1) * 1_024);
};

/** Blocks of every type fit a whole number of times, and so do words of 4 bytes. */
const CHUNK_BYTES = 18 * 34 * 4_096;

/** Turns random bytes into weights of this deviation, in place. */
const shapeWeights = (chunk: Buffer, type: TensorType, deviation: number): void => {
  const words = new Uint32Array(chunk.buffer, chunk.byteOffset, chunk.length >>> 2);
  // Sign and fraction at random, exponent fixed: from 1 to 2 times its power of two, whose root mean square is 1.53.
  const exponent = Math.floor(Math.log2(deviation / 1.53));
  switch (type.name) {
    case "F32": {
      const bits = (exponent + 127) << 23;
      for (let at = 0; at < words.length; at++) words[at] = (words[at]! & 0x807fffff) | bits;
      return;
    }
    case "F16": {
      const bits = (exponent + 15) << 10;
      const both = (bits << 16) | bits;
      for (let at = 0; at < words.length; at++) words[at] = (words[at]! & 0x83ff83ff) | both;
      return;
    }
    default: {
      // Evenly spread integers of 8 or 4 bits, times the scale that a block begins with.
      const scale = halfOf(deviation / (type.name === "Q8_0" ? 73.9 : 4.61));
      for (let at = 0; at < chunk.length; at += type.blockBytes) chunk.writeUInt16LE(scale, at);
    }
  }
};

const writeTensor = async (handle: FileHandle, plan: Plan, seed: number): Promise<void> => {
  const total = aligned(plan.bytes);
  if (plan.deviation === 0) {
    const ones = Buffer.alloc(total);
    for (let at = 0; at < plan.bytes; at += 4) ones.writeFloatLE(1, at);
    await handle.writeFile(ones);
    return;
  }
  // AES in counter mode as generator: as fast as memory where the processor has it built in, and the same everywhere.
  const key = createHash("sha256").update(`${seed}/${plan.name}`).digest();
  const cipher = createCipheriv("aes-128-ctr", key.subarray(0, 16), key.subarray(16));
  const zeros = Buffer.alloc(Math.min(CHUNK_BYTES, plan.bytes));
  for (let at = 0; at < plan.bytes; at += CHUNK_BYTES) {
    const chunk = cipher.update(zeros.subarray(0, Math.min(CHUNK_BYTES, plan.bytes - at)));
    shapeWeights(chunk, plan.type, plan.deviation);
    const [from, to] = plan.zeros.map((byte) => Math.min(chunk.length, Math.max(0, byte - at)));
    chunk.fill(0, from, to);
    await handle.writeFile(chunk);
  }
  if (total > plan.bytes) await handle.writeFile(Buffer.alloc(total - plan.bytes));
};

/**
 * Makes a model file of the llama architecture with random weights, byte for byte the same for the same options: it says
 * nothing that means anything, at the speed of a real model of its size. Memory stays bounded, whatever the size.
 * @throws GgufError where the options are out of range, or the disk has no room.
 */
export const synthesizeModel = async (options: SynthesisOptions): Promise<SynthesizedModel> => {
  const { parameters, quantisation, vocabulary, contextTokens = 4_096, seed } = options;
  if (!(quantisation in QUANTISATIONS)) throw new GgufError(`a synthetic model is stored as one of ${Object.keys(QUANTISATIONS).join(", ")}, not ${quantisation}`);
  if (!(Number.isInteger(contextTokens) && contextTokens >= 8 && contextTokens <= 10_000_000)) throw new GgufError(`a context has from 8 to 10 million tokens, not ${contextTokens}`);
  if (!Number.isSafeInteger(seed)) throw new GgufError(`a seed is a whole number, not ${seed}`);
  const shape = shapeFor(parameters, vocabulary);
  const tensors = tensorsOf(shape, quantisation);
  const head = headOf(shape, options, tensors);
  const fileBytes = head.length + tensors.reduce((sum, { bytes }) => sum + aligned(bytes), 0);
  const file = resolve(options.file);
  const folder = dirname(file);
  await access(folder, constants.W_OK);
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < fileBytes) throw new GgufError(`${file}: needs ${fileBytes} bytes, the disk has ${bavail * bsize} left`);
  const draft = `${file}.${process.pid}.tmp`;
  try {
    const handle = await open(draft, "w");
    try {
      await handle.writeFile(head);
      for (const plan of tensors) await writeTensor(handle, plan, seed);
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  return { file, shape, parameters: parametersOf(shape), fileBytes };
};
