import type { Build, Efficiency } from "./efficiency.ts";
import type { EngineKind, MachineFamily } from "./types.ts";

/**
 * Builds of the engines, as measured. The figures follow from the measurements by `calibration/fit.ts` and
 * `calibration/replay.ts`; a test refits them.
 */
export const builds = {
  /** May 2024: no flash attention, no CUDA graphs. */
  cuda2024: { name: "llama.cpp, CUDA, May 2024", passUs: 0, layerUs: 77.3, kvShare: 0.599, attentionShare: 0.163, overlap: 0 },
  /** Time per layer taken over from CUDA: three machines cannot tell it from bandwidth. */
  metal2024: { name: "llama.cpp, Metal, May 2024", passUs: 0, layerUs: 77.3, kvShare: 0.183, attentionShare: 0.964, overlap: 0 },
  /** Flash attention and CUDA graphs. */
  flash2025: { name: "llama.cpp, CUDA with flash attention and CUDA graphs, October 2025", passUs: 0, layerUs: 32.8, kvShare: 0.94, attentionShare: 1, overlap: 0 },
  /** HIP (RX 7900 XTX) and Vulkan (Ryzen AI Max 385); seven measurements for five figures: weak. */
  hip2026: { name: "llama.cpp, HIP or Vulkan, 2026", passUs: 0, layerUs: 96.8, kvShare: 0.453, attentionShare: 1, overlap: 0 },
  /** No kernel launches; half the efficiency for attention is a guess. */
  cpu2024: { name: "llama.cpp, CPU, September 2024", passUs: 0, layerUs: 10, kvShare: 0.5, attentionShare: 0.5, overlap: 0 },
  /** Arithmetic hides behind memory reads (overlap 1 fits better than 0 or 0.5); attention's half is a guess. */
  vllm019: { name: "vLLM 0.19, FlashAttention, CUDA graphs", passUs: 1375, layerUs: 0, kvShare: 0.84, attentionShare: 0.5, overlap: 1 },
} as const satisfies Record<string, Build>;

const table = "XiongjieDai/GPU-Benchmarks-on-LLM-Inference, May 2024";
const spark = "ggml-org/llama.cpp benches/dgx-spark.md, and one RTX 5090";

interface Row {
  readonly family: Efficiency["family"];
  readonly build: Build;
  readonly bandwidth: number;
  readonly compute: number;
  readonly basis: Efficiency["basis"];
  readonly from: string;
}

const llamaCpp: readonly Row[] = [
  { family: "nvidia-ampere", build: builds.cuda2024, bandwidth: 0.81, compute: 0.45, basis: "fitted", from: `${table}: RTX 3080, 3090, A6000, A40` },
  { family: "nvidia-ada", build: builds.cuda2024, bandwidth: 0.92, compute: 0.355, basis: "fitted", from: `${table}: RTX 4070 Ti, 4090, 4000 Ada, 5000 Ada, L40S` },
  { family: "nvidia-hopper", build: builds.cuda2024, bandwidth: 0.519, compute: 0.191, basis: "fitted", from: `${table}: H100 PCIe` },
  { family: "nvidia-blackwell", build: builds.flash2025, bandwidth: 0.81, compute: 0.303, basis: "fitted", from: spark },
  { family: "apple", build: builds.metal2024, bandwidth: 0.806, compute: 0.582, basis: "fitted", from: `${table}: M1, M1 Max, M3 Max` },
  { family: "amd-rdna", build: builds.hip2026, bandwidth: 0.896, compute: 0.382, basis: "fitted", from: "single measurements: RX 7900 XTX, Ryzen AI Max 385" },
  { family: "cpu", build: builds.cpu2024, bandwidth: 0.777, compute: 0.775, basis: "fitted", from: "single measurements: Ryzen 9 7950X" },
  { family: "nvidia-volta", build: builds.cuda2024, bandwidth: 0.81, compute: 0.45, basis: "assumed", from: "as Ampere" },
  { family: "nvidia", build: builds.cuda2024, bandwidth: 0.81, compute: 0.45, basis: "assumed", from: "as Ampere" },
  { family: "amd-cdna", build: builds.hip2026, bandwidth: 0.519, compute: 0.191, basis: "assumed", from: "shares as Hopper: a data-centre part whose bandwidth one sequence cannot fill" },
  { family: "amd", build: builds.hip2026, bandwidth: 0.896, compute: 0.382, basis: "assumed", from: "as RDNA" },
  { family: "generic", build: builds.flash2025, bandwidth: 0.81, compute: 0.382, basis: "assumed", from: "medians of the fitted families" },
];

const vllm: readonly Row[] = [
  { family: "nvidia-ada", build: builds.vllm019, bandwidth: 0.92, compute: 0.85, basis: "fitted", from: "LLMServingSim replay: RTX 4090" },
  { family: "nvidia-blackwell", build: builds.vllm019, bandwidth: 0.791, compute: 0.597, basis: "fitted", from: "LLMServingSim replay: RTX PRO 6000" },
  { family: "nvidia-ampere", build: builds.vllm019, bandwidth: 0.855, compute: 0.653, basis: "fitted", from: "compute: splitwise-sim, A100; bandwidth: mean of Ada and Blackwell" },
  { family: "nvidia-hopper", build: builds.vllm019, bandwidth: 0.855, compute: 0.476, basis: "fitted", from: "compute: splitwise-sim, H100; bandwidth: mean of Ada and Blackwell" },
  { family: "nvidia-volta", build: builds.vllm019, bandwidth: 0.855, compute: 0.476, basis: "assumed", from: "bandwidth as Ampere, compute as Hopper" },
  { family: "nvidia", build: builds.vllm019, bandwidth: 0.855, compute: 0.625, basis: "assumed", from: "means of the fitted families" },
  { family: "amd-cdna", build: builds.vllm019, bandwidth: 0.791, compute: 0.476, basis: "assumed", from: "lowest of the fitted families" },
  { family: "amd-rdna", build: builds.vllm019, bandwidth: 0.791, compute: 0.382, basis: "assumed", from: "bandwidth as the lowest fitted, compute as llama.cpp on RDNA" },
  { family: "amd", build: builds.vllm019, bandwidth: 0.791, compute: 0.382, basis: "assumed", from: "as RDNA" },
  { family: "apple", build: builds.vllm019, bandwidth: 0.806, compute: 0.582, basis: "assumed", from: "as llama.cpp on Apple" },
  { family: "cpu", build: builds.vllm019, bandwidth: 0.777, compute: 0.775, basis: "assumed", from: "as llama.cpp on a processor" },
  { family: "generic", build: builds.vllm019, bandwidth: 0.855, compute: 0.476, basis: "assumed", from: "as Hopper" },
];

const of = (engine: EngineKind) => (row: Row): Efficiency => ({ engine, ...row });

/** One row per engine and machine family. `sequential` is llama.cpp with one slot and has its figures. */
export const efficiencies: readonly Efficiency[] = [
  ...llamaCpp.map(of("llama.cpp")),
  ...vllm.map(of("vllm")),
  ...llamaCpp.map(of("sequential")),
];

/** The figures of an engine on a family of machines; on an unknown family, the generic ones. */
export function efficiencyOf(engine: EngineKind, family: MachineFamily | (string & {})): Efficiency {
  const rows = efficiencies.filter((row) => row.engine === engine);
  const row = rows.find((candidate) => candidate.family === family) ?? rows.find((candidate) => candidate.family === "generic");
  if (row === undefined) throw new Error(`no efficiency for engine ${engine}`);
  return row;
}
