import type { SensitivityBar, SensitivityOfMetric } from "../../../protocol/result/sensitivity.ts";
import type { Factor } from "../../scenario/sections/sensitivity.ts";
import { valueAt } from "../../scenario/range.ts";
import { estimateOf } from "../replications/figure-estimates.ts";

/**
 * A tornado's bars from its runs: the scenario as it stands, then low and high end of each factor, each so many replications.
 * Differences are taken run by run: a replication has the same random numbers everywhere.
 * @param runs of one figure; NaN where there is none
 * @param played how many of them are over: the others are missing, not dropped
 */
export function tornadoBars(runs: Float64Array, played: number, factors: readonly Factor[], replications: number, confidence: number): { readonly tornado: NonNullable<SensitivityOfMetric["tornado"]>; readonly used: number; readonly dropped: number } {
  const at = (point: number): Float64Array => runs.subarray(point * replications, (point + 1) * replications);
  const known = (values: Iterable<number>): number[] => [...values].filter((value) => !Number.isNaN(value));
  const base = at(0);
  let used = 0;
  let dropped = 0;
  const end = (point: number, text: string): SensitivityBar["low"] => {
    const values = at(point);
    const differences = known(values.map((value, i) => value - base[i]!));
    used += differences.length;
    dropped += Math.max(0, Math.min(replications, played - point * replications)) - differences.length;
    return { text, estimate: estimateOf(known(values), confidence), difference: estimateOf(differences, confidence) };
  };
  const bars = factors.map((factor, i): SensitivityBar => {
    const { range } = factor.moves[0]!;
    const low = end(2 * i + 1, valueAt(range, 0).text);
    const high = end(2 * i + 2, valueAt(range, 1).text);
    const differences = [low.difference.mean, high.difference.mean];
    const swing = differences.includes(null) ? null : Math.max(0, ...differences as number[]) - Math.min(0, ...differences as number[]);
    return { factor: factor.name, low, high, swing };
  });
  return { tornado: { base: estimateOf(known(base), confidence), bars: bars.toSorted((a, b) => (b.swing ?? -1) - (a.swing ?? -1)) }, used, dropped };
}
