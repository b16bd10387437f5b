/** What a bidder believes of its rivals. */
export interface BidOptions {
  /** Bidders in the auction, itself among them; at least 1. */
  readonly bidders: number;
  /** The lowest cost of a job that any bidder may have, msat. */
  readonly minMsat: number;
  /** The highest, msat. */
  readonly maxMsat: number;
  /** Share of bidders whose cost is at most this; absent: every cost between the bounds is equally likely. */
  readonly cdf?: ((costMsat: number) => number) | undefined;
  /** What an amount believed in is worth now, as a multiple of the msat above: beliefs in fiat money follow its rate. 1 by default. */
  readonly worth?: (() => number) | undefined;
}

/** Intervals of Simpson's rule. */
const INTERVALS = 256;

/**
 * The bid of the symmetric equilibrium of a first-price sealed-bid procurement auction: the cost itself plus the expected
 * distance to the cheapest rival, given that this rival is dearer,
 *
 *     b(c) = c + ∫ from c to max of (1 - F(t))^(n-1) dt / (1 - F(c))^(n-1)
 *
 * which is c + (max - c)/n for costs uniform up to max. (V. Krishna, Auction Theory, 2nd ed., 2.3, with the roles of buyer
 * and seller exchanged; for procurement, Holt 1980.) A cost at or above the highest bids itself. Never below cost.
 *
 * @param costMsat what the job costs the bidder, msat
 * @returns msat, not rounded
 */
export function equilibriumBid(costMsat: number, beliefs: BidOptions): number {
  // Twice the costs, twice the bids.
  const worth = beliefs.worth?.() ?? 1;
  return worth === 1 ? bidAtFirst(costMsat, beliefs) : worth * bidAtFirst(costMsat / worth, beliefs);
}

function bidAtFirst(costMsat: number, { bidders, minMsat, maxMsat, cdf }: BidOptions): number {
  if (costMsat >= maxMsat) return costMsat;
  if (bidders <= 1) return maxMsat;
  // Whoever is cheaper than all others can be bids as the cheapest of them would.
  const from = Math.max(costMsat, minMsat);
  if (cdf === undefined) return from + (maxMsat - from) / bidders;
  const alive = (t: number): number => power(Math.max(0, 1 - cdf(t)), bidders - 1);
  const atCost = alive(from);
  if (atCost === 0) return from;
  const width = (maxMsat - from) / INTERVALS;
  let sum = atCost + alive(maxMsat);
  for (let i = 1; i < INTERVALS; i++) sum += (i % 2 === 1 ? 4 : 2) * alive(from + i * width);
  return Math.min(maxMsat, from + (sum * width) / 3 / atCost);
}

/** By repeated multiplication: the same on every machine. */
function power(base: number, exponent: number): number {
  let result = 1;
  for (let left = exponent, square = base; left > 0; left = Math.floor(left / 2), square *= square) if (left % 2 === 1) result *= square;
  return result;
}
