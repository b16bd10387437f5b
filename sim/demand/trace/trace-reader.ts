import type { TraceFormat } from "../../scenario/scenario.ts";
import { CsvRows } from "./csv-rows.ts";
import { detectFormat, headerCells, traceFormats } from "./formats.ts";
import { JsonRows } from "./json-rows.ts";
import { LineReader } from "./line-reader.ts";
import type { RowParser } from "./row-parser.ts";
import { TraceError } from "./trace-error.ts";

/** How a trace is to be read. */
export interface TraceOptions {
  /** Absent or null: told from the first line. */
  readonly format?: TraceFormat | null;
  /** Rows to read; absent or null: all. */
  readonly limit?: number | null;
  /** How far back in time a row may lie behind the latest one before it, µs; default 1 s. */
  readonly disorderToleranceUs?: number;
}

/**
 * A trace's requests, one at a time, in order of time. Memory does not grow with the file, and no row is allocated: the
 * fields are overwritten.
 *
 * - Times count from the first request.
 * - A row without output tokens is a request that failed where it was recorded: it is left out and counted in `failedRows`.
 * - A row without input tokens gets one.
 * - A stream cannot be sorted: a row that lies behind the one before it by no more than the tolerance is moved to that one's
 *   time and counted in `movedRows`; one further behind is an error.
 */
export class TraceReader {
  readonly file: string;
  readonly format: TraceFormat;
  /** Whether the rows have times; where not, `timeUs` stays 0. */
  readonly hasTimes: boolean;
  /** µs since the first request; never goes back. */
  timeUs = 0;
  /** At least 1. */
  inputTokens = 0;
  /** At least 1. */
  outputTokens = 0;
  /** Requests given so far. */
  rows = 0;
  failedRows = 0;
  movedRows = 0;
  readonly #lines: LineReader;
  readonly #parser: RowParser;
  readonly #limit: number;
  readonly #toleranceUs: number;
  #firstLineIsRow: boolean;
  #originUs = 0;

  /** @throws TraceError where the file cannot be read or is none of `traceFormats` */
  constructor(file: string, options: TraceOptions = {}) {
    this.file = file;
    this.#limit = options.limit ?? Infinity;
    this.#toleranceUs = options.disorderToleranceUs ?? 1_000_000;
    this.#lines = new LineReader(file);
    if (!this.#lines.next()) throw new TraceError(file, 0, "the file is empty");
    const { bytes, start } = this.#lines;
    if (bytes[start] === 0x1f && bytes[start + 1] === 0x8b) throw new TraceError(file, 0, "the file is compressed; unpack it first: gunzip -k FILE");
    if (bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf) this.#lines.start += 3;
    const firstLine = this.#lines.text();
    const detected = detectFormat(firstLine);
    if (detected === null) throw new TraceError(file, 1, `found ${JSON.stringify(firstLine.slice(0, 120))}, expected the first line of a trace:\n${known()}`);
    if (options.format != null && options.format !== detected.format) throw new TraceError(file, 1, `this is a trace in the format ${detected.format}, not ${options.format}`);
    this.format = detected.format;
    this.hasTimes = detected.hasTimes;
    this.#firstLineIsRow = detected.columns === null;
    this.#parser = detected.columns === null ? new JsonRows() : new CsvRows(detected.columns, headerCells(firstLine));
  }

  /** Names of the prompt's prefix blocks are the first `blockCount` of these; valid until the next call of `next`. */
  get blocks(): Float64Array {
    return this.#parser.blocks;
  }

  get blockCount(): number {
    return this.#parser.blockCount;
  }

  /**
   * Goes to the next request; false when there are no more, and the file is then closed.
   *
   * @throws TraceError naming file and line
   */
  next(): boolean {
    const parser = this.#parser;
    for (;;) {
      if (this.rows >= this.#limit || !this.#nextLine()) {
        this.close();
        return false;
      }
      parser.parse(this.#lines);
      if (parser.outputTokens === 0) {
        this.failedRows += 1;
        continue;
      }
      if (this.rows === 0) this.#originUs = parser.timeUs;
      const timeUs = parser.timeUs - this.#originUs;
      if (timeUs >= this.timeUs) {
        this.timeUs = timeUs;
      } else {
        if (this.timeUs - timeUs > this.#toleranceUs) {
          throw new TraceError(this.file, this.#lines.line, `this row is ${(this.timeUs - timeUs) / 1e6} s earlier than one before it; sort the file by time (up to ${this.#toleranceUs / 1e6} s is put right)`);
        }
        this.movedRows += 1;
      }
      this.inputTokens = parser.inputTokens === 0 ? 1 : parser.inputTokens;
      this.outputTokens = parser.outputTokens;
      this.rows += 1;
      return true;
    }
  }

  /** Gives the file back before its end; again is harmless. */
  close(): void {
    this.#lines.close();
  }

  /** Goes to the next line that is not blank. */
  #nextLine(): boolean {
    if (this.#firstLineIsRow) {
      this.#firstLineIsRow = false;
      return true;
    }
    const lines = this.#lines;
    while (lines.next()) {
      for (let at = lines.start; at < lines.end; at += 1) if (lines.bytes[at]! > 32) return true;
    }
    return false;
  }
}

function known(): string {
  return traceFormats.map((known) => `  ${known.format}: ${known.firstLine} (${known.source})`).join("\n");
}
