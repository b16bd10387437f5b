import { clip } from "./clip.ts";
import { quantiles, values } from "./empirical.ts";
import { erlang, gamma } from "./gamma.ts";
import { lognormal } from "./lognormal.ts";
import { hyperexponential, mixture } from "./mixture.ts";
import { normal } from "./normal.ts";
import { pareto } from "./pareto.ts";
import { constant, exponential, uniform } from "./simple.ts";
import type { Distribution, DistributionSpec } from "./types.ts";
import { weibull } from "./weibull.ts";

export type { Distribution, DistributionSpec } from "./types.ts";

/** The keys that a spec may have. */
export const DISTRIBUTION_FAMILIES = [
  "constant", "uniform", "exponential", "gamma", "weibull", "lognormal", "pareto", "normal", "hyperexponential", "erlang", "quantiles", "values", "mixture", "clip",
] as const;

/**
 * The distribution that a spec describes. A spread of 0 (cv, sigma, sd, or min = max) gives a constant.
 * @throws RangeError on an unknown family or a parameter out of range; it names the parameter, what was found and what
 * is allowed.
 */
export function distribution(spec: DistributionSpec): Distribution {
  if (typeof spec === "number") return constant(check(Number.isFinite(spec), "constant", "value", "a finite number", spec));
  const keys = Object.keys(spec);
  if (keys.length !== 1) throw new RangeError(`A distribution has one key, one of ${DISTRIBUTION_FAMILIES.join(", ")}; found ${keys.length === 0 ? "none" : keys.join(", ")}.`);
  if ("constant" in spec) return distribution(spec.constant);
  if ("uniform" in spec) {
    const { min, max } = spec.uniform;
    check(Number.isFinite(min), "uniform", "min", "a finite number", min);
    check(Number.isFinite(max) && max >= min, "uniform", "max", `a finite number, ${min} (min) or more`, max);
    return min === max ? constant(min) : uniform(min, max);
  }
  if ("exponential" in spec) return exponential(positive("exponential", "mean", spec.exponential.mean));
  if ("gamma" in spec) return byMeanAndCv("gamma", spec.gamma, gamma);
  if ("weibull" in spec) return byMeanAndCv("weibull", spec.weibull, weibull);
  if ("lognormal" in spec) {
    if ("mean" in spec.lognormal) {
      return byMeanAndCv("lognormal", spec.lognormal, (mean, cv) => {
        const sigmaSquared = Math.log1p(cv * cv);
        return lognormal(Math.log(mean) - sigmaSquared / 2, Math.sqrt(sigmaSquared));
      });
    }
    const median = positive("lognormal", "median", spec.lognormal.median);
    const sigma = notNegative("lognormal", "sigma", spec.lognormal.sigma);
    return sigma === 0 ? constant(median) : lognormal(Math.log(median), sigma);
  }
  if ("pareto" in spec) {
    const min = positive("pareto", "min", spec.pareto.min);
    const shape = positive("pareto", "shape", spec.pareto.shape);
    const max = spec.pareto.max ?? Infinity;
    check(max >= min, "pareto", "max", `${min} (min) or more`, max);
    return min === max ? constant(min) : pareto(min, shape, max);
  }
  if ("normal" in spec) {
    const { mean, min = -Infinity, max = Infinity } = spec.normal;
    check(Number.isFinite(mean), "normal", "mean", "a finite number", mean);
    const sd = notNegative("normal", "sd", spec.normal.sd);
    bounds("normal", min, max);
    return sd === 0 || min === max ? constant(Math.min(Math.max(mean, min), max)) : normal(mean, sd, min, max);
  }
  if ("hyperexponential" in spec) {
    const mean = positive("hyperexponential", "mean", spec.hyperexponential.mean);
    const { cv } = spec.hyperexponential;
    check(Number.isFinite(cv) && cv >= 1, "hyperexponential", "cv", "1 or more", cv);
    return cv === 1 ? exponential(mean) : hyperexponential(mean, cv);
  }
  if ("erlang" in spec) {
    const { stages } = spec.erlang;
    check(Number.isInteger(stages) && stages >= 1 && stages <= 1000, "erlang", "stages", "an integer from 1 to 1000", stages);
    return erlang(positive("erlang", "mean", spec.erlang.mean), stages);
  }
  if ("quantiles" in spec) return quantiles(checkedPoints(spec.quantiles));
  if ("values" in spec) {
    check(spec.values.length > 0, "values", "list", "at least one number", "none");
    for (const value of spec.values) check(Number.isFinite(value), "values", "each", "a finite number", value);
    return values(spec.values);
  }
  if ("mixture" in spec) {
    check(spec.mixture.length > 0, "mixture", "list", "at least one component", "none");
    return mixture(spec.mixture.map(({ weight, of }) => ({ weight: positive("mixture", "weight", weight), of: distribution(of) })));
  }
  if ("clip" in spec) {
    const { of, min = -Infinity, max = Infinity } = spec.clip;
    bounds("clip", min, max);
    return clipped(of, min, max);
  }
  throw new RangeError(`Unknown distribution ${String(keys[0])}; allowed are ${DISTRIBUTION_FAMILIES.join(", ")}.`);
}

