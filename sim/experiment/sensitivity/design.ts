/**
 * Where a study looks: points of the unit cube, one coordinate per factor (0: its low end, 1: its high end), in blocks that
 * are worth something only as a whole.
 */
export interface Design {
  readonly factors: number;
  readonly blocks: number;
  /** In each block. */
  readonly points: number;
  /** The points of each block, in order; the same whenever they are asked for. */
  [Symbol.iterator](): IterableIterator<readonly Float64Array[]>;
}

/** A point with one coordinate of another. */
export function withOne(point: Float64Array, other: number, i: number): Float64Array {
  const changed = point.slice();
  changed[i] = other;
  return changed;
}
