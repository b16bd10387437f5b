import { parseDecimal } from "./decimal.ts";
import type { LineReader } from "./line-reader.ts";
import type { RowParser } from "./row-parser.ts";
import { parseTimestampUs } from "./timestamp.ts";
import { TraceError } from "./trace-error.ts";

const comma = 44;
const quote = 34;
const zero = 48;
const noBlocks = new Float64Array(0);

/** What a column holds; both kinds of tokens come last. */
const unused = 0;
const time = 1;
const input = 2;
const output = 3;

/** Where a CSV trace has what; columns count from 0. */
export interface CsvColumns {
  /** null: the file has no times. */
  readonly time: number | null;
  readonly input: number;
  readonly output: number;
  /** Text: `2023-11-16 18:15:46.68`; seconds: a decimal number. */
  readonly timeKind: "text" | "seconds";
}

/** Rows of a CSV trace, read straight from the bytes: no text is made of them. */
export class CsvRows implements RowParser {
  timeUs = 0;
  inputTokens = 0;
  outputTokens = 0;
  readonly blocks = noBlocks;
  readonly blockCount = 0;
  readonly #names: readonly string[];
  readonly #timeIsText: boolean;
  /** What each column up to the last used one holds. */
  readonly #roles: Uint8Array;

  /** @param names the header's cells, for messages */
  constructor(columns: CsvColumns, names: readonly string[]) {
    this.#names = names;
    this.#timeIsText = columns.timeKind === "text";
    this.#roles = new Uint8Array(Math.max(columns.time ?? 0, columns.input, columns.output) + 1).fill(unused);
    if (columns.time !== null) this.#roles[columns.time] = time;
    this.#roles[columns.input] = input;
    this.#roles[columns.output] = output;
  }

  parse(lines: LineReader): void {
    const { bytes, end } = lines;
    const roles = this.#roles;
    let at = lines.start;
    for (let column = 0; column < roles.length; column += 1) {
      if (at > end) {
        throw new TraceError(lines.file, lines.line, `found ${column} cells, expected ${this.#names.length}: ${this.#names.join(",")}`);
      }
      const role = roles[column]!;
      const from = at;
      if (role >= input) {
        // Nearly every number of tokens is a few plain digits.
        let tokens = 0;
        let byte = 0;
        for (; at < end; at += 1) {
          byte = bytes[at]! - zero;
          if (byte < 0 || byte > 9) break;
          tokens = tokens * 10 + byte;
        }
        if (at === from || at - from > 9 || (at < end && bytes[at] !== comma)) {
          at = cellEnd(bytes, from, end);
          tokens = parseDecimal(bytes, from, at, 0);
          if (!(tokens >= 0 && tokens < 2 ** 31)) this.#fail(lines, column, from, at, "a number of tokens, 0 to 2147483647");
        }
        if (role === input) this.inputTokens = tokens;
        else this.outputTokens = tokens;
      } else {
        at = cellEnd(bytes, from, end);
        if (role === time) {
          const timeUs = this.#timeIsText ? parseTimestampUs(bytes, from, at) : parseDecimal(bytes, from, at, 6);
          if (!Number.isSafeInteger(timeUs)) this.#fail(lines, column, from, at, this.#timeIsText ? "a time such as 2023-11-16 18:15:46.6805900" : "a number of seconds");
          this.timeUs = timeUs;
        }
      }
      at += 1;
    }
  }

  #fail(lines: LineReader, column: number, from: number, to: number, expected: string): never {
    throw new TraceError(lines.file, lines.line, `${this.#names[column]}: found "${lines.text(from, Math.min(to, from + 60))}", expected ${expected}`);
  }
}

function cellEnd(bytes: Buffer, from: number, end: number): number {
  let at = from;
  if (bytes[at] === quote) {
    at += 1;
    while (at < end && bytes[at] !== quote) at += 1;
  }
  while (at < end && bytes[at] !== comma) at += 1;
  return at;
}
