/** One account of {@link Books}. */
export interface Account {
  readonly name: string;
  balanceMsat: number;
  /** The one account that money comes from: its balance is what the others have in all, below zero. */
  readonly owes: boolean;
}

/** Money cannot move so, or has come from nowhere: a fault of the program, never of its user. */
export class BooksError extends Error {
  override readonly name = "BooksError";
}

/**
 * Double entry in whole msat: every move takes from one account what it gives to another, so that all of them together
 * always come to nothing. Each move is checked, to the msat.
 */
export class Books {
  readonly #accounts = new Set<Account>();

  /** @param owes money may come from this account. */
  open(name: string, owes = false): Account {
    const account = { name, balanceMsat: 0, owes };
    this.#accounts.add(account);
    return account;
  }

  /** @throws BooksError where there is money in the account. */
  close(account: Account): void {
    if (account.balanceMsat !== 0) throw new BooksError(`${account.name} has ${account.balanceMsat} msat and cannot be closed`);
    this.#accounts.delete(account);
  }

  /** @throws BooksError where the amount is not a whole number of msat of at least 0, or the account does not have it. */
  move(from: Account, to: Account, amountMsat: number): void {
    if (!Number.isSafeInteger(amountMsat) || amountMsat < 0) throw new BooksError(`a move is of whole msat, not ${amountMsat}`);
    if (from === to) return;
    const fromBefore = from.balanceMsat;
    const toBefore = to.balanceMsat;
    const fromAfter = fromBefore - amountMsat;
    const toAfter = toBefore + amountMsat;
    if (fromAfter < 0 && !from.owes) throw new BooksError(`${from.name} has ${fromBefore} msat and cannot give ${amountMsat}`);
    if (!Number.isSafeInteger(fromAfter) || !Number.isSafeInteger(toAfter)) throw new BooksError("the books hold less than 2^53 msat");
    from.balanceMsat = fromAfter;
    to.balanceMsat = toAfter;
    // Whole numbers this small are exact in doubles, in whatever order they are added.
    if (fromBefore - from.balanceMsat !== amountMsat || to.balanceMsat - toBefore !== amountMsat) throw new BooksError(`${amountMsat} msat from ${from.name} to ${to.name} do not add up`);
  }

  /** Sum over all accounts, msat: 0, or money has been made or lost. */
  sumMsat(): number {
    let sum = 0;
    for (const { balanceMsat } of this.#accounts) sum += balanceMsat;
    return sum;
  }
}
