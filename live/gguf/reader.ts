import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { GgufError } from "./gguf-error.ts";
import { TENSOR_TYPES, type TensorType } from "./tensor-types.ts";

/** A value of a key. Long lists are only counted: a vocabulary is large, and nobody here reads it. */
export type GgufValue = number | boolean | string | readonly (number | boolean | string)[] | { readonly length: number };

/** A tensor as the file describes it. */
export interface GgufTensor {
  readonly name: string;
  /** Row length first. */
  readonly dimensions: readonly number[];
  readonly elements: number;
  readonly type: TensorType;
  readonly bytes: number;
}

/** A model file's head. */
export interface GgufHead {
  readonly file: string;
  readonly fileBytes: number;
  readonly version: number;
  readonly keys: ReadonlyMap<string, GgufValue>;
  readonly tensors: readonly GgufTensor[];
}

const CHUNK_BYTES = 1 << 20;
/** Longer lists are counted, not kept. */
const LIST_LENGTH_MAX = 4_096;
/** No sane file has more; a broken one must not take the memory. */
const ENTRIES_MAX = 1_000_000;
const STRING_BYTES_MAX = 64 * 1_048_576;

/** Reads forward through a file, in pieces. */
class Cursor {
  readonly file: string;
  readonly #descriptor: number;
  readonly #fileBytes: number;
  #buffer = Buffer.alloc(0);
  #at = 0;
  /** Offset in the file of the buffer's end. */
  #readTo = 0;

  constructor(file: string, descriptor: number, fileBytes: number) {
    this.file = file;
    this.#descriptor = descriptor;
    this.#fileBytes = fileBytes;
  }

  get offset(): number {
    return this.#readTo - this.#buffer.length + this.#at;
  }

  skip(bytes: number): void {
    const left = this.#buffer.length - this.#at;
    if (bytes <= left) this.#at += bytes;
    else {
      this.#readTo = this.offset + bytes;
      if (this.#readTo > this.#fileBytes) throw this.#cutShort();
      this.#buffer = Buffer.alloc(0);
      this.#at = 0;
    }
  }

  #cutShort(): GgufError {
    return new GgufError(`${this.file}: the file ends in the middle of its head; it was perhaps not copied or downloaded in full`);
  }

  /** The next bytes, valid until the next call. */
  #take(bytes: number): Buffer {
    if (this.#buffer.length - this.#at < bytes) {
      const size = Math.max(CHUNK_BYTES, bytes);
      const next = Buffer.alloc(size);
      const kept = this.#buffer.copy(next, 0, this.#at);
      const read = readSync(this.#descriptor, next, kept, size - kept, this.#readTo);
      this.#buffer = next.subarray(0, kept + read);
      this.#readTo += read;
      this.#at = 0;
      if (this.#buffer.length < bytes) throw this.#cutShort();
    }
    this.#at += bytes;
    return this.#buffer.subarray(this.#at - bytes, this.#at);
  }

  bytes(count: number): Buffer {
    return this.#take(count);
  }
  u32(): number {
    return this.#take(4).readUInt32LE();
  }
  u64(): number {
    const value = this.#take(8).readBigUInt64LE();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new GgufError(`${this.file}: a count of ${value} cannot be right; the file is damaged`);
    return Number(value);
  }
  count(what: string, max: number): number {
    const value = this.u64();
    if (value > max) throw new GgufError(`${this.file}: ${value} ${what} cannot be right; the file is damaged`);
    return value;
  }
  string(): string {
    return this.#take(this.count("bytes in a string", STRING_BYTES_MAX)).toString("utf8");
  }
}

/** Sizes of the fixed-size value types of GGUF, by number. */
const SCALAR_BYTES: Readonly<Record<number, number>> = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 };
const STRING = 8;
const LIST = 9;

const scalar = (cursor: Cursor, type: number): number | boolean | string => {
  if (type === STRING) return cursor.string();
  const size = SCALAR_BYTES[type];
  if (size === undefined) throw new GgufError(`${cursor.file}: a value of the unknown type ${type}; the file is damaged or newer than this program`);
  const bytes = cursor.bytes(size);
  switch (type) {
    case 0: return bytes.readUInt8();
    case 1: return bytes.readInt8();
    case 2: return bytes.readUInt16LE();
    case 3: return bytes.readInt16LE();
    case 4: return bytes.readUInt32LE();
    case 5: return bytes.readInt32LE();
    case 6: return bytes.readFloatLE();
    case 7: return bytes.readUInt8() !== 0;
    case 10: return Number(bytes.readBigUInt64LE());
    case 11: return Number(bytes.readBigInt64LE());
    default: return bytes.readDoubleLE();
  }
};

