import { expect, test } from "vitest";
import { hostShares } from "./host-shares.ts";

test("two busy engines fit on two cores, four get half speed each", () => {
  const shares = hostShares([{ us: [100] }, { us: [101, 99] }, { us: [200, 200, 200, 200] }]);
  expect(shares[0]).toBe(1);
  expect(shares[1]).toBeCloseTo(1, 3);
  // Three were not measured: in the middle between a total speed of 2 and one of 2.
  expect(shares[2]).toBeCloseTo(2 / 3, 3);
  expect(shares[3]).toBeCloseTo(0.5, 9);
});

test("repetitions are averaged, and noise makes no share rise", () => {
  expect(hostShares([{ us: [100] }, { us: [100] }, { us: [95, 95] }, { us: [140, 140, 140] }, { us: [135, 135, 135, 135] }])).toEqual([1, 1, expect.closeTo(100 / 140, 9), expect.closeTo(100 / 140, 9)]);
});

test("says what is missing", () => {
  expect(() => hostShares([{ us: [1, 1] }])).toThrow("measured alone");
  expect(() => hostShares([{ us: [0] }])).toThrow("above 0");
});
