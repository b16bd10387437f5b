/** What an amount is counted in. */
export type Denomination = "msat" | "USD" | "EUR";

/** Money in the currency in which it is due: integer msat, or integer millionths of a fiat unit (1 USD is 1,000,000 units). */
export interface Amount {
  readonly currency: Denomination;
  /** Integer, not negative. */
  readonly units: number;
}

/** Units of an {@link Amount} in one fiat unit. */
export const UNITS_PER_FIAT = 1_000_000;

/**
 * What fiat money is worth at some moment: integer msat for a million units of fiat (a dollar worth 1,000 sat is
 * 1,000,000 msat, so 1e12 here). 0 where no rate is known.
 */
export interface Rates {
  readonly USD: number;
  readonly EUR: number;
}

/** No fiat money: amounts in msat only. */
export const NO_RATES: Rates = { USD: 0, EUR: 0 };

/** Rates are msat for this many amount units, so that they are whole and fine. */
export const RATE_SCALE = 1_000_000_000_000n;

/** From a rate in msat per fiat unit, such as 1,000,000 for a dollar worth 1,000 sat. */
export function rateOf(msatPerFiat: number): number {
  return Math.round(msatPerFiat * 1_000_000);
}

/**
 * msat for {@link RATE_SCALE} units of a currency.
 * @throws RangeError where the rate is not known
 */
export function rateFor(currency: Denomination, rates: Rates): bigint {
  if (currency === "msat") return RATE_SCALE;
  const rate = rates[currency];
  if (!(rate > 0)) throw new RangeError(`an amount in ${currency} has no msat value without an exchange rate`);
  return BigInt(rate);
}

/** An amount in msat at these rates, not rounded. */
export function msatOf({ currency, units }: Amount, rates: Rates): number {
  return currency === "msat" ? units : units * Number(rateFor(currency, rates)) / Number(RATE_SCALE);
}

/** An amount in msat. */
export function msat(units: number): Amount {
  return { currency: "msat", units };
}
