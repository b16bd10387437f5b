import { incompleteGamma, normalQuantile } from "../special.ts";

/** Distribution function of chi-square with `degrees` of freedom, above 0. */
export function chiSquareCdf(x: number, degrees: number): number {
  return incompleteGamma(degrees / 2, x / 2).lower;
}

/**
 * Quantile of chi-square with `degrees` of freedom, above 0, to about 1e-12 of itself: bisection of the distribution
 * function, from the approximation of E. Wilson and M. Hilferty, PNAS 17 (1931).
 * @param p above 0, below 1
 */
export function chiSquareQuantile(p: number, degrees: number): number {
  if (!(p > 0 && p < 1)) throw new RangeError(`chiSquareQuantile: p must be above 0 and below 1; found ${p}.`);
  if (!(degrees > 0)) throw new RangeError(`chiSquareQuantile: degrees of freedom must be above 0; found ${degrees}.`);
  const spread = 2 / (9 * degrees);
  const root = 1 - spread + normalQuantile(p) * Math.sqrt(spread);
  let high = Math.max(1e-300, degrees * root * root * root, degrees * 1e-3);
  while (chiSquareCdf(high, degrees) < p) high *= 2;
  let low = high;
  while (low > 0 && chiSquareCdf(low, degrees) > p) low /= 2;
  for (let i = 0; i < 200 && high - low > 1e-13 * high; i++) {
    const middle = (low + high) / 2;
    if (chiSquareCdf(middle, degrees) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
