import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { distribution } from "../../kernel/distributions/index.ts";
import { RandomStreams } from "../../kernel/random.ts";
import { catalogueMachine } from "../../world/catalogue/index.ts";
import { independentMonths, replicatedSummary, sampleQuantile, shareInterval } from "./estimates.ts";
import { incompleteBeta } from "../../kernel/statistics/index.ts";
import { rentalPrices, rentalUsdPerHour } from "./rental-prices.ts";

test("the incomplete beta function meets its closed forms", () => {
  for (const x of [0.01, 0.2, 0.5, 0.77, 0.999]) {
    expect(incompleteBeta(1, 1, x)).toBeCloseTo(x, 12);
    expect(incompleteBeta(3, 1, x)).toBeCloseTo(x * x * x, 12);
    expect(incompleteBeta(1, 4, x)).toBeCloseTo(1 - Math.exp(4 * Math.log1p(-x)), 12);
    expect(incompleteBeta(2, 3, x)).toBeCloseTo(x * x * (6 - 8 * x + 3 * x * x), 12);
    expect(incompleteBeta(2.5, 7.1, x) + incompleteBeta(7.1, 2.5, 1 - x)).toBeCloseTo(1, 12);
  }
});

describe("shares", () => {
  test("of nothing and of everything: the rule of three's exact form", () => {
    // 1 - (alpha/2)^(1/n)
    expect(shareInterval(0, 20)).toMatchObject({ low: 0, high: expect.closeTo(1 - Math.exp(Math.log(0.025) / 20), 10) });
    expect(shareInterval(20, 20)).toMatchObject({ low: expect.closeTo(Math.exp(Math.log(0.025) / 20), 10), high: 1 });
  });

  test("as in tables: 7 of 20", () => {
    // R: binom.test(7, 20)
    expect(shareInterval(7, 20)).toMatchObject({ low: expect.closeTo(0.1539092, 6), high: expect.closeTo(0.5921885, 6) });
  });
});

test("quantiles lie between order statistics, and may be infinite", () => {
  expect(sampleQuantile([1, 2, 3, 4, 5], 0.5)).toBe(3);
  expect(sampleQuantile([1, 2], 0.05)).toBeCloseTo(1.05, 12);
  expect(sampleQuantile([7], 0.95)).toBe(7);
  expect(sampleQuantile([1, Infinity], 0.5)).toBe(Infinity);
  expect(sampleQuantile([Infinity, Infinity], 0.5)).toBe(Infinity);
});

test("the mean's interval covers the mean as often as it says", () => {
  const random = new RandomStreams(5).stream("test", "viability", "coverage");
  const law = distribution({ normal: { mean: 3, sd: 2, min: -1e9 } });
  let covered = 0;
  for (let i = 0; i < 2_000; i++) {
    const { meanInterval } = replicatedSummary(Array.from({ length: 8 }, () => law.sample(random)));
    if (meanInterval!.low <= 3 && meanInterval!.high >= 3) covered++;
  }
  // 99 % bounds of a binomial of 2,000 at 0.95.
  expect(covered / 2_000).toBeGreaterThan(0.937);
  expect(covered / 2_000).toBeLessThan(0.963);
});

test("months of independent hours vary far less than hours, and are not told from one replication", () => {
  const values = [1, 2, 3, 4, 5, 6, 7, 8];
  const { low, high } = independentMonths(values, 730)!;
  expect((low + high) / 2).toBeCloseTo(4.5, 10);
  // t(0.95, 7) = 1.8946, s = 2.4495
  expect(high - 4.5).toBeCloseTo(1.894579 * 2.449490 * Math.sqrt(1 / 8 + 1 / 730), 3);
  expect(independentMonths([1], 730)).toBeNull();
});

describe("rents", () => {
  test("are of machines that the catalogue has", () => {
    for (const { machine } of rentalPrices) expect(catalogueMachine(machine).name).toBe(machine);
    expect(rentalUsdPerHour("M4 Max 40-core 128GB")).toBeNull();
  });

  const file = fileURLToPath(new URL("../../../../shared/data/prices/gpu-rental-usd-per-hour.csv", import.meta.url));
  test.skipIf(!existsSync(file))("are those of the listing (skipped where its file is not there)", () => {
    const listed = new Map(readFileSync(file, "utf8").trim().split("\n").slice(1).map((line) => line.split(",")).map(([machine, memory, usd]) => [machine!, { gib: Number(memory) / 1024, usd: Number(usd) }]));
    for (const { machine, usdPerHour } of rentalPrices) {
      const name = [...listed.keys()].filter((key) => machine === key || machine.startsWith(`${key} `)).sort((a, b) => b.length - a.length)[0] ?? `${machine} SXM`;
      expect(listed.get(name)?.usd, machine).toBe(usdPerHour);
      expect(Math.abs(catalogueMachine(machine).memoryBytes / 2 ** 30 / listed.get(name)!.gib - 1), machine).toBeLessThan(0.1);
    }
  });
});
