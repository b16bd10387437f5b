/** What a client may spend in a period. */
export interface BudgetOptions {
  /** Whole msat a period. */
  readonly amountMsat: number;
  /** Length of a period, µs; periods begin at multiples of it. */
  readonly perUs: number;
  /** What a job that what is left does not cover comes to: stop: it is not posted; lower: it is posted at what is left. */
  readonly spent: "stop" | "lower";
}

/**
 * A client's budget: every posted job sets its maximum price aside, and gives back at its end what it did not cost. What
 * was set aside in an earlier period is not given back to a later one, and what is left of a period lapses with it: no
 * period's jobs ever cost more than its amount.
 */
export class Budget {
  readonly #options: BudgetOptions;
  #period = -1;
  #leftMsat = 0;

  /** @throws RangeError where the amount or the period is not a whole number, or the period is empty. */
  constructor(options: BudgetOptions) {
    if (!(Number.isSafeInteger(options.amountMsat) && options.amountMsat >= 0)) throw new RangeError(`a budget is a whole number of msat, found ${options.amountMsat}`);
    if (!(Number.isSafeInteger(options.perUs) && options.perUs > 0)) throw new RangeError(`a budget's period is a whole number of µs above 0, found ${options.perUs}`);
    this.#options = options;
  }

  /** The period that this time lies in. */
  periodAt(nowUs: number): number {
    return Math.floor(nowUs / this.#options.perUs);
  }

  /** What is left to spend now, msat. */
  leftMsat(nowUs: number): number {
    this.#turn(nowUs);
    return this.#leftMsat;
  }

  /** Sets money aside for a job. @returns the job's maximum price as the budget allows it, msat, or -1: it must not be posted. */
  setAside(nowUs: number, maxPriceMsat: number): number {
    this.#turn(nowUs);
    if (maxPriceMsat > this.#leftMsat && (this.#options.spent === "stop" || this.#leftMsat === 0)) return -1;
    const allowedMsat = Math.min(maxPriceMsat, this.#leftMsat);
    this.#leftMsat -= allowedMsat;
    return allowedMsat;
  }

  /** The job ended and did not cost this part of what was set aside for it in `period`. */
  giveBack(nowUs: number, period: number, unspentMsat: number): void {
    this.#turn(nowUs);
    if (period === this.#period) this.#leftMsat += unspentMsat;
  }

  #turn(nowUs: number): void {
    const period = this.periodAt(nowUs);
    if (period === this.#period) return;
    this.#period = period;
    this.#leftMsat = this.#options.amountMsat;
  }
}