/** Distributions with atoms are clipped at their points, exactly; the rest by integration. */
function clipped(spec: DistributionSpec, min: number, max: number): Distribution {
  const into = (x: number): number => Math.min(Math.max(x, min), max);
  const inner = distribution(spec);
  if (min === max) return constant(min);
  if (inner.variance === 0) return constant(into(inner.mean));
  if (typeof spec === "object") {
    if ("values" in spec) return values(spec.values.map(into));
    if ("quantiles" in spec) return quantiles(clippedPoints(spec.quantiles, min, max));
    if ("mixture" in spec) return mixture(spec.mixture.map(({ weight, of }) => ({ weight, of: clipped(of, min, max) })));
    if ("clip" in spec) {
      const { of, min: innerMin = -Infinity, max: innerMax = Infinity } = spec.clip;
      return clipped(of, Math.min(Math.max(innerMin, min), max), Math.max(Math.min(innerMax, max), min));
    }
  }
  return clip(inner, min, max);
}

/** The points with all x inside [min, max], and one more wherever the line crosses a bound. */
function clippedPoints(points: readonly (readonly [number, number])[], min: number, max: number): [number, number][] {
  const result: [number, number][] = [];
  for (const [i, [p, x]] of points.entries()) {
    const before = points[i - 1];
    if (before !== undefined) {
      const [fromP, fromX] = before;
      for (const bound of [min, max]) {
        const crossing = fromP + ((bound - fromX) / (x - fromX)) * (p - fromP);
        if (fromX < bound && bound < x && crossing > result.at(-1)![0] && crossing < p) result.push([crossing, bound]);
      }
    }
    result.push([p, Math.min(Math.max(x, min), max)]);
  }
  return result;
}

function checkedPoints(points: readonly (readonly [number, number])[]): readonly (readonly [number, number])[] {
  check(points.length >= 2, "quantiles", "list", "at least two points [p, x]", points.length);
  check(points[0]![0] === 0, "quantiles", "first p", "0", points[0]![0]);
  check(points.at(-1)![0] === 1, "quantiles", "last p", "1", points.at(-1)![0]);
  for (const [i, [p, x]] of points.entries()) {
    check(Number.isFinite(x), "quantiles", "each x", "a finite number", x);
    if (i === 0) continue;
    const [beforeP, beforeX] = points[i - 1]!;
    check(p > beforeP, "quantiles", "each p", `more than the one before (${beforeP})`, p);
    check(x >= beforeX, "quantiles", "each x", `not less than the one before (${beforeX})`, x);
  }
  return points;
}

function byMeanAndCv(family: string, { mean, cv }: { readonly mean: number; readonly cv: number }, make: (mean: number, cv: number) => Distribution): Distribution {
  positive(family, "mean", mean);
  notNegative(family, "cv", cv);
  return cv === 0 ? constant(mean) : make(mean, cv);
}

function positive(family: string, name: string, value: number): number {
  return check(Number.isFinite(value) && value > 0, family, name, "a finite number above 0", value);
}

function notNegative(family: string, name: string, value: number): number {
  return check(Number.isFinite(value) && value >= 0, family, name, "a finite number, 0 or more", value);
}

function bounds(family: string, min: number, max: number): void {
  check(min < Infinity, family, "min", "a number below Infinity", min);
  check(max >= min && max > -Infinity, family, "max", `a number, ${min} (min) or more`, max);
}

function check<T>(holds: boolean, family: string, name: string, allowed: string, found: T): T {
  if (!holds) throw new RangeError(`${family}: ${name} must be ${allowed}; found ${String(found)}.`);
  return found;
}
