/** Copies of one engine that ran at once on a host, and how long each one's steps took. */
export interface CopiesPoint {
  /** Mean or median duration of the same work, one figure for each copy; microseconds. */
  readonly us: readonly number[];
}

/**
 * From copies of an engine that did the same work at once: the speed of each of 1, 2, ... busy engines over that of one
 * alone, as `HostSpec.shares` has it. Numbers of copies that were not measured lie on a line, in the speed of all of them
 * together, between those that were. A share is at most 1, and never rises with the number: where measurements say
 * otherwise, it is noise.
 * @throws RangeError where no copy was measured alone, or a duration is not above 0.
 */
export function hostShares(points: readonly CopiesPoint[]): number[] {
  const speeds = new Map<number, { sum: number; count: number }>();
  for (const { us } of points) {
    if (us.length === 0 || us.some((value) => !(value > 0 && value < Infinity))) throw new RangeError(`durations of copies are ${us.join(", ")}; expected numbers above 0`);
    // Work done per time by each copy, in the mean over the copies.
    const speed = us.reduce((sum, value) => sum + 1 / value, 0) / us.length;
    const of = speeds.get(us.length) ?? { sum: 0, count: 0 };
    speeds.set(us.length, { sum: of.sum + speed, count: of.count + 1 });
  }
  const alone = speeds.get(1);
  if (alone === undefined) throw new RangeError("none of the engine's copies was measured alone");
  const measured = [...speeds].map(([copies, { sum, count }]) => ({ copies, total: copies * (sum / count) / (alone.sum / alone.count) })).sort((a, b) => a.copies - b.copies);
  const shares: number[] = [];
  for (let i = 0; i < measured.length; i++) {
    const right = measured[i]!;
    const left = measured[i - 1] ?? { copies: 0, total: 0 };
    for (let copies = left.copies + 1; copies <= right.copies; copies++) {
      const total = left.total + (right.total - left.total) * (copies - left.copies) / (right.copies - left.copies);
      shares.push(Math.min(shares.at(-1) ?? 1, total / copies));
    }
  }
  return shares;
}
