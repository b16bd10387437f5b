import * as Plot from "@observablehq/plot";
import type { RunReport, Supply } from "../../protocol/result.ts";
import { formatMsat, formatNumber } from "../../protocol/units.ts";
import { COST_COLUMNS, marginText } from "../supply.ts";
import { amountAxis, clockAxis, largest, spanAxis } from "./axes.ts";
import type { Figure, Key, Panel } from "./figure.ts";
import { timePoints, warmupMark, warmupNote } from "./over-time.ts";
import { COLORS, colorsByClass, GOOD, GREY } from "./palette.ts";
import { PLOT_TITLES } from "./titles.ts";

/** Classes that a picture can hold. */
const MOST_CLASSES = 24;
const US_PER_HOUR = 3_600_000_000;

/** Revenue, costs and profit by operator class, and how they moved. */
export function profitFigure(report: RunReport): Figure {
  const title = PLOT_TITLES.profit;
  const { supply } = report;
  if (supply === null) return { title, subtitle: "", keys: [], panels: [], empty: "The scenario does not say what anything costs operators." };
  const { color, shown } = colorsByClass(supply.operatorClasses.map(({ name, revenueMsat }) => ({ name, weight: revenueMsat })));
  const keys = shown.map((name): Key => ({ name, color: color(name), shape: "line" }));
  const series = supply.overTime.filter(({ name }) => shown.includes(name));
  const moving = supply.entry.length > 0;
  const panels: Panel[] = [...accounts(supply)];
  if (series.some(({ profitMsatPerHour }) => profitMsatPerHour.some((value) => value !== null))) panels.push(overTime(report, "Profit per machine and hour", series.map(({ name, profitMsatPerHour }) => ({ name, column: profitMsatPerHour })), color, keys));
  if (moving) {
    const entering = supply.overTime.filter(({ name }) => supply.entry.some((of) => of.name === name) && shown.includes(name));
    panels.push({
      heading: "Machines in the market", height: 190, keys: keys.filter(({ name }) => entering.some((of) => of.name === name)),
      plot: {
        marginLeft: 84, x: clockAxis(report.horizonUs), y: amountAxis(largest(...entering.map(({ nodes }) => nodes))),
        marks: [...warmupMark(report), ...entering.map(({ name, nodes }) => Plot.lineY(timePoints(report, nodes), { x: "us", y: "value", stroke: color(name), strokeWidth: 1.8 }))],
      },
    });
  }
  if (supply.exchange !== null) panels.push(worth(report, supply.exchange));
  return {
    title,
    subtitle: `Revenue less electricity, machine, capital, upkeep, traffic and fees, as far as they are stated.${warmupNote(report)}`,
    keys: [], panels,
    empty: "No machine was in the market.",
  };
}

/** A bar per class: costs stacked, with a mark where revenue is. */
function accounts(supply: Supply): Panel[] {
  const classes = supply.operatorClasses.filter(({ ownedUs }) => ownedUs > 0).toSorted((a, b) => b.profitMsatPerHour! - a.profitMsatPerHour! || (a.name < b.name ? -1 : 1)).slice(0, MOST_CLASSES);
  if (classes.length === 0) return [];
  const kinds = COST_COLUMNS.map((kind, index) => ({ ...kind, color: COLORS[(index + 1) % COLORS.length]! })).filter(({ of }) => classes.some((account) => of(account) > 0));
  const hourly = (msat: number, ownedUs: number): number => msat * US_PER_HOUR / ownedUs;
  const bars = classes.flatMap((account) => {
    let from = 0;
    return kinds.map(({ of, color }) => {
      const to = from + hourly(of(account), account.ownedUs);
      const bar = { name: account.name, from, to, color };
      from = to;
      return bar;
    });
  });
  const marks = classes.map((account) => ({
    name: account.name, revenue: hourly(account.revenueMsat, account.ownedUs), end: hourly(Math.max(account.revenueMsat, account.costsMsat), account.ownedUs),
    text: `${formatMsat(Number(account.profitMsatPerHour!.toPrecision(3)))}${account.revenueMsat === 0 ? "" : ` (${marginText(account)})`}`,
  }));
  const most = Math.max(...marks.map(({ end }) => end)) || 1;
  return [{
    heading: "Costs, revenue and profit per machine and hour (profit as a share of revenue)", height: 44 + 30 * classes.length,
    keys: [...kinds.map(({ name, color }): Key => ({ name, color })), { name: "revenue", color: GOOD, shape: "line" }],
    plot: {
      marginLeft: 130,
      x: { ...spanAxis(0, most * 1.25, 5, formatMsat), grid: true }, y: { domain: classes.map(({ name }) => name), label: null, tickFormat: short },
      marks: [
        Plot.barX(bars, { x1: "from", x2: "to", y: "name", fill: (bar: { color: string }) => bar.color, insetTop: 5, insetBottom: 5 }),
        Plot.tickX(marks, { x: "revenue", y: "name", stroke: GOOD, strokeWidth: 3 }),
        Plot.text(marks, { x: "end", y: "name", text: "text", textAnchor: "start", dx: 8, fill: "currentColor" }),
      ],
    },
  }];
}

function overTime(report: RunReport, heading: string, lines: readonly { readonly name: string; readonly column: readonly (number | null)[] }[], color: (name: string) => string, keys: readonly Key[]): Panel {
  let least = 0;
  let most = 0;
  for (const { column } of lines) {
    for (const value of column) {
      if (value !== null && value > most) most = value;
      if (value !== null && value < least) least = value;
    }
  }
  return {
    heading, height: 190, keys,
    plot: {
      x: clockAxis(report.horizonUs), y: spanAxis(least, most > least ? most : 1, 4, formatMsat), marginLeft: 84,
      marks: [
        ...warmupMark(report),
        Plot.ruleY([0], { stroke: GREY }),
        ...lines.map(({ name, column }) => Plot.lineY(timePoints(report, column), { x: "us", y: "value", stroke: color(name), strokeWidth: 1.8 })),
      ],
    },
  };
}

function worth(report: RunReport, { rates, relative }: NonNullable<Supply["exchange"]>): Panel {
  const [first] = rates;
  const start = first?.start ?? 1;
  const column = relative.map((value) => (value === null ? null : value * start));
  const known = column.filter((value) => value !== null);
  const least = Math.min(start, ...known);
  const most = Math.max(start, ...known);
  return {
    heading: `What a bitcoin was worth${first === undefined ? ", relative to the start" : `, ${first.currency}`}`, height: 150,
    plot: {
      x: clockAxis(report.horizonUs), y: spanAxis(least, most > least ? most : least * 1.01, 3, (value) => formatNumber(value, 4)), marginLeft: 84,
      marks: [...warmupMark(report), Plot.lineY(timePoints(report, column), { x: "us", y: "value", stroke: GOOD, strokeWidth: 1.8 })],
    },
  };
}

function short(name: string): string {
  return name.length > 18 ? `${name.slice(0, 17)}…` : name;
}
