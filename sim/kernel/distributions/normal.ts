import { openUnit } from "./open-unit.ts";
import { normalCdf, normalDensity, normalQuantile } from "../special.ts";
import type { Distribution } from "./types.ts";

/**
 * Normal with this mean and standard deviation, truncated to [min, max] (either may be infinite), by inversion, one
 * number per value. The `mean` and `variance` of the result are those after truncation.
 */
export function normal(mean: number, sd: number, min: number, max: number): Distribution {
  const low = (min - mean) / sd;
  const high = (max - mean) / sd;
  // The lower tail is where distribution function and quantile are precise: mirror what lies in the upper one.
  const mirrored = low > 0;
  const from = mirrored ? -high : low;
  const to = mirrored ? -low : high;
  const below = normalCdf(from);
  const kept = normalCdf(to) - below;
  if (!(kept > 0)) throw new RangeError(`normal: [${min}, ${max}] holds none of the distribution with mean ${mean} and sd ${sd}.`);
  const fromDensity = from === -Infinity ? 0 : normalDensity(from);
  const toDensity = to === Infinity ? 0 : normalDensity(to);
  const shift = (fromDensity - toDensity) / kept;
  const spread = 1 + ((from === -Infinity ? 0 : from * fromDensity) - (to === Infinity ? 0 : to * toDensity)) / kept - shift * shift;
  const sign = mirrored ? -1 : 1;
  return {
    mean: mean + sign * sd * shift,
    variance: sd * sd * spread,
    sample(random) {
      const x = mean + sign * sd * normalQuantile(below + kept * openUnit(random));
      return x < min ? min : x > max ? max : x;
    },
    cdf(x) {
      if (x <= min) return 0;
      if (x >= max) return 1;
      const z = (x - mean) / sd;
      return mirrored ? (normalCdf(to) - normalCdf(-z)) / kept : (normalCdf(z) - below) / kept;
    },
  };
}
