const capacity = 2048;

/**
 * Arrivals over time in at most 2,048 bins of equal width: 1 s at first, and twice as wide whenever the bins run out, so
 * that memory does not grow with the span.
 */
export class RateSeries {
  widthUs = 1_000_000;
  /** Bins begun so far. */
  bins = 0;
  readonly #counts = new Float64Array(capacity);

  /** @param timeUs not negative */
  add(timeUs: number): void {
    let bin = Math.floor(timeUs / this.widthUs);
    while (bin >= capacity) {
      this.#halve();
      bin = Math.floor(timeUs / this.widthUs);
    }
    this.#counts[bin]! += 1;
    if (bin >= this.bins) this.bins = bin + 1;
  }

  /** Arrivals in each of at most `columns` equally wide groups of bins, the last perhaps cut short by the span's end. */
  columns(columns: number): { readonly widthUs: number; readonly counts: readonly number[] } {
    const group = Math.max(1, Math.ceil(this.bins / columns));
    const counts: number[] = [];
    for (let bin = 0; bin < this.bins; bin += 1) {
      const column = Math.floor(bin / group);
      counts[column] = (counts[column] ?? 0) + this.#counts[bin]!;
    }
    return { widthUs: this.widthUs * group, counts };
  }

  #halve(): void {
    for (let bin = 0; bin < capacity / 2; bin += 1) this.#counts[bin] = this.#counts[2 * bin]! + this.#counts[2 * bin + 1]!;
    this.#counts.fill(0, capacity / 2);
    this.widthUs *= 2;
    this.bins = Math.ceil(this.bins / 2);
  }
}
