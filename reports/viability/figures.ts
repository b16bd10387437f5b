import * as Plot from "@observablehq/plot";
import type { ViabilityReport } from "../../protocol/result/viability.ts";
import { formatNumber, formatSignificant, formatUsd } from "../../protocol/units.ts";
import { shareAxis, spanAxis } from "../plots/axes.ts";
import type { Figure, Panel } from "../plots/figure.ts";
import { renderFigure } from "../plots/figure.ts";
import { BAD, GOOD, GREY } from "../plots/palette.ts";
import { spanOf, TORNADO_KEYS, tornadoPanel } from "../plots/tornado.ts";
import type { ViabilityPlotName } from "./titles.ts";
import { VIABILITY_TITLES } from "./titles.ts";

/** The assumptions with the widest bars that the tornado shows; the table has the rest. */
const BARS = 12;

/** Every plot of a viability report, as SVG documents. */
export function renderViabilityPlots(report: ViabilityReport): Record<ViabilityPlotName, string> {
  return { profit: renderFigure(profitFigure(report)), tornado: renderFigure(tornadoFigure(report)), prices: renderFigure(pricesFigure(report)) };
}

function profitFigure(report: ViabilityReport): Figure {
  const { replications, profit } = report;
  const interval = profit.meanInterval;
  const values = replications.map(({ profitUsd }) => profitUsd);
  const [low, high] = spanOf([...values, 0, ...(interval === null ? [] : [interval.low, interval.high])]);
  const stacked = stack(values, (high - low) / 45);
  const tallest = Math.max(...stacked.map(({ y }) => y));
  return {
    title: VIABILITY_TITLES.profit,
    subtitle: `${replications.length === 1 ? "One replication" : `${formatNumber(replications.length)} replications`} of the market, each going on for a month: one dot each. ${interval === null ? "" : "Band: where the mean lies, as far as chance goes (95 %)."}`,
    keys: [],
    panels: [
      {
        heading: "Profit of a month", height: 96 + 13 * tallest,
        plot: {
          x: usdAxis(low, high, 6), y: { axis: null, domain: [0, tallest + 1] },
          marks: [
            ...(interval === null ? [] : [Plot.rectX([interval], { x1: "low", x2: "high", y1: 0, y2: tallest + 1, fill: GREY, fillOpacity: 0.25 })]),
            Plot.ruleX([0], { stroke: "currentColor", strokeOpacity: 0.6 }),
            Plot.ruleX([profit.mean], { stroke: "currentColor", strokeDasharray: "4 3" }),
            Plot.text([profit.mean], { x: (mean: number) => mean, frameAnchor: "top", dy: -8, text: (mean: number) => `mean ${formatUsd(mean)}`, fill: "currentColor", fontSize: 11.5 }),
            Plot.dot(stacked, { x: "x", y: "y", r: 5, fill: ({ x }: { x: number }) => x > 0 ? GOOD : BAD, fillOpacity: 0.85 }),
          ],
        },
      },
      waterfall(report),
    ],
  };
}

/** Dots that would lie on each other, above each other. */
function stack(values: readonly number[], width: number): { readonly x: number; readonly y: number }[] {
  const ends: number[] = [];
  return values.toSorted((a, b) => a - b).map((x) => {
    let y = ends.findIndex((end) => x - end >= width);
    if (y === -1) y = ends.length;
    ends[y] = x;
    return { x, y: y + 0.7 };
  });
}

function waterfall({ revenue, costs, profit }: ViabilityReport): Panel {
  const steps = [
    { name: "revenue", usd: revenue.mean },
    { name: "electricity", usd: -costs.electricityUsd },
    { name: "wear of the machine", usd: -costs.depreciationUsd },
    { name: "rent", usd: -costs.rentUsd },
    { name: "cost of capital", usd: -costs.capitalUsd },
    { name: "upkeep", usd: -costs.upkeepUsd },
    { name: "other costs", usd: -costs.otherUsd },
  ].filter(({ usd }, i) => i === 0 || usd !== 0);
  let at = 0;
  const bars = steps.map(({ name, usd }) => {
    const from = at;
    at += usd;
    return { name, from, to: at, usd, color: usd >= 0 ? GOOD : BAD };
  });
  bars.push({ name: "profit", from: 0, to: profit.mean, usd: profit.mean, color: GREY });
  const [low, high] = spanOf(bars.flatMap(({ from, to }) => [from, to]));
  const room = (high - low) * 0.14;
  return {
    heading: "Where it comes from and where it goes, on average", height: 44 + 27 * bars.length,
    plot: {
      marginLeft: 150,
      x: usdAxis(low - (low < 0 ? room : 0), high + room, 6), y: { domain: bars.map(({ name }) => name), label: null, tickSize: 0 },
      marks: [
        Plot.barX(bars, { x1: "from", x2: "to", y: "name", fill: "color", fillOpacity: 0.85, insetTop: 2, insetBottom: 2 }),
        Plot.ruleX([0], { stroke: "currentColor", strokeOpacity: 0.6 }),
        Plot.text(bars, { x: ({ from, to }: { from: number; to: number }) => Math.max(from, to), y: "name", text: ({ usd }: { usd: number }) => formatUsd(usd), textAnchor: "start", dx: 5, fill: "currentColor", fontSize: 11.5 }),
      ],
    },
  };
}

