/** Numbers in a page, unless more are asked for at once. 64 KB: the array's own object is shared by some hundred engines. */
const PAGE = 8_192;

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
    this.page = new Float64Array(Math.max(PAGE, count));
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
