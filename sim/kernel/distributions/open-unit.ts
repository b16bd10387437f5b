import type { Random } from "../random.ts";

/** Half a step of `Random.next`, which is a multiple of 2^-32. */
const HALF_STEP = 1 / 0x200000000;

/** Uniform on the open interval (0, 1): what an unbounded quantile function needs. */
export function openUnit(random: Random): number {
  return random.next() + HALF_STEP;
}
