import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";

/**
 * A JSON text that depends on a value alone and not on how it was built: keys sorted by their UTF-16 code units, no white
 * space, numbers and strings as `JSON.stringify` writes them. This is RFC 8785 (JSON Canonicalization Scheme).
 *
 * Keys whose value is `undefined` are left out, as JSON does; nothing else that JSON cannot carry is passed over.
 *
 * @throws TypeError naming the path where the value holds what JSON cannot carry (NaN, Infinity, a function, a bigint,
 * an `undefined` array element, an object that is neither plain nor an array), a string with a lone surrogate (it has no
 * UTF-8 form), or a cycle
 */
export function canonicalJson(value: unknown): string {
  return write(value, "", []);
}

/**
 * SHA-256 as 64 lower-case hexadecimal digits.
 *
 * @param data bytes, or a string that is hashed in UTF-8
 */
export function sha256Hex(data: Uint8Array | string): string {
  return bytesToHex(sha256(typeof data === "string" ? utf8ToBytes(data) : data));
}

/** SHA-256 of a value's canonical JSON, as 64 lower-case hexadecimal digits. Throws as `canonicalJson` does. */
export function digest(value: unknown): string {
  return sha256Hex(canonicalJson(value));
}

function write(value: unknown, path: string, parents: object[]): string {
  switch (typeof value) {
    case "boolean":
      return value ? "true" : "false";
    case "number":
      if (!Number.isFinite(value)) throw notJson(path, `the number ${value}`);
      return JSON.stringify(value);
    case "string":
      if (!value.isWellFormed()) throw notJson(path, "a string with a lone surrogate");
      return JSON.stringify(value);
    case "object":
      return value === null ? "null" : writeObject(value, path, parents);
    default:
      throw notJson(path, `a value of type ${typeof value}`);
  }
}

function writeObject(value: object, path: string, parents: object[]): string {
  if (parents.includes(value)) throw notJson(path, "a cycle");
  parents.push(value);
  const text = Array.isArray(value) ? writeArray(value, path, parents) : writeRecord(value, path, parents);
  parents.pop();
  return text;
}

function writeArray(values: readonly unknown[], path: string, parents: object[]): string {
  let text = "[";
  // By index, so that a hole in the array is seen as `undefined`.
  for (let index = 0; index < values.length; index++) {
    if (index > 0) text += ",";
    text += write(values[index], `${path}[${index}]`, parents);
  }
  return text + "]";
}

function writeRecord(value: object, path: string, parents: object[]): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw notJson(path, "an object that is neither plain nor an array");
  const record = value as Readonly<Record<string, unknown>>;
  let text = "{";
  for (const key of Object.keys(record).sort()) {
    const member = record[key];
    if (member === undefined) continue;
    const memberPath = path === "" ? key : `${path}.${key}`;
    if (!key.isWellFormed()) throw notJson(memberPath, "a key with a lone surrogate");
    if (text.length > 1) text += ",";
    text += `${JSON.stringify(key)}:${write(member, memberPath, parents)}`;
  }
  return text + "}";
}

function notJson(path: string, what: string): TypeError {
  return new TypeError(`${path === "" ? "the value" : path} is ${what}, which canonical JSON cannot carry`);
}
