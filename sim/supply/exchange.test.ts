import { describe, expect, test } from "vitest";
import { RandomStreams } from "../kernel/random.ts";
import { msatOf } from "./amount.ts";
import { US_PER_YEAR } from "./costs.ts";
import { ExchangePath, type FiatRate } from "./exchange.ts";

const HOUR = 3_600_000_000;
const rates: FiatRate[] = [{ currency: "USD", msatPerUnit: 1_000_000 }, { currency: "EUR", msatPerUnit: 1_250_000 }];
const stream = (seed: number, entity = "") => new RandomStreams(seed).stream("world", entity, "exchange rate");
const walk = (seed: number, drift = 0, volatility = 0.6, everyUs = HOUR): ExchangePath => new ExchangePath({ kind: "gbm", driftPerYear: drift, volatility, everyUs }, rates, stream(seed));

/** 99 % of a standard normal variable lies within this. */
const Z99 = 2.5758;

describe("a geometric Brownian path", () => {
  const steps = 8766;
  const logs = Array.from({ length: 12 }, (_, seed) => {
    const path = walk(seed, 0.2);
    return Array.from({ length: steps }, (_, k) => Math.log(path.relativeAt((k + 1) * HOUR) / path.relativeAt(k * HOUR)));
  }).flat();
  const n = logs.length;
  const mean = logs.reduce((sum, x) => sum + x, 0) / n;
  const variance = logs.reduce((sum, x) => sum + (x - mean) * (x - mean), 0) / (n - 1);
  const dt = HOUR / US_PER_YEAR;

  test("has log returns with mean (drift - volatility^2 / 2) dt", () => {
    expect(Math.abs(mean - (0.2 - 0.18) * dt)).toBeLessThan(Z99 * 0.6 * Math.sqrt(dt / n));
  });

  test("and variance volatility^2 dt", () => {
    // (n - 1) s^2 / sigma^2 is chi-squared, nearly normal for so many.
    expect(Math.abs(variance / (0.36 * dt) - 1)).toBeLessThan(Z99 * Math.sqrt(2 / (n - 1)));
  });

  test("and steps that know nothing of each other", () => {
    const lagged = logs.slice(1).reduce((sum, x, k) => sum + (x - mean) * (logs[k]! - mean), 0) / ((n - 1) * variance);
    expect(Math.abs(lagged)).toBeLessThan(Z99 / Math.sqrt(n));
  });

  test.each([[0, 1], [0.3, Math.exp(0.3)]])("with a drift of %d is expected to be worth e^drift after a year: a martingale without", (drift, expected) => {
    const ends = Array.from({ length: 4000 }, (_, seed) => walk(seed, drift, 0.5, US_PER_YEAR / 4).relativeAt(US_PER_YEAR));
    const mean = ends.reduce((sum, x) => sum + x, 0) / ends.length;
    // Var S = E[S]^2 (e^(sigma^2) - 1).
    expect(Math.abs(mean / expected - 1)).toBeLessThan(Z99 * Math.sqrt((Math.exp(0.25) - 1) / ends.length));
    // Siegel's paradox: a unit of fiat, too, is expected to be worth more bitcoin, e^(sigma^2 - drift).
    const inverse = ends.reduce((sum, x) => sum + 1 / x, 0) / ends.length;
    expect(Math.abs(inverse / Math.exp(0.25 - drift) - 1)).toBeLessThan(Z99 * Math.sqrt((Math.exp(0.25) - 1) / ends.length));
  });

  test("is the same however it is asked, and stands still between its steps", () => {
    const forwards = walk(3);
    const asked = walk(3);
    asked.relativeAt(500 * HOUR);
    for (let k = 0; k < 500; k += 7) expect(asked.relativeAt(k * HOUR)).toBe(forwards.relativeAt(k * HOUR));
    expect(asked.relativeAt(5 * HOUR + HOUR - 1)).toBe(asked.relativeAt(5 * HOUR));
    expect(asked.nextChangeUs(5 * HOUR)).toBe(6 * HOUR);
    expect(walk(4).relativeAt(HOUR)).not.toBe(forwards.relativeAt(HOUR));
  });
});

describe("rates", () => {
  const path = new ExchangePath({ kind: "path", points: [{ atUs: 0, relative: 1 }, { atUs: HOUR, relative: 2 }, { atUs: 3 * HOUR, relative: 0.5 }] }, rates, stream(1));

  test("fall in msat as the bitcoin rises, in all currencies alike", () => {
    const worth = (us: number) => [msatOf({ currency: "USD", units: 1e6 }, path.ratesAt(us)), msatOf({ currency: "EUR", units: 1e6 }, path.ratesAt(us))];
    expect(worth(0)).toEqual([1_000_000, 1_250_000]);
    expect(worth(HOUR)).toEqual([500_000, 625_000]);
    expect(worth(2 * HOUR)).toEqual([500_000, 625_000]);
    expect(worth(1e15)).toEqual([2_000_000, 2_500_000]);
    expect([path.nextChangeUs(0), path.nextChangeUs(HOUR), path.nextChangeUs(3 * HOUR)]).toEqual([HOUR, 3 * HOUR, Infinity]);
  });

  test("that stand still do not draw a number", () => {
    const still = new ExchangePath(null, rates, { next: () => { throw new Error("drew"); } });
    expect(still.ratesAt(1e15).USD).toBe(1e12);
    expect(still.nextChangeUs(0)).toBe(Infinity);
  });
});
