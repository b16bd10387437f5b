import { execFile } from "node:child_process";

/** Runs a program of the system; null where there is none of that name, it fails, or takes longer than that. Never throws. */
export type RunCommand = (program: string, args: readonly string[], timeoutMs?: number) => Promise<string | null>;

export const runCommand: RunCommand = (program, args, timeoutMs = 5_000) => new Promise((resolve) => {
  execFile(program, [...args], { timeout: timeoutMs, maxBuffer: 1 << 22, windowsHide: true, killSignal: "SIGKILL" }, (error, stdout) => resolve(error === null ? stdout : null));
});
