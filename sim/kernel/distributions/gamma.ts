import type { Random } from "../random.ts";
import { openUnit } from "./open-unit.ts";
import { incompleteGamma, normalQuantile } from "../special.ts";
import type { Distribution } from "./types.ts";

/**
 * Gamma by mean and coefficient of variation: shape 1/cv^2, scale mean*cv^2.
 * Sampling: G. Marsaglia and W. W. Tsang, A simple method for generating gamma variables, ACM TOMS 26 (2000) 363-372;
 * a rejection method, so the count of random numbers per value varies.
 */
export function gamma(mean: number, cv: number): Distribution {
  const shape = 1 / (cv * cv);
  const scale = mean / shape;
  // Below shape 1 the method draws from shape + 1 and multiplies by U^(1/shape).
  const boosted = shape < 1;
  const d = (boosted ? shape + 1 : shape) - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  return {
    mean,
    variance: mean * mean * cv * cv,
    sample(random) {
      const value = scale * standardGamma(random, d, c);
      return boosted ? value * Math.exp(Math.log(openUnit(random)) / shape) : value;
    },
    cdf: (x) => incompleteGamma(shape, x / scale).lower,
  };
}

function standardGamma(random: Random, d: number, c: number): number {
  for (;;) {
    const z = normalQuantile(openUnit(random));
    const root = 1 + c * z;
    if (root <= 0) continue;
    const v = root * root * root;
    const u = openUnit(random);
    if (Math.log(u) < 0.5 * z * z + d - d * v + d * Math.log(v)) return d * v;
  }
}

/** Sum of `stages` exponentials. */
export function erlang(mean: number, stages: number): Distribution {
  const scale = mean / stages;
  return {
    mean,
    variance: (mean * mean) / stages,
    sample(random) {
      let sum = 0;
      for (let left = stages; left > 0; left -= 16) {
        // One logarithm per 16 numbers: their product cannot underflow, each being 2^-32 at least.
        let product = 1;
        for (let i = Math.min(left, 16); i > 0; i--) product *= 1 - random.next();
        sum -= Math.log(product);
      }
      return scale * sum;
    },
    cdf: (x) => incompleteGamma(stages, x / scale).lower,
  };
}
