import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { OutputText } from "./output-text.ts";

/** Tokens are bytes. */
const ofBytes = (tokens: readonly number[]): string => Buffer.from(tokens).toString("utf8");
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

test("half a character waits for its other half", () => {
  const text = new OutputText(ofBytes, []);
  const told: string[] = [];
  for (const byte of Buffer.from("aé€😀b")) {
    text.push(byte);
    told.push(text.take(false));
  }
  expect(told).toEqual(["a", "", "é", "", "", "€", "", "", "", "😀", "b"]);
  expect(text.take(true)).toBe("");
  expect(text.hash()).toBe(sha256("aé€😀b"));
});

test("what becomes no character is told as such in the end", () => {
  const text = new OutputText(ofBytes, []);
  text.push(0xe2);
  expect(text.take(false)).toBe("");
  expect(text.take(true)).toBe("\u{FFFD}");
  expect(text.hash()).toBe(sha256("\u{FFFD}"));
});

test("any text, taken at any moments, is told whole and hashed as told", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 40 }), fc.array(fc.boolean(), { minLength: 1, maxLength: 20 }), fc.uint8Array({ maxLength: 6 }), (whole, takes, before) => {
    const text = new OutputText(ofBytes, [...before].map((byte) => byte & 0x7f));
    let told = "";
    for (const [at, byte] of [...Buffer.from(whole)].entries()) {
      text.push(byte);
      if (takes[at % takes.length]!) told += text.take(false);
    }
    told += text.take(true);
    expect(told).toBe(Buffer.from(whole).toString("utf8"));
    expect(text.hash()).toBe(sha256(told));
  }), { seed: 1, numRuns: 150 });
});

test("bytes that are no text at all are told without end or loss of order", () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 1, maxLength: 60 }), (bytes) => {
    const text = new OutputText(ofBytes, []);
    let told = "";
    let silent = 0;
    for (const byte of bytes) {
      text.push(byte);
      const piece = text.take(false);
      silent = piece === "" ? silent + 1 : 0;
      expect(silent).toBeLessThanOrEqual(5);
      told += piece;
    }
    told += text.take(true);
    expect(text.hash()).toBe(sha256(told));
  }), { seed: 1, numRuns: 150 });
});
