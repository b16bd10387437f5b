/** A parameter's range. */
export interface Range {
  readonly min: number;
  readonly max: number;
  readonly start: number;
}

/**
 * Pattern search (Hooke and Jeeves, J. ACM 8(2), 1961): steps along each axis, halved when none helps. Derivative-free
 * and deterministic, which suits sums of absolute errors.
 * @param rounds - halvings of the first step, a quarter of each range.
 */
export function minimise(loss: (point: readonly number[]) => number, ranges: readonly Range[], rounds = 12): number[] {
  const point = ranges.map((range) => range.start);
  let best = loss(point);
  let share = 0.25;
  for (let round = 0; round < rounds; round++) {
    for (let moved = true; moved;) {
      moved = false;
      for (const [i, range] of ranges.entries()) {
        const here = point[i] as number;
        for (const step of [share, -share]) {
          point[i] = Math.min(range.max, Math.max(range.min, here + step * (range.max - range.min)));
          const there = loss(point);
          if (there < best * (1 - 1e-9)) {
            best = there;
            moved = true;
            break;
          }
          point[i] = here;
        }
      }
    }
    share /= 2;
  }
  return point;
}
