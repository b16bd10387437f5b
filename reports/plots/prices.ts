import * as Plot from "@observablehq/plot";
import type { DistributionSummary, RunReport } from "../../protocol/result.ts";
import { formatMsatPerMtok } from "../../protocol/units.ts";
import { amountAxis, clockAxis, largest } from "./axes.ts";
import type { Figure, Panel } from "./figure.ts";
import { timePoints, warmupMark, warmupNote } from "./over-time.ts";
import { colorsByClass, GOOD } from "./palette.ts";
import { PLOT_TITLES } from "./titles.ts";

/** What clients paid, over time and per class. */
export function pricesFigure(report: RunReport): Figure {
  const { perMtokMsat } = report.overTime;
  const subtitle = "Amount and router's fee of completed jobs, over their input and output tokens together.";
  if (report.overall.jobs.completed > 0 && largest(perMtokMsat) === 0) return { title: PLOT_TITLES.prices, subtitle, keys: [], panels: [], empty: "Nothing: every job was free." };
  const panels: Panel[] = [];
  if (perMtokMsat.some((value) => value !== null)) {
    panels.push({
      heading: "Mean price paid per million tokens, over time", height: 190,
      plot: {
        marginLeft: 100,
        x: clockAxis(report.horizonUs), y: amountAxis(largest(perMtokMsat), formatMsatPerMtok),
        marks: [...warmupMark(report), Plot.lineY(timePoints(report, perMtokMsat), { x: "us", y: "value", stroke: GOOD, strokeWidth: 1.8 })],
      },
    });
  }
  const clients = ranges("Per million tokens, by client class", report.clientClasses.map(({ name, prices }) => ({ name, summary: prices.perMtokMsat, color: GOOD })));
  const { color } = colorsByClass(report.operatorClasses.map(({ name, slots }) => ({ name, weight: slots })));
  const operators = ranges("Per million tokens, by the operator class that served the job", report.operatorClasses.map(({ name, prices }) => ({ name, summary: prices.perMtokMsat, color: color(name) })));
  return {
    title: PLOT_TITLES.prices,
    subtitle: `${subtitle} By class: line, least to 99th percentile of the jobs; bar, median to 90th percentile; dot, mean.${warmupNote(report)}`,
    keys: [],
    panels: [...panels, ...clients, ...operators],
    empty: "No job completed.",
  };
}

function ranges(heading: string, classes: readonly { readonly name: string; readonly summary: DistributionSummary; readonly color: string }[]): Panel[] {
  const rows = classes.flatMap(({ name, color, summary: { mean, min, p50, p90, p99 } }) =>
    mean === null || min === null || p50 === null || p90 === null || p99 === null ? [] : [{ name, color, mean, min, p50, p90, p99 }],
  ).slice(0, 20);
  if (rows.length === 0) return [];
  return [{
    heading: classes.length > 20 ? `${heading} (the first 20 of ${classes.length})` : heading,
    height: 60 + 24 * rows.length,
    plot: {
      marginLeft: 150, marginRight: 48,
      x: amountAxis(largest(rows.map(({ p99 }) => p99), rows.map(({ mean }) => mean)), formatMsatPerMtok),
      color: { type: "identity" },
      y: { domain: rows.map(({ name }) => name), label: null, tickFormat: shorten },
      marks: [
        Plot.link(rows, { x1: "min", x2: "p99", y1: "name", y2: "name", stroke: "color", strokeWidth: 1.5 }),
        Plot.link(rows, { x1: "p50", x2: "p90", y1: "name", y2: "name", stroke: "color", strokeWidth: 9, strokeOpacity: 0.45 }),
        Plot.dot(rows, { x: "mean", y: "name", r: 4.5, fill: "color" }),
      ],
    },
  }];
}

/** Long names differ at their ends more often than in their middle. */
function shorten(name: string): string {
  return name.length <= 20 ? name : `${name.slice(0, 9)}…${name.slice(-10)}`;
}
