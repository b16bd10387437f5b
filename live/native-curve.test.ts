import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import fc from "fast-check";
import { curve, useCurve, webAssemblyCurve } from "../protocol/curve.ts";
import { publicKeyOf } from "../protocol/keys.ts";
import { Signer, verifySignature } from "../protocol/signer.ts";
import { loadNativeCurve } from "./native-curve.ts";

const native = loadNativeCurve();
const vectors = readFileSync(new URL("../protocol/fixtures/bip-0340-test-vectors.csv", import.meta.url), "utf8").trim().toLowerCase().split("\n").slice(1).map((line) => line.split(","))
  .filter(([, , , , message]) => message!.length === 64);

describe.skipIf(native === undefined)("the system's libsecp256k1 (skipped where it or koffi is not installed)", () => {
  beforeAll(() => useCurve(native!));
  afterAll(() => useCurve(webAssemblyCurve));

  test("is in use", () => {
    expect(curve().name).toContain("libsecp256k1 (");
  });

  test.each(vectors)("BIP-340's test vector %s", (_index, secretKey, publicKey, auxRand, message, signature, valid) => {
    expect(verifySignature(signature!, message!, publicKey!)).toBe(valid === "true");
    if (secretKey === "") return;
    expect(publicKeyOf(hexToBytes(secretKey!))).toBe(publicKey);
    expect(new Signer(hexToBytes(secretKey!), { auxRand: hexToBytes(auxRand!) }).sign(message!)).toBe(signature);
  });

  test("gives the keys, signatures and verdicts of the other implementation", () => {
    const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(fc.property(bytes, bytes, bytes, fc.nat({ max: 511 }), (secretKey, message, auxRand, flipped) => {
      const publicKey = native!.publicKey(secretKey);
      expect(publicKey).toEqual(webAssemblyCurve.publicKey(secretKey));
      const signature = native!.signer(secretKey)(message, auxRand);
      expect(bytesToHex(signature)).toBe(bytesToHex(webAssemblyCurve.signer(secretKey)(message, auxRand)));
      expect(webAssemblyCurve.verify(signature, message, publicKey)).toBe(true);
      expect(native!.verify(signature, message, publicKey)).toBe(true);
      signature[flipped >> 3]! ^= 1 << (flipped & 7);
      expect(native!.verify(signature, message, publicKey)).toBe(false);
    }), { seed: 1, numRuns: 50 });
  });

  test("refuses what is no secret key", () => {
    for (const key of [new Uint8Array(32), new Uint8Array(31).fill(1), hexToBytes("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")]) {
      expect(() => native!.publicKey(key)).toThrow("no secret key");
    }
  });
});

test("where there is no such library, there is none, and nothing throws", () => {
  expect(loadNativeCurve(["/nowhere/libsecp256k1.so"])).toBeUndefined();
  expect(loadNativeCurve([])).toBeUndefined();
});
