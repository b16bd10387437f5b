import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { publicKeyOf } from "../protocol/keys.ts";
import { verifySignature } from "../protocol/signer.ts";
import { liveSigner, newSecretKey, readKeyFile, writeKeyFile } from "./keys.ts";

const folder = mkdtempSync(join(tmpdir(), "infernet-keys-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string): string => join(folder, name);
const onUnix = process.platform !== "win32";

test("a key is written as nsec, for its owner alone, and read back", () => {
  const key = newSecretKey();
  writeKeyFile(file("a"), key);
  expect(readFileSync(file("a"), "utf8")).toMatch(/^nsec1[a-z0-9]{58}\n$/);
  if (onUnix) expect(statSync(file("a")).mode & 0o777).toBe(0o600);
  expect(readKeyFile(file("a"))).toEqual(key);
});

test("a key is never overwritten", () => {
  writeKeyFile(file("b"), newSecretKey());
  const before = readFileSync(file("b"));
  expect(() => writeKeyFile(file("b"), newSecretKey())).toThrow("exists already");
  expect(readFileSync(file("b"))).toEqual(before);
});

test.runIf(onUnix)("a key that others may read, or change, is not used", () => {
  writeKeyFile(file("c"), newSecretKey());
  for (const mode of [0o640, 0o604, 0o620, 0o644]) {
    chmodSync(file("c"), mode);
    expect(() => readKeyFile(file("c"))).toThrow(`open to others (mode 0${mode.toString(8)}). Allowed: 0600. Put it right: chmod 600 ${file("c")}`);
  }
  chmodSync(file("c"), 0o400);
  expect(readKeyFile(file("c")).length).toBe(32);
});

test("what is no key is said to be none, without repeating it", () => {
  const cases = [["", "nsec1"], ["npub1secret", "nsec1"], ["0".repeat(64), "none of the curve"]] as const;
  for (const [text, what] of cases) {
    writeFileSync(file("d"), text, { mode: 0o600 });
    expect(() => readKeyFile(file("d"))).toThrow(what);
    if (text !== "") expect(() => readKeyFile(file("d"))).not.toThrow(text);
  }
  expect(() => readKeyFile(file("nowhere"))).toThrow("infernet keygen --out");
  expect(() => readKeyFile(folder)).toThrow("is no file");
});

test("live signers sign validly, differently at each start, and never give a nonce twice", () => {
  const key = newSecretKey();
  const [one, two] = [liveSigner(key), liveSigner(key)];
  const id = "243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89";
  expect(one.publicKey).toBe(publicKeyOf(key));
  expect(one.sign(id)).not.toBe(two.sign(id));
  for (const signer of [one, two]) expect(verifySignature(signer.sign(id), id, signer.publicKey)).toBe(true);
  expect(new Set([one.nextNonce(), one.nextNonce(), two.nextNonce(), two.nextNonce()]).size).toBe(4);
});
