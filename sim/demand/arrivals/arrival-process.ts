/**
 * A stream of arrival times.
 *
 * Inside, time is real-valued; only the answer is rounded to whole microseconds, so rounding never adds up to a drift.
 */
export interface ArrivalProcess {
  /** The next arrival's time in µs from the start: an integer, never smaller than the one before; Infinity when there are no more. */
  nextUs(): number;
}
