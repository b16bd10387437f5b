import { amountOf, briefFigure, probability } from "../../../protocol/result/comparison-words.ts";
import type { ComparedMetric, ComparisonVerdict } from "../../../protocol/result/comparison.ts";
import { formatPercent } from "../../../protocol/units.ts";
import type { Measured } from "./difference.ts";

/** What the numbers come to. @param adjusted the p-value, adjusted for being one of several; null where there is none */
export function verdictOf({ pairs, pValue, difference, identical }: Measured, adjusted: number | null, { better }: ComparedMetric, confidence: number): ComparisonVerdict {
  if (difference === null) return "unknown";
  if (pairs < 2 || pValue === null || adjusted === null) return "anecdote";
  if (identical) return "identical";
  const alpha = 1 - confidence;
  if (pValue >= alpha) return "none found";
  if (adjusted >= alpha) return "perhaps";
  if (better === null) return "changed";
  return difference > 0 === (better === "higher") ? "better" : "worse";
}

/** A difference in plain words, beginning with the metric. @param compared how many differences the adjustment is for */
export function sentenceOf(measured: Measured, verdict: ComparisonVerdict, adjusted: number | null, metric: ComparedMetric, compared: number): string {
  return capital(`${wordsOf(measured, verdict, adjusted, metric, compared)}.`);
}

function wordsOf(measured: Measured, verdict: ComparisonVerdict, adjusted: number | null, metric: ComparedMetric, compared: number): string {
  const { label, unit } = metric;
  const { baselineMean, armMean, pairs } = measured;
  const brief = (value: number | null): string => briefFigure(value, unit);
  switch (verdict) {
    case "unknown": return `${label} is defined in no ${measured.method === "paired" ? "pair of runs" : "run of the one or the other"}`;
    case "identical": return `${label} was the same in every pair of runs: ${brief(armMean)}`;
    case "anecdote": {
      if (measured.difference === 0) return `${label} was ${brief(armMean)} in both; one run is an anecdote`;
      const change = amountOf(measured, metric)!;
      return `${label} was ${brief(armMean)} against ${brief(baselineMean)}${change.scale === "absolute" ? "" : ` (${change.value > 0 ? "+" : "-"}${change.size(change.value)})`}; one run is an anecdote, and nothing says how much of this is chance`;
    }
    case "none found": {
      const { size } = amountOf(measured, metric)!;
      return `${label}: no difference found; one smaller than ${size(most(measured, metric))} could not be excluded`;
    }
    case "perhaps": {
      return `${label} may have ${measured.difference! < 0 ? "fallen" : "risen"} by ${amount(measured, metric)}; as one of ${compared} comparisons this may be chance (adjusted p = ${probability(adjusted!)})`;
    }
    default: {
      const same = measured.interval!.low === measured.interval!.high ? ` in each of ${pairs} pairs of runs` : "";
      return `${label} ${measured.difference! < 0 ? "fell" : "rose"} by ${amount(measured, metric)}${same}, from ${brief(baselineMean)} to ${brief(armMean)}${verdict === "changed" ? "" : `: ${verdict}`}`;
    }
  }
}

/** The largest difference that the interval holds. */
function most(measured: Measured, metric: ComparedMetric): number {
  const { low, high } = amountOf(measured, metric)!;
  return Math.max(Math.abs(low), Math.abs(high));
}

/** "18 % (95 % CI 14 to 22)". */
function amount(measured: Measured, metric: ComparedMetric): string {
  const { value, low, high, size, range } = amountOf(measured, metric)!;
  if (low === high) return size(value);
  // A fall from 22 to 14 reads from the smaller to the larger.
  return `${size(value)} (${formatPercent(measured.interval!.confidence)} CI ${value < 0 ? range(-high, -low) : range(low, high)})`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