const value = (cursor: Cursor, type: number): GgufValue => {
  if (type !== LIST) return scalar(cursor, type);
  const of = cursor.u32();
  if (of === LIST) throw new GgufError(`${cursor.file}: a list of lists, which llama.cpp does not read`);
  const length = cursor.count("entries in a list", 100_000_000);
  if (length <= LIST_LENGTH_MAX) return Array.from({ length }, () => scalar(cursor, of));
  const size = SCALAR_BYTES[of];
  if (size !== undefined) cursor.skip(size * length);
  else for (let entry = 0; entry < length; entry++) cursor.skip(cursor.count("bytes in a string", STRING_BYTES_MAX));
  return { length };
};

const tensor = (cursor: Cursor, alignment: number): { readonly tensor: GgufTensor; readonly offset: number } => {
  const name = cursor.string();
  const rank = cursor.u32();
  if (rank > 4) throw new GgufError(`${cursor.file}: tensor ${name} has ${rank} dimensions; llama.cpp takes 4 at most`);
  const dimensions = Array.from({ length: rank }, () => cursor.u64());
  const typeNumber = cursor.u32();
  const offset = cursor.u64();
  const type = TENSOR_TYPES.get(typeNumber);
  if (type === undefined) throw new GgufError(`${cursor.file}: tensor ${name} is of type ${typeNumber}, which this program does not know`);
  const elements = dimensions.reduce((product, size) => product * size, 1);
  if ((dimensions[0] ?? 1) % type.blockElements !== 0) throw new GgufError(`${cursor.file}: rows of tensor ${name} (${dimensions[0]}) are no multiple of ${type.name}'s blocks of ${type.blockElements}`);
  if (offset % alignment !== 0) throw new GgufError(`${cursor.file}: tensor ${name} begins at ${offset}, which is no multiple of the alignment ${alignment}`);
  return { tensor: { name, dimensions, elements, type, bytes: (elements / type.blockElements) * type.blockBytes }, offset };
};

/**
 * Reads the head of a GGUF file: its keys, and what tensors it has.
 * @throws GgufError where it is none, is damaged, or does not hold all its tensors.
 */
export const readGguf = (file: string): GgufHead => {
  const descriptor = openSync(file, "r");
  try {
    const stats = fstatSync(descriptor);
    if (stats.isDirectory()) throw new GgufError(`${file}: a folder, not a model file`);
    const cursor = new Cursor(file, descriptor, stats.size);
    if (stats.size < 24 || cursor.bytes(4).toString("latin1") !== "GGUF") throw new GgufError(`${file}: not a GGUF model file (it does not begin with "GGUF")`);
    const version = cursor.u32();
    if (version !== 2 && version !== 3) throw new GgufError(`${file}: GGUF of version ${version}; versions 2 and 3 can be read (of big-endian files, none)`);
    const tensorCount = cursor.count("tensors", ENTRIES_MAX);
    const keyCount = cursor.count("keys", ENTRIES_MAX);
    const keys = new Map<string, GgufValue>();
    for (let key = 0; key < keyCount; key++) {
      const name = cursor.string();
      keys.set(name, value(cursor, cursor.u32()));
    }
    const alignment = Number(keys.get("general.alignment") ?? 32);
    if (!(alignment > 0)) throw new GgufError(`${file}: an alignment of ${alignment} cannot be`);
    const entries = Array.from({ length: tensorCount }, () => tensor(cursor, alignment));
    const dataAt = Math.ceil(cursor.offset / alignment) * alignment;
    for (const { tensor: { name, bytes }, offset } of entries) {
      if (dataAt + offset + bytes > stats.size) throw new GgufError(`${file}: the file ends before tensor ${name} does; it was perhaps not copied or downloaded in full`);
    }
    return { file, fileBytes: stats.size, version, keys, tensors: entries.map((entry) => entry.tensor) };
  } finally {
    closeSync(descriptor);
  }
};
