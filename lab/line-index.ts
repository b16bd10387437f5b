/** Where lines stand in a file, found by a text that each begins with: 16 bytes a line, whatever the texts. */
export class LineIndex {
  #hashes = new Uint32Array(1_024);
  /** Ends of lines; 0: an empty place. */
  #ends = new Float64Array(1_024);
  #lengths = new Uint32Array(1_024);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @param end where the line ends in the file, above 0 @param length of the line, below 2^32 */
  add(key: string, end: number, length: number): void {
    if (2 * this.#size >= this.#ends.length) this.#grow();
    this.#place(hashOf(key), end, length);
    this.#size++;
  }

  /** Lines that may be the one: those with the key, earliest first, and now and then another. */
  *find(key: string): Generator<{ readonly start: number; readonly length: number }> {
    const hash = hashOf(key);
    const mask = this.#ends.length - 1;
    for (let at = hash & mask; this.#ends[at] !== 0; at = (at + 1) & mask) {
      const length = this.#lengths[at]!;
      if (this.#hashes[at] === hash) yield { start: this.#ends[at]! - length, length };
    }
  }

  #place(hash: number, end: number, length: number): void {
    const mask = this.#ends.length - 1;
    let at = hash & mask;
    while (this.#ends[at] !== 0) at = (at + 1) & mask;
    this.#hashes[at] = hash;
    this.#ends[at] = end;
    this.#lengths[at] = length;
  }

  #grow(): void {
    const [hashes, ends, lengths] = [this.#hashes, this.#ends, this.#lengths];
    const size = 2 * ends.length;
    this.#hashes = new Uint32Array(size);
    this.#ends = new Float64Array(size);
    this.#lengths = new Uint32Array(size);
    for (const [at, end] of ends.entries()) if (end !== 0) this.#place(hashes[at]!, end, lengths[at]!);
  }
}

/** FNV-1a over UTF-16 code units: collisions are sorted out by whoever reads the line. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
