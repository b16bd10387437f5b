import { catalogueMachine, catalogueModel } from "../lookup.ts";
import { generateUs, promptUs } from "../step-cost.ts";
import type { StepCost } from "../../engine/engine.ts";
import type { CatalogueMachine, CatalogueModel, Quantisation } from "../types.ts";

/** A published speed, and how a step cost predicts it. */
export interface Measurement {
  readonly machine: CatalogueMachine;
  readonly model: CatalogueModel;
  readonly quantisation: Quantisation;
  readonly kind: "generation" | "prompt";
  /** In short, as the source calls it: `tg512`, `pp 4096 x 8`. */
  readonly label: string;
  /** Tokens per second, as measured; null where the source says it ran out of memory. */
  readonly tokensPerS: number | null;
  /** Tokens of KV cache it needs at its end. */
  readonly kvTokens: number;
  readonly predict: (cost: StepCost) => number;
  readonly source: string;
}

/** Mean tokens/s while generating `tokens` tokens after `context` of them in each of `sequences` sequences at once. */
function generation(tokens: number, context = 0, sequences = 1): (cost: StepCost) => number {
  if (sequences === 1) return (cost) => tokens * 1e6 / generateUs(cost, tokens, context);
  return (cost) => sequences * 1e6 / (cost.baseUs(0, sequences) + cost.contextUs * sequences * (context + (tokens - 1) / 2));
}

/** Tokens/s of a prompt of `tokens` tokens after `context` others; several prompts of that length take as long each. */
function prompt(tokens: number, context = 0, stepTokens = 512): (cost: StepCost) => number {
  return (cost) => tokens * 1e6 / (promptUs(cost, tokens, stepTokens) + cost.prefillContextUs * tokens * context);
}

/** The machines of `llama-cpp-llama3-tokens-per-s.csv`, by their names there. */
const machineNames: Readonly<Record<string, string>> = {
  "3080 10GB": "RTX 3080 10GB",
  "4070 Ti 12GB": "RTX 4070 Ti 12GB",
  "3090 24GB": "RTX 3090",
  "4090 24GB": "RTX 4090",
  "RTX 4000 Ada 20GB": "RTX 4000 Ada",
  "RTX 5000 Ada 32GB": "RTX 5000 Ada",
  "RTX A6000 48GB": "RTX A6000",
  "A40 48GB": "A40",
  "L40S 48GB": "L40S",
  "H100 PCIe 80GB": "H100 PCIe",
  "M1 7-Core GPU 8GB": "M1 7-core 8GB",
  "M1 Max 32-Core GPU 64GB": "M1 Max 32-core 64GB",
  "M3 Max 40-Core GPU 64GB": "M3 Max 40-core 64GB",
};

/** Rows of a CSV without quoted fields, by column name. */
function rowsOf(csv: string): Record<string, string>[] {
  const [head, ...lines] = csv.trim().split(/\r?\n/);
  const columns = (head ?? "").split(",");
  return lines.map((line) => {
    const cells = line.split(",");
    return Object.fromEntries(columns.map((column, i) => [column, cells[i] ?? ""]));
  });
}

function cell(row: Record<string, string>, column: string): string {
  const value = row[column];
  if (value === undefined) throw new Error(`no column "${column}"; found ${Object.keys(row).join(", ")}`);
  return value;
}

/** Prompt and generation lengths of the table, tokens. */
export const tableLengths: readonly number[] = [512, 1024, 4096, 8192];

/** Reads the text of `llama-cpp-llama3-tokens-per-s.csv`: llama.cpp of May 2024, Llama 3 8B, one machine a row. */
export function parseTokensPerS(csv: string): Measurement[] {
  const { model, quantisation } = catalogueModel("llama-3-8b:q4_k_m");
  return rowsOf(csv).flatMap((row) => {
    const name = cell(row, "machine");
    const known = machineNames[name];
    if (known === undefined) throw new Error(`machine "${name}" is not matched to one of the catalogue`);
    const machine = catalogueMachine(known);
    return (["generation", "prompt"] as const).flatMap((kind) => tableLengths.map((length): Measurement => {
      const label = `${kind === "generation" ? "tg" : "pp"}${length}`;
      const text = cell(row, label);
      const tokensPerS = text === "OOM" ? null : Number(text);
      if (tokensPerS !== null && !(tokensPerS > 0)) throw new Error(`${name}, ${label}: "${text}" is neither a speed nor OOM`);
      return {
        machine, model, quantisation, kind, label, tokensPerS, kvTokens: length,
        predict: kind === "generation" ? generation(length) : prompt(length),
        source: "XiongjieDai/GPU-Benchmarks-on-LLM-Inference, May 2024",
      };
    }));
  });
}

const batchedModels: Readonly<Record<string, string>> = {
  "gpt-oss-20b-mxfp4": "gpt-oss-20b:mxfp4",
  "qwen2.5-coder-7b-q8_0": "qwen2.5-coder-7b:q8_0",
};

