import type { LineReader } from "./line-reader.ts";

/** Reads one line of a trace into fields that are overwritten by the next. */
export interface RowParser {
  /** µs, from whatever moment the file counts; 0 where the format has no times. */
  timeUs: number;
  inputTokens: number;
  outputTokens: number;
  /** Names of the request's prefix blocks are `blocks[0, blockCount)`; none where the format has none. */
  readonly blocks: Float64Array;
  blockCount: number;
  /** @throws TraceError naming file and line where the current line is no row of this format */
  parse(lines: LineReader): void;
}
