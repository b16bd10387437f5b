import { openUnit } from "./open-unit.ts";
import { normalCdf, normalQuantile } from "../special.ts";
import type { Distribution } from "./types.ts";

/** exp of a normal with mean `mu` and standard deviation `sigma`, by inversion, one number per value. */
export function lognormal(mu: number, sigma: number): Distribution {
  const mean = Math.exp(mu + (sigma * sigma) / 2);
  return {
    mean,
    variance: mean * mean * Math.expm1(sigma * sigma),
    sample: (random) => Math.exp(mu + sigma * normalQuantile(openUnit(random))),
    cdf: (x) => (x <= 0 ? 0 : normalCdf((Math.log(x) - mu) / sigma)),
  };
}
