import { describe, expect, test } from "vitest";
import { RandomStreams } from "../random.ts";
import { Moments } from "../statistics/index.ts";
import { kolmogorovStatistic, KOLMOGOROV_CRITICAL } from "../testing/kolmogorov.ts";
import { distribution } from "./index.ts";
import type { Distribution, DistributionSpec } from "./index.ts";

/** Continuous and mixed families, each with the moments that its definition promises (where they are its parameters). */
const CASES: readonly (readonly [spec: DistributionSpec, mean?: number, variance?: number])[] = [
  [{ uniform: { min: 2, max: 5 } }, 3.5, 0.75],
  [{ exponential: { mean: 4 } }, 4, 16],
  [{ gamma: { mean: 3, cv: 0.5 } }, 3, 2.25],
  [{ gamma: { mean: 3, cv: 1 } }, 3, 9],
  [{ gamma: { mean: 3, cv: 2 } }, 3, 36],
  [{ gamma: { mean: 1e6, cv: 0.05 } }, 1e6, 2.5e9],
  [{ weibull: { mean: 2, cv: 0.4 } }, 2, 0.64],
  [{ weibull: { mean: 2, cv: 1 } }, 2, 4],
  [{ weibull: { mean: 2, cv: 2.5 } }, 2, 25],
  [{ lognormal: { mean: 1155, cv: 1 } }, 1155, 1155 * 1155],
  [{ lognormal: { median: 10, sigma: 0.3 } }, 10 * Math.exp(0.045)],
  [{ pareto: { min: 2, shape: 3.5 } }, 2.8, (4 * 3.5) / (2.5 * 2.5 * 1.5)],
  [{ pareto: { min: 2, shape: 1.5, max: 200 } }],
  [{ pareto: { min: 2, shape: 1, max: 200 } }, (400 / 198) * Math.log(100)],
  [{ pareto: { min: 2, shape: 2, max: 200 } }],
  [{ normal: { mean: 10, sd: 2 } }, 10, 4],
  [{ normal: { mean: 10, sd: 5, min: 0 } }],
  [{ normal: { mean: 0, sd: 1, min: 0 } }, Math.sqrt(2 / Math.PI), 1 - 2 / Math.PI],
  [{ normal: { mean: 0, sd: 1, min: 4, max: 9 } }],
  [{ normal: { mean: 10, sd: 5, min: 8, max: 11 } }],
  [{ hyperexponential: { mean: 3, cv: 2 } }, 3, 36],
  [{ erlang: { mean: 3, stages: 1 } }, 3, 9],
  [{ erlang: { mean: 3, stages: 40 } }, 3, 9 / 40],
  [{ quantiles: [[0, 1], [0.5, 3], [0.9, 10], [1, 50]] }, 1 + 2.6 + 3],
  [{ quantiles: [[0, 0], [0.2, 5], [0.7, 5], [1, 8]] }, 0.5 + 2.5 + 1.95],
  [{ values: [1, 1, 2, 5, 9] }, 3.6, 9.44],
  [{ mixture: [{ weight: 3, of: { exponential: { mean: 1 } } }, { weight: 1, of: { uniform: { min: 9, max: 11 } } }] }, 3.25],
  [{ mixture: [{ weight: 1, of: 2 }, { weight: 1, of: { gamma: { mean: 5, cv: 1.5 } } }] }, 3.5],
  [{ clip: { of: { exponential: { mean: 4 } }, max: 6 } }, 4 * (1 - Math.exp(-1.5))],
  [{ clip: { of: { exponential: { mean: 4 } }, min: 1 } }, 1 + 4 * Math.exp(-0.25)],
  [{ clip: { of: { lognormal: { mean: 1155, cv: 1.5 } }, min: 10, max: 4096 } }],
  [{ clip: { of: { gamma: { mean: 3, cv: 2 } }, min: 0.5, max: 10 } }],
  [{ clip: { of: { pareto: { min: 1, shape: 0.8 } }, max: 100 } }, 1 + (Math.exp(0.2 * Math.log(100)) - 1) / 0.2],
  [{ clip: { of: { values: [1, 1, 2, 5, 9] }, min: 2, max: 6 } }, (2 + 2 + 2 + 5 + 6) / 5],
  [{ clip: { of: { quantiles: [[0, 0], [1, 10]] }, min: 2, max: 6 } }, 0.4 + 1.6 + 2.4],
  [{ clip: { of: { mixture: [{ weight: 1, of: 1 }, { weight: 1, of: { uniform: { min: 0, max: 4 } } }] }, min: 2 } }, 0.5 * 2 + 0.5 * 2.5],
  [{ clip: { of: { clip: { of: { uniform: { min: 0, max: 10 } }, min: 2, max: 8 } }, min: 4 } }, 1.6 + 2.4 + 1.6],
];

