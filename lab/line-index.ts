import { closeSync, ftruncateSync, openSync, readSync, rmSync, writeSync } from "node:fs";

/** Bytes of a place: hash, length, end. */
const PLACE = 16;
/** Tables up to this size are held in memory: as good as nothing, and quicker. */
const HELD_BYTES = 4 << 20;

/**
 * Where lines stand in a file, found by a text that each begins with: a hash table in a file of its own, so that memory does not
 * grow with the number of lines. The file has no name any more while it is in use, and is gone with the process.
 */
export class LineIndex {
  readonly #mask: number;
  readonly #path: string;
  readonly #table: Table;
  #size = 0;

  /** @param path of the table's file, beside the lines' @param lines that will be added at most @param heldBytes up to which no file is needed */
  constructor(path: string, lines: number, heldBytes = HELD_BYTES) {
    let places = 1_024;
    while (places < 2 * lines) places *= 2;
    this.#mask = places - 1;
    this.#path = path;
    this.#table = places * PLACE <= heldBytes ? heldTable(places) : filedTable(path, places);
  }

  get size(): number {
    return this.#size;
  }

  /** @param end where the line ends in the file, above 0 @param length of the line, below 2^32 */
  add(key: string, end: number, length: number): void {
    if (2 * this.#size > this.#mask) throw new RangeError(`more lines than the ${this.#size} that were expected`);
    const hash = hashOf(key);
    let at = hash & this.#mask;
    while (this.#table.read(at).end !== 0) at = (at + 1) & this.#mask;
    this.#table.write(at, { hash, length, end });
    this.#size++;
  }

  /** Lines that may be the one: those with the key, earliest first, and now and then another. */
  *find(key: string): Generator<{ readonly start: number; readonly length: number }> {
    const wanted = hashOf(key);
    for (let at = wanted & this.#mask; ; at = (at + 1) & this.#mask) {
      const { hash, length, end } = this.#table.read(at);
      if (end === 0) return;
      if (hash === wanted) yield { start: end - length, length };
    }
  }

  close(): void {
    this.#table.close();
    rmSync(this.#path, { force: true });
  }
}

/** A place of the table; `end` 0: empty. */
interface Place {
  readonly hash: number;
  readonly length: number;
  readonly end: number;
}

interface Table {
  read(at: number): Place;
  write(at: number, place: Place): void;
  close(): void;
}

function placeOf(bytes: DataView, at: number): Place {
  return { hash: bytes.getUint32(at, true), length: bytes.getUint32(at + 4, true), end: bytes.getFloat64(at + 8, true) };
}

function put(bytes: DataView, at: number, { hash, length, end }: Place): void {
  bytes.setUint32(at, hash, true);
  bytes.setUint32(at + 4, length, true);
  bytes.setFloat64(at + 8, end, true);
}

function heldTable(places: number): Table {
  const bytes = new DataView(new ArrayBuffer(places * PLACE));
  return { read: (at) => placeOf(bytes, at * PLACE), write: (at, place) => put(bytes, at * PLACE, place), close: () => {} };
}

function filedTable(path: string, places: number): Table {
  const descriptor = openSync(path, "w+");
  try {
    // Nobody needs its name; where the system insists on one, `close` removes it.
    rmSync(path);
  } catch { /* Windows. */ }
  // Zeros, which take no room on the disk until something else stands there.
  ftruncateSync(descriptor, places * PLACE);
  const buffer = new Uint8Array(PLACE);
  const bytes = new DataView(buffer.buffer);
  return {
    read(at) {
      readSync(descriptor, buffer, 0, PLACE, at * PLACE);
      return placeOf(bytes, 0);
    },
    write(at, place) {
      put(bytes, 0, place);
      writeSync(descriptor, buffer, 0, PLACE, at * PLACE);
    },
    close: () => closeSync(descriptor),
  };
}

/** FNV-1a over UTF-16 code units: collisions are sorted out by whoever reads the line. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
