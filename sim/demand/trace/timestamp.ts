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
  const century = twoDigits(bytes, start);
  const yearOfCentury = twoDigits(bytes, start + 2);
  const month = twoDigits(bytes, start + 5);
  const day = twoDigits(bytes, start + 8);
  const hour = twoDigits(bytes, start + 11);
  const minute = twoDigits(bytes, start + 14);
  const second = twoDigits(bytes, start + 17);
  if (century < 0 || yearOfCentury < 0 || month < 1 || month > 12 || day < 1 || day > 31) return NaN;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return NaN;

  let at = start + 19;
  let fractionUs = 0;
  if (at < end && bytes[at] === 46) {
    at += 1;
    let places = 0;
    for (; at < end; at += 1) {
      const digit = bytes[at]! - zero;
      if (digit < 0 || digit > 9) break;
      if (places < 6) fractionUs = fractionUs * 10 + digit;
      else if (places === 6 && digit >= 5) fractionUs += 1;
      places += 1;
    }
    for (; places < 6; places += 1) fractionUs *= 10;
  }
  let offsetMinutes = 0;
  if (at < end) {
    const sign = bytes[at]!;
    const rest = end - at;
    if (sign === 90 && rest === 1) {
      offsetMinutes = 0;
    } else if ((sign === 43 || sign === 45) && (rest === 3 || rest === 5 || (rest === 6 && bytes[at + 3] === 58))) {
      const hours = twoDigits(bytes, at + 1);
      const minutes = rest === 3 ? 0 : twoDigits(bytes, end - 2);
      if (hours < 0 || minutes < 0) return NaN;
      offsetMinutes = hours * 60 + minutes;
      if (sign === 45) offsetMinutes = -offsetMinutes;
    } else {
      return NaN;
    }
  }
  const minutes = (daysFromCivil(century * 100 + yearOfCentury, month, day) * 24 + hour) * 60 + minute - offsetMinutes;
  return (minutes * 60 + second) * 1_000_000 + fractionUs;
}

/** -1 where they are no digits. */
function twoDigits(bytes: Buffer, at: number): number {
  const tens = bytes[at]! - zero;
  const ones = bytes[at + 1]! - zero;
  return tens < 0 || tens > 9 || ones < 0 || ones > 9 ? -1 : tens * 10 + ones;
}
