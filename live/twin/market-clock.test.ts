import fc from "fast-check";
import { expect, test } from "vitest";
import { MarketClock } from "./market-clock.ts";

const us = fc.integer({ min: 0, max: 1_000_000_000 });

test("the clock stands still in an intermission, and an act begins at its time", () => {
  const clock = new MarketClock();
  expect(clock.at(5)).toBe(5);
  // The first act ended at 36; the second begins at 40. Measuring took until 100.
  expect(clock.resume(36, 40, 100)).toBe(100);
  expect([30, 36, 50, 96, 98, 100, 130].map((at) => clock.at(at))).toEqual([30, 36, 36, 36, 38, 40, 70]);
  // The second act lasted until 82, longer than the third one's begin at 80.
  expect(clock.resume(142, 80, 150)).toBe(150);
  expect([142, 149, 150, 151].map((at) => clock.at(at))).toEqual([82, 82, 82, 83]);
});

test("where nothing is done meanwhile, there is no intermission", () => {
  const clock = new MarketClock();
  expect(clock.resume(36, 40, 37)).toBe(40);
  expect([36, 38, 40, 41].map((at) => clock.at(at))).toEqual([36, 38, 40, 41]);
});

test("time never runs backwards, and within acts it runs as outside", () => {
  fc.assert(fc.property(fc.array(fc.record({ played: us, rest: us, measured: us }), { maxLength: 8 }), us, us, (acts, a, b) => {
    const clock = new MarketClock();
    let realUs = 0;
    for (const { played, rest, measured } of acts) {
      const stoppedUs = realUs + played;
      const beginUs = clock.at(stoppedUs) + rest;
      realUs = clock.resume(stoppedUs, beginUs, stoppedUs + measured);
      expect(clock.at(realUs)).toBe(beginUs);
      expect(clock.at(realUs + a)).toBe(beginUs + a);
    }
    expect(clock.at(Math.max(a, b))).toBeGreaterThanOrEqual(clock.at(Math.min(a, b)));
  }));
});
