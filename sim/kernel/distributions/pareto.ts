import type { Distribution } from "./types.ts";

/** Pareto from `min`, P(X > x) = (min/x)^shape, truncated at `max` (Infinity: not). By inversion, one number per value. */
export function pareto(min: number, shape: number, max: number): Distribution {
  const kept = max === Infinity ? 1 : -Math.expm1(shape * Math.log(min / max));
  const mean = moment(1, min, shape, max, kept);
  const variance = mean === Infinity ? Infinity : moment(2, min, shape, max, kept) - mean * mean;
  return {
    mean,
    variance,
    sample: (random) => min * Math.exp(-Math.log(1 - kept * random.next()) / shape),
    cdf: (x) => (x <= min ? 0 : x >= max ? 1 : -Math.expm1(shape * Math.log(min / x)) / kept),
  };
}

/** E[X^order] = shape min^shape / kept * integral of x^(order - shape - 1) over [min, max]. */
function moment(order: number, min: number, shape: number, max: number, kept: number): number {
  const power = Math.exp(order * Math.log(min));
  if (max === Infinity) return shape > order ? (shape * power) / (shape - order) : Infinity;
  const logRatio = Math.log(max / min);
  const exponent = order - shape;
  const integral = exponent === 0 ? logRatio : Math.expm1(exponent * logRatio) / exponent;
  return (shape * power * integral) / kept;
}
