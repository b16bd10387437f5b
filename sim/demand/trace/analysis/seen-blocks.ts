const firstBits = 1 << 16;
const mostBits = 2 ** 28;

/**
 * Which prefix blocks have been seen, as one bit each: at most 32 MiB. Exact for block numbers below 2^28, as Mooncake's
 * are; larger ones are hashed into the same bits, where two may meet, so that sharing is then slightly overstated.
 */
export class SeenBlocks {
  /** False once a number was too large to have a bit of its own. */
  exact = true;
  #bits = new Uint32Array(firstBits / 32);

  /** Remembers the block and says whether it was there already. */
  add(block: number): boolean {
    let bit = block;
    if (bit >= mostBits) {
      this.exact = false;
      bit = hash(block);
    }
    if (bit >= this.#bits.length * 32) this.#grow(bit);
    const word = bit >>> 5;
    const mask = 1 << (bit & 31);
    const seen = (this.#bits[word]! & mask) !== 0;
    this.#bits[word]! |= mask;
    return seen;
  }

  #grow(bit: number): void {
    let words = this.#bits.length;
    while (words * 32 <= bit) words *= 2;
    const larger = new Uint32Array(words);
    larger.set(this.#bits);
    this.#bits = larger;
  }
}

/** Mixes a number's low and high halves into 28 bits (the finaliser of MurmurHash3, A. Appleby). */
function hash(block: number): number {
  let mixed = (block >>> 0) ^ Math.imul((block / 2 ** 32) >>> 0, 0x9e3779b1);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return ((mixed ^ (mixed >>> 16)) >>> 0) % mostBits;
}
