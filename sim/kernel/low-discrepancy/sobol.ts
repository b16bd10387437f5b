import { JOE_KUO } from "./joe-kuo.ts";

/** Dimensions for which direction numbers are here. */
export const SOBOL_DIMENSIONS = JOE_KUO.length + 1;
/** Of a coordinate. */
const BITS = 32;
/** 2^32: parts of a coordinate, and the most points. */
const WHOLE = 4_294_967_296;

/**
 * The Sobol sequence in Gray code order, with the direction numbers of Joe and Kuo: point after point as their program prints
 * them, the origin first. The first 2^m points are a net: every box of a binary grid with 2^(m - t) boxes holds as many.
 *
 * I. M. Sobol, USSR Computational Mathematics and Mathematical Physics 7 (1967), 86-112; I. A. Antonov and V. M. Saleev, same
 * journal 19 (1979), 252-256; scrambling: A. B. Owen, "Randomly permuted (t,m,s)-nets and (t,s)-sequences", 1995.
 */
export class SobolSequence {
  readonly dimensions: number;
  /** Direction number `bit` of dimension d at [d * BITS + bit]. */
  readonly #directions: Uint32Array;
  readonly #state: Uint32Array;
  readonly #keys: Uint32Array | null;
  #count = 0;

  /**
   * @param dimensions 1 to {@link SOBOL_DIMENSIONS}
   * @param random scrambles the points (Owen's nested uniform scrambling): each is then uniform in its cube, and the first 2^m
   * are a net as before. Left out: the plain sequence.
   */
  constructor(dimensions: number, random?: { next(): number }) {
    if (!Number.isInteger(dimensions) || dimensions < 1 || dimensions > SOBOL_DIMENSIONS) throw new RangeError(`A Sobol sequence of ${dimensions} dimensions; here are 1 to ${SOBOL_DIMENSIONS}.`);
    this.dimensions = dimensions;
    this.#directions = new Uint32Array(dimensions * BITS);
    for (let d = 0; d < dimensions; d++) this.#directions.set(directionsOf(d), d * BITS);
    this.#state = new Uint32Array(dimensions);
    this.#keys = random === undefined ? null : Uint32Array.from({ length: dimensions }, () => Math.floor(random.next() * WHOLE));
  }

  /** The next point, each coordinate in [0, 1). A new array each time. @throws RangeError after 2^32 points */
  next(): Float64Array {
    if (this.#count === WHOLE) throw new RangeError("A Sobol sequence has 2^32 points.");
    if (this.#count > 0) {
      // The lowest bit of the count before that is 0: the bit in which two neighbours in Gray code differ.
      const bit = 31 - Math.clz32(this.#count & -this.#count);
      for (let d = 0; d < this.dimensions; d++) this.#state[d] = this.#state[d]! ^ this.#directions[d * BITS + bit]!;
    }
    this.#count++;
    return Float64Array.from(this.#state, (x, d) => (this.#keys === null ? x : scrambled(x, this.#keys[d]!)) / WHOLE);
  }
}

/** V_1 to V_32 of a dimension, from 0. */
function directionsOf(dimension: number): Uint32Array {
  const v = new Uint32Array(BITS);
  if (dimension === 0) return v.map((_, i) => 2 ** (BITS - 1 - i));
  const [s, a, ...m] = JOE_KUO[dimension - 1] as [number, number, ...number[]];
  for (let i = 0; i < BITS; i++) {
    if (i < s) {
      v[i] = m[i]! * 2 ** (BITS - 1 - i);
      continue;
    }
    let x = v[i - s]! ^ (v[i - s]! >>> s);
    for (let k = 1; k < s; k++) if (((a >>> (s - 1 - k)) & 1) === 1) x ^= v[i - k]!;
    v[i] = x;
  }
  return v;
}

/** Each bit flipped or not, by what the bits above it are: points that shared a box go on to share one. */
function scrambled(x: number, key: number): number {
  let flips = 0;
  for (let bit = 0; bit < BITS; bit++) {
    // The bits above this one, and how many they are.
    const above = bit === 0 ? 0 : x >>> (BITS - bit);
    flips = (flips << 1) | (mixed(mixed(above ^ key) ^ (bit + 1)) & 1);
  }
  return (x ^ flips) >>> 0;
}

/** The finaliser of MurmurHash3 (A. Appleby, public domain). */
function mixed(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
