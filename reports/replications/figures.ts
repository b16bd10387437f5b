import * as Plot from "@observablehq/plot";
import type { Estimate } from "../../protocol/result/experiment.ts";
import type { KeyMetric, ReplicationsReport } from "../../protocol/result/replications.ts";
import { formatFigure, roundedFigure } from "../../protocol/result/metrics.ts";
import type { FigureUnit } from "../../protocol/result/metrics.ts";
import { formatDurationUs, formatNumber, formatPercent } from "../../protocol/units.ts";
import { clockAxis, countAxis, spanAxis } from "../plots/axes.ts";
import { renderFigure } from "../plots/figure.ts";
import type { Figure, Panel } from "../plots/figure.ts";
import { warmupFigure } from "../plots/warmup.ts";
import { BAD, COLORS, GOOD, GREY } from "../plots/palette.ts";
import { formatEstimate } from "./content.ts";
import type { ReplicationsPlotName } from "./titles.ts";
import { REPLICATIONS_TITLES } from "./titles.ts";

/** Told from the bar that they lie on. */
const DOT = COLORS[4];

/** Every plot of a report of replications, as SVG documents. */
export function renderReplicationsPlots(report: ReplicationsReport): Record<ReplicationsPlotName, string> {
  return { intervals: renderFigure(intervalsFigure(report)), convergence: renderFigure(convergenceFigure(report)), "over-time": renderFigure(overTimeFigure(report)), warmup: renderFigure(warmupFigure(report)) };
}

/** Runs as dots and the interval of the mean, every metric relative to its mean so that they share an axis. */
function intervalsFigure({ keyMetrics, confidence, runs }: ReplicationsReport): Figure {
  const shown = keyMetrics.filter(({ estimate }) => estimate.interval !== null && estimate.mean !== null && estimate.mean !== 0);
  const title = REPLICATIONS_TITLES.intervals;
  if (shown.length === 0) return { title, subtitle: "", keys: [], panels: [], empty: "An interval needs two runs at least." };
  const dots = shown.flatMap(({ metric, estimate, values }) => values.flatMap((value) => value === null ? [] : [{ name: metric.label, x: value / estimate.mean! - 1 }]));
  const bars = shown.map(({ metric, estimate }) => ({
    name: metric.label, low: Math.min(estimate.interval!.low / estimate.mean!, estimate.interval!.high / estimate.mean!) - 1, high: Math.max(estimate.interval!.low / estimate.mean!, estimate.interval!.high / estimate.mean!) - 1,
    text: besideBar(estimate, metric.unit),
  }));
  // A run that is far off would squeeze all others.
  const spread = sortedQuantile(dots.map(({ x }) => Math.abs(x)), 0.98);
  const most = Math.min(3, 1.1 * Math.max(spread, ...bars.map(({ low, high }) => Math.max(-low, high)), 1e-6));
  const inside = dots.filter(({ x }) => Math.abs(x) <= most);
  return {
    title,
    subtitle: `${formatNumber(runs.played - runs.failed)} runs. Each dot is a run, by how far it is from the mean of all; the bar is where the true mean lies (${formatPercent(confidence)}).${inside.length < dots.length ? ` ${dots.length - inside.length === 1 ? "1 dot lies" : `${formatNumber(dots.length - inside.length)} dots lie`} outside of the picture.` : ""}`,
    keys: [{ name: "a run", color: DOT }, { name: "interval of the mean", color: GOOD, shape: "line" }],
    panels: [{
      heading: "Distance from the mean", height: 44 + 30 * shown.length,
      plot: {
        marginLeft: 210, marginRight: 150,
        x: spanAxis(-most, most, 6, (share) => formatPercent(share)), y: { domain: shown.map(({ metric }) => metric.label), label: null, tickSize: 0 },
        marks: [
          Plot.ruleX([0], { stroke: "currentColor", strokeOpacity: 0.5 }),
          Plot.ruleY(bars, { x1: (bar: typeof bars[number]) => Math.max(-most, bar.low), x2: (bar: typeof bars[number]) => Math.min(most, bar.high), y: "name", stroke: GOOD, strokeWidth: 9, strokeOpacity: 0.75 }),
          Plot.dot(inside, { x: "x", y: "name", r: 2.4, fill: DOT, fillOpacity: Math.max(0.15, Math.min(0.75, 40 / Math.max(1, runs.played))) }),
          Plot.text(bars, { x: () => most, y: "name", text: "text", textAnchor: "start", dx: 8, fill: "currentColor", fontSize: 11.5 }),
        ],
      },
    }],
  };
}

function convergenceFigure({ keyMetrics, until, confidence }: ReplicationsReport): Figure {
  const title = REPLICATIONS_TITLES.convergence;
  const followed = until === null ? keyMetrics.slice(0, 2) : keyMetrics.slice(0, 1);
  const panels = followed.flatMap((followed) => convergencePanel(followed, until));
  return {
    title,
    subtitle: `The mean of the first runs, and its interval (${formatPercent(confidence)}).${until === null ? "" : ` Dashed: as wide as was asked for, around the last mean. Dots: where it was looked at.`}`,
    keys: [], panels, empty: "An interval needs two runs at least.",
  };
}

