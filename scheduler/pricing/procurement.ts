/** Who won a procurement auction, and at what price. */
export interface ProcurementOutcome {
  /** Place of the winning bid; -1 where no bid is within the reserve. */
  winner: number;
  /** What the winner is paid. */
  pay: number;
  /** The lowest bid that did not win, where it set the price; otherwise the reserve did. */
  byRival: boolean;
}

/**
 * Sealed-bid procurement of one unit: the lowest bid within the reserve wins; of equal bids the first.
 *
 * First price: the winner is paid its bid. Not truthful: bidding one's cost earns nothing, so bidders shade upwards. With n
 * bidders whose costs are uniform on [0, 1], c + (1 - c)/n is the symmetric equilibrium.
 *
 * Second price: the winner is paid the lowest rival bid, or the reserve where that is lower or nobody else bids. Truthful:
 * bidding one's cost is best whatever the others bid (W. Vickrey, Journal of Finance 16(1), 1961), for the reserve does
 * not depend on bids.
 *
 * Both promise individual rationality (nobody is paid less than its bid, nobody pays more than the reserve) and balance
 * the budget (the buyer pays what the winner receives).
 *
 * @param bids the first `count` are looked at
 * @param reserve the most that the buyer pays; Infinity: no bound
 */
export function procure(payment: "first-price" | "second-price", bids: Float64Array, count: number, reserve: number, outcome: ProcurementOutcome): ProcurementOutcome {
  let winner = -1;
  let lowest = Infinity;
  let second = Infinity;
  for (let i = 0; i < count; i++) {
    const bid = bids[i]!;
    if (bid > reserve) continue;
    if (winner < 0 || bid < lowest) {
      second = winner < 0 ? Infinity : lowest;
      lowest = bid;
      winner = i;
    } else if (bid < second) {
      second = bid;
    }
  }
  outcome.winner = winner;
  outcome.byRival = payment === "second-price" && second !== Infinity;
  outcome.pay = winner < 0 ? 0 : payment === "first-price" ? lowest : Math.min(second, reserve);
  return outcome;
}

/** Room for an outcome, to be used again and again. */
export function noOutcome(): ProcurementOutcome {
  return { winner: -1, pay: 0, byRival: false };
}
