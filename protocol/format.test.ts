import { expect, test } from "vitest";
import { formatDurationUs, formatMsat, formatMsatPerMtok, formatNumber, formatPercent, formatSignificant, formatTokens } from "./units.ts";

test("numbers are grouped by commas and lose trailing zeros", () => {
  const cases: [number, number, string][] = [
    [0, 0, "0"], [-0, 0, "0"], [999, 0, "999"], [1_000, 0, "1,000"], [1_234_567, 0, "1,234,567"], [-1_234.5, 2, "-1,234.5"],
    [0.1234, 2, "0.12"], [-0.001, 2, "0"], [Number.NaN, 0, "NaN"], [Infinity, 0, "Infinity"], [1e21, 0, "1e+21"],
  ];
  for (const [value, digits, text] of cases) expect(formatNumber(value, digits)).toBe(text);
});

test("significant digits survive a carry into the next power of ten", () => {
  const cases: [number, string][] = [[0, "0"], [1.2345, "1.23"], [12.345, "12.3"], [1_234, "1,234"], [9.999, "10"], [0.0009999, "0.001"], [-5.678, "-5.68"]];
  for (const [value, text] of cases) expect(formatSignificant(value)).toBe(text);
  expect(formatPercent(0.1234)).toBe("12.3 %");
});

test("money changes unit at a satoshi and at a bitcoin", () => {
  const cases: [number, string][] = [
    [0, "0 msat"], [999, "999 msat"], [1_000, "1 sat"], [1_234, "1.234 sat"], [12_345_678, "12,345.678 sat"], [-5, "-5 msat"],
    [0.25, "0.25 msat"], [99_999_999_999, "99,999,999.999 sat"], [150_000_000_000, "1.5 BTC"],
  ];
  for (const [msat, text] of cases) expect(formatMsat(msat)).toBe(text);
  expect(formatMsatPerMtok(20_000)).toBe("20 sat/Mtok");
});

test("durations change unit where three digits would round into the next one", () => {
  const cases: [number, string][] = [
    [0, "0 s"], [1, "1 µs"], [999.4, "999 µs"], [999.6, "1 ms"], [1_200, "1.2 ms"], [1_200_000, "1.2 s"], [59_940_000, "59.9 s"],
    [59_960_000, "1 min"], [125_000_000, "2 min 5 s"], [3_599_600_000, "1 h"], [12_000_000_000, "3 h 20 min"],
    [86_399_000_000, "1 d"], [187_200_000_000, "2 d 4 h"], [-1_500, "-1.5 ms"], [Infinity, "Infinity"],
  ];
  for (const [us, text] of cases) expect(formatDurationUs(us)).toBe(text);
});

test("tokens change unit from ten thousand on", () => {
  const cases: [number, string][] = [[0, "0 tok"], [1_155, "1,155 tok"], [12_345, "12.3 ktok"], [999_499, "999 ktok"], [999_600, "1 Mtok"], [2.5e9, "2.5 Gtok"]];
  for (const [tokens, text] of cases) expect(formatTokens(tokens)).toBe(text);
});