const SAMPLES = 20_000;

function sample(of: Distribution, name: string, count = SAMPLES): number[] {
  const random = new RandomStreams(2).stream("test", name, "sample");
  return Array.from({ length: count }, () => of.sample(random));
}

/** E[X] and E[(X - mean)^2] of a distribution on [0, infinity), from its distribution function alone, on a logarithmic grid. */
function integrated(of: Distribution): { mean: number; variance: number } {
  const steps = 20_000;
  const low = Math.log(of.mean * 1e-9);
  const width = Math.log(1e18) / steps;
  let first = 0;
  let second = 0;
  for (let i = 0; i < steps; i++) {
    const x = Math.exp(low + (i + 0.5) * width);
    const above = 1 - of.cdf(x);
    first += above * x * width;
    second += 2 * above * x * x * width;
  }
  return { mean: first, variance: second - first * first };
}

describe.each(CASES.map((row) => [JSON.stringify(row[0]), ...row] as const))("%s", (name, spec, mean, variance) => {
  const of = distribution(spec);

  test("samples follow the distribution function (Kolmogorov-Smirnov, significance 0.1 %)", () => {
    expect(kolmogorovStatistic(sample(of, name), of.cdf)).toBeLessThan(KOLMOGOROV_CRITICAL);
  });

  test("mean and variance are those of the definition, of the distribution function and of the samples", () => {
    if (mean !== undefined) expect(Math.abs(of.mean / mean - 1)).toBeLessThan(1e-9);
    if (variance !== undefined) expect(Math.abs(of.variance / variance - 1)).toBeLessThan(1e-8);
    if (of.cdf(0) === 0 && !name.includes("pareto")) {
      // The grid's step is 0.2 %: that much an atom may be off.
      const exact = integrated(of);
      expect(Math.abs(exact.mean / of.mean - 1)).toBeLessThan(2e-3);
      expect(Math.abs(exact.variance / of.variance - 1)).toBeLessThan(1e-2);
    }
    const moments = new Moments();
    const fourth = new Moments();
    const numbers = sample(of, name);
    for (const x of numbers) moments.add(x);
    for (const x of numbers) fourth.add((x - of.mean) * (x - of.mean));
    // Three and a half standard errors: exceeded with probability below 0.001.
    expect(Math.abs(moments.mean - of.mean)).toBeLessThan(3.5 * Math.sqrt(of.variance / SAMPLES));
    // The variance of heavy tails does not show in a sample.
    if (of.variance < 5 * of.mean * of.mean) expect(Math.abs(fourth.mean - of.variance)).toBeLessThan(3.5 * Math.sqrt(fourth.variance / SAMPLES) + 1e-12);
  });

  test("the distribution function rises from 0 to 1", () => {
    expect(of.cdf(-1e12)).toBe(0);
    expect(of.cdf(1e30)).toBeCloseTo(1, 12);
    let before = 0;
    for (const x of sample(of, "grid", 500).sort((x, y) => x - y)) {
      const now = of.cdf(x);
      expect(now).toBeGreaterThanOrEqual(before);
      before = now;
    }
  });
});

