import type { Distribution } from "./types.ts";

/**
 * A quantile function through the points [p, x], linear between them; p rises strictly from 0 to 1, x never falls.
 * Two equal x are an atom. One number per value.
 */
export function quantiles(points: readonly (readonly [p: number, x: number])[]): Distribution {
  const ps = Float64Array.from(points, ([p]) => p);
  const xs = Float64Array.from(points, ([, x]) => x);
  let mean = 0;
  for (let i = 1; i < ps.length; i++) mean += ((ps[i]! - ps[i - 1]!) * (xs[i]! + xs[i - 1]!)) / 2;
  let variance = 0;
  for (let i = 1; i < ps.length; i++) {
    const from = xs[i - 1]! - mean;
    const to = xs[i]! - mean;
    variance += ((ps[i]! - ps[i - 1]!) * (from * from + from * to + to * to)) / 3;
  }
  return {
    mean,
    variance,
    sample(random) {
      const u = random.next();
      return interpolate(ps, xs, countAtMost(ps, u), u);
    },
    cdf(x) {
      const i = countAtMost(xs, x);
      return i === 0 ? 0 : i === xs.length ? 1 : interpolate(xs, ps, i, x);
    },
  };
}

/** Between points i - 1 and i. */
function interpolate(from: Float64Array, to: Float64Array, i: number, x: number): number {
  const f = from[i - 1]!;
  const t = to[i - 1]!;
  return t + ((x - f) / (from[i]! - f)) * (to[i]! - t);
}

/** Each of the values equally likely. One number per value. */
export function values(list: readonly number[]): Distribution {
  const sorted = Float64Array.from(list).sort();
  const n = sorted.length;
  let mean = 0;
  for (const x of sorted) mean += x / n;
  let variance = 0;
  for (const x of sorted) variance += ((x - mean) * (x - mean)) / n;
  return {
    mean,
    variance,
    sample: (random) => sorted[Math.floor(random.next() * n)]!,
    cdf: (x) => countAtMost(sorted, x) / n,
  };
}

/** How many of the ascending numbers are `x` at most. */
function countAtMost(ascending: Float64Array, x: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle]! <= x) low = middle + 1;
    else high = middle;
  }
  return low;
}
