import { closeSync, openSync, readSync } from "node:fs";
import { TraceError } from "./trace-error.ts";

const chunkBytes = 1 << 18;
const longestLineBytes = 1 << 26;
const lineFeed = 10;
const carriageReturn = 13;

/**
 * A file's lines, one at a time, as a range of bytes in a buffer that is read over and over: memory does not grow with the
 * file. Synchronous, as the simulation is.
 */
export class LineReader {
  readonly file: string;
  /** The current line is `bytes[start, end)`, without its line break; valid until the next call of `next`. */
  bytes: Buffer = Buffer.allocUnsafe(chunkBytes);
  start = 0;
  end = 0;
  /** Number of the current line, from 1. */
  line = 0;
  #descriptor: number | null;
  #nextStart = 0;
  #filled = 0;
  #fileEnded = false;

  /** @throws TraceError where the file cannot be opened */
  constructor(file: string) {
    this.file = file;
    try {
      this.#descriptor = openSync(file, "r");
    } catch (error) {
      throw new TraceError(file, 0, reason(error));
    }
  }

  /**
   * Goes to the next line; false at the end of the file, which is then closed.
   *
   * @throws TraceError where the file cannot be read, or a line is longer than 64 MiB
   */
  next(): boolean {
    let from = this.#nextStart;
    for (;;) {
      const found = this.bytes.indexOf(lineFeed, from);
      // Behind the filled part lie leftovers of earlier chunks.
      if (found >= 0 && found < this.#filled) {
        this.#take(found, found + 1);
        return true;
      }
      if (this.#fileEnded) break;
      from = this.#filled - this.#nextStart;
      this.#fill();
    }
    this.close();
    if (this.#nextStart >= this.#filled) return false;
    this.#take(this.#filled, this.#filled);
    return true;
  }

  /** The current line as text, or a part of it. */
  text(start = this.start, end = this.end): string {
    return this.bytes.toString("utf8", start, end);
  }

  /** Gives the file back; again is harmless. */
  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
    this.#fileEnded = true;
  }

  #take(end: number, nextStart: number): void {
    this.start = this.#nextStart;
    this.end = end > this.start && this.bytes[end - 1] === carriageReturn ? end - 1 : end;
    this.#nextStart = nextStart;
    this.line += 1;
  }

  /** Moves the unfinished line to the front and reads on behind it. */
  #fill(): void {
    this.bytes.copyWithin(0, this.#nextStart, this.#filled);
    this.#filled -= this.#nextStart;
    this.#nextStart = 0;
    if (this.#filled === this.bytes.length) {
      if (this.#filled >= longestLineBytes) throw new TraceError(this.file, this.line + 1, "the line is longer than 64 MiB");
      const larger = Buffer.allocUnsafe(this.bytes.length * 2);
      this.bytes.copy(larger, 0, 0, this.#filled);
      this.bytes = larger;
    }
    let read: number;
    try {
      read = readSync(this.#descriptor!, this.bytes, this.#filled, this.bytes.length - this.#filled, null);
    } catch (error) {
      throw new TraceError(this.file, 0, reason(error));
    }
    this.#filled += read;
    if (read === 0) this.#fileEnded = true;
  }
}

function reason(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : "";
  if (code === "ENOENT") return "there is no such file";
  if (code === "EISDIR") return "is a folder, not a trace file";
  if (code === "EACCES") return "may not be read";
  return error instanceof Error ? error.message : String(error);
}
