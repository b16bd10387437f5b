import { normalQuantile } from "../special.ts";
import { incompleteBeta } from "./incomplete-beta.ts";

/**
 * Quantile of Student's t distribution with `degrees` of freedom (1 or more), relative error below 1e-5: G. W. Hill,
 * Algorithm 396, Communications of the ACM 13 (1970) 619-620; exact for 1 and 2.
 * @param p above 0, below 1.
 */
export function studentQuantile(p: number, degrees: number): number {
  if (!(p > 0 && p < 1)) throw new RangeError(`studentQuantile: p must be above 0 and below 1; found ${p}.`);
  if (!(degrees >= 1)) throw new RangeError(`studentQuantile: degrees of freedom must be 1 or more; found ${degrees}.`);
  if (p === 0.5) return 0;
  const upper = upperQuantile(2 * Math.min(p, 1 - p), degrees);
  return p < 0.5 ? -upper : upper;
}

/** The t that is exceeded in absolute value with probability `p`. */
function upperQuantile(p: number, n: number): number {
  if (n === 1) return Math.cos((p * Math.PI) / 2) / Math.sin((p * Math.PI) / 2);
  if (n === 2) return Math.sqrt(2 / (p * (2 - p)) - 2);
  const a = 1 / (n - 0.5);
  const b = 48 / (a * a);
  let c = (((20700 * a) / b - 98) * a - 16) * a + 96.36;
  const d = ((94.5 / (b + c) - 3) / b + 1) * Math.sqrt((a * Math.PI) / 2) * n;
  let y = Math.exp((2 / n) * Math.log(d * p));
  if (y > 0.05 + a) {
    const x = normalQuantile(p / 2);
    y = x * x;
    if (n < 5) c += 0.3 * (n - 4.5) * (x + 0.6);
    c += (((0.05 * d * x - 5) * x - 7) * x - 2) * x + b;
    y = (((((0.4 * y + 6.3) * y + 36) * y + 94.5) / c - y - 3) / b + 1) * x;
    y = Math.expm1(a * y * y);
  } else {
    y = ((1 / (((n + 6) / (n * y) - 0.089 * d - 0.822) * (n + 2) * 3) + 0.5 / (n + 4)) * y - 1) * ((n + 1) / (n + 2)) + 1 / y;
  }
  return Math.sqrt(n * y);
}

/**
 * Probability that a Student-t variable with `degrees` of freedom (above 0) is as far from 0 as `t` or farther: the p-value
 * of a two-sided test. Precise where it is tiny. Abramowitz and Stegun 26.7.1.
 */
export function studentTwoSided(t: number, degrees: number): number {
  if (!(degrees > 0)) throw new RangeError(`studentTwoSided: degrees of freedom must be above 0; found ${degrees}.`);
  if (Math.abs(t) === Infinity) return 0;
  return incompleteBeta(degrees / 2, 0.5, degrees / (degrees + t * t));
}

/** Distribution function of Student's t with `degrees` of freedom, above 0. */
export function studentCdf(t: number, degrees: number): number {
  const tail = studentTwoSided(t, degrees) / 2;
  return t < 0 ? tail : 1 - tail;
}
