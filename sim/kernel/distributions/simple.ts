import type { Distribution } from "./types.ts";

/** Always `value`. Draws no random number. */
export function constant(value: number): Distribution {
  return { mean: value, variance: 0, sample: () => value, cdf: (x) => (x >= value ? 1 : 0) };
}

/** Uniform on [min, max). */
export function uniform(min: number, max: number): Distribution {
  const width = max - min;
  return {
    mean: (min + max) / 2,
    variance: (width * width) / 12,
    sample: (random) => min + width * random.next(),
    cdf: (x) => (x <= min ? 0 : x >= max ? 1 : (x - min) / width),
  };
}

/** Exponential by inversion, one number per value. */
export function exponential(mean: number): Distribution {
  return {
    mean,
    variance: mean * mean,
    sample: (random) => -mean * Math.log(1 - random.next()),
    cdf: (x) => (x <= 0 ? 0 : -Math.expm1(-x / mean)),
  };
}
