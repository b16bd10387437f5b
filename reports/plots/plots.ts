import type { RunReport } from "../../protocol/result.ts";
import { asksFigure } from "./asks.ts";
import { curvesFigure } from "./curves.ts";
import { exposureFigure } from "./exposure.ts";
import { renderFigure } from "./figure.ts";
import { latencyFigure } from "./latency.ts";
import { loadFigure } from "./load.ts";
import { lorenzFigure } from "./lorenz.ts";
import { marketFigure } from "./market.ts";
import { pricingFigure } from "./pricing.ts";
import { pricesFigure } from "./prices.ts";
import { profitFigure } from "./profit.ts";
import { surplusFigure } from "./surplus.ts";
import { throughputFigure } from "./throughput.ts";
import { warmupFigure } from "./warmup.ts";
import { type PlotName, PLOTS } from "./titles.ts";

const FIGURES = { throughput: throughputFigure, latency: latencyFigure, load: loadFigure, warmup: warmupFigure, market: marketFigure, prices: pricesFigure, pricing: pricingFigure, asks: asksFigure, profit: profitFigure, exposure: exposureFigure, curves: curvesFigure, surplus: surplusFigure, lorenz: lorenzFigure };

/** Draws every plot of a report, each as a whole SVG document. */
export function renderPlots(report: RunReport): Record<PlotName, string> {
  return Object.fromEntries(PLOTS.map((name) => [name, renderFigure(FIGURES[name](report))])) as Record<PlotName, string>;
}
