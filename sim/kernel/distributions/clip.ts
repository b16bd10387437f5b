import type { Distribution } from "./types.ts";

/**
 * Values below `min` become `min`, above `max` become `max`; either bound may be infinite. The moments come from the
 * distribution function by integration by parts: E[clip X] = max - integral of F over [min, max], and so on.
 * For continuous distributions; `distribution` clips the others exactly, point by point.
 */
export function clip(of: Distribution, min: number, max: number): Distribution {
  const [mean, variance] = moments(of, min, max);
  return {
    mean,
    variance,
    sample(random) {
      const x = of.sample(random);
      return x < min ? min : x > max ? max : x;
    },
    cdf: (x) => (x < min ? 0 : x >= max ? 1 : of.cdf(x)),
  };
}

function moments(of: Distribution, min: number, max: number): [mean: number, variance: number] {
  const low = Math.max(min, lowerEnd(of, max));
  if (max !== Infinity) {
    const mean = max - integral((x) => of.cdf(x), low, max);
    // Moments about the mean, so that a narrow distribution far from 0 loses no digits.
    const second = (max - mean) * (max - mean) - integral((x) => 2 * (x - mean) * of.cdf(x), low, max);
    return [mean, Math.max(0, second)];
  }
  if (of.mean === Infinity) return [Infinity, Infinity];
  const start = lowerEnd(of, min);
  if (start >= min) return [of.mean, of.variance];
  const mean = of.mean + integral((x) => of.cdf(x), start, min);
  const shift = of.mean - mean;
  return [mean, Math.max(0, of.variance + shift * shift + integral((x) => 2 * (x - mean) * of.cdf(x), start, min))];
}

/** A point below which (but for 1e-17 of it) the distribution has nothing; `from` where all of it lies above. */
function lowerEnd(of: Distribution, from: number): number {
  const start = from === Infinity ? of.mean : from;
  if (of.cdf(start) < 1e-17) return start;
  let step = Math.max(Math.abs(start), 1e-9) / 64;
  let low = start;
  while (of.cdf(low) >= 1e-17) {
    low -= step;
    step *= 2;
  }
  let high = start;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (of.cdf(middle) < 1e-17) low = middle;
    else high = middle;
  }
  return low;
}

/** Abscissas and weights of the 8-point Gauss-Legendre rule on [-1, 1], the positive half. */
const NODES = [0.1834346424956498, 0.525532409916329, 0.7966664774136267, 0.9602898564975363] as const;
const WEIGHTS = [0.362683783378362, 0.3137066458778873, 0.2223810344533745, 0.1012285362903763] as const;

/** Gauss-Legendre on panels that double away from `low`, where distribution functions bend most, each halved as needed. */
function integral(f: (x: number) => number, low: number, high: number): number {
  if (!(high > low)) return 0;
  let sum = 0;
  let from = low;
  for (let panel = 40; panel >= 0; panel--) {
    const to = panel === 0 ? high : low + (high - low) * Math.exp(-panel * Math.LN2);
    sum += refined(f, from, to, rule(f, from, to), 12);
    from = to;
  }
  return sum;
}

function refined(f: (x: number) => number, from: number, to: number, whole: number, depth: number): number {
  const middle = (from + to) / 2;
  const left = rule(f, from, middle);
  const right = rule(f, middle, to);
  if (depth === 0 || Math.abs(left + right - whole) <= 1e-12 * Math.abs(whole)) return left + right;
  return refined(f, from, middle, left, depth - 1) + refined(f, middle, to, right, depth - 1);
}

function rule(f: (x: number) => number, from: number, to: number): number {
  const centre = (from + to) / 2;
  const half = (to - from) / 2;
  let sum = 0;
  for (let i = 0; i < 4; i++) sum += WEIGHTS[i]! * (f(centre - half * NODES[i]!) + f(centre + half * NODES[i]!));
  return half * sum;
}
