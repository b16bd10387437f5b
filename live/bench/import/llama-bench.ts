import type { DecodePoint, PrefillPoint } from "../../../protocol/profile.ts";
import { rounded, summarise } from "../statistics.ts";
import type { Row } from "./rows.ts";
import { bare } from "./source.ts";
import type { Imported, ImportedFile } from "./source.ts";

/** Settings in which rows of one file may differ, and how a label names them. */
const SETTINGS = ["backends", "n_batch", "n_ubatch", "n_threads", "type_k", "type_v", "n_gpu_layers", "n_cpu_moe", "split_mode", "main_gpu", "no_kv_offload", "flash_attn", "devices", "tensor_split"] as const;

/**
 * Rows of `llama-bench -o json`, `jsonl` or `csv`: a test each, times in nanoseconds over all its tokens. `n_prompt` alone is
 * a prompt, `n_gen` alone is generation; both together were timed as one, which says nothing of either.
 */
export function fromLlamaBench(rows: readonly Row[]): ImportedFile {
  const leftOut: string[] = [];
  const groups = new Map<string, { readonly row: Row; readonly prefill: PrefillPoint[]; readonly decode: DecodePoint[]; date: string | null }>();
  for (const row of rows) {
    const key = JSON.stringify([row.text("model_filename"), row.text("model_type"), ...SETTINGS.map((name) => row.text(name))]);
    let group = groups.get(key);
    if (group === undefined) groups.set(key, (group = { row, prefill: [], decode: [], date: null }));
    const tokens = row.number("n_prompt", 0, true);
    const steps = row.number("n_gen", 0, true);
    const contextTokens = row.maybe("n_depth", 0, true) ?? 0;
    if (tokens > 0 && steps > 0) {
      leftOut.push(`line ${row.line}: a prompt of ${tokens} and ${steps} generated tokens, timed as one`);
      continue;
    }
    if (tokens === 0 && steps === 0) {
      leftOut.push(`line ${row.line}: neither prompt nor generation`);
      continue;
    }
    const samples = row.numbers("samples_ns");
    const averageNs = row.number("avg_ns", 1);
    const { medianUs, repetitions, spread } = samples.length > 0
      ? summarise(samples.map((ns) => ns / 1_000))
      : { medianUs: rounded(averageNs / 1_000), repetitions: 1, spread: null };
    if (tokens > 0) group.prefill.push({ sequences: 1, tokens, contextTokens, us: medianUs, repetitions, spread });
    else {
      group.decode.push({
        batch: 1, contextTokens, steps, usPerStep: rounded(medianUs / steps), repetitions,
        spread: spread === null ? null : { minUs: rounded(spread.minUs / steps), maxUs: rounded(spread.maxUs / steps), sdUs: rounded(spread.sdUs / steps) },
      });
    }
    const time = row.text("test_time");
    if (time !== null && /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/.test(time) && (group.date === null || time > group.date)) group.date = time;
  }
  const all = [...groups.values()];
  const differing = SETTINGS.filter((name) => new Set(all.map(({ row }) => row.text(name))).size > 1);
  return { tool: "llama-bench", leftOut, groups: all.map((group) => groupOf(group.row, group, differing)) };
}

function groupOf(row: Row, { prefill, decode, date }: { readonly prefill: PrefillPoint[]; readonly decode: DecodePoint[]; readonly date: string | null }, differing: readonly string[]): Imported {
  const file = row.text("model_filename");
  const type = row.text("model_type");
  const model = file === null ? type ?? "model" : file.replace(/^.*[\\/]/, "").replace(/\.gguf$/i, "");
  const none = bare([model, ...differing.map((name) => `${name}=${row.text(name) ?? "?"}`)].join(", "), model);
  const cpu = row.text("cpu_info");
  const gpu = row.text("gpu_info");
  const flash = row.text("flash_attn");
  const [k, v] = [row.text("type_k"), row.text("type_v")];
  const build = row.text("build_number");
  const layers = Number(row.text("n_gpu_layers") ?? "x");
  return {
    ...none, date, prefill, decode,
    machine: {
      ...none.machine,
      cpu: cpu === null ? null : { model: cpu, cores: null, threads: null, vector: null },
      gpus: gpu === null ? [] : gpu.split(/, (?=\D)/).map((name) => ({ name, vendor: null, memoryBytes: null, sharedMemory: false, driver: null })),
    },
    software: { engineVersion: build === null ? row.text("build_commit") : `b${build}`, backend: row.text("backends") },
    model: {
      ...none.model, fileBytes: row.maybe("model_size", 1, true), parameters: row.maybe("model_n_params", 1, true),
      quantisation: /\b((?:I?Q\d\w*|T?Q\d_\d|MXFP4|B?F16|F32)(?: - \w+)?)/.exec(type ?? "")?.[1] ?? null,
    },
    settings: {
      ...none.settings,
      threads: row.maybe("n_threads", 1, true), batchTokens: row.maybe("n_batch", 1, true), passTokens: row.maybe("n_ubatch", 1, true),
      // A build for processors alone has nowhere else to put layers; -1 is all of them, which is more than any model has.
      gpuLayers: /^(CPU|BLAS)$/i.test(row.text("backends") ?? "") ? 0 : Number.isInteger(layers) && layers >= 0 ? layers : null,
      flashAttention: flash === null || flash === "auto" || flash === "-1" ? null : flash === "1" || flash === "true" || flash === "on",
      kvType: k === null ? null : k === v || v === null ? k : `${k}/${v}`,
    },
  };
}

