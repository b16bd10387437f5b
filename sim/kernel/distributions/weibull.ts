import { logGamma } from "../special.ts";
import type { Distribution } from "./types.ts";

/** Weibull by mean and coefficient of variation; the shape that has this cv is found by bisection. One number per value. */
export function weibull(mean: number, cv: number): Distribution {
  const shape = shapeOf(cv);
  const scale = mean / Math.exp(logGamma(1 + 1 / shape));
  return {
    mean,
    variance: mean * mean * cv * cv,
    sample: (random) => scale * Math.exp(Math.log(-Math.log(1 - random.next())) / shape),
    cdf: (x) => (x <= 0 ? 0 : -Math.expm1(-Math.exp(shape * Math.log(x / scale)))),
  };
}

/** The cv falls as the shape grows, from 429.8 at shape 0.1 to 0.00128 at shape 1000. */
function shapeOf(cv: number): number {
  let low = Math.log(0.1);
  let high = Math.log(1000);
  if (!(cv <= cvOf(low) && cv >= cvOf(high))) throw new RangeError(`weibull: cv must be between 0.0013 and 429, found ${cv}.`);
  while (high - low > 1e-14) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (cvOf(middle) > cv) low = middle;
    else high = middle;
  }
  return Math.exp((low + high) / 2);
}

function cvOf(logShape: number): number {
  const inverse = Math.exp(-logShape);
  return Math.sqrt(Math.expm1(logGamma(1 + 2 * inverse) - 2 * logGamma(1 + inverse)));
}
