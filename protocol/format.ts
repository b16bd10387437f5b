import { MSAT_PER_BTC, MSAT_PER_SAT } from "./money.ts";

/**
 * A number for people, without a locale: digits grouped by commas, a point before the fraction, no trailing zeros.
 *
 * @param fractionDigits most digits after the point, 0 to 20
 * @returns such as `-1,234.5`; `NaN`, `Infinity` and `-Infinity` as such
 */
export function formatNumber(value: number, fractionDigits = 0): string {
  // From 10^21 on, toFixed writes an exponent.
  if (!Number.isFinite(value) || Math.abs(value) >= 1e21) return String(value);
  const fixed = Math.abs(value).toFixed(fractionDigits);
  const point = fixed.indexOf(".");
  const whole = (point < 0 ? fixed : fixed.slice(0, point)).replace(/\B(?=(\d{3})+$)/g, ",");
  const fraction = point < 0 ? "" : fixed.slice(point + 1).replace(/0+$/, "");
  const text = fraction === "" ? whole : `${whole}.${fraction}`;
  return value < 0 && text !== "0" ? `-${text}` : text;
}

/** As `formatNumber`, with as many digits after the point as give `digits` significant ones: 1.23, 12.3, 123, 1,234. */
export function formatSignificant(value: number, digits = 3): string {
  if (!Number.isFinite(value) || value === 0) return formatNumber(value);
  const size = Number(Math.abs(value).toExponential(digits - 1).split("e")[1]);
  return formatNumber(value, Math.min(20, Math.max(0, digits - 1 - size)));
}

/** A share for people: 0.1234 is `12.3 %`. */
export function formatPercent(share: number, digits = 3): string {
  return `${formatSignificant(share * 100, digits)} %`;
}

/**
 * An amount of money for people: `850 msat`, `1.2 sat`, `12,345.678 sat`, `1.5 BTC`. Whole amounts lose nothing below a
 * bitcoin; from there on they are given to a satoshi.
 *
 * @param msat millisatoshi; a mean may be fractional and is given to a thousandth of the unit shown
 */
export function formatMsat(msat: number): string {
  const size = Math.abs(msat);
  if (size < MSAT_PER_SAT) return `${formatNumber(msat, 3)} msat`;
  if (size < MSAT_PER_BTC) return `${formatNumber(msat / MSAT_PER_SAT, 3)} sat`;
  return `${formatNumber(msat / MSAT_PER_BTC, 8)} BTC`;
}

/** A price for people: 20,000 msat per million tokens is `20 sat/Mtok`. */
export function formatMsatPerMtok(msatPerMtok: number): string {
  return `${formatMsat(msatPerMtok)}/Mtok`;
}

/** US dollars for people: `1,234 USD`, `12.30 USD`, `0.0123 USD`. */
export function formatUsd(usd: number): string {
  const size = Math.abs(usd);
  const text = size === 0 || size >= 99.995 ? formatNumber(size) : size >= 0.995 ? size.toFixed(2) : formatSignificant(size);
  return `${usd < 0 && text !== "0" ? "-" : ""}${text} USD`;
}

/**
 * A duration for people, to three digits: `850 µs`, `1.2 ms`, `12.3 s`, `2 min 5 s`, `3 h 20 min`, `2 d 4 h`.
 *
 * @param durationUs microseconds, fractional or negative too
 */
export function formatDurationUs(durationUs: number): string {
  if (!Number.isFinite(durationUs)) return String(durationUs);
  const size = Math.abs(durationUs);
  const sign = durationUs < 0 ? "-" : "";
  if (size === 0) return "0 s";
  // The bounds sit where three digits would round up into the next unit.
  if (size < 999.5) return `${sign}${formatSignificant(size)} µs`;
  if (size < 999_500) return `${sign}${formatSignificant(size / 1e3)} ms`;
  if (size < 59_950_000) return `${sign}${formatSignificant(size / 1e6)} s`;
  const seconds = Math.round(size / 1e6);
  if (seconds < 3_600) return sign + inTwoUnits(seconds, 60, "min", "s");
  const minutes = Math.round(size / 60e6);
  if (minutes < 1_440) return sign + inTwoUnits(minutes, 60, "h", "min");
  return sign + inTwoUnits(Math.round(size / 3_600e6), 24, "d", "h");
}

/** A number of tokens for people: `1,155 tok`, `12.3 ktok`, `1.5 Mtok`. Below ten thousand nothing is lost. */
export function formatTokens(tokens: number): string {
  const size = Math.abs(tokens);
  if (size < 10_000) return `${formatNumber(tokens, 1)} tok`;
  if (size < 999_500) return `${formatSignificant(tokens / 1e3)} ktok`;
  if (size < 999_500_000) return `${formatSignificant(tokens / 1e6)} Mtok`;
  return `${formatSignificant(tokens / 1e9)} Gtok`;
}

function inTwoUnits(count: number, perLarge: number, large: string, small: string): string {
  const rest = count % perLarge;
  const whole = `${formatNumber((count - rest) / perLarge)} ${large}`;
  return rest === 0 ? whole : `${whole} ${rest} ${small}`;
}
