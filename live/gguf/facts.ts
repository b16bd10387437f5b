import { GgufError } from "./gguf-error.ts";
import { type GgufHead, readGguf } from "./reader.ts";

/** What a model file says of the model. */
export interface ModelFacts {
  readonly file: string;
  readonly fileBytes: number;
  /** As the file calls itself; "" where it does not. */
  readonly name: string;
  /** Such as "llama". */
  readonly architecture: string;
  /** Such as "Q4_K": the type that most of the parameters are stored in. */
  readonly quantisation: string;
  readonly parameters: number;
  /** Of a mixture of experts: those that one token goes through. Otherwise all. */
  readonly activeParameters: number;
  /** All weights, bytes. */
  readonly weightBytes: number;
  readonly layers: number;
  /** Width of a token's vector. */
  readonly embedding: number;
  /** Of the first layer. */
  readonly heads: number;
  /** Of the first layer. */
  readonly kvHeads: number;
  readonly feedForward: number;
  /** 0: no mixture of experts. */
  readonly experts: number;
  readonly expertsUsed: number;
  readonly vocabulary: number;
  /** Longest context that it was trained for, tokens. */
  readonly contextTokensMax: number;
  /** Of the KV cache at 16 bits, bytes for each token of context. */
  readonly kvBytesPerToken: number;
  /** Files that the model is split into; this is the first. */
  readonly parts: number;
}

/** More than any model has by far. */
const LAYERS_MAX = 10_000;

/** Reads a key that may be one number or one for each layer. */
const perLayer = (head: GgufHead, key: string, layers: number): readonly number[] | undefined => {
  const value = head.keys.get(key);
  if (typeof value === "number") return Array.from({ length: layers }, () => value);
  return Array.isArray(value) && value.length === layers && value.every((entry) => typeof entry === "number") ? (value as number[]) : undefined;
};

/**
 * Reads what the file says of its model, and refuses what llama.cpp would die of: it aborts the process where a key is
 * missing that its graph is built from.
 * @throws GgufError
 */
export const modelFacts = (file: string): ModelFacts => factsOf(readGguf(file));

/** @throws GgufError */
export const factsOf = (head: GgufHead): ModelFacts => {
  const { file, keys, tensors } = head;
  const architecture = keys.get("general.architecture");
  if (typeof architecture !== "string") throw new GgufError(`${file}: the key general.architecture is missing`);
  const has = (part: string): boolean => tensors.some(({ name }) => name.startsWith("blk.") && name.includes(part));
  const missing: string[] = [];
  const positive = (key: string, needed: boolean): number => {
    const found = keys.get(`${architecture}.${key}`);
    const value = Array.isArray(found) ? Math.max(...(found as number[])) : found;
    if (typeof value === "number" && value > 0) return value;
    if (needed) missing.push(`${architecture}.${key}`);
    return 0;
  };
  const layers = positive("block_count", true);
  const embedding = positive("embedding_length", true);
  const contextTokensMax = positive("context_length", true);
  const feedForward = positive("feed_forward_length", has(".ffn_up.") || has(".ffn_gate."));
  const heads = positive("attention.head_count", has(".attn_q") || has(".attn_qkv."));
  if (architecture === "llama") positive("attention.layer_norm_rms_epsilon", true);
  const tokens = keys.get("tokenizer.ggml.tokens");
  if (typeof keys.get("tokenizer.ggml.model") !== "string") missing.push("tokenizer.ggml.model");
  if (typeof tokens !== "object") missing.push("tokenizer.ggml.tokens");
  if (missing.length > 0) throw new GgufError(`${file}: llama.cpp needs the ${missing.length === 1 ? "key" : "keys"} ${missing.join(", ")}, which the file lacks or leaves at 0`);
  if (layers > LAYERS_MAX) throw new GgufError(`${file}: ${layers} layers cannot be right; the file is damaged`);
  if (heads > 0 && embedding % heads !== 0 && !keys.has(`${architecture}.attention.key_length`)) throw new GgufError(`${file}: ${embedding} numbers a token cannot be shared among ${heads} heads`);

  const headsOf = perLayer(head, `${architecture}.attention.head_count`, layers) ?? Array.from({ length: layers }, () => heads);
  const kvHeadsOf = perLayer(head, `${architecture}.attention.head_count_kv`, layers) ?? headsOf;
  const width = heads > 0 ? embedding / heads : 0;
  const number = (key: string, otherwise: number): number => {
    const value = keys.get(`${architecture}.${key}`);
    return typeof value === "number" ? value : otherwise;
  };
  const kvWidth = number("attention.key_length", width) + number("attention.value_length", width);
  const parameters = tensors.reduce((sum, { elements }) => sum + elements, 0);
  const experts = number("expert_count", 0);
  const expertsUsed = number("expert_used_count", 0);
  const inExperts = tensors.reduce((sum, { name, elements }) => (name.includes("_exps.") ? sum + elements : sum), 0);
  const byType = new Map<string, number>();
  for (const { type, elements } of tensors) byType.set(type.name, (byType.get(type.name) ?? 0) + elements);
  return {
    file,
    fileBytes: head.fileBytes,
    name: String(keys.get("general.name") ?? ""),
    architecture,
    quantisation: [...byType].sort((a, b) => b[1] - a[1])[0]?.[0] ?? "none",
    parameters,
    activeParameters: experts > 0 ? Math.round(parameters - inExperts * (1 - expertsUsed / experts)) : parameters,
    weightBytes: tensors.reduce((sum, { bytes }) => sum + bytes, 0),
    layers,
    embedding,
    heads,
    kvHeads: kvHeadsOf[0] ?? heads,
    feedForward,
    experts,
    expertsUsed,
    vocabulary: (tokens as { length: number }).length,
    contextTokensMax,
    kvBytesPerToken: 2 * kvWidth * kvHeadsOf.reduce((sum, kvHeads) => sum + kvHeads, 0),
    parts: Number(keys.get("split.count") ?? 1) || 1,
  };
};
