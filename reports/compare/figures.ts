import * as Plot from "@observablehq/plot";
import { briefFigure, changeWords, isRelative } from "../../protocol/result/comparison-words.ts";
import type { ComparedDifference, ComparedMetric, ComparisonReport } from "../../protocol/result/comparison.ts";
import { formatNumber, formatPercent, formatSignificant } from "../../protocol/units.ts";
import { spanAxis } from "../plots/axes.ts";
import { type Figure, type Panel, renderFigure } from "../plots/figure.ts";
import { BAD, COLORS, GOOD, GREY } from "../plots/palette.ts";
import { COMPARISON_TITLES, type ComparisonPlotName, plotOf } from "./titles.ts";

/** From so many times the baseline on, a logarithmic axis: to the left, nothing can be less than -100 %. */
const WIDE = 4;
const ROW = 23;
/** Mean width of a character at 11.5 px. */
const CHARACTER = 6.4;
/** Neither better nor worse. */
const OTHER = COLORS[3];
/** In the legend; a dot has its own colour, pale. */
const PALE = "#9cc3dd";
const FAINT = 0.4;

/** A plot of a comparison, as an SVG document: a dot and its interval for each arm, metric by metric, against the baseline. */
export function renderComparisonPlot(report: ComparisonReport, name: ComparisonPlotName): string {
  return renderFigure(figureOf(report, name));
}

/** One difference as it is drawn. */
interface Dot {
  readonly arm: string;
  /** On the panel's axis. */
  readonly x: number;
  readonly low: number;
  readonly high: number;
  readonly color: string;
  readonly opacity: number;
  readonly words: string;
}

interface Row {
  readonly metric: ComparedMetric;
  readonly baselineMean: number | null;
  readonly differences: readonly ComparedDifference[];
}

function figureOf(report: ComparisonReport, name: ComparisonPlotName): Figure {
  const { baseline, confidence, differences } = report;
  const rows = report.metrics.filter((metric) => plotOf(metric) === name).map((metric): Row => {
    const own = differences.filter((one) => one.metric === metric.id && one.baseline === baseline && one.difference !== null);
    return { metric, baselineMean: own[0]?.baselineMean ?? null, differences: own };
  }).filter((row) => row.differences.length > 0);
  const title = COMPARISON_TITLES[name];
  if (rows.length === 0) return { title, subtitle: "", keys: [], panels: [], empty: "No run has a figure for this." };
  const relative = rows.filter(inShares);
  const axis = relative.length === 0 ? null : ratioAxis(relative.flatMap((row) => row.differences.flatMap(({ relative: change }) => [1 + change!.value, 1 + (change!.low ?? change!.value), 1 + (change!.high ?? change!.value)])));
  const room = 16 + CHARACTER * Math.max(...rows.flatMap(({ metric, differences: own }) => own.map((one) => changeWords(one, metric).length)));
  const lone = differences.every(({ interval }) => interval === null);
  return {
    title,
    subtitle: `Change against ${baseline}. ${lone ? "One run each: an anecdote, without intervals." : `Lines: where the true difference lies (${formatPercent(confidence)}).`}`,
    keys: keysOf(rows),
    panels: rows.map((row) => panelOf(row, baseline, axis, room)),
  };
}

function keysOf(rows: readonly Row[]): Figure["keys"] {
  const verdicts = new Set(rows.flatMap(({ differences }) => differences.map(({ verdict }) => verdict)));
  return [
    ...(verdicts.has("better") ? [{ name: "better", color: GOOD }] : []),
    ...(verdicts.has("worse") ? [{ name: "worse", color: BAD }] : []),
    ...(verdicts.has("changed") ? [{ name: "different", color: OTHER }] : []),
    ...(verdicts.has("perhaps") ? [{ name: "pale: may be chance among so many comparisons", color: PALE }] : []),
    ...(verdicts.has("none found") || verdicts.has("identical") ? [{ name: "no difference found", color: GREY }] : []),
    ...(verdicts.has("anecdote") ? [{ name: "one run", color: GREY }] : []),
  ];
}

/** Whether all its differences can be said in shares of the baseline. */
function inShares({ metric, differences }: Row): boolean {
  return metric.unit !== "share" && differences.every(isRelative);
}

