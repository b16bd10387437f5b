const zero = 48;
const nine = 57;
const point = 46;
const powersOfTen = [1, 10, 100, 1e3, 1e4, 1e5, 1e6];

/**
 * Reads the decimal number in `bytes[start, end)` and returns it times 10^`places`, rounded to an integer, half up.
 * Exact as long as the result is below 2^53. Spaces and double quotes around it are ignored; signs and exponents are read.
 *
 * @param places 0 to 6
 * @returns NaN where the bytes are no number
 */
export function parseDecimal(bytes: Buffer, start: number, end: number, places: number): number {
  let value = 0;
  let at = start;
  for (; at < end; at += 1) {
    const byte = bytes[at]!;
    if (byte < zero || byte > nine) break;
    value = value * 10 + (byte - zero);
  }
  if (at === end && at > start) return value * powersOfTen[places]!;
  if (at === start || bytes[at] !== point) return parseUnusual(bytes, start, end, places);
  at += 1;
  const fractionEnd = Math.min(end, at + places);
  let missing = places;
  for (; at < fractionEnd; at += 1) {
    const byte = bytes[at]!;
    if (byte < zero || byte > nine) return parseUnusual(bytes, start, end, places);
    value = value * 10 + (byte - zero);
    missing -= 1;
  }
  value *= powersOfTen[missing]!;
  if (at < end && bytes[at]! >= zero + 5 && bytes[at]! <= nine) value += 1;
  for (; at < end; at += 1) {
    const byte = bytes[at]!;
    if (byte < zero || byte > nine) return parseUnusual(bytes, start, end, places);
  }
  return value;
}

function parseUnusual(bytes: Buffer, start: number, end: number, places: number): number {
  const text = bytes.toString("latin1", start, end).trim().replace(/^"(.*)"$/, "$1").trim();
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) return NaN;
  return Math.round(Number(text) * powersOfTen[places]!);
}
