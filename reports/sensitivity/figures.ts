import * as Plot from "@observablehq/plot";
import { formatFigure } from "../../protocol/result/metrics.ts";
import type { FigureUnit } from "../../protocol/result/metrics.ts";
import { formatChange } from "../../protocol/result/sensitivity.ts";
import type { ResampledFigure, SensitivityOfMetric, SensitivityReport } from "../../protocol/result/sensitivity.ts";
import { formatNumber, formatPercent } from "../../protocol/units.ts";
import { spanAxis } from "../plots/axes.ts";
import type { Figure, Panel } from "../plots/figure.ts";
import { renderFigure } from "../plots/figure.ts";
import { COLORS, GOOD, GREY } from "../plots/palette.ts";
import { spanOf, TORNADO_KEYS, tornadoPanel } from "../plots/tornado.ts";
import type { SensitivityPlotName } from "./titles.ts";
import { plotsOf, SENSITIVITY_TITLES } from "./titles.ts";

/** Figures that one plot has panels for; the tables have the rest. */
const PANELS = 6;
/** Factors that a panel shows, those that matter most; the tables have the rest. */
const ROWS = 16;
const MARGIN = 180;
const TOTAL = COLORS[5];

/** Every plot of a sensitivity report, as SVG documents. */
export function renderSensitivityPlots(report: SensitivityReport): Partial<Record<SensitivityPlotName, string>> {
  const figures: Readonly<Record<SensitivityPlotName, (report: SensitivityReport) => Figure>> = { importance: importanceFigure, plane: planeFigure };
  return Object.fromEntries(plotsOf(report.method.kind).map((name) => [name, renderFigure(figures[name](report))]));
}

function importanceFigure(report: SensitivityReport): Figure {
  const shown = report.metrics.slice(0, PANELS);
  const sure = formatPercent(report.confidence);
  const texts: Readonly<Record<SensitivityReport["method"]["kind"], Pick<Figure, "subtitle" | "keys">>> = {
    morris: {
      subtitle: `How far each factor, taken over its whole range, moves a figure on average, up or down (mean size of the elementary effects, mu*). Lines: where that lies, as far as the trajectories go (${sure}).${report.metrics.some(({ chance }) => chance !== null) ? " Dashed: what chance alone may show at most." : ""}`,
      keys: [],
    },
    sobol: {
      subtitle: `Shares of the variance of a figure as all factors vary independently over their ranges. Lines: where they lie, as far as the points drawn go (${sure}).`,
      keys: [{ name: "alone (first order)", color: GOOD }, { name: "with all it does together with others (total)", color: TOTAL }],
    },
    tornado: {
      subtitle: `Each factor at its low and at its high end, all others as the scenario has them: means of ${formatNumber(report.replications)} runs. Bold line: the scenario as it stands. Thin lines: where the difference to it lies (${sure}).`,
      keys: TORNADO_KEYS,
    },
  };
  const panels: Readonly<Record<SensitivityReport["method"]["kind"], (of: SensitivityOfMetric) => Panel[]>> = { morris: screeningPanel, sobol: indicesPanel, tornado: tornado };
  return { title: SENSITIVITY_TITLES.importance, ...texts[report.method.kind], panels: shown.flatMap(panels[report.method.kind]), empty: "Nothing that was changed makes a difference, or too little was played to tell." };
}

function screeningPanel({ metric: { label, unit }, screening, chance }: SensitivityOfMetric): Panel[] {
  const rows = (screening ?? []).slice(0, ROWS).map(({ factor, muStar }) => ({ name: factor, value: muStar.value, ...ends(muStar) }));
  const most = Math.max(0, ...rows.map(({ high }) => high));
  if (most === 0) return [];
  return [{
    heading: capital(label), height: 40 + 25 * rows.length,
    plot: {
      marginLeft: MARGIN, x: changeAxis(0, most * 1.02, unit), y: names(rows),
      marks: [
        Plot.barX(rows, { x1: 0, x2: "value", y: "name", fill: GOOD, fillOpacity: 0.85, insetTop: 3, insetBottom: 3 }),
        ...whiskers(rows),
        ...(chance?.muStar == null || chance.muStar > most ? [] : [Plot.ruleX([chance.muStar], { stroke: GREY, strokeWidth: 1.5, strokeDasharray: "4 3" })]),
        Plot.ruleX([0], { stroke: "currentColor", strokeOpacity: 0.6 }),
      ],
    },
  }];
}

function indicesPanel({ metric: { label }, indices }: SensitivityOfMetric): Panel[] {
  if (indices === null) return [];
  const shown = indices.factors.slice(0, ROWS);
  const first = shown.map((one) => ({ name: one.factor, value: Math.max(0, one.first.value), ...ends(one.first) }));
  const total = shown.map((one) => ({ name: one.factor, value: Math.max(0, one.total.value), ...ends(one.total) }));
  const most = Math.max(1, ...[...first, ...total].map(({ high }) => high));
  const least = Math.min(0, ...[...first, ...total].map(({ low }) => low));
  // Two bars share a factor's band, above and below its middle.
  const half = 9;
  return [{
    heading: `Variance of ${label}`, height: 40 + 38 * shown.length,
    plot: {
      marginLeft: MARGIN, x: spanAxis(least, most * 1.02, 8, (share) => formatPercent(share)), y: names(first),
      marks: [
        Plot.barX(first, { x1: 0, x2: "value", y: "name", fill: GOOD, fillOpacity: 0.85, insetTop: 1, insetBottom: 1 + 2 * half }),
        Plot.barX(total, { x1: 0, x2: "value", y: "name", fill: TOTAL, fillOpacity: 0.85, insetTop: 1 + 2 * half, insetBottom: 1 }),
        ...whiskers(first, -half), ...whiskers(total, half),
        Plot.ruleX([0], { stroke: "currentColor", strokeOpacity: 0.6 }),
      ],
    },
  }];
}

