import { rounded } from "../statistics.ts";
import type { Row } from "./rows.ts";
import { bare } from "./source.ts";
import type { Imported, ImportedFile } from "./source.ts";

/** How a form of the same table names its columns; the whole file's settings stand elsewhere in some. */
export interface BatchedColumns {
  readonly model?: string;
  readonly prompt: string;
  readonly generated: string;
  readonly batch: string;
  readonly promptS: string;
  readonly generatedS: string;
}

/** Settings that llama-batched-bench prints once, by the names it gives them. */
export type BatchedSettings = Readonly<Record<string, string>>;

/**
 * Rows of llama-batched-bench: B sequences with prompts of PP tokens (or one that all share) are processed in T_PP seconds,
 * then each generates TG tokens, T_TG seconds for all steps together.
 * @param settings of the whole file; a row's own come before.
 */
export function fromBatchedBench(rows: readonly Row[], columns: BatchedColumns, settings: BatchedSettings): ImportedFile {
  const leftOut: string[] = [];
  const groups = new Map<string, Imported>();
  for (const row of rows) {
    const model = columns.model === undefined ? "model" : row.text(columns.model) ?? row.fail(columns.model, "nothing", "the model's name");
    const setting = (name: string): number | null => {
      const value = Number(row.text(name) ?? settings[name] ?? "x");
      return Number.isInteger(value) ? value : null;
    };
    let group = groups.get(model);
    if (group === undefined) {
      const none = bare(model, model);
      const positive = (name: string): number | null => {
        const value = setting(name);
        return value === null || value < 1 ? null : value;
      };
      const layers = setting("n_gpu_layers");
      const flash = setting("flash_attn");
      group = {
        ...none,
        settings: {
          ...none.settings,
          threads: positive("n_threads"), kvTokens: positive("n_kv_max"), batchTokens: positive("n_batch"), passTokens: positive("n_ubatch"),
          gpuLayers: layers === null || layers < 0 ? null : layers, flashAttention: flash === null || flash < 0 ? null : flash === 1,
        },
      };
      groups.set(model, group);
    }
    const tokens = row.number(columns.prompt, 0, true);
    const steps = row.number(columns.generated, 0, true);
    const batch = row.number(columns.batch, 1, true);
    const promptUs = row.number(columns.promptS) * 1e6;
    const generatedUs = row.number(columns.generatedS) * 1e6;
    const shared = setting("is_pp_shared") === 1;
    // Times are printed to a millisecond: what is shorter says nothing.
    if (tokens > 0 && promptUs > 0) group.prefill.push({ sequences: shared ? 1 : batch, tokens, contextTokens: 0, us: rounded(promptUs), repetitions: 1, spread: null });
    else leftOut.push(`line ${row.line}: no prompt, or one processed in less than can be read`);
    if (steps > 0 && generatedUs > 0) group.decode.push({ batch, contextTokens: tokens, steps, usPerStep: rounded(generatedUs / steps), repetitions: 1, spread: null });
    else leftOut.push(`line ${row.line}: no generation, or in less than can be read`);
  }
  return { tool: "llama-batched-bench", leftOut, groups: [...groups.values()] };
}
