import type { FeeTerms, PriceSheet } from "./messages.ts";

/** Prices are quoted per this many tokens. */
export const TOKENS_PER_PRICE_UNIT = 1_000_000;
/** Shares are quoted in parts of this many: 100 basis points are 1 %. */
export const BASIS_POINTS = 10_000;
/** Millisatoshi in a satoshi. */
export const MSAT_PER_SAT = 1_000;
/** Millisatoshi in a bitcoin. */
export const MSAT_PER_BTC = 100_000_000_000;

/**
 * What a job costs at these prices, before the router's fee: the fixed part plus the tokens' part, in msat.
 *
 * This is the only place where a job's amount is rounded, and it is rounded once, down: against the payee. The result is
 * exact for every price sheet and token count that the protocol admits.
 *
 * @param prices msat per million tokens, and msat; integers from 0 to 2^53 - 1
 * @param inputTokens integer from 0 to 2^31 - 1
 * @param outputTokens integer from 0 to 2^31 - 1
 * @returns integer msat, or `Infinity` where it is more than 2^53 - 1 msat: dearer than any limit that can be stated
 * @throws RangeError where an argument is negative, fractional or not a number
 */
export function amountMsat(prices: PriceSheet, inputTokens: number, outputTokens: number): number {
  // A sum of products of non-negative integers that comes out below 2^53 in doubles was exact at every step, and its
  // quotient by an integer, rounded to a double, never reaches the integer above the true one.
  const scaled = inputTokens * prices.inputMsatPerMtok + outputTokens * prices.outputMsatPerMtok;
  const amount = scaled <= Number.MAX_SAFE_INTEGER
    ? wholePart(scaled, TOKENS_PER_PRICE_UNIT) + prices.fixedMsat
    : bigAmountMsat(prices, inputTokens, outputTokens);
  return amount <= Number.MAX_SAFE_INTEGER ? amount : Infinity;
}

/**
 * The router's fee on a job's amount: a share in basis points plus a flat part, in msat, rounded once, down: against the
 * router; then brought between its bounds. Where the operator bears it, it is at most the amount.
 *
 * @param terms share from 0 to 10,000 basis points, flat part in msat
 * @param amount the job's amount without fee in msat, as `amountMsat` gives it
 * @returns integer msat, or `Infinity` where it is more than 2^53 - 1 msat
 * @throws RangeError where an argument is negative, fractional or not a number
 */
export function feeMsat(terms: FeeTerms, amount: number): number {
  if (amount === Infinity) return Infinity;
  const scaled = amount * terms.shareBps;
  const fee = scaled <= Number.MAX_SAFE_INTEGER
    ? wholePart(scaled, BASIS_POINTS) + terms.flatMsat
    : Number(BigInt(amount) * BigInt(terms.shareBps) / BigInt(BASIS_POINTS)) + terms.flatMsat;
  if (terms.minMsat !== undefined || terms.maxMsat !== undefined || terms.bearer === "operator") return boundedFeeMsat(terms, amount, fee);
  return fee <= Number.MAX_SAFE_INTEGER ? fee : Infinity;
}

function boundedFeeMsat({ minMsat = 0, maxMsat = Infinity, bearer }: FeeTerms, amount: number, fee: number): number {
  const bounded = Math.min(Math.max(fee, minMsat), maxMsat, bearer === "operator" ? amount : Infinity);
  return bounded <= Number.MAX_SAFE_INTEGER ? bounded : Infinity;
}

/** What the client pays for an amount, the router's fee included where it bears it; not rounded: for comparisons between offers. */
export function roughTotalMsat(terms: FeeTerms, amount: number): number {
  if (terms.bearer === "operator") return amount;
  return amount + Math.min(Math.max((amount * terms.shareBps) / BASIS_POINTS + terms.flatMsat, terms.minMsat ?? 0), terms.maxMsat ?? Infinity);
}

/**
 * The most that a client can be asked to pay for a job: every allowed output token used, the router's fee included where
 * the client bears it, in msat. No smaller number of output tokens costs more.
 *
 * @returns integer msat, or `Infinity` where it is more than 2^53 - 1 msat
 * @throws RangeError as `amountMsat` and `feeMsat` do
 */
export function maxAmountMsat(prices: PriceSheet, fee: FeeTerms, inputTokens: number, maxOutputTokens: number): number {
  const amount = amountMsat(prices, inputTokens, maxOutputTokens);
  const total = fee.bearer === "operator" ? amount : amount + feeMsat(fee, amount);
  return total <= Number.MAX_SAFE_INTEGER ? total : Infinity;
}

/**
 * What a job costs its node at these private unit costs, rounded up once: against the operator.
 *
 * @param costs msat per million tokens, and msat a job, like a price sheet
 * @returns integer msat
 * @throws RangeError where an argument is negative or fractional, or the cost is more than 2^53 - 1 msat
 */
export function costMsat(costs: PriceSheet, inputTokens: number, outputTokens: number): number {
  const scaled = inputTokens * costs.inputMsatPerMtok + outputTokens * costs.outputMsatPerMtok;
  if (scaled > Number.MAX_SAFE_INTEGER) {
    const exact = BigInt(inputTokens) * BigInt(costs.inputMsatPerMtok) + BigInt(outputTokens) * BigInt(costs.outputMsatPerMtok);
    return quotientUp(exact, BigInt(TOKENS_PER_PRICE_UNIT)) + costs.fixedMsat;
  }
  const down = wholePart(scaled, TOKENS_PER_PRICE_UNIT);
  return down + (down * TOKENS_PER_PRICE_UNIT < scaled ? 1 : 0) + costs.fixedMsat;
}

