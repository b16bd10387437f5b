import { hash } from "node:crypto";

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
  return write(value, null, "");
}

/**
 * SHA-256 as 64 lower-case hexadecimal digits.
 *
 * @param data bytes, or a string that is hashed in UTF-8
 */
export function sha256Hex(data: Uint8Array | string): string {
  return hash("sha256", data, "hex");
}

/** SHA-256 of a value's canonical JSON, as 64 lower-case hexadecimal digits. Throws as `canonicalJson` does. */
export function digest(value: unknown): string {
  return sha256Hex(canonicalJson(value));
}

/** Where a value is: what it is in, and under which key. Its text is only made where there is something to say about it. */
interface Place {
  readonly value: object;
  readonly above: Place | null;
  readonly key: string | number;
}

function write(value: unknown, above: Place | null, key: string | number): string {
  switch (typeof value) {
    case "boolean":
      return value ? "true" : "false";
    case "number":
      if (!Number.isFinite(value)) throw notJson(above, key, `the number ${value}`);
      return `${value}`;
    case "string":
      if (!value.isWellFormed()) throw notJson(above, key, "a string with a lone surrogate");
      return JSON.stringify(value);
    case "object":
      return value === null ? "null" : writeObject(value, above, key);
    default:
      throw notJson(above, key, `a value of type ${typeof value}`);
  }
}

function writeObject(value: object, above: Place | null, key: string | number): string {
  for (let place = above; place !== null; place = place.above) if (place.value === value) throw notJson(above, key, "a cycle");
  const place = { value, above, key };
  return Array.isArray(value) ? writeArray(value, place) : writeRecord(value, place);
}

function writeArray(values: readonly unknown[], place: Place): string {
  let text = "[";
  // By index, so that a hole in the array is seen as `undefined`.
  for (let index = 0; index < values.length; index++) {
    if (index > 0) text += ",";
    text += write(values[index], place, index);
  }
  return text + "]";
}

function writeRecord(value: object, place: Place): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw notJson(place.above, place.key, "an object that is neither plain nor an array");
  const record = value as Readonly<Record<string, unknown>>;
  let text = "{";
  for (const key of Object.keys(record).sort()) {
    const member = record[key];
    if (member === undefined) continue;
    if (!key.isWellFormed()) throw notJson(place, key, "a key with a lone surrogate");
    if (text.length > 1) text += ",";
    text += `${JSON.stringify(key)}:${write(member, place, key)}`;
  }
  return text + "}";
}

function notJson(above: Place | null, key: string | number, what: string): TypeError {
  let path = "";
  for (let [place, last]: [Place | null, string | number] = [above, key]; place !== null; [place, last] = [place.above, place.key]) {
    const dot = path === "" || path.startsWith("[") ? "" : ".";
    path = (typeof last === "number" ? `[${last}]` : last) + dot + path;
  }
  return new TypeError(`${path === "" ? "the value" : path} is ${what}, which canonical JSON cannot carry`);
}