/** Units of llama-bench's sizes and counts. */
const SIZES: Readonly<Record<string, number>> = { MiB: 2 ** 20, GiB: 2 ** 30, M: 1e6, B: 1e9 };

/**
 * Rows of llama-bench's Markdown table: `| model | size | params | backend | ... | test | t/s |`, a test being `pp512`,
 * `tg128` or, at a depth, `tg128 @ d512`; older versions write `pp 512`.
 */
export function fromLlamaBenchTable(rows: readonly Row[], build: string | null): ImportedFile {
  const leftOut: string[] = [];
  const groups = new Map<string, Imported>();
  const columns = ["backend", "ngl", "threads", "n_batch", "n_ubatch", "type_k", "type_v", "fa", "sm", "dev", "ts"];
  for (const row of rows) {
    const model = row.text("model") ?? "model";
    const label = [model, ...columns.filter((name) => row.has(name)).map((name) => `${name}=${row.text(name)}`)].join(", ");
    let group = groups.get(label);
    if (group === undefined) {
      const none = bare(label, model);
      const measure = (name: string): number | null => {
        const [, digits = "", unit = ""] = /^([\d.]+) (MiB|GiB|M|B)$/.exec(row.text(name) ?? "") ?? [];
        return digits === "" ? null : Math.round(Number(digits) * SIZES[unit]!);
      };
      const integer = (name: string): number | null => /^\d+$/.test(row.text(name) ?? "") ? Number(row.text(name)) : null;
      const backend = row.text("backend");
      group = {
        ...none,
        software: { engineVersion: build, backend },
        model: { ...none.model, fileBytes: measure("size"), parameters: measure("params"), quantisation: /\b((?:I?Q\d\w*|MXFP4|B?F16|F32)(?: - \w+)?)/.exec(model)?.[1] ?? null },
        settings: {
          ...none.settings, threads: integer("threads"), batchTokens: integer("n_batch"), passTokens: integer("n_ubatch"),
          gpuLayers: /^(CPU|BLAS)$/i.test(backend ?? "") ? 0 : integer("ngl"), flashAttention: row.has("fa") ? row.text("fa") === "1" : null, kvType: row.text("type_k"),
        },
      };
      groups.set(label, group);
    }
    const test = row.text("test") ?? "";
    const [, kind = "", tokens = "", depth = "0"] = /^(pp|tg) ?(\d+)(?: @ d(\d+))?$/.exec(test) ?? [];
    if (kind === "") {
      if (!/^pp ?\d+ ?\+ ?tg ?\d+/.test(test)) row.fail("test", JSON.stringify(test), "a test such as pp512, tg128 or tg128 @ d512");
      leftOut.push(`line ${row.line}: ${test}, timed as one`);
      continue;
    }
    const speed = Number(/^([\d.]+)(?: ± [\d.]+)?$/.exec(row.text("t/s") ?? "")?.[1] ?? NaN);
    if (!(speed > 0)) row.fail("t/s", row.text("t/s") ?? "nothing", "tokens per second, such as 131.42 ± 0.59");
    const count = Number(tokens);
    if (kind === "pp") group.prefill.push({ sequences: 1, tokens: count, contextTokens: Number(depth), us: rounded(count / speed * 1e6), repetitions: 1, spread: null });
    else group.decode.push({ batch: 1, contextTokens: Number(depth), steps: count, usPerStep: rounded(1e6 / speed), repetitions: 1, spread: null });
  }
  const found = [...groups.values()];
  return { tool: "llama-bench", leftOut, groups: found.length === 1 ? [{ ...found[0]!, label: found[0]!.model.name }] : found };
}
