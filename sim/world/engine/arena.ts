/** Numbers in the first page, for an engine alone, and in the largest, which some hundred engines share: 1 KB, 64 KB. */
const FIRST_PAGE = 128;
const LARGEST_PAGE = 8_192;

/**
 * Room for the numbers of many engines, in a few arrays. A field that holds a fraction or a large number is an object of
 * its own to JavaScript, and so is every small array: an engine that is looked at once in a while would be fetched from
 * memory in dozens of pieces. Here its numbers lie side by side. Room that is taken stays where it is, and is never given
 * back.
 */
export class Arena {
  /** The array in which the room taken last is. */
  page = new Float64Array(0);
  #used = 0;

  /** Takes room for `count` numbers, all 0, in {@link page}. @returns the index of the first. */
  take(count: number): number {
    const at = this.#used;
    this.#used += count;
    if (this.#used <= this.page.length) return at;
    this.page = new Float64Array(Math.max(FIRST_PAGE, Math.min(2 * this.page.length, LARGEST_PAGE), count));
    this.#used = count;
    return 0;
  }

  /** Moves `count` numbers to where there is room for `room` of them, in {@link page}. @returns the index of the first. */
  move(page: Float64Array, at: number, count: number, room: number): number {
    const to = this.take(room);
    this.page.set(page.subarray(at, at + count), to);
    return to;
  }
}
