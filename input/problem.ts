import type { PathPart } from "./path-part.ts";

/** One thing wrong with a file. */
export interface Problem {
  /** The file, or `--set path=value`. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in characters. */
  readonly column: number;
  /** Such as `clients[0].arrivals.poisson.rate`; "" for the file as a whole. */
  readonly path: string;
  readonly found: string;
  readonly allowed: string;
  /** What was probably meant. */
  readonly suggestion?: string;
}

/** A problem before anybody has looked up where in the text it is. */
export interface Finding {
  readonly path: readonly PathPart[];
  readonly found: string;
  readonly allowed: string;
  readonly suggestion?: string;
  /** The key itself is wrong, not what it holds. */
  readonly atKey?: boolean;
}

/** Problems shown at most; the rest is counted. */
const shownProblems = 20;

/** A file that cannot be used. The message says where, what was found, what is allowed, and what was probably meant. */
export class LocatedError extends Error {
  readonly problems: readonly Problem[];

  /** @param texts the text behind each `file` of the problems, for excerpts. */
  constructor(problems: readonly Problem[], texts: ReadonlyMap<string, string>) {
    super(format(problems, texts));
    this.problems = problems;
  }
}

function format(problems: readonly Problem[], texts: ReadonlyMap<string, string>): string {
  const shown = problems.slice(0, shownProblems).map((problem) => formatProblem(problem, texts.get(problem.file)));
  if (problems.length > shownProblems) shown.push(`... and ${problems.length - shownProblems} more`);
  return shown.join("\n");
}

function formatProblem(problem: Problem, text: string | undefined): string {
  const { file, line, column, path, found, allowed, suggestion } = problem;
  const lines = [`${file}:${line}:${column}: ${path === "" ? "" : `${path}: `}found ${found}; allowed: ${allowed}${suggestion === undefined ? "" : `; did you mean ${suggestion}?`}`];
  const source = text?.split(/\r?\n/)[line - 1];
  if (source !== undefined && source.trim() !== "") lines.push(...excerpt(source, line, column));
  return lines.join("\n");
}

/** The line, cut to a window around the column, with a caret below. */
function excerpt(source: string, line: number, column: number): string[] {
  const width = 100;
  const from = Math.max(0, Math.min(column - 1 - width / 2, source.length - width));
  const window = source.slice(from, from + width).replace(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, " ");
  const gutter = String(line);
  return [`  ${gutter} | ${window}`, `  ${" ".repeat(gutter.length)} | ${" ".repeat(Math.max(0, column - 1 - from))}^`];
}

/** `clients[0].arrivals`. */
export function formatPath(path: readonly PathPart[]): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else text += text === "" ? part : `.${part}`;
  }
  return text;
}

/** `a`, `b` and `c` for "did you mean". */
export function quoted(word: string): string {
  return JSON.stringify(word);
}
