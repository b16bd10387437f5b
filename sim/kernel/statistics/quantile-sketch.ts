/** Mantissa bits that tell buckets apart: 2^7 buckets of equal width between one power of two and the next. */
const MANTISSA_BITS = 7;
const SHIFT = 20 - MANTISSA_BITS;
/** Bucket of the smallest normal double; 0 and the subnormals below share a bucket of their own. */
const FIRST_BUCKET = 1 << MANTISSA_BITS;

const scratch = new Float64Array(1);
const words = new Int32Array(scratch.buffer);
const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
const HIGH = LITTLE_ENDIAN ? 1 : 0;
const LOW = 1 - HIGH;

/** A range of values, `from` included, `to` not, and how many fell into it. */
export interface Bucket {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

/**
 * Quantiles of a stream of non-negative numbers in small, bounded memory: a histogram whose buckets are the leading
 * bits of the floating-point number (log-linear, as in HdrHistogram), 1/128 of a power of two wide. A quantile is the
 * middle of its bucket, so it is off by 1/256 = 0.4 % of the true value at most. The outcome does not depend on the
 * order of the values, and merging loses nothing. Memory: 1 kB per power of two between the least and the greatest value
 * (not 0), doubled at most.
 */
export class QuantileSketch {
  /** Bound on |estimate - true order statistic| / true order statistic. */
  static readonly relativeError = 1 / 256;

  /** Counts of the buckets #first, #first + 1, ... */
  #counts = new Float64Array(0);
  #first = 0;
  #zeros = 0;
  #count = 0;
  /** Counts, their first bucket, zeros and count when the last part ended. */
  #before: { readonly counts: Float64Array; readonly first: number; readonly zeros: number; readonly count: number } = { counts: new Float64Array(0), first: 0, zeros: 0, count: 0 };
  #min = Infinity;
  #max = -Infinity;

