import type { FeeTerms, JobRequest, PriceSheet } from "../../protocol/messages.ts";
import { maxAmountMsat, quotientUp, scaledPrices } from "../../protocol/money.ts";
import { coversJob } from "./posted.ts";

/** Level at which prices equal the unit's. */
export const UNIT_LEVEL = 1_000_000;
/** The highest level told apart: a thousand times the unit's prices. Whoever pays more pays any price. */
export const LEVEL_MAX = 1_000 * UNIT_LEVEL;

/**
 * Auctions for jobs of unequal length need one figure for a price sheet: its level, in millionths of a unit's prices. An
 * ask's level is the lowest that covers a job of a given length, whatever it comes to in output tokens; a bid's the highest
 * at which its job cannot cost more than its client pays. Such a job that trades at a level between the two suits both.
 *
 * Where all asks are in one proportion, levels are as good as prices. Where they are not, a node counts by the job that it
 * finds dearest, and the unit, being a mean of asks, moves a little with each: what auctions promise holds in levels.
 */
export function pricesAt(unit: PriceSheet, level: number): PriceSheet {
  return scaledPrices(unit, level, UNIT_LEVEL);
}

/** The lowest level, at most {@link LEVEL_MAX}, that covers a job of this length at this ask ({@link coversJob}); Infinity where none does. */
export function askLevel(unit: PriceSheet, ask: PriceSheet, inputTokens: number, maxOutputTokens: number): number {
  const covers = (level: number): boolean => coversJob(pricesAt(unit, level), ask, inputTokens, maxOutputTokens);
  // Enough for any job, and all that is needed where unit and ask are in proportion.
  const enough = Math.max(
    part(unit.inputMsatPerMtok, ask.inputMsatPerMtok), part(unit.outputMsatPerMtok, ask.outputMsatPerMtok), part(unit.fixedMsat, ask.fixedMsat),
  );
  if (enough === 0 || (enough <= LEVEL_MAX && !covers(enough - 1))) return enough;
  let high = Math.min(enough, LEVEL_MAX);
  if (!covers(high)) return Infinity;
  const worth = (of: PriceSheet, outputTokens: number): number => inputTokens * of.inputMsatPerMtok + outputTokens * of.outputMsatPerMtok + of.fixedMsat * 1e6;
  let low = -1;
  for (const outputTokens of [0, maxOutputTokens]) {
    if (worth(ask, outputTokens) === 0) continue;
    // Rounding down takes less than one from each part of the prices: an interval around the guess, then halving.
    const slack = ((inputTokens + outputTokens + 1e6) / worth(unit, outputTokens)) * UNIT_LEVEL;
    const guess = (worth(ask, outputTokens) / worth(unit, outputTokens)) * UNIT_LEVEL;
    low = Math.max(low, Math.floor(guess) - 2);
    const above = Math.ceil(guess + slack) + 2;
    if (above < high && covers(above)) high = above;
  }
  if (low >= high || (low >= 0 && covers(low))) low = -1;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (covers(middle)) high = middle;
    else low = middle;
  }
  return high;
}

function part(unit: number, ask: number): number {
  if (ask === 0) return 0;
  return unit === 0 ? Infinity : quotientUp(BigInt(ask) * BigInt(UNIT_LEVEL), BigInt(unit));
}

/** The highest level, at most {@link LEVEL_MAX}, at which the job costs no more than its client pays, the fee included; -1: none. */
export function bidLevel(unit: PriceSheet, fee: FeeTerms, { inputTokens, maxOutputTokens, maxPriceMsat }: JobRequest): number {
  const fits = (level: number): boolean => maxAmountMsat(pricesAt(unit, level), fee, inputTokens, maxOutputTokens) <= maxPriceMsat;
  if (fits(LEVEL_MAX)) return LEVEL_MAX;
  if (!fits(0)) return -1;
  const unitMsat = (inputTokens * unit.inputMsatPerMtok + maxOutputTokens * unit.outputMsatPerMtok) / 1e6 + unit.fixedMsat;
  const guess = (((maxPriceMsat - fee.flatMsat) / (1 + fee.shareBps / 10_000)) / unitMsat) * UNIT_LEVEL;
  // Rounding moves the bound by a few msat either way: an interval around the guess, then halving.
  const slack = (4 / unitMsat) * UNIT_LEVEL + 2;
  let low = Math.max(0, Math.floor(guess - slack));
  let high = Math.min(LEVEL_MAX, Math.ceil(guess + slack));
  if (!fits(low)) low = 0;
  if (fits(high)) high = LEVEL_MAX;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** The unit of a set of asks: the mean of each part, rounded up, so that a part that anybody asks for is in it. */
export function unitOf(asks: readonly PriceSheet[]): PriceSheet {
  const mean = (of: (ask: PriceSheet) => number): number => quotientUp(asks.reduce((sum, ask) => sum + BigInt(of(ask)), 0n), BigInt(Math.max(1, asks.length)));
  return { inputMsatPerMtok: mean((ask) => ask.inputMsatPerMtok), outputMsatPerMtok: mean((ask) => ask.outputMsatPerMtok), fixedMsat: mean((ask) => ask.fixedMsat) };
}
