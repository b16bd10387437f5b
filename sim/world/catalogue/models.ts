import type { CatalogueModel, Experts, Quantisation } from "./types.ts";

/** The lines of a `config.json` that decide a transformer's cost. */
interface Row {
  readonly name: string;
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** Width of the feed-forward layer, or of one expert. */
  readonly intermediate: number;
  readonly vocabulary: number;
  readonly tied: boolean;
  readonly experts?: readonly [count: number, active: number];
  /** Bias on queries, keys and values. */
  readonly bias?: boolean;
  readonly context: number;
  /** As the weights' metadata state. */
  readonly published: number;
  /** Published GGUF files, GB (1e9 bytes). */
  readonly gb: { readonly q4_k_m: number; readonly q5_k_m: number } | { readonly mxfp4: number };
  /** Repository of the configuration on Hugging Face. */
  readonly config: string;
  /** Repository of the GGUF files. */
  readonly files: string;
  readonly note?: string;
}

const llama8b = { layers: 32, hidden: 4096, heads: 32, kvHeads: 8, headDim: 128, intermediate: 14336, vocabulary: 128256, tied: false, published: 8_030_261_248, gb: { q4_k_m: 4.92, q5_k_m: 5.73 } } as const;
const llama70b = { layers: 80, hidden: 8192, heads: 64, kvHeads: 8, headDim: 128, intermediate: 28672, vocabulary: 128256, tied: false, published: 70_553_706_496, gb: { q4_k_m: 42.52, q5_k_m: 49.95 } } as const;
const qwen25_7b = { layers: 28, hidden: 3584, heads: 28, kvHeads: 4, headDim: 128, intermediate: 18944, vocabulary: 152064, tied: false, bias: true, published: 7_615_616_512, gb: { q4_k_m: 4.68, q5_k_m: 5.44 } } as const;
const qwen25_14b = { layers: 48, hidden: 5120, heads: 40, kvHeads: 8, headDim: 128, intermediate: 13824, vocabulary: 152064, tied: false, bias: true, published: 14_770_033_664, gb: { q4_k_m: 8.99, q5_k_m: 10.51 } } as const;
const qwen25_32b = { layers: 64, hidden: 5120, heads: 40, kvHeads: 8, headDim: 128, intermediate: 27648, vocabulary: 152064, tied: false, bias: true, published: 32_763_876_352, gb: { q4_k_m: 19.85, q5_k_m: 23.26 } } as const;

const windowed = (which: string): string =>
  `in ${which}, attention sees only a sliding window; KV cache and attention are counted as if every layer saw the whole context: an upper bound`;

