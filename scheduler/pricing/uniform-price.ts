/** What a batch of equal units came to. */
export interface UniformOutcome {
  /** Units bought: the lowest so many asks. */
  units: number;
  /** What each of them is paid. */
  price: number;
}

/**
 * Uniform-price procurement of up to k units: the k lowest asks within the reserve sell, and each is paid the (k+1)-th
 * lowest, or the reserve where that is lower or there is no further ask.
 *
 * Truthful for a seller of one unit: its price is set by others, and selling at it is worth while exactly where it is not
 * below the cost. A seller of several units can gain by asking more for the last ones, since these may set the price of
 * the first (L. Ausubel, P. Cramton, "Demand reduction and inefficiency in multi-unit auctions", 2002). Individually
 * rational: nobody is paid less than its ask, nobody pays more than the reserve. Budget balanced.
 *
 * With n sellers whose costs are uniform on [0, 1] the price has mean (k+1)/(n+1).
 *
 * @param asks ascending; the first `count` are looked at
 */
export function uniformPrice(asks: Float64Array, count: number, k: number, reserve: number): UniformOutcome {
  let units = 0;
  while (units < k && units < count && asks[units]! <= reserve) units++;
  return { units, price: units < count ? Math.min(reserve, asks[units]!) : reserve };
}
