import { expect, test } from "vitest";
import { msat } from "./amount.ts";
import { flatTariff, meanTariff, nextTariffChangeUs, tariffAt, type TariffSpec } from "./tariff.ts";

const H = 3_600_000_000;
/** 10 from 0 to 6, 30 until 22, 20 until midnight. */
const day: TariffSpec = { steps: [{ atUs: 0, perKwh: msat(10) }, { atUs: 6 * H, perKwh: msat(30) }, { atUs: 22 * H, perKwh: msat(20) }], periodUs: 24 * H };

test("a tariff repeats, changes at its hours and nowhere else", () => {
  expect([0, 6 * H - 1, 6 * H, 22 * H - 1, 22 * H, 24 * H - 1, 24 * H, 30 * H].map((us) => tariffAt(day, us).units)).toEqual([10, 10, 30, 30, 20, 20, 10, 30]);
  const changes: number[] = [];
  for (let us = 0; us < 48 * H;) changes.push(us = nextTariffChangeUs(day, us));
  expect(changes).toEqual([6, 22, 24, 30, 46, 48].map((hour) => hour * H));
});

test("its mean weighs each price by its time", () => {
  expect(meanTariff(day, 0, 24 * H)).toBe((10 * 6 + 30 * 16 + 20 * 2) / 24);
  expect(meanTariff(day, 23 * H, 25 * H)).toBe(15);
  expect(meanTariff(day, 7 * H, 7 * H)).toBe(30);
});

test("a flat one never changes, and one that does not repeat keeps its last price", () => {
  expect(nextTariffChangeUs(flatTariff(msat(5)), 7)).toBe(Infinity);
  expect(tariffAt(flatTariff(msat(5)), 1e15).units).toBe(5);
  const once = { ...day, periodUs: null };
  expect(tariffAt(once, 100 * H).units).toBe(20);
  expect(nextTariffChangeUs(once, 22 * H)).toBe(Infinity);
  expect(nextTariffChangeUs({ steps: [day.steps[0]!], periodUs: 24 * H }, 5)).toBe(Infinity);
});
