import type { RunReport } from "../../protocol/result.ts";
import { renderFigure } from "./figure.ts";
import { latencyFigure } from "./latency.ts";
import { loadFigure } from "./load.ts";
import { marketFigure } from "./market.ts";
import { pricesFigure } from "./prices.ts";
import { throughputFigure } from "./throughput.ts";

/** Names of a report's plots, in the order in which they are read; `plots/NAME.svg` holds each. */
export const PLOTS = ["throughput", "latency", "load", "market", "prices"] as const;
export type PlotName = (typeof PLOTS)[number];

const FIGURES = { throughput: throughputFigure, latency: latencyFigure, load: loadFigure, market: marketFigure, prices: pricesFigure };

/** Draws every plot of a report, each as a whole SVG document. */
export function renderPlots(report: RunReport): Record<PlotName, string> {
  return Object.fromEntries(PLOTS.map((name) => [name, renderFigure(FIGURES[name](report))])) as Record<PlotName, string>;
}

/** A plot's title: the question that it answers. */
export function plotTitle(name: PlotName, report: RunReport): string {
  return FIGURES[name](report).title;
}
