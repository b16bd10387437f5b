import { join } from "node:path";
import pc from "picocolors";
import type { ComparedDifference, ComparisonReport } from "../protocol/result/comparison.ts";
import { briefFigure, changeWords, probability } from "../protocol/result/comparison-words.ts";
import { formatNumber, formatPercent } from "../protocol/units.ts";
import { wrap } from "../reports/plots/figure.ts";
import { plainTable } from "./table.ts";

/** Columns of a terminal that everything fits into. */
const width = 80;

/** Differences of which the terminal says each in words; of more it says what they come to, and the report has the rest. */
const wordsTold = 20;

/** A comparison for the terminal: the baseline, per arm what differs, then in words. */
export const comparisonText = (report: ComparisonReport, out: string | null): string => {
  const { arms, baseline, provenance: { scenario }, notes, absent, findings } = report;
  const played = arms.every(({ source }) => source === null);
  const lines = [
    ...wrap(`${scenario.name}: ${scenario.question}`, width).map((line) => pc.bold(line)),
    played ? `${report.replications === 1 ? "1 replication" : `${formatNumber(report.replications)} replications`} of each of ${arms.length} arms, all with the same random numbers.` : `${arms.length} arms, read from reports.`,
    "", `${pc.bold(baseline)}, the baseline${changesOf(report, baseline)}`, baselineTable(report),
  ];
  const pairs = pairsOf(report);
  for (const pair of pairs) lines.push("", `${pc.bold(pair.arm)} against ${pair.baseline}${pair.baseline === baseline ? changesOf(report, pair.arm) : ""}`, pairTable(report, pair));
  lines.push("", pc.bold("In words"));
  const words = pairs.flatMap((pair) => differencesOf(report, pair).map(({ sentence }) => (pairs.length === 1 ? sentence : `${pair.arm}${pair.baseline === baseline ? "" : ` against ${pair.baseline}`}: ${sentence}`)));
  const told = words.length <= wordsTold ? words : findings;
  for (const text of told) lines.push(...item(text));
  if (told !== words) lines.push(...item(`There are ${words.length} differences: ${out === null ? "comparison.json" : "the report"} has a sentence on each.`));
  lines.push("");
  for (const note of notes) lines.push(...item(note));
  if (absent.length > 0) lines.push(...item(`Defined in no run, and so not compared: ${absent.join(", ")}.`));
  if (out !== null) lines.push("", `${pc.bold("Report:")} ${join(out, "index.html")} (open it in a browser)${played ? ", every run in runs.csv" : ""}`);
  return `${lines.join("\n")}\n`;
};

const changesOf = ({ arms }: ComparisonReport, name: string): string => {
  const { changes } = arms.find((arm) => arm.name === name)!;
  return changes.length === 0 ? "" : ` (${changes.join(", ")})`;
};

const baselineTable = ({ metrics, values, baseline, confidence }: ComparisonReport): string =>
  plainTable(["", "mean", `true mean, ${formatPercent(confidence)}`, "runs"], ["left", "right", "right", "right"], metrics.map(({ id, label, unit }) => {
    const { mean, interval, runs } = values.find((one) => one.arm === baseline && one.metric === id)!.estimate;
    return [label, briefFigure(mean, unit), interval === null ? "–" : `${briefFigure(interval.low, unit)} to ${briefFigure(interval.high, unit)}`, formatNumber(runs)];
  }));

const pairTable = (report: ComparisonReport, pair: Pair): string => {
  const metrics = new Map(report.metrics.map((metric) => [metric.id, metric]));
  return plainTable(["", "mean", "change (interval)", ""], ["left", "right", "right", "left"], differencesOf(report, pair).map((one) => {
    const metric = metrics.get(one.metric)!;
    return [metric.label, briefFigure(one.armMean, metric.unit), changeWords(one, metric), verdictWords(one)];
  }));
};

type Pair = Pick<ComparedDifference, "baseline" | "arm">;

/** In the order of the report. */
const pairsOf = ({ differences }: ComparisonReport): Pair[] => differences.filter((one, i) => differences.findIndex(({ baseline, arm }) => baseline === one.baseline && arm === one.arm) === i);

const differencesOf = ({ differences }: ComparisonReport, { baseline, arm }: Pair): readonly ComparedDifference[] =>
  differences.filter((one) => one.arm === arm && one.baseline === baseline);

const verdictWords = ({ verdict, adjustedPValue }: ComparedDifference): string => {
  switch (verdict) {
    case "better": return pc.green(verdict);
    case "worse": return pc.red(verdict);
    case "perhaps": return `perhaps (p ${probability(adjustedPValue!)})`;
    default: return verdict;
  }
};

const item = (text: string): string[] => wrap(text, width - 2).map((line, i) => `${i === 0 ? "- " : "  "}${line}`);
