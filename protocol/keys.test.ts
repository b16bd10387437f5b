import { bytesToHex } from "@noble/hashes/utils.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodePublicKey, decodeSecretKey, encodePublicKey, encodeSecretKey } from "./keys.ts";

// The examples in https://github.com/nostr-protocol/nips/blob/master/19.md
const publicKeys: [string, string][] = [
  ["npub180cvv07tjdrrgpa0j7j7tmnyl2yr6yr7l8j4s3evf6u64th6gkwsyjh6w6", "3bf0c63fcb93463407af97a5e5ee64fa883d107ef9e558472c4eb9aaaefa459d"],
  ["npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg", "7e7e9c42a91bfef19fa929e5fda1b72e0ebc1a4c1141673e2794234d86addf4e"],
];
const nsec = "nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5";
const secretKey = "67dea2ed018072d675f5415ecfaed7d2597555e202d85b3d65ea4e58d2d92ffa";

describe("NIP-19", () => {
  test("its public keys", () => {
    for (const [npub, hex] of publicKeys) {
      expect(decodePublicKey(npub)).toBe(hex);
      expect(decodePublicKey(hex)).toBe(hex);
      expect(encodePublicKey(hex)).toBe(npub);
    }
  });

  test("its secret key", () => {
    expect(bytesToHex(decodeSecretKey(nsec))).toBe(secretKey);
    expect(bytesToHex(decodeSecretKey(secretKey))).toBe(secretKey);
    expect(encodeSecretKey(decodeSecretKey(secretKey))).toBe(nsec);
  });

  test("a key with one character changed is no key", () => {
    fc.assert(fc.property(fc.constantFrom(...publicKeys), fc.integer({ min: 5, max: 62 }), fc.constantFrom(..."qpzry9x8gf2tvdw0s3jn54khce6mua7l"), ([npub], at, character) => {
      fc.pre(npub[at] !== character);
      expect(() => decodePublicKey(npub.slice(0, at) + character + npub.slice(at + 1))).toThrow(RangeError);
    }), { seed: 1 });
  });

  test("what is no key, or the other kind of key, is refused without repeating it", () => {
    for (const text of ["", "npub1", nsec, secretKey.toUpperCase(), "note1fntxtkcy9pjwucqwa9mddn7v03wwwsu9j330jj350nvhpky2tuaspk6nqc"]) expect(() => decodePublicKey(text)).toThrow("a public key is written as npub1");
    for (const text of ["", publicKeys[0]![0], `${secretKey}00`, nsec.slice(0, -1)]) {
      expect(() => decodeSecretKey(text)).toThrow(/^a secret key is written as nsec1\.\.\. \(NIP-19\) or as 64 lower-case hexadecimal digits$/);
    }
  });
});
