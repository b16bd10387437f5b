import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { type Curve, curve } from "./curve.ts";
import { publicKeyOf } from "./keys.ts";
import type { PeerId } from "./messages/scalars.ts";

export interface SignerOptions {
  /**
   * Auxiliary randomness for BIP-340: 32 bytes. Zeros, the default, make signatures depend on key and message alone, as a
   * simulation needs; a live peer passes fresh random bytes, which harden signing against fault and side-channel attacks.
   */
  readonly auxRand?: Uint8Array;
  /** What the signer's nonces begin with, up to 100 letters and digits; a live peer passes something random, new at every start. */
  readonly noncePrefix?: string;
}

/** Holds a secret key, signs event ids with it, and numbers what it signs. The key cannot be read back or printed. */
export class Signer {
  /** The key's public half: who the signer is. */
  readonly publicKey: PeerId;
  readonly #secretKey: Uint8Array;
  readonly #auxRand: Uint8Array;
  readonly #noncePrefix: string;
  #nonces = 0;
  /** What it signed with last: another implementation of the curve may have come to be used. */
  #curve: Curve | null = null;
  #signWith: ReturnType<Curve["signer"]> = () => new Uint8Array(0);

  /**
   * @param secretKey 32 bytes
   * @throws Error where the bytes are no secret key, or the auxiliary randomness is not 32 bytes
   */
  constructor(secretKey: Uint8Array, options: SignerOptions = {}) {
    this.publicKey = publicKeyOf(secretKey);
    this.#secretKey = Uint8Array.from(secretKey);
    this.#auxRand = options.auxRand === undefined ? new Uint8Array(32) : Uint8Array.from(options.auxRand);
    if (this.#auxRand.length !== 32) throw new RangeError(`auxiliary randomness is 32 bytes, not ${this.#auxRand.length}`);
    this.#noncePrefix = options.noncePrefix ?? "";
    if (!/^[A-Za-z0-9]{0,100}$/.test(this.#noncePrefix)) throw new RangeError("a nonce prefix is up to 100 letters and digits");
  }

  /** BIP-340 signature of an event id: 128 lower-case hexadecimal digits. @throws Error where the id is not 64 of them. */
  sign(id: string): string {
    const now = curve();
    if (now !== this.#curve) {
      this.#curve = now;
      this.#signWith = now.signer(this.#secretKey);
    }
    const message = hexToBytes(id);
    if (message.length !== 32) throw new RangeError(`an event id is 32 bytes, not ${message.length}`);
    return bytesToHex(this.#signWith(message, this.#auxRand));
  }

  /** A nonce that this signer has not given before: it tells two like messages of the same second apart. */
  nextNonce(): string {
    return `${this.#noncePrefix}${this.#nonces++}`;
  }
}

/**
 * Whether a BIP-340 signature is the public key's on this event id.
 *
 * @param signature 128 hexadecimal digits
 * @param id 64 hexadecimal digits
 * @param publicKey 64 hexadecimal digits
 * @returns false, too, where any of the three is malformed or no point of the curve; never throws
 */
export function verifySignature(signature: string, id: string, publicKey: PeerId): boolean {
  if (signature.length !== 128 || id.length !== 64 || publicKey.length !== 64) return false;
  try {
    return curve().verify(hexToBytes(signature), hexToBytes(id), hexToBytes(publicKey));
  } catch {
    return false;
  }
}
