import { csvRows, jsonLineRows, jsonListRows, tableRows } from "./rows.ts";
import { machineProfile } from "../../../protocol/profile.ts";
import { importedProfile } from "./profile.ts";
import { fromBatchedBench } from "./batched-bench.ts";
import type { BatchedColumns, BatchedSettings } from "./batched-bench.ts";
import { fromLlamaBench, fromLlamaBenchTable } from "./llama-bench.ts";
import { BenchSource } from "./source.ts";
import type { ImportedFile } from "./source.ts";

const TABLE: BatchedColumns = { prompt: "PP", generated: "TG", batch: "B", promptS: "T_PP s", generatedS: "T_TG s" };
const LINES: BatchedColumns = { prompt: "pp", generated: "tg", batch: "pl", promptS: "t_pp", generatedS: "t_tg" };
const COLUMNS: BatchedColumns = { model: "model", prompt: "pp", generated: "tg", batch: "b", promptS: "t_pp_s", generatedS: "t_tg_s" };

const KNOWN = "what llama-bench prints with -o json, jsonl, csv or md, what llama-batched-bench prints (its table, or --output-format jsonl), or a CSV with the columns model, pp, tg, b, t_pp_s, t_tg_s";

/**
 * Reads another tool's measurements; which tool's and in which form is told from the text.
 * @param file its name, for messages
 * @throws BenchFileError with the first thing that is wrong
 */
export function readBenchFile(text: string, file: string): ImportedFile {
  const source = new BenchSource(file, text.replace(/^\ufeff/, ""));
  const found = read(source);
  if (found.groups.every(({ prefill, decode }) => prefill.length === 0 && decode.length === 0)) {
    source.fail(1, 1, "", found.leftOut.length === 0 ? "no measurement" : `nothing of use (${found.leftOut[0]!})`, "at least one row of prompts or of generation");
  }
  for (const group of found.groups) {
    const { success, error } = machineProfile.safeParse(importedProfile(found.tool, group, { name: null, catalogueModel: null, file: "file", lab: "", power: null, priceUsd: null }));
    // Numbers that no machine has: what exactly was wrong in the file is not known any more.
    if (!success) source.fail(1, 1, error.issues[0]!.path.join("."), `a value that cannot be (${group.label})`, error.issues[0]!.message.replace(/^./, (letter) => letter.toLowerCase()));
  }
  return found;
}

function read(source: BenchSource): ImportedFile {
  const { lines, text } = source;
  if (/^\s*\{\s*"schema"\s*:/.test(text)) source.fail(1, 1, "", "a report or profile of the lab's own", `${KNOWN}; a machine profile needs no import`);
  if (text.trim() === "") source.fail(1, 1, "", "an empty file", KNOWN);
  if (/^\s*\[\s*(\{|\])/m.test(text)) return fromLlamaBench(jsonListRows(source));
  const object = lines.find((line) => /^\s*\{.*"/.test(line));
  if (object?.includes("\"n_prompt\"") === true) return fromLlamaBench(jsonLineRows(source));
  if (object?.includes("\"t_tg\"") === true) return fromBatchedBench(jsonLineRows(source), LINES, {});
  const heading = lines.findIndex((line) => /(^|,)"?n_prompt"?,/.test(line) && line.includes("avg_ns"));
  if (heading >= 0) return fromLlamaBench(csvRows(source, heading + 1));
  const plain = lines.findIndex((line) => Object.values(COLUMNS).every((name) => line.split(",").map((cell) => cell.trim()).includes(name)));
  if (plain >= 0) return fromBatchedBench(csvRows(source, plain + 1), COLUMNS, {});
  if (lines.some((line) => /^\s*\|.*\|\s*T_TG s\s*\|/.test(line))) return fromBatchedBench(tableRows(source, Object.values(TABLE)), TABLE, printedSettings(lines));
  if (lines.some((line) => /^\s*\|\s*model\s*\|.*\|\s*t\/s\s*\|/.test(line))) {
    const [, build = null] = /^build: \w+ \((\d+)\)/m.exec(text) ?? [];
    return fromLlamaBenchTable(tableRows(source, ["model", "test", "t/s"]), build === null ? null : `b${build}`);
  }
  return source.fail(1, 1, "", `a file that begins with ${JSON.stringify(lines.find((line) => line.trim() !== "")!.trim().slice(0, 40))}`, KNOWN);
}

/** `main: n_kv_max = 16384, n_batch = 2048, ...`, which stands before the table. */
function printedSettings(lines: readonly string[]): BatchedSettings {
  const line = lines.find((one) => one.includes("n_kv_max ="));
  return Object.fromEntries([...(line ?? "").matchAll(/(\w+) = (-?\w+)/g)].map(([, name, value]) => [name!, value!]));
}
