import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { encodePublicKey, publicKeyOf } from "../protocol/keys.ts";
import { readKeyFile } from "../live/keys.ts";
import { infernet, testFolder } from "./testing/process.ts";

const folder = testFolder("keygen");

test("keygen makes a key that others cannot read, prints its public half, and never overwrites one", () => {
  const made = infernet(folder, "keygen", "--out", "node.key");
  expect(made.status).toBe(0);
  expect(made.stdout).toBe(`${encodePublicKey(publicKeyOf(readKeyFile(join(folder, "node.key"))))}\n`);
  expect(made.stdout + made.stderr).not.toContain(readFileSync(join(folder, "node.key"), "utf8").trim());
  if (process.platform !== "win32") expect(statSync(join(folder, "node.key")).mode & 0o777).toBe(0o600);

  expect(infernet(folder, "keygen", "--show", "node.key").stdout).toBe(made.stdout);
  const again = infernet(folder, "keygen", "--out", "node.key");
  expect(again).toMatchObject({ status: 2, stdout: "" });
  expect(again.stderr).toBe("error: node.key exists already. A key is never overwritten: give another name, or move the file away.\n");
});