function tornado({ metric: { label, unit }, tornado: found }: SensitivityOfMetric): Panel[] {
  const base = found?.base.mean;
  if (found == null || base == null) return [];
  const bars = found.bars.slice(0, ROWS).flatMap(({ factor, low, high, swing }) => {
    if (swing === null || swing === 0) return [];
    const end = ({ text, difference: { mean, interval } }: typeof low) => ({ text, value: base + mean!, interval: interval === null ? null : { low: base + interval.low, high: base + interval.high } });
    return [{ name: factor, low: end(low), high: end(high) }];
  });
  if (bars.length === 0) return [];
  // A market's figure is seldom near 0, and where it is not, 0 would leave no room for what is asked.
  return [tornadoPanel({ heading: capital(label), base, bars, least: [], axis: (low, high) => figureAxis(low, high, unit), names: short })];
}

/** Mean size against spread: near the floor a factor acts straight and alone; above the diagonal, by turns up and down. */
function planeFigure(report: SensitivityReport): Figure {
  return {
    title: SENSITIVITY_TITLES.plane,
    subtitle: "Across: how far a factor moves the figure on average (mu*). Up: how much that depends on where it starts and on the other factors (sigma). Below the lower line (sigma = 0.1 mu*) nearly straight and alone; above the upper one (sigma = mu*) bent, or bound up with others.",
    keys: [], panels: report.metrics.slice(0, PANELS).flatMap(planePanel), empty: "Nothing that was changed makes a difference, or too little was played to tell.",
  };
}

function planePanel({ metric: { label, unit }, screening }: SensitivityOfMetric): Panel[] {
  const rows = (screening ?? []).filter(({ muStar }) => muStar.value > 0).map(({ factor, muStar, sigma }) => ({ name: short(factor), x: muStar.value, y: sigma.value }));
  const right = Math.max(0, ...rows.map(({ x }) => x)) * 1.3;
  if (right === 0) return [];
  const top = Math.max(right * 0.12, ...rows.map(({ y }) => y * 1.1));
  const placed = placeLabels(rows, right, top);
  return [{
    heading: `${capital(label)}: sigma by mu*`, height: 280,
    plot: {
      marginLeft: 90, x: changeAxis(0, right, unit), y: changeAxis(0, top, unit, 5),
      marks: [
        Plot.link([[1, Math.min(right, top)], [0.1, Math.min(right, top / 0.1)]] as const, { x1: 0, y1: 0, x2: ([, x]: readonly [number, number]) => x, y2: ([slope, x]: readonly [number, number]) => slope * x, stroke: GREY, strokeDasharray: "4 3" }),
        Plot.dot(rows, { x: "x", y: "y", r: 4.5, fill: GOOD }),
        ...placed.map(({ name, x, y, dy }) => Plot.text([{ x, y, name }], { x: "x", y: "y", text: "name", dx: 9, dy, textAnchor: "start", fill: "currentColor", fontSize: 11.5 })),
      ],
    },
  }];
}

interface Placed {
  readonly name: string;
  readonly x: number;
  readonly y: number;
  readonly dy: number;
}

/** Labels right of their dots, moved up as far as it takes not to lie on each other; where many dots are in a heap, only those that matter most have one. */
function placeLabels(rows: readonly { readonly name: string; readonly x: number; readonly y: number }[], right: number, top: number): Placed[] {
  const [width, height, line] = [640, 240, 13];
  const placed: (Placed & { readonly left: number; readonly at: number; readonly end: number })[] = [];
  for (const row of rows) {
    const left = row.x / right * width;
    const end = left + 12 + row.name.length * 6.2;
    for (const step of [0, -1, 1, -2, 2]) {
      const at = height - row.y / top * height + step * line;
      if (at < 0 || at > height + line || placed.some((other) => Math.abs(other.at - at) < line && left < other.end && other.left < end)) continue;
      placed.push({ ...row, dy: step * line, left, at, end });
      break;
    }
  }
  return placed;
}

interface Row {
  readonly name: string;
  readonly low: number;
  readonly high: number;
}

function ends({ value, interval }: ResampledFigure): { readonly low: number; readonly high: number } {
  return { low: interval?.low ?? value, high: interval?.high ?? value };
}

function whiskers(rows: readonly Row[], dy = 0): Plot.Markish[] {
  return [Plot.ruleY(rows.filter(({ low, high }) => low < high), { x1: "low", x2: "high", y: "name", dy, stroke: "currentColor", strokeWidth: 1.5 })];
}

function names(rows: readonly Row[]): Plot.ScaleOptions {
  return { domain: rows.map(({ name }) => name), label: null, tickSize: 0, tickFormat: short };
}

function figureAxis(low: number, high: number, unit: FigureUnit): Plot.ScaleOptions {
  const [from, to] = low < high ? [low, high] : spanOf([low, high]);
  return spanAxis(from, to, 6, (value) => formatFigure(value, unit));
}

function changeAxis(low: number, high: number, unit: FigureUnit, parts = 6): Plot.ScaleOptions {
  return spanAxis(low, high, parts, (value) => formatChange(value, unit));
}

function short(name: string): string {
  return name.length > 26 ? `${name.slice(0, 25)}…` : name;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
