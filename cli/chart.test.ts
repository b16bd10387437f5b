import fc from "fast-check";
import { expect, test } from "vitest";
import { barChart } from "./chart.ts";

test("bars grow from 0 in eighths of a line, and each line's label is its top", () => {
  expect(barChart([0, 1, 4, 8, 16], 2, (value) => `${String(value).padStart(2)} |`)).toEqual(["16 |    █", " 8 | ▁▄██"]);
});

test("nothing but zeros is an empty chart", () => {
  expect(barChart([0, 0], 2, () => "|")).toEqual(["|", "|"]);
});

test("the height of any bar is its value's share of the highest", () => {
  const glyphs = " ▁▂▃▄▅▆▇█";
  fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 1_000 }), { minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 6 }), (values, lines) => {
    const chart = barChart(values, lines, () => "");
    const most = Math.max(...values);
    for (const [column, value] of values.entries()) {
      const eighths = chart.reduce((sum, line) => sum + glyphs.indexOf(line[column] ?? " "), 0);
      expect(eighths).toBe(most === 0 ? 0 : Math.round((value / most) * lines * 8));
    }
  }), { seed: 1 });
});
