import { expect, test } from "vitest";
import { countAxis, spanAxis } from "./axes.ts";

test("what is counted has whole numbers at its ticks, however few there are", () => {
  expect(countAxis(2, 5, 6).ticks).toEqual([2, 3, 4, 5]);
  expect(countAxis(0, 1, 6).ticks).toEqual([0, 1]);
  expect(countAxis(0, 137, 6).ticks).toEqual([0, 50, 100]);
  expect(spanAxis(0, 1, 4, String).ticks).toHaveLength(3);
});