const rows: readonly Row[] = [
  { name: "tinyllama-1.1b", layers: 22, hidden: 2048, heads: 32, kvHeads: 4, headDim: 64, intermediate: 5632, vocabulary: 32000, tied: false, context: 2048, published: 1_100_048_384, gb: { q4_k_m: 0.669, q5_k_m: 0.783 }, config: "TinyLlama/TinyLlama-1.1B-Chat-v1.0", files: "TheBloke/TinyLlama-1.1B-Chat-v1.0-GGUF" },
  { name: "llama-3.2-1b", layers: 16, hidden: 2048, heads: 32, kvHeads: 8, headDim: 64, intermediate: 8192, vocabulary: 128256, tied: true, context: 131072, published: 1_235_814_400, gb: { q4_k_m: 0.808, q5_k_m: 0.912 }, config: "meta-llama/Llama-3.2-1B-Instruct", files: "bartowski/Llama-3.2-1B-Instruct-GGUF" },
  { name: "llama-3.2-3b", layers: 28, hidden: 3072, heads: 24, kvHeads: 8, headDim: 128, intermediate: 8192, vocabulary: 128256, tied: true, context: 131072, published: 3_212_749_824, gb: { q4_k_m: 2.02, q5_k_m: 2.32 }, config: "meta-llama/Llama-3.2-3B-Instruct", files: "bartowski/Llama-3.2-3B-Instruct-GGUF" },
  { name: "llama-3-8b", ...llama8b, context: 8192, config: "meta-llama/Meta-Llama-3-8B-Instruct", files: "bartowski/Meta-Llama-3-8B-Instruct-GGUF" },
  { name: "llama-3.1-8b", ...llama8b, context: 131072, config: "meta-llama/Llama-3.1-8B-Instruct", files: "bartowski/Meta-Llama-3.1-8B-Instruct-GGUF" },
  { name: "llama-3.1-70b", ...llama70b, context: 131072, config: "meta-llama/Llama-3.1-70B-Instruct", files: "bartowski/Meta-Llama-3.1-70B-Instruct-GGUF" },
  { name: "llama-3.3-70b", ...llama70b, context: 131072, config: "meta-llama/Llama-3.3-70B-Instruct", files: "bartowski/Llama-3.3-70B-Instruct-GGUF" },
  { name: "llama-2-70b", layers: 80, hidden: 8192, heads: 64, kvHeads: 8, headDim: 128, intermediate: 28672, vocabulary: 32000, tied: false, context: 4096, published: 68_976_648_192, gb: { q4_k_m: 41.42, q5_k_m: 48.75 }, config: "meta-llama/Llama-2-70b-chat-hf", files: "TheBloke/Llama-2-70B-Chat-GGUF" },
  { name: "qwen2.5-0.5b", layers: 24, hidden: 896, heads: 14, kvHeads: 2, headDim: 64, intermediate: 4864, vocabulary: 151936, tied: true, bias: true, context: 32768, published: 494_032_768, gb: { q4_k_m: 0.398, q5_k_m: 0.42 }, config: "Qwen/Qwen2.5-0.5B-Instruct", files: "bartowski/Qwen2.5-0.5B-Instruct-GGUF" },
  { name: "qwen2.5-1.5b", layers: 28, hidden: 1536, heads: 12, kvHeads: 2, headDim: 128, intermediate: 8960, vocabulary: 151936, tied: true, bias: true, context: 32768, published: 1_543_714_304, gb: { q4_k_m: 0.986, q5_k_m: 1.13 }, config: "Qwen/Qwen2.5-1.5B-Instruct", files: "bartowski/Qwen2.5-1.5B-Instruct-GGUF" },
  { name: "qwen2.5-3b", layers: 36, hidden: 2048, heads: 16, kvHeads: 2, headDim: 128, intermediate: 11008, vocabulary: 151936, tied: true, bias: true, context: 32768, published: 3_085_938_688, gb: { q4_k_m: 1.93, q5_k_m: 2.22 }, config: "Qwen/Qwen2.5-3B-Instruct", files: "bartowski/Qwen2.5-3B-Instruct-GGUF" },
  { name: "qwen2.5-7b", ...qwen25_7b, context: 32768, config: "Qwen/Qwen2.5-7B-Instruct", files: "bartowski/Qwen2.5-7B-Instruct-GGUF" },
  { name: "qwen2.5-coder-7b", ...qwen25_7b, context: 32768, config: "Qwen/Qwen2.5-Coder-7B-Instruct", files: "bartowski/Qwen2.5-Coder-7B-Instruct-GGUF" },
  { name: "qwen2.5-14b", ...qwen25_14b, context: 32768, config: "Qwen/Qwen2.5-14B-Instruct", files: "bartowski/Qwen2.5-14B-Instruct-GGUF" },
  { name: "qwen2.5-32b", ...qwen25_32b, context: 32768, config: "Qwen/Qwen2.5-32B-Instruct", files: "bartowski/Qwen2.5-32B-Instruct-GGUF" },
  { name: "qwen2.5-72b", layers: 80, hidden: 8192, heads: 64, kvHeads: 8, headDim: 128, intermediate: 29568, vocabulary: 152064, tied: false, bias: true, context: 32768, published: 72_706_203_648, gb: { q4_k_m: 47.42, q5_k_m: 54.45 }, config: "Qwen/Qwen2.5-72B-Instruct", files: "bartowski/Qwen2.5-72B-Instruct-GGUF", note: "feed-forward width is not a multiple of 256: its k-quant files fall back to larger formats" },
  { name: "qwen3-4b", layers: 36, hidden: 2560, heads: 32, kvHeads: 8, headDim: 128, intermediate: 9728, vocabulary: 151936, tied: true, context: 40960, published: 4_022_468_096, gb: { q4_k_m: 2.5, q5_k_m: 2.89 }, config: "Qwen/Qwen3-4B", files: "Qwen/Qwen3-4B-GGUF" },
  { name: "qwen3-8b", layers: 36, hidden: 4096, heads: 32, kvHeads: 8, headDim: 128, intermediate: 12288, vocabulary: 151936, tied: false, context: 40960, published: 8_190_735_360, gb: { q4_k_m: 5.03, q5_k_m: 5.85 }, config: "Qwen/Qwen3-8B", files: "Qwen/Qwen3-8B-GGUF" },
  { name: "qwen3-14b", layers: 40, hidden: 5120, heads: 40, kvHeads: 8, headDim: 128, intermediate: 17408, vocabulary: 151936, tied: false, context: 40960, published: 14_768_307_200, gb: { q4_k_m: 9.0, q5_k_m: 10.51 }, config: "Qwen/Qwen3-14B", files: "Qwen/Qwen3-14B-GGUF" },
  { name: "qwen3-32b", layers: 64, hidden: 5120, heads: 64, kvHeads: 8, headDim: 128, intermediate: 25600, vocabulary: 151936, tied: false, context: 40960, published: 32_762_123_264, gb: { q4_k_m: 19.76, q5_k_m: 23.21 }, config: "Qwen/Qwen3-32B", files: "Qwen/Qwen3-32B-GGUF" },
  { name: "qwen3-30b-a3b", layers: 48, hidden: 2048, heads: 32, kvHeads: 4, headDim: 128, intermediate: 768, vocabulary: 151936, tied: false, experts: [128, 8], context: 40960, published: 30_532_122_624, gb: { q4_k_m: 18.56, q5_k_m: 21.73 }, config: "Qwen/Qwen3-30B-A3B", files: "Qwen/Qwen3-30B-A3B-GGUF" },
  { name: "mistral-7b", layers: 32, hidden: 4096, heads: 32, kvHeads: 8, headDim: 128, intermediate: 14336, vocabulary: 32768, tied: false, context: 32768, published: 7_248_023_552, gb: { q4_k_m: 4.37, q5_k_m: 5.14 }, config: "mistralai/Mistral-7B-Instruct-v0.3", files: "bartowski/Mistral-7B-Instruct-v0.3-GGUF" },
  { name: "mistral-small-24b", layers: 40, hidden: 5120, heads: 32, kvHeads: 8, headDim: 128, intermediate: 32768, vocabulary: 131072, tied: false, context: 32768, published: 23_572_403_200, gb: { q4_k_m: 14.33, q5_k_m: 16.76 }, config: "mistralai/Mistral-Small-24B-Instruct-2501", files: "bartowski/Mistral-Small-24B-Instruct-2501-GGUF" },
  { name: "mixtral-8x7b", layers: 32, hidden: 4096, heads: 32, kvHeads: 8, headDim: 128, intermediate: 14336, vocabulary: 32000, tied: false, experts: [8, 2], context: 32768, published: 46_702_792_704, gb: { q4_k_m: 26.44, q5_k_m: 32.23 }, config: "mistralai/Mixtral-8x7B-Instruct-v0.1", files: "TheBloke/Mixtral-8x7B-Instruct-v0.1-GGUF" },
  { name: "gemma-2-9b", layers: 42, hidden: 3584, heads: 16, kvHeads: 8, headDim: 256, intermediate: 14336, vocabulary: 256000, tied: true, context: 8192, published: 9_241_705_984, gb: { q4_k_m: 5.76, q5_k_m: 6.65 }, config: "google/gemma-2-9b-it", files: "bartowski/gemma-2-9b-it-GGUF", note: windowed("every second layer") },
  { name: "gemma-2-27b", layers: 46, hidden: 4608, heads: 32, kvHeads: 16, headDim: 128, intermediate: 36864, vocabulary: 256000, tied: true, context: 8192, published: 27_227_128_320, gb: { q4_k_m: 16.65, q5_k_m: 19.41 }, config: "google/gemma-2-27b-it", files: "bartowski/gemma-2-27b-it-GGUF", note: windowed("every second layer") },
  { name: "gemma-3-12b", layers: 48, hidden: 3840, heads: 16, kvHeads: 8, headDim: 256, intermediate: 15360, vocabulary: 262208, tied: true, context: 131072, published: 11_765_788_416, gb: { q4_k_m: 7.3, q5_k_m: 8.45 }, config: "google/gemma-3-12b-it", files: "bartowski/google_gemma-3-12b-it-GGUF", note: `text part alone; ${windowed("five layers in six")}` },
  { name: "gemma-3-27b", layers: 62, hidden: 5376, heads: 32, kvHeads: 16, headDim: 128, intermediate: 21504, vocabulary: 262208, tied: true, context: 131072, published: 27_009_346_304, gb: { q4_k_m: 16.55, q5_k_m: 19.27 }, config: "google/gemma-3-27b-it", files: "bartowski/google_gemma-3-27b-it-GGUF", note: `text part alone; ${windowed("five layers in six")}` },
  { name: "phi-4", layers: 40, hidden: 5120, heads: 40, kvHeads: 10, headDim: 128, intermediate: 17920, vocabulary: 100352, tied: false, context: 16384, published: 14_659_507_200, gb: { q4_k_m: 9.05, q5_k_m: 10.6 }, config: "microsoft/phi-4", files: "microsoft/phi-4-gguf" },
  { name: "gpt-oss-20b", layers: 24, hidden: 2880, heads: 64, kvHeads: 8, headDim: 64, intermediate: 2880, vocabulary: 201088, tied: false, experts: [32, 4], bias: true, context: 131072, published: 20_914_757_184, gb: { mxfp4: 12.11 }, config: "openai/gpt-oss-20b", files: "ggml-org/gpt-oss-20b-GGUF", note: windowed("every second layer") },
  { name: "gpt-oss-120b", layers: 36, hidden: 2880, heads: 64, kvHeads: 8, headDim: 64, intermediate: 2880, vocabulary: 201088, tied: false, experts: [128, 4], bias: true, context: 131072, published: 116_829_156_672, gb: { mxfp4: 63.39 }, config: "openai/gpt-oss-120b", files: "ggml-org/gpt-oss-120b-GGUF", note: windowed("every second layer") },
  { name: "deepseek-r1-distill-qwen-7b", ...qwen25_7b, context: 131072, config: "deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", files: "bartowski/DeepSeek-R1-Distill-Qwen-7B-GGUF" },
  { name: "deepseek-r1-distill-llama-8b", ...llama8b, context: 131072, config: "deepseek-ai/DeepSeek-R1-Distill-Llama-8B", files: "bartowski/DeepSeek-R1-Distill-Llama-8B-GGUF" },
  { name: "deepseek-r1-distill-qwen-14b", ...qwen25_14b, context: 131072, config: "deepseek-ai/DeepSeek-R1-Distill-Qwen-14B", files: "bartowski/DeepSeek-R1-Distill-Qwen-14B-GGUF" },
  { name: "deepseek-r1-distill-qwen-32b", ...qwen25_32b, context: 131072, config: "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B", files: "bartowski/DeepSeek-R1-Distill-Qwen-32B-GGUF" },
  { name: "deepseek-r1-distill-llama-70b", ...llama70b, context: 131072, config: "deepseek-ai/DeepSeek-R1-Distill-Llama-70B", files: "bartowski/DeepSeek-R1-Distill-Llama-70B-GGUF" },
];

