import { CommanderError } from "commander";

/** What the process ends with. */
export const EXIT = {
  ok: 0,
  /** Something the user can put right: a wrong option, scenario, file or job. */
  user: 2,
  /** A fault of the program: EX_SOFTWARE of BSD's sysexits. */
  fault: 70,
  /** 128 + the signal's number, as shells have it. */
  sigint: 130,
  sigterm: 143,
} as const;

/** Something the user can put right; other rooms, which cannot import this, give their errors the same name. The message says what was found and what is allowed; no stack is shown. */
export class UserError extends Error {
  override readonly name = "UserError";
}

/** Errors of other rooms that are the user's to put right. Their messages begin with the file and line. */
const locatedErrors: ReadonlySet<string> = new Set(["ScenarioError", "ConfigError", "TraceError", "ProfileError", "ProfileFileError", "BenchFileError", "PolicyError"]);

/** Errors of live runners and wallets, in words for their operator. */
const operatorErrors: ReadonlySet<string> = new Set(["UserError", "RunnerError", "WalletError"]);

/** Refusals of the file system, in words. */
const fileProblems: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder",
  EACCES: "permission denied",
  EPERM: "not permitted",
  EISDIR: "it is a folder, not a file",
  ENOTDIR: "a part of the path is not a folder",
  EEXIST: "it exists already",
  ENOSPC: "the disk is full",
  EROFS: "the file system is read-only",
  ENAMETOOLONG: "the name is too long",
};

const isFileError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && "code" in error && typeof error.code === "string" && error.code in fileProblems;

/** What to print on stderr, and the exit code. */
export interface Failure {
  readonly text: string;
  readonly exitCode: number;
}

/**
 * Puts an error into words for the terminal.
 * @param context what reproduces a fault of the program, such as `infernet run a.yaml --seed 7`; "" where unknown
 */
export const describeError = (error: unknown, context = ""): Failure => {
  // Commander has printed its own message by then; its exit code is 0 after --help and --version.
  if (error instanceof CommanderError) return { text: "", exitCode: error.exitCode === 0 ? EXIT.ok : EXIT.user };
  if (error instanceof Error && operatorErrors.has(error.name)) return { text: `error: ${error.message}`, exitCode: EXIT.user };
  if (error instanceof Error && locatedErrors.has(error.name)) return { text: error.message, exitCode: EXIT.user };
  if (isFileError(error)) {
    const path = error.path === undefined ? "" : `${error.path}: `;
    return { text: `error: ${path}${fileProblems[error.code!]!}`, exitCode: EXIT.user };
  }
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const lines = ["This is a fault of infernet-lab, not of your scenario. Please report it, with the lines below."];
  const seed = (error as { seed?: unknown } | null | undefined)?.seed;
  if (context !== "") lines.push(`To reproduce: ${context}`);
  if (typeof seed === "number" || typeof seed === "string") lines.push(`Seed: ${seed}`);
  return { text: [...lines, detail].join("\n"), exitCode: EXIT.fault };
};
