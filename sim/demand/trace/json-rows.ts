import { parseDecimal } from "./decimal.ts";
import type { LineReader } from "./line-reader.ts";
import type { RowParser } from "./row-parser.ts";
import { TraceError } from "./trace-error.ts";

const space = 32;
const quote = 34;
const comma = 44;
const colon = 58;
const openBracket = 91;
const backslash = 92;
const closeBracket = 93;
const openBrace = 123;
const closeBrace = 125;

const timeKey = Buffer.from("timestamp");
const inputKey = Buffer.from("input_length");
const outputKey = Buffer.from("output_length");
const blocksKey = Buffer.from("hash_ids");

/**
 * Rows of a Mooncake trace, one JSON object a line: timestamp (ms), input_length, output_length and, optionally, hash_ids,
 * the names of the prompt's prefix blocks. Other keys are passed over. Read straight from the bytes.
 */
export class JsonRows implements RowParser {
  timeUs = 0;
  inputTokens = 0;
  outputTokens = 0;
  blocks: Float64Array = new Float64Array(256);
  blockCount = 0;
  #lines: LineReader | null = null;
  #at = 0;

  parse(lines: LineReader): void {
    this.#lines = lines;
    this.#at = lines.start;
    this.timeUs = NaN;
    this.inputTokens = NaN;
    this.outputTokens = NaN;
    this.blockCount = 0;
    this.#expect(openBrace, "{");
    if (this.#peek() !== closeBrace) {
      do {
        this.#member();
      } while (this.#accept(comma));
    }
    this.#expect(closeBrace, "}");
    if (this.#peek() !== -1) this.#fail("nothing after the object");
    if (Number.isNaN(this.timeUs)) this.#missing("timestamp");
    if (Number.isNaN(this.inputTokens)) this.#missing("input_length");
    if (Number.isNaN(this.outputTokens)) this.#missing("output_length");
  }

  #member(): void {
    const from = this.#string();
    const to = this.#at - 1;
    this.#expect(colon, ":");
    if (this.#is(timeKey, from, to)) this.timeUs = this.#number(3, "a number of milliseconds", -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    else if (this.#is(inputKey, from, to)) this.inputTokens = this.#number(0, "a number of tokens", 0, 2 ** 31 - 1);
    else if (this.#is(outputKey, from, to)) this.outputTokens = this.#number(0, "a number of tokens", 0, 2 ** 31 - 1);
    else if (this.#is(blocksKey, from, to)) this.#blockNames();
    else this.#skip();
  }

  #blockNames(): void {
    this.#expect(openBracket, "[");
    if (this.#accept(closeBracket)) return;
    do {
      if (this.blockCount === this.blocks.length) {
        const larger = new Float64Array(this.blocks.length * 2);
        larger.set(this.blocks);
        this.blocks = larger;
      }
      this.blocks[this.blockCount] = this.#number(0, "a block's number", 0, Infinity);
      this.blockCount += 1;
    } while (this.#accept(comma));
    this.#expect(closeBracket, "]");
  }

  #number(places: number, expected: string, min: number, max: number): number {
    this.#peek();
    const { bytes, end } = this.#lines!;
    const from = this.#at;
    let at = from;
    while (at < end) {
      const byte = bytes[at]!;
      if (byte === comma || byte === closeBracket || byte === closeBrace || byte <= space) break;
      at += 1;
    }
    const value = parseDecimal(bytes, from, at, places);
    if (!(value >= min && value <= max)) this.#fail(expected);
    this.#at = at;
    return value;
  }

  /** Passes over a string and returns where its content begins; it ends one before the current position. */
  #string(): number {
    this.#expect(quote, '"');
    const { bytes, end } = this.#lines!;
    const from = this.#at;
    while (this.#at < end && bytes[this.#at] !== quote) this.#at += bytes[this.#at] === backslash ? 2 : 1;
    this.#expect(quote, '"');
    return from;
  }

  /** Passes over any value. */
  #skip(): void {
    const { bytes, end } = this.#lines!;
    let depth = 0;
    do {
      const byte = this.#peek();
      if (byte === -1) this.#fail("a value");
      if (byte === quote) {
        this.#string();
      } else if (byte === openBrace || byte === openBracket) {
        depth += 1;
        this.#at += 1;
      } else if (depth > 0 && (byte === closeBrace || byte === closeBracket)) {
        depth -= 1;
        this.#at += 1;
      } else if (depth > 0 && (byte === comma || byte === colon)) {
        this.#at += 1;
      } else {
        const from = this.#at;
        while (this.#at < end && /* a letter, a digit, or one of + - . */ (bytes[this.#at]! > colon || (bytes[this.#at]! >= 43 && bytes[this.#at]! < colon && bytes[this.#at] !== comma)) && bytes[this.#at] !== closeBrace && bytes[this.#at] !== closeBracket) this.#at += 1;
        if (this.#at === from) this.#fail("a value");
      }
    } while (depth > 0);
  }

  #is(key: Buffer, from: number, to: number): boolean {
    if (to - from !== key.length) return false;
    const { bytes } = this.#lines!;
    for (let at = 0; at < key.length; at += 1) if (bytes[from + at] !== key[at]) return false;
    return true;
  }

  /** The next byte that is not a space; -1 at the line's end. */
  #peek(): number {
    const { bytes, end } = this.#lines!;
    while (this.#at < end && bytes[this.#at]! <= space) this.#at += 1;
    return this.#at < end ? bytes[this.#at]! : -1;
  }

  #accept(byte: number): boolean {
    if (this.#peek() !== byte) return false;
    this.#at += 1;
    return true;
  }

  #expect(byte: number, name: string): void {
    if (!this.#accept(byte)) this.#fail(`"${name}"`);
  }

  #fail(expected: string): never {
    const { file, line, start, end } = this.#lines!;
    const rest = this.#lines!.text(this.#at, Math.min(end, this.#at + 40));
    throw new TraceError(file, line, `column ${this.#at - start + 1}: found ${rest === "" ? "the end of the line" : JSON.stringify(rest)}, expected ${expected}`);
  }

  #missing(key: string): never {
    throw new TraceError(this.#lines!.file, this.#lines!.line, `${key} is missing; a Mooncake row has timestamp, input_length and output_length`);
  }
}
