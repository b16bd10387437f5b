import { createRequire } from "node:module";
import type * as TinySecp256k1 from "tiny-secp256k1";

/**
 * BIP-340 over secp256k1: keys, signatures and their proof. Every implementation gives the same bytes and verdicts; they
 * differ in speed alone.
 */
export interface Curve {
  /** Such as "libsecp256k1 in WebAssembly (tiny-secp256k1)". */
  readonly name: string;
  /** The x-only public key, 32 bytes. @throws Error where the bytes are no secret key: not 32 of them, zero, or not below the curve's order. */
  publicKey(secretKey: Uint8Array): Uint8Array;
  /**
   * Signs with a secret key, which is valid; the result signs 32 bytes with 32 bytes of auxiliary randomness: 64 bytes.
   */
  signer(secretKey: Uint8Array): (message: Uint8Array, auxRand: Uint8Array) => Uint8Array;
  /** Whether 64 bytes are the signature of 32 by a public key of 32. May throw where any is no point or number of the curve. */
  verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean;
}

/** Loaded when it is first needed: compiling it takes some 20 ms, and most simulations sign nothing. */
let tiny: typeof TinySecp256k1 | null = null;
function library(): typeof TinySecp256k1 {
  tiny ??= createRequire(import.meta.url)("tiny-secp256k1") as typeof TinySecp256k1;
  return tiny;
}

/** Bitcoin's own library, compiled to WebAssembly: runs wherever JavaScript does. */
export const webAssemblyCurve: Curve = {
  name: "libsecp256k1 in WebAssembly (tiny-secp256k1)",
  publicKey: (secretKey) => library().xOnlyPointFromScalar(secretKey),
  signer: (secretKey) => (message, auxRand) => library().signSchnorr(message, secretKey, auxRand),
  verify: (signature, message, publicKey) => library().verifySchnorr(message, publicKey, signature),
};

let inUse = webAssemblyCurve;

/** The implementation that signs and verifies. */
export function curve(): Curve {
  return inUse;
}

/** Has another implementation sign and verify from now on: one that gives the same results, faster. */
export function useCurve(other: Curve): void {
  inUse = other;
}
