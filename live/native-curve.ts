import { randomBytes } from "node:crypto";
import { createRequire } from "node:module";
import { type Curve, useCurve, webAssemblyCurve } from "../protocol/curve.ts";

/** The part of koffi that is used: calls into C. */
interface Koffi {
  load(path: string): { func(prototype: string): (...args: readonly unknown[]) => unknown };
}

/** SECP256K1_CONTEXT_NONE of secp256k1.h. */
const CONTEXT_NONE = 1;
/** Sizes of secp256k1_keypair and secp256k1_xonly_pubkey, which callers provide (secp256k1_extrakeys.h). */
const KEYPAIR_BYTES = 96;
const POINT_BYTES = 64;
/** Public keys that are kept decoded. */
const POINTS_KEPT = 4_096;

/** Names of libsecp256k1 from 0.2 on, the first with all that is needed; newest first. */
const LIBRARIES: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  linux: ["libsecp256k1.so.6", "libsecp256k1.so.5", "libsecp256k1.so.2", "libsecp256k1.so.1", "libsecp256k1.so"],
  darwin: ["libsecp256k1.dylib", "/opt/homebrew/lib/libsecp256k1.dylib", "/usr/local/lib/libsecp256k1.dylib"],
  win32: ["libsecp256k1-6.dll", "libsecp256k1-5.dll", "libsecp256k1-2.dll", "libsecp256k1.dll"],
};

/**
 * Bitcoin's libsecp256k1 as the system has it (Debian: libsecp256k1-1 or -2; Homebrew: secp256k1), called through koffi.
 *
 * @param paths where to look for it, one after the other
 * @returns undefined where koffi or the library is missing, or where it does not sign and verify as it should
 */
export function loadNativeCurve(paths: readonly string[] = LIBRARIES[process.platform] ?? []): Curve | undefined {
  let koffi: Koffi;
  try {
    koffi = createRequire(import.meta.url)("koffi") as Koffi;
  } catch {
    return undefined;
  }
  for (const path of paths) {
    try {
      const curve = nativeCurve(koffi, path);
      if (agrees(curve)) return curve;
    } catch {
      // Not there, or too old: perhaps the next.
    }
  }
  return undefined;
}

let fastest: Curve | null = null;

/**
 * Has this process sign and verify as fast as it can: with the system's libsecp256k1 where there is one, some six times as fast
 * as in WebAssembly. `INFERNET_SECP256K1` names the library's file; `none` leaves it.
 *
 * @returns the implementation in use
 */
export function useFastestCurve(): Curve {
  if (fastest !== null) return fastest;
  const wish = process.env["INFERNET_SECP256K1"] ?? "";
  fastest = (wish === "none" ? undefined : loadNativeCurve(wish === "" ? undefined : [wish])) ?? webAssemblyCurve;
  useCurve(fastest);
  return fastest;
}

function nativeCurve(koffi: Koffi, path: string): Curve {
  const library = koffi.load(path);
  const createContext = library.func("void *secp256k1_context_create(unsigned int flags)");
  const randomize = library.func("int secp256k1_context_randomize(void *context, const uint8_t *seed32)");
  const createKeypair = library.func("int secp256k1_keypair_create(void *context, _Out_ uint8_t *keypair, const uint8_t *secret32)");
  const keypairPoint = library.func("int secp256k1_keypair_xonly_pub(void *context, _Out_ uint8_t *point, _Out_ int *parity, const uint8_t *keypair)");
  const writePoint = library.func("int secp256k1_xonly_pubkey_serialize(void *context, _Out_ uint8_t *output32, const uint8_t *point)");
  const readPoint = library.func("int secp256k1_xonly_pubkey_parse(void *context, _Out_ uint8_t *point, const uint8_t *input32)");
  const sign = library.func("int secp256k1_schnorrsig_sign32(void *context, _Out_ uint8_t *signature64, const uint8_t *message32, const uint8_t *keypair, const uint8_t *aux32)");
  const verify = library.func("int secp256k1_schnorrsig_verify(void *context, const uint8_t *signature64, const uint8_t *message, size_t length, const uint8_t *point)");

  const context = createContext(CONTEXT_NONE);
  // Blinds what is computed with secret keys (secp256k1.h); results stay the same.
  randomize(context, randomBytes(32));

  const keypairOf = (secretKey: Uint8Array): Uint8Array => {
    const keypair = new Uint8Array(KEYPAIR_BYTES);
    if (secretKey.length !== 32 || createKeypair(context, keypair, secretKey) !== 1) throw new RangeError("the bytes are no secret key");
    return keypair;
  };
  const points = new Map<string, Uint8Array>();
  const pointOf = (publicKey: Uint8Array): Uint8Array => {
    const name = Buffer.from(publicKey.buffer, publicKey.byteOffset, 32).toString("latin1");
    const known = points.get(name);
    if (known !== undefined) return known;
    const point = new Uint8Array(POINT_BYTES);
    if (readPoint(context, point, publicKey) !== 1) throw new RangeError("the bytes are no public key");
    if (points.size >= POINTS_KEPT) points.clear();
    points.set(name, point);
    return point;
  };
  return {
    name: `libsecp256k1 (${path})`,
    publicKey(secretKey) {
      const point = new Uint8Array(POINT_BYTES);
      const output = new Uint8Array(32);
      keypairPoint(context, point, [0], keypairOf(secretKey));
      writePoint(context, output, point);
      return output;
    },
    signer(secretKey) {
      const keypair = keypairOf(secretKey);
      return (message, auxRand) => {
        if (message.length !== 32 || auxRand.length !== 32) throw new RangeError("what is signed is 32 bytes, with 32 bytes of randomness");
        const signature = new Uint8Array(64);
        if (sign(context, signature, message, keypair, auxRand) !== 1) throw new Error("libsecp256k1 did not sign");
        return signature;
      };
    },
    verify(signature, message, publicKey) {
      if (signature.length !== 64 || message.length !== 32 || publicKey.length !== 32) return false;
      return verify(context, signature, message, 32, pointOf(publicKey)) === 1;
    },
  };
}

/** Whether a library that was found somewhere does what is expected of it. */
function agrees(curve: Curve): boolean {
  for (let i = 1; i <= 3; i++) {
    const [secretKey, message, auxRand] = [new Uint8Array(32).fill(i), new Uint8Array(32).fill(16 + i), new Uint8Array(32).fill(32 + i)];
    const publicKey = curve.publicKey(secretKey);
    const signature = curve.signer(secretKey)(message, auxRand);
    const same = Buffer.compare(publicKey, webAssemblyCurve.publicKey(secretKey)) === 0
      && Buffer.compare(signature, webAssemblyCurve.signer(secretKey)(message, auxRand)) === 0;
    if (!same || !curve.verify(signature, message, publicKey)) return false;
    message[0]! ^= 1;
    if (curve.verify(signature, message, publicKey)) return false;
  }
  return true;
}
