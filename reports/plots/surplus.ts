import * as Plot from "@observablehq/plot";
import type { RunReport } from "../../protocol/result.ts";
import { formatMsat, formatPercent } from "../../protocol/units.ts";
import { spanAxis } from "./axes.ts";
import type { Figure } from "./figure.ts";
import { BAD, COLORS, GOOD, GREY, textOn } from "./palette.ts";
import { PLOT_TITLES } from "./titles.ts";

const CONSUMERS = GOOD;
const OPERATORS = COLORS[2];
const ROUTERS = COLORS[4];
const NETWORK = COLORS[5];

interface Bar {
  readonly row: string;
  readonly amount: number;
  readonly color: string;
}

/** How the gains from trade were split, and what was lost of those that were possible. */
export function surplusFigure(report: RunReport): Figure {
  const title = PLOT_TITLES.surplus;
  const { welfare } = report;
  if (welfare === null) return { title, subtitle: "", keys: [], panels: [], empty: "The scenario does not say what jobs are worth to their clients." };
  if (welfare.firstBestMsat === 0 && welfare.totalMsat === 0) return { title, subtitle: "", keys: [], panels: [], empty: "There was nothing to gain." };
  const { losses } = welfare;
  const bars: Bar[] = [
    { row: "clients", amount: welfare.consumerSurplusMsat, color: CONSUMERS },
    { row: "operators", amount: welfare.operatorSurplusMsat, color: OPERATORS },
    { row: "routers", amount: welfare.routerRevenueMsat, color: ROUTERS },
    { row: "Lightning fees", amount: welfare.routingFeesMsat, color: NETWORK },
    ...(["price", "budget", "rejection", "congestion", "abandonment", "failure", "nonpayment", "misallocation", "waiting"] as const).map((cause): Bar => ({ row: `lost: ${cause}`, amount: losses[cause], color: BAD })),
  ].filter(({ amount }) => amount !== 0);
  let from = 0;
  // A waterfall: each bar begins where the one before it ends, and the last one ends at the first-best.
  const steps = bars.map((bar) => {
    const step = { ...bar, from, to: from + bar.amount };
    from += bar.amount;
    return step;
  });
  const all = [{ row: "possible at best", amount: welfare.firstBestMsat, color: GREY, from: 0, to: welfare.firstBestMsat }, ...steps];
  const least = Math.min(0, ...all.map(({ to }) => to));
  const most = Math.max(...all.map(({ to }) => to), ...all.map(({ from: start }) => start));
  const share = (amount: number): string => welfare.firstBestMsat === 0 ? "" : ` (${formatPercent(amount / welfare.firstBestMsat, 2)})`;
  const label = ({ amount }: { amount: number }): string => `${formatMsat(Number(amount.toPrecision(3)))}${share(amount)}`;
  const span = most - least;
  const inside = (bar: { from: number; to: number }): boolean => Math.abs(bar.to - bar.from) > span * 0.24;
  const right = all.filter((bar) => !inside(bar) && Math.max(bar.from, bar.to) <= least + span * 0.74);
  const left = all.filter((bar) => !inside(bar) && !right.includes(bar));
  return {
    title,
    subtitle: "What jobs were worth less what serving them cost, split by who has it; and what was left on the table, by cause. The pieces add up to what a planner who knows all values and costs could have reached.",
    keys: [],
    panels: [{
      heading: "Gains from trade", height: 50 + 28 * all.length,
      plot: {
        marginLeft: 130,
        x: { ...spanAxis(least, most, 5, formatMsat), grid: true }, y: { domain: all.map(({ row }) => row), label: null },
        marks: [
          Plot.barX(all, { x1: (bar: Step) => Math.min(bar.from, bar.to), x2: (bar: Step) => Math.max(bar.from, bar.to), y: "row", fill: (bar: Step) => bar.color, insetTop: 3, insetBottom: 3 }),
          // The thinnest piece still shows where it is.
          Plot.tickX(steps, { x: "from", y: "row", stroke: (bar: Step) => bar.color, strokeWidth: 2, insetTop: 3, insetBottom: 3 }),
          Plot.text(all.filter(inside), { x: (bar: Step) => (bar.from + bar.to) / 2, y: "row", text: label, fill: (bar: Step) => textOn(bar.color), fontWeight: 600 }),
          Plot.text(right, { x: (bar: Step) => Math.max(bar.from, bar.to), y: "row", text: label, fill: "currentColor", textAnchor: "start", dx: 6 }),
          Plot.text(left, { x: (bar: Step) => Math.min(bar.from, bar.to), y: "row", text: label, fill: "currentColor", textAnchor: "end", dx: -6 }),
          ...(least < 0 ? [Plot.ruleX([0], { stroke: "currentColor" })] : []),
        ],
      },
    }],
  };
}

type Step = Bar & { readonly from: number; readonly to: number };
