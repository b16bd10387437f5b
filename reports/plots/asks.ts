import * as Plot from "@observablehq/plot";
import type { RunReport } from "../../protocol/result.ts";
import { formatMsat, formatMsatPerMtok, formatNumber } from "../../protocol/units.ts";
import { amountAxis, clockAxis, largest } from "./axes.ts";
import type { Figure, Key, Panel } from "./figure.ts";
import { timePoints, warmupMark, warmupNote } from "./over-time.ts";
import { COLORS } from "./palette.ts";
import { PLOT_TITLES } from "./titles.ts";

/** Operator classes drawn at most. */
const MOST_CLASSES = COLORS.length;

const PARTS = [
  { part: "inputMsatPerMtok", heading: "Asked per million input tokens", format: formatMsatPerMtok },
  { part: "outputMsatPerMtok", heading: "Asked per million output tokens", format: formatMsatPerMtok },
  { part: "fixedMsat", heading: "Asked per job, beside tokens", format: formatMsat },
] as const;

/** What each operator class asked over time, and how many slots it offered. */
export function asksFigure(report: RunReport): Figure {
  const classes = (report.asks?.operatorClasses ?? []).slice(0, MOST_CLASSES);
  const keys = classes.map(({ name, strategy }, i): Key => ({ name: `${name} (${strategy})`, color: COLORS[i]!, shape: "line" }));
  const panels = PARTS.flatMap(({ part, heading, format }): Panel[] => {
    const top = largest(...classes.map((of) => of[part].max));
    if (top === 0) return [];
    return [{
      heading, height: 210,
      plot: {
        marginLeft: 100, x: clockAxis(report.horizonUs), y: amountAxis(top, format),
        marks: [...warmupMark(report), ...classes.flatMap((of, i) => {
          const { min, mean, max } = of[part];
          const low = timePoints(report, min);
          const band = timePoints(report, max).map(({ us, value }, window) => ({ us, high: value, low: low[window]!.value }));
          return [
            Plot.areaY(band, { x: "us", y1: "low", y2: "high", fill: COLORS[i]!, fillOpacity: 0.15 }),
            Plot.lineY(timePoints(report, mean), { x: "us", y: "value", stroke: COLORS[i]!, strokeWidth: 1.8 }),
          ];
        })],
      },
    }];
  });
  const chosen = classes.map((of, i) => ({ of, color: COLORS[i]! })).filter(({ of: { strategy } }) => strategy === "cournot" || strategy === "newsvendor");
  if (chosen.length > 0) {
    panels.push({
      heading: "Slots offered", height: 170,
      plot: {
        marginLeft: 100, x: clockAxis(report.horizonUs), y: amountAxis(largest(...chosen.map(({ of }) => of.slots)), (value) => formatNumber(value, 6)),
        marks: [...warmupMark(report), ...chosen.map(({ of, color }) => Plot.lineY(timePoints(report, of.slots), { x: "us", y: "value", stroke: color, strokeWidth: 1.8 }))],
      },
    });
  }
  const more = (report.asks?.operatorClasses.length ?? 0) - classes.length;
  return {
    title: PLOT_TITLES.asks,
    subtitle: `Lines: mean over a class's nodes that are up; bands: from the cheapest to the dearest.${more > 0 ? ` The first ${MOST_CLASSES} classes.` : ""}${warmupNote(report)}`,
    keys, panels,
    empty: "No operator's prices moved.",
  };
}
