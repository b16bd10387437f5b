/**
 * Engines measure steps in ticks of 2^-20 microsecond. Every duration is a whole number of ticks, so that a sum in
 * closed form and a sum step by step are the same double. A tick is about a picosecond.
 */
export const TICKS_PER_US = 1_048_576;
/** 1 / TICKS_PER_US, exact: scaling by it only moves the exponent. */
export const US_PER_TICK = 1 / TICKS_PER_US;
/** Longest stretch of steps handled as one: leaves room to add a fraction below 2^53. 4,294 s. */
export const TICKS_MAX = 2 ** 52;

/** The duration on the grid, in ticks. */
export function ticksOf(us: number): number {
  return Math.floor(us * TICKS_PER_US + 0.5);
}
