import { parse } from "csv-parse/sync";
import { LineCounter, parseDocument } from "yaml";
import { describeValue } from "../../../input/units.ts";
import type { BenchSource } from "./source.ts";

/** One row of measurements, whatever it was written in, that knows where it stands. */
export class Row {
  readonly line: number;
  readonly #source: BenchSource;
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #where: string;

  constructor(source: BenchSource, line: number, values: Readonly<Record<string, unknown>>, where = "") {
    this.#source = source;
    this.line = line;
    this.#values = values;
    this.#where = where;
  }

  has(name: string): boolean {
    const value = this.#values[name];
    return value !== undefined && value !== null && value !== "";
  }

  text(name: string): string | null {
    const value = this.#values[name];
    if (value === undefined || value === null) return null;
    const text = String(value).replace(/[\p{Cc}\p{Cs}]/gu, " ").trim();
    return text === "" ? null : text.slice(0, 256);
  }

  /** A number of at least this, or else the file is refused. */
  number(name: string, least = 0, whole = false): number {
    const value = this.#values[name];
    const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
    if (typeof number !== "number" || !Number.isFinite(number) || number < least || (whole && !Number.isInteger(number))) {
      return this.fail(name, value === undefined ? "nothing" : describeValue(value), `a ${whole ? "whole " : ""}number of at least ${least}`);
    }
    return number;
  }

  /** The same where it is there. */
  maybe(name: string, least = 0, whole = false): number | null {
    return this.has(name) ? this.number(name, least, whole) : null;
  }

  numbers(name: string): number[] {
    const value = this.#values[name];
    return Array.isArray(value) && value.every((one): one is number => typeof one === "number" && Number.isFinite(one) && one > 0) ? value : [];
  }

  fail(name: string, found: string, allowed: string): never {
    return this.#source.fail(this.line, 1 + Math.max(0, (this.#source.lines[this.line - 1] ?? "").indexOf(name)), `${this.#where}${name}`, found, allowed);
  }
}

/** Rows of a CSV text with a heading. @param from the line of the heading, from 1. */
export function csvRows(source: BenchSource, from: number): Row[] {
  let records: { readonly record: string[]; readonly info: { readonly lines: number } }[];
  try {
    records = parse(source.lines.slice(from - 1).join("\n"), { info: true, skip_empty_lines: true, trim: true, relax_column_count: true }) as unknown as typeof records;
  } catch (error) {
    const line = (error as { lines?: number }).lines ?? 1;
    return source.fail(from + line - 1, 1, "", "something that is no CSV", "values between commas, in double quotes where they hold commas");
  }
  const head = records[0]!.record;
  return records.slice(1).map(({ record, info }) => {
    const line = from + info.lines - 1;
    if (record.length !== head.length) source.fail(line, 1, "", `${record.length} values`, `${head.length}, as in the heading`);
    return new Row(source, line, Object.fromEntries(head.map((name, i) => [name, record[i]])));
  });
}

/** Rows of one JSON object a line; lines that begin otherwise are a program's talk. */
export function jsonLineRows(source: BenchSource): Row[] {
  return source.lines.flatMap((text, i) => {
    if (!text.trimStart().startsWith("{")) return [];
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return source.fail(i + 1, 1 + text.length - text.trimStart().length, "", "something that is no JSON", "an object such as {\"pp\": 128, ...}, whole in one line");
    }
    return [new Row(source, i + 1, value as Record<string, unknown>)];
  });
}

/** Rows of a JSON list of objects; talk before and after it is passed over. */
export function jsonListRows(source: BenchSource): Row[] {
  const start = source.text.search(/^\s*\[/m);
  const body = source.text.slice(start, source.text.lastIndexOf("]") + 1);
  const before = source.text.slice(0, start).split(/\r\n|\n|\r/).length - 1;
  const counter = new LineCounter();
  // YAML's reader takes JSON, and knows where things stand.
  const document = parseDocument(body, { lineCounter: counter, prettyErrors: false });
  const fault = document.errors[0];
  if (fault !== undefined) {
    const { line, col } = counter.linePos(fault.pos[0]);
    return source.fail(before + Math.max(1, line), Math.max(1, col), "", "something that is no JSON", "a list of objects, as llama-bench -o json prints it; is the file complete?");
  }
  const values = document.toJS() as unknown[];
  return values.map((value, i) => {
    const range = (document.getIn([i], true) as { range?: [number, number, number] } | undefined)?.range;
    const line = before + (range === undefined ? 1 : counter.linePos(range[0]).line);
    if (value === null || typeof value !== "object" || Array.isArray(value)) return source.fail(line, 1, `[${i}]`, describeValue(value), "an object for each measurement");
    return new Row(source, line, value as Record<string, unknown>, `[${i}].`);
  });
}

/** Rows of every Markdown table whose heading has these columns; other lines are passed over. */
export function tableRows(source: BenchSource, columns: readonly string[]): Row[] {
  let head: string[] | null = null;
  return source.lines.flatMap((text, i) => {
    const cells = cellsOf(text);
    if (cells === null) {
      head = null;
      return [];
    }
    if (columns.every((column) => cells.includes(column))) {
      head = cells;
      return [];
    }
    if (head === null || cells.every((cell) => /^:?-*:?$/.test(cell))) return [];
    if (cells.length !== head.length) source.fail(i + 1, 1, "", `${cells.length} columns`, `${head.length}, as in the table's heading`);
    return [new Row(source, i + 1, Object.fromEntries(head.map((name, at) => [name, cells[at]])))];
  });
}

/** The cells of a table's line; null where it is none. */
function cellsOf(text: string): string[] | null {
  const trimmed = text.trim();
  if (!trimmed.startsWith("|") || !trimmed.endsWith("|") || trimmed.length < 3) return null;
  return trimmed.slice(1, -1).split("|").map((cell) => cell.trim());
}