/** Parameters in all routed experts of all layers: three matrices (gate, up, down) per expert. */
function expertParameters(row: Row): number {
  return row.experts === undefined ? 0 : row.layers * row.experts[0] * 3 * row.hidden * row.intermediate;
}

/** All parameters, from the configuration: embeddings, attention, feed-forward or experts with their router, norms. */
function parametersOf(row: Row): number {
  const table = row.vocabulary * row.hidden;
  const query = row.heads * row.headDim;
  const keyValue = row.kvHeads * row.headDim;
  const attention = row.hidden * (2 * query + 2 * keyValue) + (row.bias === true ? query + 2 * keyValue : 0);
  const feedForward = row.experts === undefined ? 3 * row.hidden * row.intermediate : row.hidden * row.experts[0];
  const norms = 2 * row.hidden;
  return table * (row.tied ? 1 : 2) + row.layers * (attention + feedForward + norms) + expertParameters(row) + row.hidden;
}

/**
 * Bytes of a format that stores every matrix alike: parameters x bits / 8. Bits per weight from the block layouts in
 * ggml's `ggml-common.h`: Q4_0 18 bytes per 32 weights, Q6_K 210 per 256, Q8_0 34 per 32.
 */
function derived(row: Row, parameters: number): Quantisation[] {
  const head = row.vocabulary * row.hidden;
  const embeddings = head * (row.tied ? 1 : 2);
  const blocksOf256 = row.hidden % 256 === 0;
  const of = (name: string, bits: number): Quantisation => ({ name, fileBytes: Math.round(bits / 8), basis: "derived" });
  return [
    // llama.cpp keeps the output layer of a Q4_0 file in Q6_K, or in Q8_0 where its rows do not split into blocks of 256.
    of("q4_0", 4.5 * parameters + ((blocksOf256 ? 6.5625 : 8.5) - 4.5) * head),
    ...(blocksOf256 ? [of("q6_k", 6.5625 * parameters)] : []),
    of("q8_0", 8.5 * parameters),
    of("f16", 16 * parameters),
    of("bf16", 16 * parameters),
    // What vLLM serves: layers in 8 bits, or in 4 with a 16-bit scale and a 4-bit zero per 128; embeddings stay in 16.
    of("fp8", 8 * (parameters - embeddings) + 16 * embeddings),
    of("awq", (4 + 20 / 128) * (parameters - embeddings) + 16 * embeddings),
  ];
}