/**
 * A quotient of non-negative integers in whole msat, rounded up once: against the operator whose costs it states.
 *
 * @throws RangeError where it is negative, or more than 2^53 - 1
 */
export function quotientUp(numerator: bigint, denominator: bigint): number {
  if (numerator < 0n || denominator <= 0n) throw new RangeError(`a cost is a quotient of non-negative numbers, found ${numerator} / ${denominator}`);
  const up = (numerator + denominator - 1n) / denominator;
  if (up > BigInt(Number.MAX_SAFE_INTEGER)) throw new RangeError(`a cost of ${up} msat is more than can be stated`);
  return Number(up);
}

/**
 * The largest amount of a job, before the router's fee, with which the client pays no more than this in all.
 *
 * @returns integer msat, -1 where the fee alone is more
 */
export function affordableMsat(fee: FeeTerms, maxPriceMsat: number): number {
  const total = (amount: number): number => (fee.bearer === "operator" ? amount : amount + feeMsat(fee, amount));
  if (total(maxPriceMsat) <= maxPriceMsat) return maxPriceMsat;
  if (total(0) > maxPriceMsat) return -1;
  // Fees without bounds: one guess, right but for the rounding. Otherwise by halving.
  const guess = Math.floor((maxPriceMsat - fee.flatMsat) / (1 + fee.shareBps / BASIS_POINTS));
  let low = Math.max(0, guess - 3);
  let high = Math.min(maxPriceMsat, guess + 3);
  if (total(low) > maxPriceMsat) low = 0;
  if (total(high) <= maxPriceMsat) high = maxPriceMsat;
  while (high - low > 1) {
    const middle = low + Math.floor((high - low) / 2);
    if (total(middle) <= maxPriceMsat) low = middle;
    else high = middle;
  }
  return low;
}

/**
 * Prices in the proportions of a bid that come to `amount` for a job of this length, each part rounded down: against the
 * payee, and never by more than the client can be asked for. No part falls below the bid's where `amount` is at least what
 * the bid comes to. A bid that comes to nothing is paid the whole amount per job.
 *
 * @param amount integer msat, at least `amountMsat` of the bid
 */
export function pricesPaying(bid: PriceSheet, inputTokens: number, maxOutputTokens: number, amount: number): PriceSheet {
  const unit = BigInt(TOKENS_PER_PRICE_UNIT);
  // Exact, before rounding: in millionths of an msat.
  const worth = BigInt(inputTokens) * BigInt(bid.inputMsatPerMtok) + BigInt(maxOutputTokens) * BigInt(bid.outputMsatPerMtok) + BigInt(bid.fixedMsat) * unit;
  if (worth === 0n) return { ...bid, fixedMsat: bid.fixedMsat + amount };
  const target = BigInt(amount) * unit;
  if (target <= worth) return bid;
  const scaled = (part: number): number => Math.min(Number.MAX_SAFE_INTEGER, Number((BigInt(part) * target) / worth));
  return { inputMsatPerMtok: scaled(bid.inputMsatPerMtok), outputMsatPerMtok: scaled(bid.outputMsatPerMtok), fixedMsat: scaled(bid.fixedMsat) };
}

/**
 * amount x numerator / denominator, rounded down once; exact for all non-negative integers.
 *
 * @throws RangeError where an argument is negative or fractional, or the result is more than 2^53 - 1
 */
export function quotientOf(amount: number, numerator: number, denominator: number): number {
  const product = amount * numerator;
  const quotient = product <= Number.MAX_SAFE_INTEGER ? wholePart(product, denominator) : Number((BigInt(amount) * BigInt(numerator)) / BigInt(denominator));
  if (!(quotient <= Number.MAX_SAFE_INTEGER)) throw new RangeError(`${amount} x ${numerator} / ${denominator} is more than can be stated`);
  return quotient;
}

/**
 * Prices times a factor of whole numbers, each part rounded down: against the payee. Where the factor is at least 1, no part
 * falls below what it was.
 *
 * @throws RangeError as {@link quotientOf} does
 */
export function scaledPrices(prices: PriceSheet, numerator: number, denominator: number): PriceSheet {
  return {
    inputMsatPerMtok: quotientOf(prices.inputMsatPerMtok, numerator, denominator),
    outputMsatPerMtok: quotientOf(prices.outputMsatPerMtok, numerator, denominator),
    fixedMsat: quotientOf(prices.fixedMsat, numerator, denominator),
  };
}

function wholePart(scaled: number, divisor: number): number {
  if (scaled < 0 || !Number.isInteger(scaled)) throw new RangeError(`tokens and prices are whole and not negative; their product came to ${scaled}`);
  return Math.floor(scaled / divisor);
}

function bigAmountMsat(prices: PriceSheet, inputTokens: number, outputTokens: number): number {
  const scaled = BigInt(inputTokens) * BigInt(prices.inputMsatPerMtok) + BigInt(outputTokens) * BigInt(prices.outputMsatPerMtok);
  if (scaled < 0n) throw new RangeError(`tokens and prices are not negative; their product came to ${scaled}`);
  return Number(scaled / BigInt(TOKENS_PER_PRICE_UNIT) + BigInt(prices.fixedMsat));
}
