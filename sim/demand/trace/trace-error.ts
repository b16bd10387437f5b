/** Something is wrong with a trace file; the message begins with `file:line:` where a line is to blame. */
export class TraceError extends Error {
  override readonly name = "TraceError";
  readonly file: string;
  /** From 1; 0 where the whole file is meant. */
  readonly line: number;

  constructor(file: string, line: number, problem: string) {
    super(line > 0 ? `${file}:${line}: ${problem}` : `${file}: ${problem}`);
    this.file = file;
    this.line = line;
  }
}
