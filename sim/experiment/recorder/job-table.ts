/**
 * Facts about the jobs under way, in one flat array of doubles: a job occupies a row from its submission to its end, and the
 * next job takes the row over. Memory grows with the number of jobs in flight at once, never with the number of jobs.
 */
export class JobTable {
  data = new Float64Array(ROW * 256);

  /** Makes room for a slot. */
  reserve(slot: number): void {
    if ((slot + 1) * ROW <= this.data.length) return;
    const grown = new Float64Array(Math.max(this.data.length * 2, (slot + 1) * ROW));
    grown.set(this.data);
    this.data = grown;
  }

  get slots(): number {
    return this.data.length / ROW;
  }

  isInFlight(slot: number): boolean {
    return Number.isInteger(slot) && slot >= 0 && this.data[slot * ROW] === 1;
  }
}

/** Doubles per job. */
export const ROW = 32;
/** Columns of a row. `IN_FLIGHT` is 1 or 0; attempts count from 1; times are microseconds, -1 where they never came. */
export const IN_FLIGHT = 0;
export const NUMBER = 1;
export const CLIENT_CLASS = 2;
export const SUBMITTED = 3;
export const INPUT_TOKENS = 4;
export const MAX_OUTPUT_TOKENS = 5;
export const MAX_PRICE = 6;
export const ATTEMPTS = 7;
export const FINISHED = 8;
export const FINISHED_ATTEMPT = 9;
export const OUTPUT_TOKENS = 10;
export const AMOUNT = 11;
export const FEE = 12;
export const FINISHED_NODE = 29;

/** Of a job's last attempts this many are kept: the result of one that the router had given up may still arrive. */
export const KEPT_ATTEMPTS = 4;
const ATTEMPTS_FIRST = 13;
const ATTEMPT_STRIDE = 4;
/** Columns of an attempt, from where `attemptAt` says. */
export const ASSIGNED = 0;
export const STARTED = 1;
export const FIRST_TOKEN = 2;
export const NODE = 3;

/** Where the columns of an attempt begin, given where the job's row does. Only the last `KEPT_ATTEMPTS` attempts are there. */
export function attemptAt(rowAt: number, attempt: number): number {
  return rowAt + ATTEMPTS_FIRST + (attempt & (KEPT_ATTEMPTS - 1)) * ATTEMPT_STRIDE;
}
