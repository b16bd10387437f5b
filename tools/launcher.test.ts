import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const launcher = fileURLToPath(new URL("../infernet", import.meta.url));
let folder = "";
beforeAll(() => void (folder = realpathSync(mkdtempSync(join(tmpdir(), "infernet launcher ")))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (file: string, args: readonly string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(file, args, { cwd: folder, encoding: "utf8" });

describe.skipIf(process.platform === "win32")("./infernet (a POSIX shell script: skipped on Windows)", () => {
  test("runs from any folder, and passes on arguments and exit code", () => {
    expect(run(launcher, ["--version"])).toMatchObject({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
    expect(run(launcher, ["no such command"]).status).toBe(2);
  });

  test("follows symbolic links, relative ones too", () => {
    symlinkSync(launcher, join(folder, "first"));
    mkdirSync(join(folder, "bin"));
    symlinkSync("../first", join(folder, "bin", "second"));
    expect(run(join(folder, "bin", "second"), ["--version"]).status).toBe(0);
  });

  test("says in one sentence that the dependencies are missing", () => {
    const bare = join(folder, "bare checkout");
    mkdirSync(bare);
    copyFileSync(launcher, join(bare, "infernet"));
    const result = run(join(bare, "infernet"), ["run", "quickstart"]);
    expect(result.status).toBe(1);
    expect(result.stderr).toBe(`infernet: dependencies are missing; run 'npm ci' in ${bare} first.\n`);
  });
});