describe("distributions", () => {
  test("the Kolmogorov-Smirnov bound bites: samples with a cv of 1.05 are not those of 1", () => {
    const numbers = sample(distribution({ gamma: { mean: 3, cv: 1.05 } }), "planted");
    expect(kolmogorovStatistic(numbers, distribution({ gamma: { mean: 3, cv: 1 } }).cdf)).toBeGreaterThan(KOLMOGOROV_CRITICAL);
  });

  test("closed forms: Erlang's distribution function, gamma at cv 1, Weibull at cv 1", () => {
    const erlang = distribution({ erlang: { mean: 3, stages: 3 } });
    for (const x of [0.1, 1, 3, 10]) expect(erlang.cdf(x)).toBeCloseTo(1 - Math.exp(-x) * (1 + x + (x * x) / 2), 12);
    const exponential = distribution({ exponential: { mean: 3 } });
    for (const x of [0.1, 1, 3, 10]) {
      expect(distribution({ gamma: { mean: 3, cv: 1 } }).cdf(x)).toBeCloseTo(exponential.cdf(x), 12);
      expect(distribution({ weibull: { mean: 3, cv: 1 } }).cdf(x)).toBeCloseTo(exponential.cdf(x), 12);
    }
  });

  test("a plain number, a constant and a spread of 0 are all constants, which draw nothing", () => {
    const specs: DistributionSpec[] = [
      7, { constant: 7 }, { gamma: { mean: 7, cv: 0 } }, { weibull: { mean: 7, cv: 0 } }, { lognormal: { mean: 7, cv: 0 } }, { lognormal: { median: 7, sigma: 0 } },
      { uniform: { min: 7, max: 7 } }, { normal: { mean: 7, sd: 0 } }, { pareto: { min: 7, shape: 1, max: 7 } }, { clip: { of: 9, max: 7 } }, { clip: { of: { exponential: { mean: 1 } }, min: 7, max: 7 } },
    ];
    for (const spec of specs) {
      const of = distribution(spec);
      expect([of.mean, of.variance, of.cdf(6.9), of.cdf(7)]).toEqual([7, 0, 0, 1]);
      expect(of.sample({ next: () => { throw new Error("drew"); } })).toBe(7);
    }
  });

  test("heavy tails have infinite moments", () => {
    expect(distribution({ pareto: { min: 1, shape: 1 } }).mean).toBe(Infinity);
    expect(distribution({ pareto: { min: 1, shape: 1.5 } }).mean).toBe(3);
    expect(distribution({ pareto: { min: 1, shape: 1.5 } }).variance).toBe(Infinity);
    expect(distribution({ clip: { of: { pareto: { min: 1, shape: 0.5 } }, min: 2 } }).mean).toBe(Infinity);
  });

  test("the ends of the uniform numbers give finite values", () => {
    for (const [spec] of CASES) {
      for (const u of [0, 1 - 2 ** -32]) {
        // A rejection method must not be handed the same number for ever.
        let calls = 0;
        const value = distribution(spec).sample({ next: () => (calls++ === 0 ? u : (0.618034 * calls) % 1) });
        expect(Number.isFinite(value), `${JSON.stringify(spec)} at ${u}`).toBe(true);
      }
    }
  });

  test.each<[DistributionSpec, string]>([
    [{ exponential: { mean: 0 } }, "exponential: mean must be a finite number above 0; found 0."],
    [{ exponential: { mean: NaN } }, "exponential: mean must be a finite number above 0; found NaN."],
    [{ gamma: { mean: 1, cv: -1 } }, "gamma: cv must be a finite number, 0 or more; found -1."],
    [{ weibull: { mean: 1, cv: 1e6 } }, "weibull: cv must be between 0.0013 and 429, found 1000000."],
    [{ hyperexponential: { mean: 1, cv: 0.5 } }, "hyperexponential: cv must be 1 or more; found 0.5."],
    [{ erlang: { mean: 1, stages: 1.5 } }, "erlang: stages must be an integer from 1 to 1000; found 1.5."],
    [{ uniform: { min: 2, max: 1 } }, "uniform: max must be a finite number, 2 (min) or more; found 1."],
    [{ quantiles: [[0, 1], [0.5, 2]] }, "quantiles: last p must be 1; found 0.5."],
    [{ quantiles: [[0, 1], [0.5, 3], [1, 2]] }, "quantiles: each x must be not less than the one before (3); found 2."],
    [{ values: [] }, "values: list must be at least one number; found none."],
    [{ mixture: [{ weight: 0, of: 1 }] }, "mixture: weight must be a finite number above 0; found 0."],
    [{ clip: { of: 1, min: 3, max: 2 } }, "clip: max must be a number, 3 (min) or more; found 2."],
    [{ normal: { mean: 0, sd: 1, min: 50 } }, "normal: [50, Infinity] holds none of the distribution with mean 0 and sd 1."],
    [Infinity, "constant: value must be a finite number; found Infinity."],
    [{ gauss: {} } as unknown as DistributionSpec, "Unknown distribution gauss; allowed are constant, uniform,"],
    [{ constant: 1, values: [1] } as unknown as DistributionSpec, "A distribution has one key, one of constant, uniform,"],
  ])("refuses %j", (spec, message) => {
    expect(() => distribution(spec)).toThrow(message);
  });
});
