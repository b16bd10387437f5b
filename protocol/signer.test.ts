import { readFileSync } from "node:fs";
import { schnorr } from "@noble/curves/secp256k1.js";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { publicKeyOf } from "./keys.ts";
import { Signer, verifySignature } from "./signer.ts";

// https://github.com/bitcoin/bips/blob/master/bip-0340/test-vectors.csv
const vectors = readFileSync(new URL("./fixtures/bip-0340-test-vectors.csv", import.meta.url), "utf8").trim().split("\n").slice(1).map((line) => {
  const [index, secretKey, publicKey, auxRand, message, signature, valid, ...comment] = line.toLowerCase().split(",");
  return { index: index!, secretKey: secretKey!, publicKey: publicKey!, auxRand: auxRand!, message: message!, signature: signature!, valid: valid === "true", comment: comment.join(",") };
});

describe("BIP-340's test vectors", () => {
  test("are all there: 19, of which 8 sign and 10 are to be refused", () => {
    expect(vectors.length).toBe(19);
    expect(vectors.filter((vector) => vector.secretKey !== "").length).toBe(8);
    expect(vectors.filter((vector) => !vector.valid).length).toBe(10);
  });

  for (const vector of vectors) {
    test(`vector ${vector.index} is ${vector.valid ? "accepted" : "refused"}${vector.comment === "" ? "" : `: ${vector.comment}`}`, () => {
      // Envelopes sign ids of 32 bytes and nothing else; messages of other lengths are no ids.
      const isId = vector.message.length === 64;
      expect(verifySignature(vector.signature, vector.message, vector.publicKey)).toBe(vector.valid && isId);
      if (vector.secretKey === "") return;
      const secretKey = hexToBytes(vector.secretKey);
      expect(publicKeyOf(secretKey)).toBe(vector.publicKey);
      const signer = new Signer(secretKey, { auxRand: hexToBytes(vector.auxRand) });
      if (isId) expect(signer.sign(vector.message)).toBe(vector.signature);
      else expect(() => signer.sign(vector.message)).toThrow("an event id is 32 bytes");
    });
  }
});

describe("a signer", () => {
  const secretKey = hexToBytes("b7e151628aed2a6abf7158809cf4f3c762e7160f38b4da56a784d9045190cfef");
  const id = "243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89";

  test("signs alike every time, and with zeros for auxiliary randomness unless given other bytes", () => {
    expect(new Signer(secretKey).sign(id)).toBe(new Signer(secretKey, { auxRand: new Uint8Array(32) }).sign(id));
    expect(new Signer(secretKey).sign(id)).not.toBe(new Signer(secretKey, { auxRand: new Uint8Array(32).fill(1) }).sign(id));
  });

  test("keeps its own copy of the key, and shows it to nobody", () => {
    const bytes = Uint8Array.from(secretKey);
    const signer = new Signer(bytes);
    bytes.fill(7);
    expect(verifySignature(signer.sign(id), id, signer.publicKey)).toBe(true);
    expect(JSON.stringify(signer)).toBe(`{"publicKey":"${signer.publicKey}"}`);
    expect(Object.values(signer)).toEqual([signer.publicKey]);
  });

  test("gives each nonce once", () => {
    const signer = new Signer(secretKey, { noncePrefix: "a7x" });
    expect([signer.nextNonce(), signer.nextNonce()]).toEqual(["a7x0", "a7x1"]);
  });

  test("refuses what is no key, no 32 bytes and no prefix", () => {
    expect(() => new Signer(new Uint8Array(32))).toThrow();
    expect(() => new Signer(new Uint8Array(31).fill(1))).toThrow();
    // The curve's order itself.
    expect(() => new Signer(hexToBytes("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"))).toThrow();
    expect(() => new Signer(secretKey, { auxRand: new Uint8Array(31) })).toThrow("32 bytes");
    expect(() => new Signer(secretKey, { noncePrefix: "a b" })).toThrow("letters and digits");
  });
});

const hex = (bytes: number): fc.Arbitrary<string> => fc.uint8Array({ minLength: bytes, maxLength: bytes }).map(bytesToHex);

test("keys, signatures and verdicts are those of another implementation (@noble/curves), whatever the key, the id and the random bytes", () => {
  fc.assert(fc.property(hex(32), hex(32), hex(32), fc.nat({ max: 511 }), (secret, id, aux, flipped) => {
    const [secretKey, auxRand] = [hexToBytes(secret), hexToBytes(aux)];
    const signer = new Signer(secretKey, { auxRand });
    expect(signer.publicKey).toBe(bytesToHex(schnorr.getPublicKey(secretKey)));
    const signature = signer.sign(id);
    expect(signature).toBe(bytesToHex(schnorr.sign(hexToBytes(id), secretKey, auxRand)));
    expect(verifySignature(signature, id, signer.publicKey)).toBe(true);
    const forged = hexToBytes(signature);
    forged[flipped >> 3]! ^= 1 << (flipped & 7);
    expect(verifySignature(bytesToHex(forged), id, signer.publicKey)).toBe(false);
  }), { seed: 1, numRuns: 20 });
});

test("what is malformed verifies as false and throws nothing", () => {
  const key = "dff1d77f2a671c5f36183726db2341be58feae1da2deced843240f7b502ba659";
  for (const [signature, id, publicKey] of [["", "", ""], ["zz", "00", key], ["00".repeat(64), "00".repeat(32), "00".repeat(32)], ["00".repeat(63), "00".repeat(32), key]] as const) {
    expect(verifySignature(signature, id, publicKey)).toBe(false);
  }
});
