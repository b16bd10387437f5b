import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { lockKey } from "./key-lock.ts";

const folder = mkdtempSync(join(tmpdir(), "infernet-lock-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a key is one process's at a time, until it lets go", () => {
  const key = join(folder, "a.key");
  const release = lockKey(key);
  expect(() => lockKey(key)).toThrow(`The key file ${key} is in use by process ${process.pid}. Allowed: one process per key.`);
  release();
  expect(existsSync(`${key}.lock`)).toBe(false);
  lockKey(key)();
});

test("what a killed process left is nobody's", () => {
  const key = join(folder, "b.key");
  const { pid } = spawnSync(process.execPath, ["-e", ""]);
  writeFileSync(`${key}.lock`, `${pid}\n`);
  lockKey(key)();
  writeFileSync(`${key}.lock`, "");
  lockKey(key)();
});
