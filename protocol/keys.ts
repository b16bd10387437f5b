import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import * as nip19 from "nostr-tools/nip19";
import { curve } from "./curve.ts";
import type { PeerId } from "./messages/scalars.ts";

const HEX_KEY = /^[0-9a-f]{64}$/;

/**
 * The x-only public key (BIP-340) of a secret key.
 *
 * @param secretKey 32 bytes
 * @returns 64 lower-case hexadecimal digits
 * @throws Error where the bytes are no secret key: not 32 of them, zero, or not below the curve's order
 */
export function publicKeyOf(secretKey: Uint8Array): PeerId {
  return bytesToHex(curve().publicKey(secretKey));
}

/** A public key as people see it: `npub1...` (NIP-19). */
export function encodePublicKey(publicKey: PeerId): string {
  return nip19.npubEncode(publicKey);
}

/** A secret key as people store it: `nsec1...` (NIP-19). Never print it. */
export function encodeSecretKey(secretKey: Uint8Array): string {
  return nip19.nsecEncode(secretKey);
}

/**
 * Reads a public key: `npub1...` (NIP-19) or 64 lower-case hexadecimal digits.
 *
 * @throws RangeError where it is neither
 */
export function decodePublicKey(text: string): PeerId {
  if (HEX_KEY.test(text)) return text;
  const decoded = decodeNip19(text);
  if (decoded?.type !== "npub") throw new RangeError("a public key is written as npub1... (NIP-19) or as 64 lower-case hexadecimal digits");
  return decoded.data;
}

/**
 * Reads a secret key: `nsec1...` (NIP-19) or 64 lower-case hexadecimal digits.
 *
 * @returns 32 bytes; whether they are a valid key is seen when they are used
 * @throws RangeError where it is neither; the message does not repeat the text
 */
export function decodeSecretKey(text: string): Uint8Array {
  if (HEX_KEY.test(text)) return hexToBytes(text);
  const decoded = decodeNip19(text);
  if (decoded?.type !== "nsec") throw new RangeError("a secret key is written as nsec1... (NIP-19) or as 64 lower-case hexadecimal digits");
  return decoded.data;
}

function decodeNip19(text: string): nip19.DecodedResult | undefined {
  try {
    return nip19.decode(text);
  } catch {
    return undefined;
  }
}
