import { formatDurationUs, formatNumber, formatPercent, formatSignificant, US_PER_S } from "../protocol/units.ts";
import type { ArrivalAnalysis, TokenHistogram, TraceAnalysis } from "../sim/demand/index.ts";
import { barChart } from "./chart.ts";

const chartColumns = 64;
const chartLines = 6;
const quantiles = [0.05, 0.25, 0.5, 0.75, 0.95, 0.99] as const;

/** What is in a trace, for a terminal of 80 columns. */
export const inspectText = (trace: TraceAnalysis): string => {
  const left = [
    trace.failedRows > 0 ? `left out as without output: ${formatNumber(trace.failedRows)}` : "",
    trace.movedRows > 0 ? `out of order and put right: ${formatNumber(trace.movedRows)}` : "",
  ].filter((note) => note !== "");
  const lines = [`${trace.file}: ${formatNumber(trace.rows)} requests, format ${trace.format}${left.length > 0 ? ` (${left.join(", ")})` : ""}`];
  if (trace.rows === 0) return `${lines[0]!}\n`;
  lines.push("", ...(trace.arrivals === null ? ["Arrivals: the trace has no times, only lengths."] : arrivalLines(trace.arrivals)));
  lines.push(
    "", "Tokens    " + ["mean", "CV", "min", ...quantiles.map((p) => `p${p * 100}`), "max"].map((name) => name.padStart(7)).join(""),
    tokenLine("input", trace.input), tokenLine("output", trace.output),
    `Correlation of input and output: ${figure(trace.pearson)}, by ranks ${figure(trace.spearman)}`,
    "", "Requests by length (each column √2 times the one before)",
    ...lengthChart("input", trace.input), ...lengthChart("output", trace.output),
  );
  const { prefixes } = trace;
  if (prefixes !== null) {
    const about = prefixes.exact ? "" : "at most ";
    lines.push(
      "", `Prefix blocks: ${formatNumber(prefixes.blocks)} in ${formatNumber(prefixes.requests)} requests; ${about}${formatPercent(prefixes.seenBlocks / prefixes.blocks)} had been seen before,`,
      `${about}${formatPercent(prefixes.cachedBlocks / prefixes.blocks)} at the beginning of a prompt: what an unlimited prefix cache would save.`,
    );
  }
  return `${lines.join("\n")}\n`;
};

const arrivalLines = (arrivals: ArrivalAnalysis): string[] => {
  const { gaps, series, spanUs } = arrivals;
  const { widthUs, counts: all } = series.columns(chartColumns);
  // The last request's own gap belongs to what the trace covers.
  const coveredUs = spanUs + (gaps.count > 0 ? gaps.meanUs : 0);
  // A last column that covers little of its width would show a rate made of a few requests.
  const counts = all.length > 1 && coveredUs - (all.length - 1) * widthUs < widthUs / 2 ? all.slice(0, -1) : all;
  const rates = counts.map((count, column) => count / (Math.max(US_PER_S, Math.min(widthUs, coveredUs - column * widthUs)) / US_PER_S));
  const dispersions = arrivals.windows.filter((window) => window.windows >= 10).map((window) => `${figure(window.dispersion)} in ${formatDurationUs(window.widthUs)}`);
  const start = "0".padEnd(counts.length - 1);
  const lines = [
    `Arrivals over ${formatDurationUs(spanUs)}: mean ${figure(arrivals.meanRatePerS)}/s, at most ${formatNumber(arrivals.peakPerMinute)} in a minute`,
    ...barChart(rates, chartLines, (value) => `${formatSignificant(value, 2).padStart(8)}/s ┤`),
    `${" ".repeat(11)}└${"─".repeat(counts.length)}`,
    `${" ".repeat(12)}${start.slice(0, Math.max(1, start.length - formatDurationUs(spanUs).length + 1))}${formatDurationUs(spanUs)}`,
    `Burstiness: CV of the gaps ${figure(gaps.cv)} (Poisson: 1)`,
  ];
  if (dispersions.length > 0) lines.push(`Variance over mean of counts (Poisson: 1): ${dispersions.join(", ")}`);
  if (arrivals.sameTimeShare > 0.2) lines.push(`${formatPercent(arrivals.sameTimeShare)} of the requests carry the same time as the one before: the gaps say little.`);
  return lines;
};

const tokenLine = (name: string, histogram: TokenHistogram): string => {
  const figures = [formatSignificant(histogram.mean, 4), figure(histogram.cv), histogram.min, ...quantiles.map((p) => histogram.quantile(p)), histogram.max];
  return name.padEnd(10) + figures.map((value) => (typeof value === "number" ? String(value) : value.replaceAll(",", "")).padStart(7)).join("");
};

/** One line of columns over the lengths' logarithms. */
const lengthChart = (name: string, histogram: TokenHistogram): string[] => {
  const columnOf = (tokens: number): number => Math.floor(2 * Math.log2(tokens));
  const first = columnOf(histogram.min);
  const counts = Array.from({ length: columnOf(histogram.max) - first + 1 }, () => 0);
  histogram.forEach((tokens, times) => (counts[columnOf(tokens) - first]! += times));
  return barChart(counts, 2, () => "").map((bars, line) => `${(line === 1 ? name : "").padEnd(10)}${(line === 1 ? String(histogram.min) : "").padStart(7)} ${bars.padEnd(counts.length)}${line === 1 ? ` ${histogram.max}` : ""}`.trimEnd());
};

const figure = (value: number): string => (Number.isFinite(value) ? formatSignificant(value, 3) : "unknown");
