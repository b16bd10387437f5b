import type { RunOutcome, RunTask } from "../../plan.ts";
import type { Factor, SensitivitySpec } from "../../../scenario/sections/sensitivity.ts";
import type { ValueRange } from "../../../scenario/range.ts";
import type { SensitivityResults } from "../study.ts";
import { sensitivityStudy } from "../study.ts";
import { conduct } from "../../conduct.ts";

/** A study of a formula with `k` factors, each over its range, that looks at the figure `y`. */
export function specOf(ranges: readonly (readonly [from: number, to: number])[], method: SensitivitySpec["method"], replications = 1): SensitivitySpec {
  return {
    method, replications, confidence: 0.95, metricsAsked: true, methodHasSettings: true,
    metrics: [{ id: "y", path: "y", label: "the result", unit: "number", better: null }],
    factors: ranges.map(([from, to], i): Factor => ({ name: `x${i + 1}`, moves: [{ path: `x${i + 1}`, range: rangeOf(from, to), at: [] }] })),
  };
}

function rangeOf(from: number, to: number): ValueRange {
  return { from, to, unit: "", scale: "linear", whole: false, decimals: 12 };
}

/** Plays a formula where a market would be: the values are those of the task's sets, others are `base`. NaN: the run fails. */
export function player(formula: (x: readonly number[], seed: number) => number, base: readonly number[] = []): (task: RunTask, index: number) => RunOutcome {
  return (task, index) => {
    const x = [...base];
    for (const set of task.sets) {
      const equals = set.indexOf("=");
      x[Number(set.slice(1, equals)) - 1] = Number(set.slice(equals + 1));
    }
    const y = formula(x, task.seed);
    return Number.isNaN(y) ? { index, task, figures: null, digest: null, error: "Error: planted" } : { index, task, figures: { y }, digest: "0".repeat(64), error: null };
  };
}

/** What a study of a formula finds. */
export function studied(spec: SensitivitySpec, formula: (x: readonly number[], seed: number) => number, options: { readonly seed?: number; readonly resamples?: number; readonly base?: readonly number[] } = {}): SensitivityResults {
  return conduct(sensitivityStudy(spec, options.seed ?? 1, options.resamples), player(formula, options.base))!.results;
}

/** Ishigami and Homma 1990, a = 7, b = 0.1; each factor from -pi to pi. */
export function ishigami([x1 = 0, x2 = 0, x3 = 0]: readonly number[]): number {
  return Math.sin(x1) + 7 * Math.sin(x2) * Math.sin(x2) + 0.1 * x3 * x3 * x3 * x3 * Math.sin(x1);
}

/** Its indices, from V1 = (1 + b pi^4 / 5)^2 / 2, V2 = a^2 / 8, V13 = 8 b^2 pi^8 / 225. */
export const ishigamiTruth = (() => {
  const [a, b, pi4] = [7, 0.1, Math.PI * Math.PI * Math.PI * Math.PI];
  const v1 = (1 + b * pi4 / 5) * (1 + b * pi4 / 5) / 2;
  const v2 = a * a / 8;
  const v13 = 8 * b * b * pi4 * pi4 / 225;
  const v = v1 + v2 + v13;
  return { variance: v, first: [v1 / v, v2 / v, 0], total: [(v1 + v13) / v, v2 / v, v13 / v], together: v13 / v };
})();
export const ishigamiRanges = Array.from({ length: 3 }, () => [-Math.PI, Math.PI] as const);

/** Sobol's g-function, each factor from 0 to 1. */
export function gFunction(a: readonly number[]): (x: readonly number[]) => number {
  return (x) => a.reduce((product, ai, i) => product * (Math.abs(4 * x[i]! - 2) + ai) / (1 + ai), 1);
}

/** Its indices: Vi = 1 / (3 (1 + ai)^2), V = prod(1 + Vi) - 1. */
export function gTruth(a: readonly number[]): { readonly variance: number; readonly first: number[]; readonly total: number[] } {
  const parts = a.map((ai) => 1 / (3 * (1 + ai) * (1 + ai)));
  const product = parts.reduce((all, part) => all * (1 + part), 1);
  return { variance: product - 1, first: parts.map((part) => part / (product - 1)), total: parts.map((part) => part * product / (1 + part) / (product - 1)) };
}
