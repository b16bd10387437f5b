import * as Plot from "@observablehq/plot";
import type { RunReport } from "../../protocol/result.ts";
import { formatMsatPerMtok } from "../../protocol/units.ts";
import { amountAxis, clockAxis, largest } from "./axes.ts";
import type { Figure, Key, Panel } from "./figure.ts";
import { timePoints, warmupMark, warmupNote } from "./over-time.ts";
import { BAD, COLORS, GOOD, GREY } from "./palette.ts";
import { PLOT_TITLES } from "./titles.ts";

/** Models drawn at most. */
const MOST_MODELS = 4;

/** What nodes asked, what the market's price was and what jobs paid, over time. */
export function pricingFigure(report: RunReport): Figure {
  const models = report.pricing?.models ?? [];
  const paid = report.overTime.perMtokMsat;
  const single = models.length === 1;
  const panels = models.slice(0, MOST_MODELS).flatMap(({ model, lowestAskMsatPerMtok, meanAskMsatPerMtok, goingMsatPerMtok }): Panel[] => {
    const lines = [
      { name: "lowest ask", color: COLORS[2], of: lowestAskMsatPerMtok },
      { name: "mean ask", color: GREY, of: meanAskMsatPerMtok },
      { name: "going price", color: BAD, of: goingMsatPerMtok },
      ...(single ? [{ name: "paid, router's fee included", color: GOOD, of: paid }] : []),
    ].filter(({ of }) => of.some((value) => value !== null));
    const top = largest(...lines.map(({ of }) => of));
    if (lines.length === 0 || top === 0) return [];
    return [{
      heading: `Price per million tokens of ${model}`, height: 210,
      keys: lines.map(({ name, color }): Key => ({ name, color, shape: "line" })),
      plot: {
        marginLeft: 100,
        x: clockAxis(report.horizonUs), y: amountAxis(top, formatMsatPerMtok),
        marks: [...warmupMark(report), ...lines.map(({ of, color }) => Plot.lineY(timePoints(report, of), { x: "us", y: "value", stroke: color, strokeWidth: 1.8 }))],
      },
    }];
  });
  return {
    title: PLOT_TITLES.pricing,
    subtitle: `In the mix of tokens of this run's jobs.${models.length > MOST_MODELS ? ` The first ${MOST_MODELS} of ${models.length} models.` : ""}${warmupNote(report)}`,
    keys: [],
    panels,
    empty: "Every node had a price of its own, and kept it.",
  };
}
