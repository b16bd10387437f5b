import type { PriceSheet } from "../../protocol/messages.ts";
import { quotientOf } from "../../protocol/money.ts";

/**
 * Ethereum's base fee of the next block, in wei: the integer recursion of EIP-1559 (V. Buterin et al., 2019, "Fee market
 * change for ETH 1.0 chain", section Specification), exact for any size.
 *
 * @param base base fee of the parent block
 * @param used gas that the parent block used, at most `elasticity` times the target
 * @param target gas target of the parent block: its limit over the elasticity multiplier of 2; positive
 * @param denominator BASE_FEE_MAX_CHANGE_DENOMINATOR: the largest change is one part in so many
 */
export function nextBaseFee(base: bigint, used: bigint, target: bigint, denominator = 8n): bigint {
  if (used === target) return base;
  if (used > target) {
    const rise = (base * (used - target)) / target / denominator;
    return base + (rise > 1n ? rise : 1n);
  }
  return base - (base * (target - used)) / target / denominator;
}

/** A base fee that follows utilisation. */
export interface BaseFeeTerms {
  /** Band of utilisation, shares from 0 to 1, in which the price rests; where both are one, it is EIP-1559's target. */
  readonly target: { readonly low: number; readonly high: number };
  /** Largest change in one interval, as a share of the price: 1/8 in EIP-1559. */
  readonly step: number;
  /** No price falls below it. */
  readonly floor: PriceSheet;
}

/** Millionths in one: utilisation, band and step are taken in them, so that the recursion is one of integers. */
const PPM = 1_000_000;

/**
 * The next interval's price after an interval of this utilisation. Above the band it rises by `step` times the way from
 * the band's upper end to 1, at least by one msat; below the band it falls by `step` times the way from its lower end to
 * 0; rounded as EIP-1559 rounds. It never changes by more than `step` (or one msat), and never goes below the floor.
 *
 * With a band of one point at 50 % and a step of 1/8 this is {@link nextBaseFee} with twice the target as the limit.
 *
 * Truthful for operators, as any price that is not theirs to set, so far as one node does not move utilisation; clients
 * pay it and no more. With demand of constant elasticity e the price settles where e x step < 2 (in EIP-1559: e < 16), and
 * swings otherwise.
 *
 * @param utilisation jobs at nodes over their slots, mean of the interval; more than 1 counts as 1
 */
export function nextPrice(price: number, floor: number, { target, step }: Omit<BaseFeeTerms, "floor">, utilisation: number): number {
  const used = Math.round(Math.min(1, Math.max(0, utilisation)) * PPM);
  const low = Math.round(target.low * PPM);
  const high = Math.round(target.high * PPM);
  const stepPpm = Math.round(step * PPM);
  if (used > high) return price + Math.max(1, change(price, used - high, PPM - high, stepPpm));
  if (used < low) return Math.max(floor, price - change(price, low - used, low, stepPpm));
  return price;
}

/** price x delta / range, and then x step: rounded down twice, as EIP-1559 has it. */
function change(price: number, delta: number, range: number, stepPpm: number): number {
  return quotientOf(quotientOf(price, delta, range), stepPpm, PPM);
}

/** {@link nextPrice} for each part of the prices. A part that begins at 0, with 0 as its floor, stays 0. */
export function nextBasePrices(prices: PriceSheet, terms: BaseFeeTerms, utilisation: number): PriceSheet {
  const next = (price: number, floor: number): number => (price === 0 && floor === 0 ? 0 : nextPrice(price, floor, terms, utilisation));
  return {
    inputMsatPerMtok: next(prices.inputMsatPerMtok, terms.floor.inputMsatPerMtok),
    outputMsatPerMtok: next(prices.outputMsatPerMtok, terms.floor.outputMsatPerMtok),
    fixedMsat: next(prices.fixedMsat, terms.floor.fixedMsat),
  };
}