function tornadoFigure({ tornado, profit }: ViabilityReport): Figure {
  const shown = tornado.slice(0, BARS).filter(({ swingUsd }) => swingUsd > 0);
  const title = VIABILITY_TITLES.tornado;
  if (shown.length === 0) return { title, subtitle: "", keys: [], panels: [], empty: "Nothing of what was changed makes a difference." };
  return {
    title,
    subtitle: "Each assumption at a low and at a high value, all others as they are: the profit of a month. The line is the profit as assumed; * the market was played again for it, otherwise only the account changes.",
    keys: TORNADO_KEYS,
    panels: [tornadoPanel({
      heading: "Profit of a month", base: profit.mean, least: [0], axis: (low, high) => usdAxis(low, high, 6),
      bars: shown.map(({ name, low, high }) => ({ name, low: { text: low.text, value: low.profitUsd }, high: { text: high.text, value: high.profitUsd } })),
      names: (name) => `${name}${shown.find((bar) => bar.name === name)?.replayed === true ? " *" : ""}`,
    })],
  };
}

function pricesFigure({ breakEven: { prices, market }, machine }: ViabilityReport): Figure {
  const title = VIABILITY_TITLES.prices;
  if (prices.length < 2) return { title, subtitle: "", keys: [], panels: [], empty: "Other prices were not tried." };
  const factors = prices.map(({ factor }) => factor);
  const least = Math.min(...factors);
  const most = Math.max(...factors);
  // Plot's own axis leaves labels of a logarithmic scale out as it thinks fit.
  const ticks = [0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 1, 1.4, 2, 4, 8, 16, 32, 64].filter((tick) => tick >= least && tick <= most);
  const x: Plot.ScaleOptions = { type: "log", domain: [least, most], label: null, grid: true, ticks, axis: null };
  const axis = Plot.axisX(ticks, { text: (factor: number) => `x ${formatSignificant(factor, 2)}`, label: null });
  const [low, high] = spanOf([...prices.map(({ profitUsd }) => profitUsd), 0]);
  const found = market.point === null ? [] : [market.point];
  return {
    title,
    subtitle: `The market played again with the machine's prices times a factor (x 1: as asked, ${formatSignificant(machine.inputMsatPerMtok / 1_000)} sat/Mtok for prompts and ${formatSignificant(machine.outputMsatPerMtok / 1_000)} for answers), the same random numbers each time; ${formatNumber(Math.min(...prices.map(({ replications }) => replications)))} replications, at the level of all.`,
    keys: [],
    panels: [
      {
        heading: "Profit of a month", height: 220,
        plot: {
          marginLeft: 90, x, y: usdAxis(low, high, 5),
          marks: [
            axis,
            Plot.ruleY([0], { stroke: "currentColor", strokeOpacity: 0.6 }),
            Plot.line(prices, { x: "factor", y: "profitUsd", stroke: GREY, strokeWidth: 1.5 }),
            Plot.dot(prices, { x: "factor", y: "profitUsd", r: 4, fill: ({ profitUsd }: { profitUsd: number }) => profitUsd >= 0 ? GOOD : BAD }),
            Plot.dot(found, { x: "factor", y: "profitUsd", r: 8, stroke: "currentColor", strokeWidth: 1.5 }),
            Plot.text(found, { x: "factor", y: "profitUsd", text: () => "break-even", dy: 18, dx: 8, textAnchor: "start", fill: "currentColor", fontSize: 11.5 }),
          ],
        },
      },
      {
        heading: "Slots busy", height: 130,
        plot: {
          marginLeft: 90, x, y: shareAxis(),
          marks: [axis, Plot.line(prices, { x: "factor", y: "utilisation", stroke: GREY, strokeWidth: 1.5 }), Plot.dot(prices, { x: "factor", y: "utilisation", r: 4, fill: GOOD })],
        },
      },
    ],
  };
}

function usdAxis(low: number, high: number, parts: number): Plot.ScaleOptions {
  const digits = high - low >= 10 ? 0 : high - low >= 1 ? 1 : 3;
  return spanAxis(low, high, parts, (value) => `${formatNumber(value, digits)} USD`);
}