function quantisations(row: Row, parameters: number): Quantisation[] {
  if ("mxfp4" in row.gb) {
    // Experts in MXFP4 (17 bytes per 32 weights), the rest at higher precision.
    return [{ name: "mxfp4", fileBytes: Math.round(row.gb.mxfp4 * 1e9), expertBytes: Math.round(expertParameters(row) * 17 / 32), basis: "published" }];
  }
  return [
    { name: "q4_k_m", fileBytes: Math.round(row.gb.q4_k_m * 1e9), basis: "published" },
    { name: "q5_k_m", fileBytes: Math.round(row.gb.q5_k_m * 1e9), basis: "published" },
    ...derived(row, parameters),
  ];
}

function build(row: Row): CatalogueModel {
  const parameters = parametersOf(row);
  const inExperts = expertParameters(row);
  const experts: Experts | undefined = row.experts === undefined
    ? undefined
    : { count: row.experts[0], active: row.experts[1], parameters: inExperts };
  return {
    name: row.name,
    parameters,
    activeParameters: experts === undefined ? parameters : parameters - inExperts * (1 - experts.active / experts.count),
    layers: row.layers,
    hiddenSize: row.hidden,
    heads: row.heads,
    kvHeads: row.kvHeads,
    headDim: row.headDim,
    vocabulary: row.vocabulary,
    tiedEmbeddings: row.tied,
    ...(experts === undefined ? {} : { experts }),
    contextTokensMax: row.context,
    quantisations: quantisations(row, parameters),
    publishedParameters: row.published,
    source: `config.json of https://huggingface.co/${row.config}; files of https://huggingface.co/${row.files}`,
    note: row.note ?? "",
  };
}

/** Every model of the catalogue; names are unique. */
export const models: readonly CatalogueModel[] = rows.map(build);
