import * as Plot from "@observablehq/plot";
import type { RunReport } from "../../protocol/result.ts";
import { formatMsatPerMtok, formatSignificant } from "../../protocol/units.ts";
import { amountAxis } from "./axes.ts";
import type { Figure, Key } from "./figure.ts";
import { BAD, COLORS, GOOD } from "./palette.ts";
import { PLOT_TITLES } from "./titles.ts";

type Points = NonNullable<RunReport["welfare"]>["curves"]["demand"];

const SUPPLY = COLORS[2];
/** The dearest part of demand that the picture may leave out: a few jobs of great value would flatten all others. */
const DEAREST = 0.04;
/** The picture is at most so many times as high as prices are: where demand crosses them is what there is to see. */
const STEEPEST = 6;

/** Supply and demand of the measured interval, and where the market traded. */
export function curvesFigure(report: RunReport): Figure {
  const title = PLOT_TITLES.curves;
  if (report.welfare === null) return { title, subtitle: "", keys: [], panels: [], empty: "The scenario does not say what jobs are worth to their clients." };
  const { demand, supply, asked, traded } = report.welfare.curves;
  if (demand.length === 0) return { title, subtitle: "", keys: [], panels: [], empty: "Nobody wanted anything." };
  const wanted = demand.at(-1)!.mtokPerH;
  const usual = demand.find(({ mtokPerH }) => mtokPerH >= wanted * DEAREST)!.perMtokMsat;
  const asks = asked.at(-1)?.perMtokMsat ?? 0;
  const prices = Math.max(traded?.perMtokMsat ?? 0, Math.min(asks, usual), supply.at(-1)?.perMtokMsat ?? 0);
  const high = 1.1 * Math.max(prices, prices === 0 ? usual : Math.min(usual, STEEPEST * prices)) || 1;
  const wide = 1.2 * Math.max(wanted, Math.min(supply.at(-1)?.mtokPerH ?? 0, 1.5 * wanted));
  const marks = [
    Plot.lineY([...within(demand, wide, high), { mtokPerH: wanted, perMtokMsat: 0 }], { x: "mtokPerH", y: "perMtokMsat", curve: "step-before", stroke: GOOD, strokeWidth: 2 }),
    Plot.lineY(within(supply, wide, high), { x: "mtokPerH", y: "perMtokMsat", curve: "step-before", stroke: SUPPLY, strokeWidth: 2 }),
    Plot.lineY(within(asked, wide, high), { x: "mtokPerH", y: "perMtokMsat", curve: "step-before", stroke: SUPPLY, strokeWidth: 1.5, strokeDasharray: "4 3" }),
    ...(traded === null ? [] : [
      Plot.ruleX([traded], { x: "mtokPerH", y2: "perMtokMsat", stroke: BAD, strokeDasharray: "2 3" }),
      Plot.dot([traded], { x: "mtokPerH", y: "perMtokMsat", r: 6, fill: BAD }),
    ]),
  ];
  const keys: Key[] = [
    { name: "demand: what jobs are worth", color: GOOD, shape: "line" },
    { name: "supply: what serving costs", color: SUPPLY, shape: "line" },
    { name: "posted prices at the start", color: SUPPLY, shape: "dashed" },
    ...(traded === null ? [] : [{ name: "what was traded, at the mean price paid", color: BAD }]),
  ];
  return {
    title,
    subtitle: "Per million tokens, prompt and answer together. Each point of the demand curve: so much is worth at least so much to its clients. Supply: so much could be served at a marginal cost of at most so much, at full batches."
      + (demand[0]!.perMtokMsat > high ? " The most valuable jobs lie above the picture." : ""),
    keys,
    panels: [{
      heading: "Price against quantity an hour", height: 330,
      plot: {
        marginLeft: 100, marginBottom: 34,
        x: { ...amountAxis(wide, (value) => `${formatSignificant(value)} Mtok/h`), grid: false }, y: amountAxis(high, formatMsatPerMtok), marks,
      },
    }],
  };
}

/** The part of a curve that fits into the picture, from quantity 0 on; cut off where it leaves it. */
function within(points: Points, wide: number, high: number): { mtokPerH: number; perMtokMsat: number }[] {
  const first = points[0];
  if (first === undefined) return [];
  const falling = points.length > 1 && points.at(-1)!.perMtokMsat < first.perMtokMsat;
  const drawn = [{ mtokPerH: 0, perMtokMsat: Math.min(high, first.perMtokMsat) }];
  for (const { mtokPerH, perMtokMsat } of points) {
    if (perMtokMsat > high && !falling) break;
    // What lies above the picture is not drawn along its edge: the curve comes in from there.
    if (perMtokMsat > high) drawn[0]!.mtokPerH = mtokPerH;
    else drawn.push({ mtokPerH: Math.min(wide, mtokPerH), perMtokMsat: Math.min(high, perMtokMsat) });
    if (mtokPerH >= wide) break;
  }
  return drawn;
}
