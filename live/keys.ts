import { randomBytes } from "node:crypto";
import { closeSync, existsSync, fstatSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { decodeSecretKey, encodeSecretKey, publicKeyOf } from "../protocol/keys.ts";
import { Signer } from "../protocol/signer.ts";

/** A key file is not as it has to be: in words for the operator, who can put it right. */
export class KeyFileError extends Error {
  override readonly name = "UserError";
}

/** A new secret key: 32 bytes of the operating system's randomness that are a valid key. */
export function newSecretKey(): Uint8Array {
  for (;;) {
    const key = randomBytes(32);
    try {
      publicKeyOf(key);
      return Uint8Array.from(key);
    } catch {
      // Zero, or not below the curve's order: 1 in 2^127.
    }
  }
}

/**
 * Writes a secret key (nsec, NIP-19) into a new file that its owner alone can read (mode 0600).
 *
 * @throws KeyFileError where there is such a file already: a key that is overwritten is lost
 */
export function writeKeyFile(path: string, secretKey: Uint8Array): void {
  let fd: number;
  try {
    fd = openSync(path, "wx", 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") throw new KeyFileError(`${path} exists already. A key is never overwritten: give another name, or move the file away.`);
    throw error;
  }
  try {
    writeSync(fd, `${encodeSecretKey(secretKey)}\n`);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Reads a secret key from a file: nsec (NIP-19) or 64 hexadecimal digits.
 *
 * @throws KeyFileError where there is no key in it, or where others than its owner may read or write it
 */
export function readKeyFile(path: string): Uint8Array {
  if (!existsSync(path)) throw new KeyFileError(`There is no key file ${path}. Make one: infernet keygen --out ${path}`);
  try {
    return checked(decodeSecretKey(readSecretFile(path)));
  } catch (error) {
    if (error instanceof RangeError) throw new KeyFileError(`${path}: ${error.message}.`);
    throw error;
  }
}

/**
 * Reads what a file keeps that its owner alone may read: its text, without white space around it.
 *
 * @throws KeyFileError where there is no such file, or where others may read or write it
 */
export function readSecretFile(path: string): string {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") throw new KeyFileError(`There is no key file ${path}.`);
    throw error;
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new KeyFileError(`${path} is no file: a key is kept in a file of its own.`);
    const mode = stat.mode & 0o777;
    // Windows has no such modes.
    if (process.platform !== "win32" && (mode & 0o077) !== 0) {
      throw new KeyFileError(`The key file ${path} is open to others (mode ${mode.toString(8).padStart(4, "0")}). Allowed: 0600. Put it right: chmod 600 ${path}`);
    }
    return readFileSync(fd, "utf8").trim();
  } finally {
    closeSync(fd);
  }
}

/** A signer as a live peer needs it: hardened by fresh randomness, and with nonces that no earlier start has used. */
export function liveSigner(secretKey: Uint8Array): Signer {
  return new Signer(secretKey, { auxRand: randomBytes(32), noncePrefix: `${randomBytes(12).toString("hex")}x` });
}

function checked(key: Uint8Array): Uint8Array {
  try {
    publicKeyOf(key);
    return key;
  } catch {
    throw new RangeError("the key in it is none of the curve secp256k1");
  }
}
