import { spawn, spawnSync } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

/** The command line's own file, for Node. */
export const main = fileURLToPath(new URL("../main.ts", import.meta.url));
/** A market of four nodes that plays in a moment. */
export const market = fileURLToPath(new URL("market.yaml", import.meta.url));

/** How a process ended. */
export interface Outcome {
  /** Exit code; null where a signal ended it. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder of this test file's own, gone when its tests are over. */
export function testFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `infernet-${name}-`));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs a command line in a folder, as a log would see it: no colours, no bar. */
export function infernet(cwd: string, ...args: readonly string[]): Outcome {
  return spawnSync(process.execPath, [main, ...args], { cwd, encoding: "utf8", maxBuffer: 1 << 28, env: environment() });
}

/** Starts a command line; stdout and stderr come as they are written. */
export function start(cwd: string, ...args: readonly string[]): { readonly child: ChildProcessByStdio<null, Readable, Readable>; readonly outcome: Promise<Outcome> } {
  const child = spawn(process.execPath, [main, ...args], { cwd, stdio: ["ignore", "pipe", "pipe"], env: environment() });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => void (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (stderr += text));
  const outcome = new Promise<Outcome>((resolve) => child.on("close", (status) => resolve({ status, stdout, stderr })));
  return { child, outcome };
}

/** Everything in a folder and below, hidden files included, sorted; folders end with a slash. */
export function contents(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1) + (entry.isDirectory() ? "/" : ""))
    .sort();
}

/** As it is at the moment: tests may set what a process is to find. */
const environment = (): NodeJS.ProcessEnv => ({ ...process.env, NO_COLOR: "1", CI: "1" });
