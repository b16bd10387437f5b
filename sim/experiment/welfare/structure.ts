import { sumOf } from "../../kernel/statistics/lists.ts";

/** Points of a Lorenz curve at most. */
const LORENZ_POINTS = 101;

/**
 * Gini coefficient of non-negative amounts: 0 where all are alike, (n - 1) / n where one has everything. Half the mean
 * difference over the mean (Gini 1912), as sum of (2 i - n - 1) x_i over n times the sum, x sorted, i from 1.
 * @returns null where there is nothing to share, or nobody to share it
 */
export function gini(amounts: readonly number[]): number | null {
  const sorted = ascending(amounts);
  const total = sumOf(sorted);
  if (total === 0) return null;
  let weighted = 0;
  sorted.forEach((amount, index) => { weighted += (2 * (index + 1) - sorted.length - 1) * amount; });
  return Math.max(0, weighted / (sorted.length * total));
}

/**
 * Lorenz curve (Lorenz 1905): what share of the whole the poorest share p have, from (0, 0) to (1, 1). At most 101 points,
 * exact where they lie; empty where there is nothing to share.
 */
export function lorenz(amounts: readonly number[]): { population: number; share: number }[] {
  const sorted = ascending(amounts);
  const total = sumOf(sorted);
  if (total === 0) return [];
  const points = [{ population: 0, share: 0 }];
  const every = Math.max(1, sorted.length / (LORENZ_POINTS - 1));
  let below = 0;
  sorted.forEach((amount, index) => {
    below += amount;
    const last = index === sorted.length - 1;
    if (last || index + 1 >= points.length * every) points.push({ population: last ? 1 : (index + 1) / sorted.length, share: last ? 1 : below / total });
  });
  return points;
}

/**
 * Herfindahl-Hirschman index: the sum of squared market shares, from 1/n (n equal firms) to 1 (one firm). Authorities quote
 * it times 10,000; above 0.18 they call a market highly concentrated (US Merger Guidelines 2023).
 * @returns null where nobody sold anything
 */
export function herfindahl(amounts: readonly number[]): number | null {
  const total = sumOf(amounts);
  if (total === 0) return null;
  let squares = 0;
  for (const amount of amounts) squares += (amount / total) * (amount / total);
  return Math.min(1, squares);
}

/**
 * Lerner index (Lerner 1934): the part of the price that is not marginal cost, (P - MC) / P, over all that was sold.
 * @returns null where nothing was sold; negative where the price was below cost
 */
export function lerner(revenueMsat: number, marginalCostMsat: number): number | null {
  return revenueMsat === 0 ? null : (revenueMsat - marginalCostMsat) / revenueMsat;
}

/** Mean price and mean marginal cost of the same things at one time, or in one run, and how much was sold. */
export interface CostAndPrice {
  readonly cost: number;
  readonly price: number;
  readonly quantity: number;
}

/**
 * Pass-through: by how much the price rises when the marginal cost rises by one. The slope of price on cost, weighted by
 * quantity; between two runs, or two times, the ratio of the differences. 1: costs are passed on in full, as in perfect
 * competition with flat supply; 1/2: a monopolist facing linear demand.
 * @returns null where costs hardly differ (by less than a thousandth of their mean), which says nothing
 */
export function passThrough(observations: readonly CostAndPrice[]): number | null {
  const quantity = sumOf(observations.map((one) => one.quantity));
  if (!(quantity > 0)) return null;
  const meanCost = sumOf(observations.map((one) => one.cost * one.quantity)) / quantity;
  const meanPrice = sumOf(observations.map((one) => one.price * one.quantity)) / quantity;
  let covariance = 0;
  let variance = 0;
  for (const one of observations) {
    covariance += one.quantity * (one.cost - meanCost) * (one.price - meanPrice);
    variance += one.quantity * (one.cost - meanCost) * (one.cost - meanCost);
  }
  const spread = Math.sqrt(variance / quantity);
  return spread > Math.abs(meanCost) / 1_000 ? covariance / variance : null;
}

function ascending(amounts: readonly number[]): number[] {
  for (const amount of amounts) if (!(amount >= 0)) throw new RangeError(`shares of a whole are of non-negative amounts, found ${amount}`);
  return [...amounts].sort((a, b) => a - b);
}