/** @param room for what is written to the right, pixels */
function panelOf(row: Row, baseline: string, axis: RatioAxis | null, room: number): Panel {
  const { metric, baselineMean, differences } = row;
  const shared = inShares(row) ? axis : null;
  const dots = differences.map((difference): Dot => ({ ...placed(difference, metric, shared), arm: difference.arm, color: colorOf(difference, metric), opacity: difference.verdict === "perhaps" ? FAINT : 1, words: changeWords(difference, metric) }));
  return {
    heading: `${metric.label.charAt(0).toUpperCase()}${metric.label.slice(1)}, ${baseline}: ${briefFigure(baselineMean, metric.unit)}`,
    height: 40 + ROW * dots.length,
    plot: {
      marginLeft: 150, marginRight: room,
      x: shared !== null ? shared.scale : ownAxis(dots, metric),
      y: { type: "band", domain: dots.map(({ arm }) => arm), label: null, axis: null },
      marks: [
        ...(shared === null ? [] : [Plot.axisX(shared.ticks, { text: (tick: number) => shared.label(tick), label: null }), Plot.gridX(shared.ticks)]),
        Plot.axisY({ tickSize: 0, label: null, tickFormat: (arm: string) => (arm.length > 22 ? `${arm.slice(0, 21)}…` : arm) }),
        Plot.ruleX([shared?.zero ?? 0], { stroke: "currentColor", strokeOpacity: 0.6 }),
        Plot.ruleY(dots, { x1: "low", x2: "high", y: "arm", stroke: "color", strokeOpacity: "opacity", strokeWidth: 2.5 }),
        Plot.dot(dots, { x: "x", y: "arm", r: 5, fill: "color", fillOpacity: "opacity" }),
        Plot.text(dots, { y: "arm", frameAnchor: "right", dx: room - 6, textAnchor: "end", text: "words", fill: "currentColor", fontSize: 11.5 }),
      ],
    },
  };
}

function placed(difference: ComparedDifference, { unit }: ComparedMetric, axis: RatioAxis | null): Pick<Dot, "x" | "low" | "high"> {
  if (axis !== null) {
    const { value, low, high } = difference.relative!;
    return { x: axis.place(value), low: axis.place(low ?? value), high: axis.place(high ?? value) };
  }
  const factor = unit === "share" ? 100 : 1;
  const { difference: value, interval } = difference;
  return { x: value! * factor, low: (interval?.low ?? value!) * factor, high: (interval?.high ?? value!) * factor };
}

function colorOf({ verdict, difference }: ComparedDifference, { better }: ComparedMetric): string {
  switch (verdict) {
    case "better": return GOOD;
    case "worse": return BAD;
    case "changed": return OTHER;
    case "perhaps": return better === null ? OTHER : (difference! > 0) === (better === "higher") ? GOOD : BAD;
    default: return GREY;
  }
}

/** An axis of changes in shares of the baseline, shared by a figure's panels. */
interface RatioAxis {
  readonly scale: Plot.ScaleOptions;
  readonly ticks: readonly number[];
  readonly label: (tick: number) => string;
  /** Where a change stands on the axis. */
  readonly place: (change: number) => number;
  readonly zero: number;
}

/** @param ratios of means to the baseline's, above 0 at the dots */
function ratioAxis(ratios: readonly number[]): RatioAxis {
  const [least, most] = [Math.min(1, ...ratios), Math.max(1, ...ratios)];
  const label = (change: number): string => `${change > 0 ? "+" : ""}${formatSignificant(change * 100, 3)} %`;
  if (least > 0 && most >= WIDE) {
    const room = Math.sqrt(Math.sqrt(Math.sqrt(most / least)));
    const all = [0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100];
    const ticks = all.filter((tick) => tick >= least / room && tick <= most * room);
    return {
      scale: { type: "log", domain: [least / room, most * room], label: null, axis: null },
      ticks: ticks.length < 3 ? [...new Set([...ticks, least, most])].sort((a, b) => a - b) : ticks, label: (tick) => label(tick - 1), place: (change) => Math.max(1e-3, 1 + change), zero: 1,
    };
  }
  if (least === most) return { scale: { domain: [-1, 1], label: null, axis: null }, ticks: [0], label, place: (change) => change, zero: 0 };
  const span = most - least;
  const [low, high] = [least - 1 - span * 0.06, most - 1 + span * 0.06];
  const { ticks } = spanAxis(low, high, 6, String);
  return { scale: { domain: [low, high], label: null, axis: null }, ticks: ticks as number[], label, place: (change) => change, zero: 0 };
}

/** An axis in the figure's own unit, from what is drawn. */
function ownAxis(dots: readonly Dot[], { unit }: ComparedMetric): Plot.ScaleOptions {
  const values = [0, ...dots.flatMap(({ low, high }) => [low, high])];
  const [least, most] = [Math.min(...values), Math.max(...values)];
  if (least === most) return { domain: [-1, 1], label: null, ticks: [0], tickFormat: () => "0", grid: true };
  const room = (most - least) * 0.06;
  const plus = (value: number): string => (value > 0 ? "+" : "");
  return { ...spanAxis(least - room, most + room, 6, (value) => unit === "share" ? `${plus(value)}${formatNumber(value, 6)}` : `${plus(value)}${briefFigure(value, unit)}`), grid: true };
}
