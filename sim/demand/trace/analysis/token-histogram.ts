/** Lengths below this are counted one by one. */
const exactBelow = 1 << 17;
/** Buckets per doubling above that: a relative error of at most 0.14 %. */
const bucketsPerDoubling = 256;
const doublings = 14;

/**
 * How often each number of tokens occurs, in 0.5 MB whatever the number of jobs. Exact below 131,072 tokens; above, values
 * are counted at the middle of a bucket 0.27 % wide. The mean and the variance are exact throughout.
 */
export class TokenHistogram {
  count = 0;
  min = Infinity;
  max = -Infinity;
  readonly #exact = new Float64Array(exactBelow);
  readonly #buckets = new Float64Array(bucketsPerDoubling * doublings + 1);
  #mean = 0;
  #squares = 0;

  /** @param tokens an integer, 0 to 2^31 - 1 */
  add(tokens: number): void {
    this.count += 1;
    if (tokens < this.min) this.min = tokens;
    if (tokens > this.max) this.max = tokens;
    const delta = tokens - this.#mean;
    this.#mean += delta / this.count;
    this.#squares += delta * (tokens - this.#mean);
    if (tokens < exactBelow) this.#exact[tokens]! += 1;
    else this.#buckets[Math.floor((Math.log(tokens / exactBelow) / Math.LN2) * bucketsPerDoubling)]! += 1;
  }

  /** NaN without values. */
  get mean(): number {
    return this.count === 0 ? NaN : this.#mean;
  }

  /** Of the values themselves, not of what they are drawn from; NaN without values. */
  get variance(): number {
    return this.count === 0 ? NaN : this.#squares / this.count;
  }

  /** Standard deviation over mean. */
  get cv(): number {
    return Math.sqrt(this.variance) / this.mean;
  }

  /** The smallest value that at least a share p of the values do not exceed; p from 0 to 1. NaN without values. */
  quantile(p: number): number {
    const target = Math.max(1, Math.ceil(p * this.count));
    let found = NaN;
    this.forEach((tokens, _times, upTo) => {
      if (Number.isNaN(found) && upTo >= target) found = tokens;
    });
    return found;
  }

  /** Visits each value that occurs, in rising order, with how often it does and how many values do not exceed it. */
  forEach(visit: (tokens: number, times: number, upTo: number) => void): void {
    let upTo = 0;
    const last = Math.min(exactBelow - 1, this.max);
    for (let tokens = 0; tokens <= last; tokens += 1) {
      const times = this.#exact[tokens]!;
      if (times === 0) continue;
      upTo += times;
      visit(tokens, times, upTo);
    }
    if (this.max < exactBelow) return;
    for (let bucket = 0; bucket < this.#buckets.length; bucket += 1) {
      const times = this.#buckets[bucket]!;
      if (times === 0) continue;
      upTo += times;
      visit(Math.round(exactBelow * Math.exp(((bucket + 0.5) / bucketsPerDoubling) * Math.LN2)), times, upTo);
    }
  }
}
