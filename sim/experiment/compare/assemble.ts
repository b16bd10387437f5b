import type { ComparedArm, ComparedDifference, ComparedMetric, ComparisonReport } from "../../../protocol/result/comparison.ts";
import { COMPARISON_SCHEMA, COMPARISON_VERSION } from "../../../protocol/result/comparison.ts";
import { experimentDigest } from "../../../protocol/result/experiment.ts";
import type { Estimate, ExperimentProvenance, RunTally } from "../../../protocol/result/experiment.ts";
import { formatNumber, formatPercent, formatSignificant } from "../../../protocol/units.ts";
import { holm } from "../../kernel/statistics/index.ts";
import { medianOf } from "../../kernel/statistics/lists.ts";
import type { Measured } from "./difference.ts";
import { sentenceOf, verdictOf } from "./sentence.ts";

/** Less than this is no gain. */
const leastGain = 1.15;

/** A difference that was measured, and where. */
export interface MeasuredDifference {
  readonly baseline: string;
  readonly arm: string;
  readonly metric: ComparedMetric;
  readonly lacking: ComparedDifference["lacking"];
  readonly measured: Measured;
}

export interface ComparisonParts {
  readonly provenance: Omit<ExperimentProvenance, "resultsDigest">;
  readonly runs: RunTally;
  readonly confidence: number;
  readonly baseline: string;
  readonly replications: number;
  readonly arms: readonly ComparedArm[];
  readonly metrics: readonly ComparedMetric[];
  readonly absent: readonly string[];
  readonly values: readonly { readonly arm: string; readonly metric: string; readonly estimate: Estimate }[];
  readonly differences: readonly MeasuredDifference[];
  /** What to know besides. */
  readonly notes: readonly string[];
}

/** Adjusts what was measured for being several, and puts it into words. */
export function assembleComparison(parts: ComparisonParts): ComparisonReport {
  const { provenance, runs, confidence, baseline, replications, arms, metrics, absent, values, notes } = parts;
  const tested = parts.differences.flatMap(({ measured: { pValue } }, i) => pValue === null ? [] : [{ i, pValue }]);
  const adjusted = new Map(holm(tested.map(({ pValue }) => pValue)).map((p, k) => [tested[k]!.i, p]));
  const differences = parts.differences.map(({ baseline: from, arm, metric, lacking, measured }, i): ComparedDifference => {
    const adjustedPValue = adjusted.get(i) ?? null;
    const verdict = verdictOf(measured, adjustedPValue, metric, confidence);
    const { identical: _, ...figures } = measured;
    return { baseline: from, arm, metric: metric.id, ...figures, lacking, adjustedPValue, verdict, sentence: sentenceOf(measured, verdict, adjustedPValue, metric, tested.length) };
  });
  const results: Omit<ComparisonReport, "provenance"> = {
    schema: COMPARISON_SCHEMA, schemaVersion: COMPARISON_VERSION, runs, confidence, baseline, replications,
    arms: [...arms], metrics: [...metrics], absent: [...absent], values: [...values], differences,
    findings: findingsOf(baseline, arms, metrics, differences),
    notes: [...notes, ...readingNotes(differences, confidence, tested.length)],
  };
  return { ...results, provenance: { ...provenance, resultsDigest: experimentDigest(results) } };
}

/** One sentence per arm: what is better, what is worse, where nothing was found. */
function findingsOf(baseline: string, arms: readonly ComparedArm[], metrics: readonly ComparedMetric[], differences: readonly ComparedDifference[]): string[] {
  const label = new Map(metrics.map(({ id, label: words }) => [id, words]));
  return arms.flatMap(({ name }) => {
    const own = differences.filter((difference) => difference.arm === name && difference.baseline === baseline);
    if (own.length === 0) return [];
    const parts = ([
      ["better", "better in"], ["worse", "worse in"], ["changed", "different in"], ["perhaps", "perhaps different in"], ["none found", "no difference found in"],
      ["identical", "the same, run by run, in"], ["anecdote", "too few runs to say anything of"],
    ] as const).flatMap(([verdict, words]) => {
      const names = own.filter((difference) => difference.verdict === verdict).map(({ metric }) => label.get(metric)!);
      if (names.length === own.length && names.length > 2) return [`${words} all ${names.length} figures`];
      return names.length === 0 ? [] : [`${words} ${names.length > 2 ? `${names.slice(0, -1).join(", ")} and ${names.at(-1)!}` : names.join(" and ")}`];
    });
    return parts.length === 0 ? [] : [`${name} against ${baseline}: ${parts.join("; ")}.`];
  });
}

function readingNotes(differences: readonly ComparedDifference[], confidence: number, tested: number): string[] {
  const notes: string[] = [];
  const level = formatPercent(confidence);
  if (tested > 0) {
    notes.push(`Each interval holds the true difference with ${level} confidence, by itself. A difference is called one only where its p-value is below ${formatPercent(1 - confidence, 2)} after Holm's adjustment for ${tested === 1 ? "1 comparison" : `all ${formatNumber(tested)} comparisons`}: the chance of even one false finding among them is then at most that.`);
    notes.push("Relative differences are ratios of means, their intervals by Fieller's theorem; shares differ by percentage points.");
  }
  const unsure = differences.filter(({ verdict }) => verdict === "perhaps").length;
  if (unsure > 0) notes.push(`${unsure === 1 ? "One difference" : `${formatNumber(unsure)} differences`} may be chance or not: more replications would tell.`);
  const gains = differences.flatMap(({ varianceRatio }) => varianceRatio === null ? [] : [varianceRatio]).sort((a, b) => a - b);
  if (gains.length > 0) {
    const median = medianOf(gains);
    const range = `median over all differences; from ${formatNumber(gains[0]!, 1)} to ${formatNumber(gains.at(-1)!, 1)}`;
    notes.push(median < leastGain
      ? `Pairs of runs met the same random numbers, which gained next to nothing here: arms with random numbers of their own would need about as many runs for the same intervals (factor ${formatSignificant(median, 2)}, ${range}).`
      : `Pairs of runs met the same random numbers. What that gained: arms with random numbers of their own would need ${formatSignificant(median, 2)} times as many runs for the same intervals (${range}).`);
  }
  return notes;
}
