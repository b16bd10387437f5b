import { widened } from "../../kernel/widened.ts";

/**
 * Double-entry accounts in integer msat. Money moves between accounts and is never made or lost, so the sum over all of
 * them stays what it was when the last account was opened.
 */
export class Ledger {
  #balances = new Float64Array(64);
  #count = 0;
  #openedMsat = 0;
  #transfers = 0;

  /** Opens an account with this balance. @returns its number. @throws RangeError for a balance that is not a whole number of msat. */
  open(balanceMsat: number): number {
    if (!Number.isSafeInteger(balanceMsat) || balanceMsat < 0) throw new RangeError(`an account opens with whole msat, not ${balanceMsat}`);
    if (this.#count === this.#balances.length) this.#balances = widened(this.#balances);
    this.#balances[this.#count] = balanceMsat;
    this.#openedMsat += balanceMsat;
    if (!Number.isSafeInteger(this.#openedMsat)) throw new RangeError("the accounts hold more than 2^53 msat together");
    return this.#count++;
  }

  get accounts(): number {
    return this.#count;
  }

  get transfers(): number {
    return this.#transfers;
  }

  /** Sum of the opening balances, msat. */
  get openedMsat(): number {
    return this.#openedMsat;
  }

  balanceMsat(account: number): number {
    return this.#balances[account]!;
  }

  /** Moves money. @throws RangeError for an amount that is not a positive whole number of msat or that the payer does not have. */
  transfer(from: number, to: number, amountMsat: number): void {
    const before = this.#balances[from]!;
    if (!Number.isSafeInteger(amountMsat) || amountMsat <= 0) throw new RangeError(`a transfer moves whole msat, not ${amountMsat}`);
    if (before < amountMsat) throw new RangeError(`account ${from} holds ${before} msat and cannot pay ${amountMsat}`);
    this.#balances[from] = before - amountMsat;
    this.#balances[to] = this.#balances[to]! + amountMsat;
    this.#transfers++;
  }

  /** Sum over all accounts now, msat: equal to {@link openedMsat}, or the law of conservation is broken. */
  totalMsat(): number {
    let total = 0;
    for (let account = 0; account < this.#count; account++) total += this.#balances[account]!;
    return total;
  }
}
