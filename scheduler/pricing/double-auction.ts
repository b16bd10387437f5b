/** Where supply meets demand. */
export interface Crossing {
  /** Units that can be traded to mutual advantage: the largest q with ask[q] <= bid[q], counted from 1. */
  trades: number;
  /** Lowest price at which supply equals demand: the higher of the last ask served and the first bid left out. */
  low: number;
  /** Highest such price: the lower of the last bid served and the first ask left out; Infinity where nothing bounds it. */
  high: number;
}

/** Trades of a double auction: the highest so many bids buy from the lowest so many asks. */
export interface Clearing {
  readonly trades: number;
  /** What each buyer pays. */
  readonly buyersPay: number;
  /** What each seller gets; never more than that. */
  readonly sellersGet: number;
}

/**
 * Finds the efficient trades of single-unit bids and asks, and the interval of prices that clears the market.
 *
 * With N buyers and M sellers whose values and costs are all uniform on [0, 1] the interval lies between the N-th and the
 * (N+1)-th lowest of all N + M figures, whose means are N/(N+M+1) and (N+1)/(N+M+1).
 *
 * @param bids descending; the first `bidCount` are looked at
 * @param asks ascending; the first `askCount` are looked at
 */
export function crossing(bids: Float64Array, bidCount: number, asks: Float64Array, askCount: number): Crossing {
  const most = Math.min(bidCount, askCount);
  let trades = 0;
  while (trades < most && asks[trades]! <= bids[trades]!) trades++;
  const bidOut = trades < bidCount ? bids[trades]! : 0;
  const askOut = trades < askCount ? asks[trades]! : Infinity;
  return {
    trades,
    low: trades === 0 ? bidOut : Math.max(asks[trades - 1]!, bidOut),
    high: trades === 0 ? askOut : Math.min(bids[trades - 1]!, askOut),
  };
}

/**
 * One price for all trades, a share of the way from the low to the high end of the clearing interval (a k-double auction;
 * M. Satterthwaite, S. Williams, Journal of Economic Theory 48(2), 1989). 1/2: the midpoint.
 *
 * Efficient for what it is told, individually rational and budget balanced; therefore not truthful (R. Myerson, M.
 * Satterthwaite, Journal of Economic Theory 29(2), 1983). With a share of 1 it is truthful for sellers of one unit: the
 * price is the ask at which they would just not have sold. With a share of 0 it is so for buyers.
 *
 * With a share of 1 and k buyers who all pay up to a reserve this is uniform-price procurement of k units: each is paid the
 * (k+1)-th lowest ask, of mean (k+1)/(n+1) where n costs are uniform on [0, 1], or the reserve. A seller of several units can
 * gain by asking more for the last ones, since these may set the price of the first (L. Ausubel, P. Cramton, "Demand
 * reduction and inefficiency in multi-unit auctions", 2002).
 *
 * @param share from 0 to 1. An interval without upper end is taken as its lower end.
 */
export function atOnePrice({ trades, low, high }: Crossing, share: number): Clearing {
  const price = high === Infinity ? low : low + share * (high - low);
  return { trades, buyersPay: price, sellersGet: price };
}

/**
 * McAfee's trade reduction (R. P. McAfee, Journal of Economic Theory 56(2), 1992): where the mean of the first bid and the
 * first ask left out suits the last pair served, all trade at it; otherwise the last pair does not trade, its bid is what
 * the buyers pay and its ask what the sellers get.
 *
 * Truthful for traders of one unit on both sides, individually rational; the budget is never short, but may leave a rest.
 * At most one trade is lost, the least valuable one.
 */
export function tradeReduction(bids: Float64Array, bidCount: number, asks: Float64Array, askCount: number): Clearing {
  const { trades } = crossing(bids, bidCount, asks, askCount);
  if (trades === 0) return { trades: 0, buyersPay: 0, sellersGet: 0 };
  const bid = bids[trades - 1]!;
  const ask = asks[trades - 1]!;
  if (trades < bidCount && trades < askCount) {
    const price = (bids[trades]! + asks[trades]!) / 2;
    if (ask <= price && price <= bid) return { trades, buyersPay: price, sellersGet: price };
  }
  return { trades: trades - 1, buyersPay: bid, sellersGet: ask };
}
