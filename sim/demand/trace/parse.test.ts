import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseDecimal } from "./decimal.ts";
import { daysFromCivil, parseTimestampUs } from "./timestamp.ts";

const decimal = (text: string, places: number) => {
  const bytes = Buffer.from(`x${text}y`);
  return parseDecimal(bytes, 1, bytes.length - 1, places);
};
const timestamp = (text: string) => {
  const bytes = Buffer.from(`x${text}y`);
  return parseTimestampUs(bytes, 1, bytes.length - 1);
};

describe("decimal numbers", () => {
  test.each([
    ["0", 0, 0], ["374", 0, 374], ["374.0", 0, 374], ["0.5", 0, 1], ["5.8926549999999995", 6, 5_892_655], ["4.314579", 6, 4_314_579],
    ["19440110.0", 6, 19_440_110_000_000], ["7.", 3, 7_000], [".25", 6, 250_000], ["-1.5", 6, -1_500_000], ["9.5e-05", 6, 95], ["1e3", 0, 1_000],
    [" 12 ", 0, 12], ['"12"', 0, 12], ["0.0000004999", 6, 0], ["0.0000005", 6, 1], ["007", 0, 7],
  ] as const)("%s with %d places", (text, places, expected) => {
    expect(decimal(text, places)).toBe(expected);
  });

  test.each(["", " ", "abc", "1,5", "1.2.3", "1.x", "0x10", "NaN", "Infinity", "1e", "--1", "1 2"])("%j is none", (text) => {
    expect(decimal(text, 3)).toBeNaN();
  });

  test("any integer and fraction are read back", () => {
    fc.assert(fc.property(fc.nat(1e9), fc.nat(999_999), (whole, millionths) => {
      expect(decimal(`${whole}.${String(millionths).padStart(6, "0")}`, 6)).toBe(whole * 1e6 + millionths);
    }), { seed: 1 });
  });
});

describe("timestamps", () => {
  test("days are those of the calendar, counted one by one from 1899 to 2101", () => {
    expect(daysFromCivil(1970, 1, 1)).toBe(0);
    let days = daysFromCivil(1899, 1, 1);
    for (let year = 1899; year <= 2101; year += 1) {
      const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
      for (const [month, length] of [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].entries()) {
        for (let day = 1; day <= length; day += 1) {
          if (daysFromCivil(year, month + 1, day) !== days) throw new Error(`${year}-${month + 1}-${day}`);
          days += 1;
        }
      }
    }
    // `date -u -d 2024-05-10 +%s` says 1715299200.
    expect(daysFromCivil(2024, 5, 10) * 86_400).toBe(1_715_299_200);
  });

  test.each([
    ["1970-01-01 00:00:00", 0],
    ["2023-11-16 18:15:46.6805900", 1_700_158_546_680_590],
    ["2023-11-16 18:15:46.6805905", 1_700_158_546_680_591],
    ["2023-11-16 18:15:46.9999999", 1_700_158_547_000_000],
    ["2024-05-10 00:00:00.009930+00:00", 1_715_299_200_009_930],
    ["2024-05-10T02:00:00+02:00", 1_715_299_200_000_000],
    ["2024-05-09 19:30:00-0430", 1_715_299_200_000_000],
    ["2024-05-10 00:00:00.5Z", 1_715_299_200_500_000],
    ["2024-05-10 01:00:00+01", 1_715_299_200_000_000],
  ])("%s", (text, expected) => {
    expect(timestamp(text)).toBe(expected);
  });

  test.each([
    "", "2023-11-16", "2023-11-16 18:15", "2023/11/16 18:15:46", "2023-13-16 18:15:46", "2023-00-16 18:15:46", "2023-11-32 18:15:46", "2023-11-16 24:15:46",
    "2023-11-16 18:60:46", "2023-11-16 18:15:46.12x", "2023-11-16 18:15:46 +00:00", "2023-11-16 18:15:46+0:00", "2023-11-16 18:15:46+aa:00", "20a3-11-16 18:15:46", "18:15:46.12 2023-11-16",
  ])("%j is none", (text) => {
    expect(timestamp(text)).toBeNaN();
  });
});
