import fc from "fast-check";
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { ExactSum } from "./exact-sum.ts";
import { JobDigest } from "./job-digest.ts";
import { JobTable } from "./job-table.ts";
import { Sample } from "./sample.ts";
import { windowWidthUs } from "./windows.ts";

test("an exact sum equals the sum of big integers, far beyond 2^53", () => {
  const small = fc.integer({ min: 0, max: 1_000 });
  const jobs = fc.oneof(small, fc.nat());
  const us = fc.oneof(small, fc.maxSafeNat());
  fc.assert(
    fc.property(fc.array(fc.tuple(jobs, us), { maxLength: 50 }), (pairs) => {
      const sum = new ExactSum();
      for (const [a, b] of pairs) sum.addProduct(a, b);
      const exact = pairs.reduce((total, [a, b]) => total + BigInt(a) * BigInt(b), 0n);
      expect(sum.toBigInt()).toBe(exact);
      const again = new ExactSum();
      for (const [a, b] of pairs.toReversed()) again.addProduct(b, a);
      expect(again.equals(sum)).toBe(true);
      again.add(1);
      expect(again.equals(sum)).toBe(false);
    }),
    { seed: 1 },
  );
});

test("windows are at most about 120, of a width in which people count", () => {
  const round = new Set([1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800]);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 * 365 * 86_400 }), fc.integer({ min: 0, max: 999_999 }), (seconds, us) => {
      const horizonUs = seconds * 1_000_000 + us;
      const width = windowWidthUs(horizonUs);
      const windows = Math.ceil(horizonUs / width);
      expect(windows).toBeLessThanOrEqual(120);
      if (seconds < 60 * 604_800) expect(windows).toBeGreaterThanOrEqual(30);
      if (width >= 1_000_000 && width <= 604_800_000_000) expect(round.has(width / 1_000_000)).toBe(true);
    }),
    { seed: 1 },
  );
  expect(windowWidthUs(3_600_000_000)).toBe(30_000_000);
  expect(windowWidthUs(1)).toBe(1);
});

describe("a sample", () => {
  test("merges to the same as one that had everything", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { maxLength: 400 }), fc.nat(400), (values, cut) => {
        const whole = new Sample();
        const left = new Sample();
        const right = new Sample();
        values.forEach((value, index) => {
          whole.add(value);
          (index < cut ? left : right).add(value);
        });
        left.merge(right);
        expect(left.count).toBe(whole.count);
        expect(left.histogram()).toEqual(whole.histogram());
        const [a, b] = [left.summary(), whole.summary()];
        expect([a.min, a.p50, a.p90, a.p99, a.max]).toEqual([b.min, b.p50, b.p90, b.p99, b.max]);
        if (a.mean !== null) expect(Math.abs(a.mean - b.mean!)).toBeLessThanOrEqual(1e-9 * Math.max(1, b.mean!));
      }),
      { seed: 1 },
    );
  });

  test("has a histogram with a bin for each value where there are few, and at most some two hundred where there are many", () => {
    const few = new Sample();
    for (const value of [5, 5, 700, 0]) few.add(value);
    expect(few.histogram().counts.reduce((total, count) => total + count, 0)).toBe(4);
    const many = new Sample();
    for (let value = 1; value < 1e9; value *= 1.003) many.add(value);
    expect(many.histogram().counts.length).toBeGreaterThan(80);
    expect(many.histogram().counts.length).toBeLessThan(220);
  });
});

test("rows are hashed as documented: 9 doubles and 6 integers, little-endian, whatever the blocks", () => {
  const digest = new JobDigest();
  const expected = createHash("sha256");
  for (let row = 0; row < 1_000; row++) {
    const doubles = [row, row * 10, row * 10 + 1, -1, row + 0.5, 3, 4, 5, 6];
    const words = [row, 7, -1, 2, row % 5, 1];
    const bytes = Buffer.alloc(96);
    doubles.forEach((value, index) => bytes.writeDoubleLE(value, index * 8));
    words.forEach((value, index) => bytes.writeInt32LE(value, 72 + index * 4));
    expected.update(bytes);
    digest.add(...(doubles as [number, number, number, number, number, number, number, number, number]), ...(words as [number, number, number, number, number, number]));
  }
  expect(digest.rows).toBe(1_000);
  expect(digest.finish()).toBe(expected.digest("hex"));
});

test("the job table grows with the slots in use, not with the jobs", () => {
  const table = new JobTable();
  const before = table.data.length;
  for (let job = 0; job < 100_000; job++) table.reserve(job % 100);
  expect(table.data.length).toBe(before);
  table.reserve(10_000);
  expect(table.slots).toBeGreaterThan(10_000);
  expect(table.slots).toBeLessThan(20_002);
});