/** Reads the text of `dgx-spark.csv`, llama-batched-bench of llama.cpp with flash attention: speeds over all sequences. */
export function parseBatchedBench(csv: string): Measurement[] {
  const machine = catalogueMachine("DGX Spark");
  return rowsOf(csv).flatMap((row) => {
    const known = batchedModels[cell(row, "model")];
    if (known === undefined) throw new Error(`model "${cell(row, "model")}" is not matched to one of the catalogue`);
    const { model, quantisation } = catalogueModel(known);
    const [pp, tg, b, promptS, generateS] = ["pp", "tg", "b", "t_pp_s", "t_tg_s"].map((column) => Number(cell(row, column))) as [number, number, number, number, number];
    const common = { machine, model, quantisation, kvTokens: b * (pp + tg), source: "ggml-org/llama.cpp benches/dgx-spark.md, October 2025" };
    return [
      { ...common, kind: "generation" as const, label: `tg${tg} after ${pp}, x ${b}`, tokensPerS: b * tg / generateS, predict: generation(tg, pp, b) },
      { ...common, kind: "prompt" as const, label: `pp${pp}, x ${b}`, tokensPerS: b * pp / promptS, predict: prompt(pp, 0, 2048) },
    ];
  });
}

interface Single {
  readonly machine: string;
  readonly model: string;
  readonly tokens: number;
  readonly context?: number;
  readonly tokensPerS: number;
  readonly source: string;
}

const rdna3 = "https://github.com/ggml-org/llama.cpp/pull/26284";
const strixHalo = "https://github.com/deseven/strixhalo-homelab/issues/11";
const zen4 = "https://github.com/ikawrakow/ik_llama.cpp/pull/54 (column llama.cpp)";

/** Single published measurements of llama.cpp on families that the tables above lack; `llama-bench` unless the source says otherwise. */
const generations: readonly Single[] = [
  { machine: "RX 7900 XTX", model: "llama-3.1-8b:q4_k_m", tokens: 64, tokensPerS: 105.8, source: rdna3 },
  { machine: "RX 7900 XTX", model: "llama-3.1-8b:q4_k_m", tokens: 64, context: 4096, tokensPerS: 98.5, source: rdna3 },
  { machine: "Ryzen AI Max 385 mini PC", model: "llama-3.1-8b:q4_k_m", tokens: 64, tokensPerS: 41.6, source: strixHalo },
  { machine: "Ryzen 9 7950X desktop DDR5", model: "llama-3.1-8b:q4_0", tokens: 128, tokensPerS: 11.25, source: zen4 },
  { machine: "Ryzen 9 7950X desktop DDR5", model: "llama-3.1-8b:q8_0", tokens: 128, tokensPerS: 7.56, source: zen4 },
  { machine: "Threadripper PRO 5975WX DDR4", model: "llama-3.1-8b:q4_0", tokens: 128, tokensPerS: 11.9, source: `${zen4}, 8 of 32 threads` },
  { machine: "Threadripper PRO 5975WX DDR4", model: "llama-3.1-8b:q8_0", tokens: 128, tokensPerS: 8.13, source: `${zen4}, 8 of 32 threads` },
  { machine: "RTX 5090", model: "qwen3-8b:q4_k_m", tokens: 128, tokensPerS: 221.7, source: "https://github.com/CambrianTech/continuum/pull/1627" },
];

const prompts: readonly Single[] = [
  { machine: "RX 7900 XTX", model: "llama-3.1-8b:q4_k_m", tokens: 2048, tokensPerS: 3226.5, source: rdna3 },
  { machine: "RX 7900 XTX", model: "llama-3.1-8b:q4_k_m", tokens: 2048, context: 4096, tokensPerS: 2693.1, source: rdna3 },
  { machine: "Ryzen AI Max 385 mini PC", model: "llama-3.1-8b:q4_k_m", tokens: 512, tokensPerS: 833, source: strixHalo },
  { machine: "Ryzen 9 7950X desktop DDR5", model: "llama-3.1-8b:q4_0", tokens: 512, tokensPerS: 123.46, source: zen4 },
  { machine: "Ryzen 9 7950X desktop DDR5", model: "llama-3.1-8b:q8_0", tokens: 512, tokensPerS: 141.3, source: zen4 },
  { machine: "Threadripper PRO 5975WX DDR4", model: "llama-3.1-8b:q4_0", tokens: 512, tokensPerS: 139.09, source: zen4 },
  { machine: "Threadripper PRO 5975WX DDR4", model: "llama-3.1-8b:q8_0", tokens: 512, tokensPerS: 162.21, source: zen4 },
];

function single(row: Single, kind: Measurement["kind"]): Measurement {
  const context = row.context ?? 0;
  const predict = kind === "generation" ? generation(row.tokens, context) : prompt(row.tokens, context);
  return {
    machine: catalogueMachine(row.machine), ...catalogueModel(row.model), kind,
    label: `${kind === "generation" ? "tg" : "pp"}${row.tokens}${context > 0 ? ` after ${context}` : ""}`,
    tokensPerS: row.tokensPerS, kvTokens: context + row.tokens, predict, source: row.source,
  };
}

/** Published measurements quoted here, one by one, for the families that the shared tables do not cover. */
export const singles: readonly Measurement[] = [
  ...generations.map((row) => single(row, "generation")),
  ...prompts.map((row) => single(row, "prompt")),
];
