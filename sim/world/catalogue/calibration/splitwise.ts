import type { Efficiency } from "../efficiency.ts";
import { catalogueMachine, catalogueModel } from "../lookup.ts";
import { generateUs, promptUs, stepCost } from "../step-cost.ts";
import type { CatalogueMachine } from "../types.ts";

/** Median over repetitions of one configuration of `splitwise-perf-model.csv`. Times in ms. */
export interface SplitwiseRow {
  readonly machine: CatalogueMachine;
  /** Accelerators that share the model. */
  readonly parallel: number;
  readonly promptTokens: number;
  readonly promptMs: number;
  /** Per output token. */
  readonly tokenMs: number;
}

export function median(values: readonly number[]): number {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)] as number : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

const hardware: Readonly<Record<string, string>> = { "a100-80gb": "A100 80GB SXM", "h100-80gb": "H100 SXM" };
const model = "llama-2-70b:f16";

/** Reads Llama-2-70B, one sequence, on two accelerators, from the text of `splitwise-perf-model.csv`. */
export function parseSplitwise(csv: string): SplitwiseRow[] {
  const [head, ...lines] = csv.trim().split(/\r?\n/);
  const column = new Map((head ?? "").split(",").map((name, i) => [name, i]));
  const groups = new Map<string, { row: Omit<SplitwiseRow, "promptMs" | "tokenMs">; promptMs: number[]; tokenMs: number[] }>();
  for (const line of lines) {
    const cells = line.split(",");
    const at = (name: string): string => cells[column.get(name) ?? -1] ?? "";
    const machine = hardware[at("hardware")];
    if (machine === undefined || at("model") !== "llama2-70b" || at("batch_size") !== "1" || at("tensor_parallel") !== "2" || at("token_size") !== "128") continue;
    const key = `${machine}|${at("prompt_size")}`;
    const group = groups.get(key) ?? { row: { machine: catalogueMachine(machine), parallel: 2, promptTokens: Number(at("prompt_size")) }, promptMs: [], tokenMs: [] };
    group.promptMs.push(Number(at("prompt_time")));
    group.tokenMs.push(Number(at("token_time")));
    groups.set(key, group);
  }
  return [...groups.values()].map(({ row, promptMs, tokenMs }) => ({ ...row, promptMs: median(promptMs), tokenMs: median(tokenMs) }));
}

/** Relative errors of prompt time and time per token, as if `parallel` accelerators were one with the sum of their peaks. */
export function splitwiseErrors(row: SplitwiseRow, efficiency?: Efficiency): { readonly prompt: number; readonly token: number } {
  const together = {
    ...row.machine,
    bandwidthBytesPerS: row.machine.bandwidthBytesPerS * row.parallel,
    flopPerS: row.machine.flopPerS * row.parallel,
  };
  const { model: llama, quantisation } = catalogueModel(model);
  const cost = stepCost(together, llama, quantisation, "vllm", efficiency);
  return {
    prompt: promptUs(cost, row.promptTokens) / 1000 / row.promptMs - 1,
    token: generateUs(cost, 128, row.promptTokens) / 128 / 1000 / row.tokenMs - 1,
  };
}

/** The compute efficiency at which the median prompt of 512 tokens and more is right; found by bisection. */
export function fitSplitwiseCompute(rows: readonly SplitwiseRow[], efficiency: Efficiency): number {
  let low = 0.05;
  let high = 1;
  for (let i = 0; i < 30; i++) {
    const middle = (low + high) / 2;
    const error = median(rows.filter((row) => row.promptTokens >= 512).map((row) => splitwiseErrors(row, { ...efficiency, compute: middle }).prompt));
    if (error > 0) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
