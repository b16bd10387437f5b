const zero = 48;

/**
 * Days from 1970-01-01 to a date of the Gregorian calendar, by arithmetic alone.
 * Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
 *
 * @param month 1 to 12
 */
export function daysFromCivil(year: number, month: number, day: number): number {
  const marchYear = month <= 2 ? year - 1 : year;
  const era = Math.floor(marchYear / 400);
  const yearOfEra = marchYear - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/**
 * Reads `2023-11-16 18:15:46.6805900` or `2024-05-10T00:00:00.009930+00:00` in `bytes[start, end)`: a date, a space or T, a
 * time, any number of digits of a second's fraction, and optionally Z or an offset from UTC as ±hh, ±hhmm or ±hh:mm.
 *
 * @returns µs since 1970-01-01 00:00 UTC, rounded; NaN where the bytes are no such time
 */
export function parseTimestampUs(bytes: Buffer, start: number, end: number): number {
  if (end - start < 19 || bytes[start + 4] !== 45 || bytes[start + 7] !== 45 || bytes[start + 13] !== 58 || bytes[start + 16] !== 58) return NaN;
  const separator = bytes[start + 10];
  if (separator !== 32 && separator !== 84) return NaN;
  const year = digits(bytes, start, 4);
  const month = digits(bytes, start + 5, 2);
  const day = digits(bytes, start + 8, 2);
  const hour = digits(bytes, start + 11, 2);
  const minute = digits(bytes, start + 14, 2);
  const second = digits(bytes, start + 17, 2);
  if (!(year >= 0 && month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour <= 23 && minute <= 59 && second <= 60)) return NaN;

  let at = start + 19;
  let fractionUs = 0;
  if (bytes[at] === 46 && at < end) {
    at += 1;
    let unitUs = 100_000;
    for (; at < end; at += 1) {
      const digit = bytes[at]! - zero;
      if (digit < 0 || digit > 9) break;
      if (unitUs >= 1) fractionUs += digit * unitUs;
      else if (unitUs === 0.1 && digit >= 5) fractionUs += 1;
      unitUs = unitUs > 1 ? unitUs / 10 : unitUs === 1 ? 0.1 : 0;
    }
  }
  let offsetMinutes = 0;
  if (at < end) {
    const sign = bytes[at]!;
    const rest = end - at;
    if (sign === 90 && rest === 1) {
      offsetMinutes = 0;
    } else if ((sign === 43 || sign === 45) && (rest === 3 || rest === 5 || (rest === 6 && bytes[at + 3] === 58))) {
      offsetMinutes = digits(bytes, at + 1, 2) * 60 + (rest === 3 ? 0 : digits(bytes, end - 2, 2));
      if (sign === 45) offsetMinutes = -offsetMinutes;
    } else {
      return NaN;
    }
  }
  const minutes = (daysFromCivil(year, month, day) * 24 + hour) * 60 + minute - offsetMinutes;
  return (minutes * 60 + second) * 1_000_000 + fractionUs;
}

function digits(bytes: Buffer, start: number, count: number): number {
  let value = 0;
  for (let at = start; at < start + count; at += 1) {
    const digit = bytes[at]! - zero;
    if (digit < 0 || digit > 9) return NaN;
    value = value * 10 + digit;
  }
  return value;
}