  /** @throws RangeError on a negative number, NaN or Infinity. */
  add(x: number): void {
    if (!(x >= 0 && x < Infinity)) throw new RangeError(`QuantileSketch takes finite numbers of 0 or more; found ${x}.`);
    scratch[0] = x;
    const bucket = words[HIGH]! >> SHIFT;
    this.#count++;
    if (x < this.#min) this.#min = x;
    if (x > this.#max) this.#max = x;
    if (bucket < FIRST_BUCKET) {
      this.#zeros++;
      return;
    }
    const at = bucket - this.#first;
    if (at < 0 || at >= this.#counts.length) this.#grow(bucket, bucket);
    const index = bucket - this.#first;
    this.#counts[index] = this.#counts[index]! + 1;
  }

  /** As if everything added to `other` had been added here. */
  merge(other: QuantileSketch): void {
    if (other.#count === 0) return;
    this.#count += other.#count;
    this.#zeros += other.#zeros;
    this.#min = Math.min(this.#min, other.#min);
    this.#max = Math.max(this.#max, other.#max);
    if (other.#counts.length === 0) return;
    this.#grow(other.#first, other.#first + other.#counts.length - 1);
    const shift = other.#first - this.#first;
    for (let i = 0; i < other.#counts.length; i++) this.#counts[shift + i] = this.#counts[shift + i]! + other.#counts[i]!;
  }

  get count(): number {
    return this.#count;
  }

  /** The exact least value, Infinity where nothing was added. */
  get min(): number {
    return this.#min;
  }

  /** The exact greatest value, -Infinity where nothing was added. */
  get max(): number {
    return this.#max;
  }

  /**
   * The value of rank ceil(p * count) (at least 1) in ascending order, within `relativeError`; exact for the least and
   * the greatest. NaN where nothing was added.
   * @param p from 0 to 1.
   */
  quantile(p: number): number {
    if (!(p >= 0 && p <= 1)) throw new RangeError(`A quantile's p is from 0 to 1; found ${p}.`);
    if (this.#count === 0) return NaN;
    const rank = Math.max(1, Math.ceil(p * this.#count));
    if (rank <= 1) return this.#min;
    if (rank >= this.#count) return this.#max;
    let seen = this.#zeros;
    if (rank <= seen) return 0;
    for (let i = 0; i < this.#counts.length; i++) {
      seen += this.#counts[i]!;
      if (seen >= rank) {
        const bucket = this.#first + i;
        const middle = (start(bucket) + start(bucket + 1)) / 2;
        return Math.min(Math.max(middle, this.#min), this.#max);
      }
    }
    throw new Error("QuantileSketch: counts do not add up.");
  }

  /**
   * As `quantile`, but rising steadily with p: values are taken to lie evenly in their bucket.
   * @param p from 0 to 1.
   */
  interpolated(p: number): number {
    if (!(p >= 0 && p <= 1)) throw new RangeError(`A quantile's p is from 0 to 1; found ${p}.`);
    if (this.#count === 0) return NaN;
    const rank = p * this.#count;
    let seen = this.#zeros;
    if (rank <= seen) return this.#min;
    for (let i = 0; i < this.#counts.length; i++) {
      const count = this.#counts[i]!;
      if (seen + count >= rank) {
        const bucket = this.#first + i;
        const value = start(bucket) + ((start(bucket + 1) - start(bucket)) * (rank - seen)) / count;
        return Math.min(Math.max(value, this.#min), this.#max);
      }
      seen += count;
    }
    return this.#max;
  }

  /** The buckets that hold something, in ascending order, for plots. Zeros come first, as { from: 0, to: 0 }. */
  buckets(): Bucket[] {
    const result: Bucket[] = [];
    if (this.#zeros > 0) result.push({ from: 0, to: 0, count: this.#zeros });
    for (let i = 0; i < this.#counts.length; i++) {
      const count = this.#counts[i]!;
      if (count > 0) result.push({ from: start(this.#first + i), to: start(this.#first + i + 1), count });
    }
    return result;
  }

  /** What was added since this was last called: for batches of a stream, in 4 bytes per bucket. Not after a merge. */
  part(): SketchPart {
    const { counts, first, zeros, count } = this.#before;
    if (count === this.#count) return NOTHING;
    const now = this.#counts;
    const shift = this.#first - first;
    let from = 0;
    let to = now.length;
    while (from < to && now[from]! === (counts[from + shift] ?? 0)) from++;
    while (to > from && now[to - 1]! === (counts[to - 1 + shift] ?? 0)) to--;
    const grown = new Uint32Array(to - from);
    for (let i = from; i < to; i++) grown[i - from] = now[i]! - (counts[i + shift] ?? 0);
    const part = new SketchPart(this.#first + from, grown, this.#zeros - zeros, this.#count - count);
    this.#before = { counts: this.#counts.slice(), first: this.#first, zeros: this.#zeros, count: this.#count };
    return part;
  }

  /** Makes room for the buckets from `low` to `high`, and for as many again as there were, on the side that grew. */
  #grow(low: number, high: number): void {
    const length = this.#counts.length;
    if (length === 0) {
      const spare = FIRST_BUCKET / 2;
      this.#first = Math.max(FIRST_BUCKET, low - spare);
      this.#counts = new Float64Array(high + spare - this.#first + 1);
      return;
    }
    const end = this.#first + length - 1;
    if (low >= this.#first && high <= end) return;
    const first = low < this.#first ? Math.max(FIRST_BUCKET, Math.min(low, this.#first - length)) : this.#first;
    const last = high > end ? Math.max(high, end + length) : end;
    const counts = new Float64Array(last - first + 1);
    counts.set(this.#counts, this.#first - first);
    this.#first = first;
    this.#counts = counts;
  }
}

/** The buckets of a stretch of a stream, compactly; see {@link QuantileSketch.part}. */
export class SketchPart {
  readonly count: number;
  readonly #first: number;
  readonly #counts: Uint32Array;
  readonly #zeros: number;

  constructor(first: number, counts: Uint32Array, zeros: number, count: number) {
    this.count = count;
    this.#first = first;
    this.#counts = counts;
    this.#zeros = zeros;
  }

  /** How many values lie in the bucket of `x`, or below. @param x 0 or more */
  upTo(x: number): number {
    const end = Math.min(this.#counts.length, bucketOf(x) - this.#first + 1);
    let sum = this.#zeros;
    for (let i = 0; i < end; i++) sum += this.#counts[i]!;
    return sum;
  }

  /** Sum of the distances from `centre`, each value taken for the middle of its bucket. */
  distanceFrom(centre: number): number {
    return this.#sum((value) => value - centre);
  }

  /** Sum of the squared distances from `centre`, likewise. */
  squaresAround(centre: number): number {
    return this.#sum((value) => (value - centre) * (value - centre));
  }

  #sum(of: (value: number) => number): number {
    let sum = this.#zeros * of(0);
    for (let i = 0; i < this.#counts.length; i++) {
      if (this.#counts[i]! > 0) sum += this.#counts[i]! * of((start(this.#first + i) + start(this.#first + i + 1)) / 2);
    }
    return sum;
  }
}

const NOTHING = new SketchPart(0, new Uint32Array(0), 0, 0);

function bucketOf(x: number): number {
  scratch[0] = x;
  return words[HIGH]! >> SHIFT;
}

/** Least value of a bucket. */
function start(bucket: number): number {
  words[HIGH] = bucket << SHIFT;
  words[LOW] = 0;
  return scratch[0]!;
}
