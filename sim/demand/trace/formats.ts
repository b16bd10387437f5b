import type { TraceFormat } from "../../scenario/scenario.ts";
import type { CsvColumns } from "./csv-rows.ts";

/** What a trace's first line says about the rest. */
export interface DetectedFormat {
  readonly format: TraceFormat;
  /** null: JSON lines, of which the first is a row already. */
  readonly columns: CsvColumns | null;
  readonly hasTimes: boolean;
}

/** The formats that are read, with the columns that make them out. */
export const traceFormats: readonly { readonly format: TraceFormat; readonly firstLine: string; readonly source: string }[] = [
  { format: "azure", firstLine: "TIMESTAMP,ContextTokens,GeneratedTokens", source: "Azure LLM inference traces 2023 and 2024" },
  { format: "mooncake", firstLine: '{"timestamp": …, "input_length": …, "output_length": …, "hash_ids": […]}', source: "Mooncake traces, JSON lines" },
  { format: "burstgpt", firstLine: "Timestamp,[Session ID,Elapsed time,]Model,Request tokens,Response tokens,Total tokens,Log Type", source: "BurstGPT" },
  { format: "vidur", firstLine: "[arrived_at,]num_prefill_tokens,num_decode_tokens", source: "Vidur's processed traces" },
];

/** Told from the first line; null where it is none of `traceFormats`. */
export function detectFormat(firstLine: string): DetectedFormat | null {
  if (/^\s*\{.*"input_length"/.test(firstLine)) return { format: "mooncake", columns: null, hasTimes: true };
  const cells = headerCells(firstLine).map((cell) => cell.toLowerCase());
  const find = (name: string): number | null => {
    const index = cells.indexOf(name);
    return index < 0 ? null : index;
  };
  const from = (format: TraceFormat, timeKind: CsvColumns["timeKind"], time: number | null, input: number | null, output: number | null): DetectedFormat | null =>
    input === null || output === null || (time === null && format !== "vidur") ? null : { format, columns: { time, input, output, timeKind }, hasTimes: time !== null };
  return from("azure", "text", find("timestamp"), find("contexttokens"), find("generatedtokens"))
    ?? from("burstgpt", "seconds", find("timestamp"), find("request tokens"), find("response tokens"))
    ?? from("vidur", "seconds", find("arrived_at"), find("num_prefill_tokens"), find("num_decode_tokens"));
}

/** The cells of a CSV header, without quotes and spaces around them. */
export function headerCells(line: string): string[] {
  return line.split(",").map((cell) => cell.trim().replace(/^"(.*)"$/, "$1").trim());
}