function convergencePanel({ metric, convergence }: KeyMetric, until: ReplicationsReport["until"]): Panel[] {
  const points = convergence.flatMap(({ runs, mean, low, high }) => low === null || high === null ? [] : [{ runs, mean, low, high }]);
  const last = points.at(-1);
  if (last === undefined) return [];
  // The first few intervals are wider than all that follows.
  const shown = points.slice(Math.min(points.length - 1, points.length > 8 ? 2 : 0));
  const goal = until === null ? 0 : Math.abs(last.mean) * until.halfWidth;
  const least = Math.min(last.mean - goal, ...shown.map(({ low }) => low));
  const most = Math.max(last.mean + goal, ...shown.map(({ high }) => high));
  const room = 0.05 * (most - least) || Math.abs(last.mean) * 0.01 || 1;
  const looks = until === null ? [] : until.looks.flatMap(({ runs, mean }) => mean === null || runs < shown[0]!.runs ? [] : [{ runs, mean }]);
  return [{
    heading: `Mean of the ${metric.label}, after so many runs`, height: 220,
    plot: {
      marginLeft: 96,
      x: { ...countAxis(shown[0]!.runs === last.runs ? last.runs - 1 : shown[0]!.runs, last.runs, 6), grid: false, label: null }, y: spanAxis(least - room, most + room, 4, axisText(metric.unit)),
      marks: [
        Plot.areaY(shown, { x: "runs", y1: "low", y2: "high", fill: GOOD, fillOpacity: 0.22 }),
        Plot.lineY(shown, { x: "runs", y: "mean", stroke: GOOD, strokeWidth: 2 }),
        ...(until === null ? [] : [Plot.ruleY([last.mean - goal, last.mean + goal], { stroke: BAD, strokeDasharray: "4 3" }), Plot.dot(looks, { x: "runs", y: "mean", r: 4, fill: BAD })]),
      ],
    },
  }];
}

const SERIES_TITLES = { inSystem: "Jobs in the system", latencyUs: "Mean latency of the jobs submitted then", perMtokMsat: "What these paid per million tokens" } as const;
const SERIES_UNITS = { inSystem: "number", latencyUs: "us", perMtokMsat: "msatPerMtok" } as const satisfies Record<string, FigureUnit>;

function overTimeFigure({ overTime, horizonUs, warmupUs, confidence, runs }: ReplicationsReport): Figure {
  const panels = overTime.series.flatMap(({ name, mean, low, high, least, most }): Panel[] => {
    const points = mean.flatMap((value, i) => value === null ? [] : [{ us: (i + 0.5) * overTime.windowUs, mean: value, low: low[i] ?? value, high: high[i] ?? value, least: least[i]!, most: most[i]! }]);
    if (points.length === 0 || (name === "perMtokMsat" && points.every((point) => point.most === 0))) return [];
    const top = 1.05 * Math.max(...points.map((point) => point.most));
    return [{
      heading: SERIES_TITLES[name], height: 180,
      plot: {
        marginLeft: 96,
        x: clockAxis(horizonUs), y: spanAxis(0, top === 0 ? 1 : top, 4, axisText(SERIES_UNITS[name])),
        marks: [
          ...(warmupUs === 0 ? [] : [Plot.rect([{ from: 0, to: warmupUs }], { x1: "from", x2: "to", fill: "currentColor", fillOpacity: 0.07 })]),
          Plot.areaY(points, { x: "us", y1: "least", y2: "most", fill: GREY, fillOpacity: 0.25 }),
          Plot.areaY(points, { x: "us", y1: "low", y2: "high", fill: GOOD, fillOpacity: 0.4 }),
          Plot.lineY(points, { x: "us", y: "mean", stroke: GOOD, strokeWidth: 1.8 }),
        ],
      },
    }];
  });
  return {
    title: REPLICATIONS_TITLES["over-time"],
    subtitle: `Each point is a mean over ${formatDurationUs(overTime.windowUs)} and over ${formatNumber(runs.played - runs.failed)} runs.${warmupUs === 0 ? "" : " Shaded: the warm-up, which the figures leave out."} Where the course of the runs' mean is level, nothing but chance moves it.`,
    keys: [{ name: "mean over the runs", color: GOOD, shape: "line" }, { name: `its interval, ${formatPercent(confidence)}`, color: GOOD, shape: "band" }, { name: "from the least run to the greatest", color: GREY, shape: "band" }],
    panels, empty: "Nothing happened.",
  };
}

/** "1.23 s ± 2.1 %", or "100 %" where nothing varies. */
function besideBar(estimate: Estimate, unit: FigureUnit): string {
  const { relative } = formatEstimate(estimate, unit);
  return `${roundedFigure(estimate.mean, unit, 4)}${relative.startsWith("±") ? ` ${relative}` : ""}`;
}

/** Short, for an axis. */
function axisText(unit: FigureUnit): (value: number) => string {
  return (value) => formatFigure(Number(value.toPrecision(4)), unit);
}

function sortedQuantile(values: number[], p: number): number {
  return values.sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(p * values.length))] ?? 0;
}
