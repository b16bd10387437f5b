/** One line of the bench's table. */
export interface BenchRow {
  /** What was measured, such as `queue, 1,000 pending: ours`. */
  readonly name: string;
  readonly value: number;
  /** Such as `M ops/s`, `jobs/s`, `MB`, `µs`. */
  readonly unit: string;
  /** Ours against the other, where the row compares two. */
  readonly ratio?: number;
  /** The bar in words, such as `>= 10x simjs`. */
  readonly target?: string;
  /** Whether the bar was met; absent on rows that only inform. */
  readonly pass?: boolean;
  /** What to know of the figure, or why it is missing, such as `python3 has no SimPy`. */
  readonly note?: string;
}

/**
 * What every file `bench/NAME.ts` exports as `bench`. It runs in a process of its own with --expose-gc, so that neither
 * compiled code nor memory of one bench colours the next; it may print progress on stderr.
 */
export type Bench = () => Promise<readonly BenchRow[]> | readonly BenchRow[];
