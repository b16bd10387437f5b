import * as Plot from "@observablehq/plot";
import type { NodeReport, RunReport } from "../../protocol/result.ts";
import { formatMsatPerMtok, formatNumber } from "../../protocol/units.ts";
import { amountAxis, countAxis, largest, shareAxis, spanAxis } from "./axes.ts";
import type { Figure, Key, Panel } from "./figure.ts";
import { colorsByClass, GREY, textOn } from "./palette.ts";
import { PLOT_TITLES } from "./titles.ts";

/** More dots than this make a file that browsers are slow with, and a picture that nobody can read. */
const MOST_DOTS = 1_500;

/** Where jobs went, and at which price. */
export function marketFigure(report: RunReport): Figure {
  const { color, shown } = colorsByClass(report.operatorClasses.map(({ name, slots }) => ({ name, weight: slots })));
  const priced = report.nodes.filter((node): node is PricedNode => node.outputMsatPerMtok !== null);
  // Every k-th node of a large market: still in proportion, since nodes are listed class by class.
  const stride = Math.ceil(priced.length / MOST_DOTS);
  const drawn = priced.filter((_, index) => index % stride === 0);
  const panels: Panel[] = [];
  if (report.operatorClasses.length > 1) panels.push(sharesPanel(report, color));
  const prices = new Set(drawn.map(({ outputMsatPerMtok }) => outputMsatPerMtok));
  const all: readonly View[] = [
    { what: "Jobs completed by each node", y: amountAxis(1.05 * largest(drawn.map(({ jobs }) => jobs))), of: drawn, value: ({ jobs }) => jobs },
    // A node that was never up was neither busy nor idle.
    { what: "Utilisation of each node", y: shareAxis(), of: drawn.filter(({ utilisation }) => utilisation !== null), value: ({ utilisation }) => utilisation! },
  ];
  const views = all.filter(({ of }) => of.length > 0);
  const moving = report.asks !== null;
  if (prices.size > 1) panels.push(...views.map((view) => byPrice(view, drawn, color, moving)));
  else if (drawn.length > 1) panels.push(...views.map((view) => byRank(view, color, moving)));
  return {
    title: PLOT_TITLES.market,
    subtitle: drawn.length < 2 ? "" : stride > 1 ? `One dot per node; one in ${stride} of ${formatNumber(priced.length)} nodes is drawn.` : "One dot per node.",
    keys: panels.length === 0 ? [] : [
      ...shown.map((name): Key => ({ name, color: color(name) })),
      ...(shown.length < report.operatorClasses.length ? [{ name: "other classes", color: GREY }] : []),
    ],
    panels,
    empty: report.nodes.length === 1 ? `Every job that found a node went to ${report.nodes[0]!.name}, the only one.` : "There is no price to compare.",
  };
}

type PricedNode = NodeReport & { readonly outputMsatPerMtok: number };

function sharesPanel(report: RunReport, color: (name: string) => string): Panel {
  const columns = [
    { name: "slots", of: report.operatorClasses.map(({ slots }) => slots) },
    { name: "jobs completed", of: report.operatorClasses.map(({ jobs }) => jobs) },
    { name: "output tokens", of: report.operatorClasses.map(({ tokens }) => tokens.output) },
    { name: "revenue", of: report.operatorClasses.map(({ revenueMsat }) => revenueMsat) },
  ].filter(({ of }) => largest(of) > 0);
  const bars = columns.flatMap(({ name, of }) => {
    const total = of.reduce((sum, value) => sum + value, 0);
    let from = 0;
    return of.map((value, index) => {
      const share = total === 0 ? 0 : value / total;
      const bar = { name, operator: report.operatorClasses[index]!.name, from, to: from + share, middle: from + share / 2, share };
      from += share;
      return bar;
    });
  });
  return {
    heading: "Operator classes' shares of the market", height: 46 + 26 * columns.length,
    plot: {
      marginLeft: 100,
      x: { ...shareAxis(), grid: false }, y: { domain: columns.map(({ name }) => name), label: null },
      marks: [
        Plot.barX(bars, { x1: "from", x2: "to", y: "name", fill: (bar: { operator: string }) => color(bar.operator), insetLeft: 0.5, insetRight: 0.5 }),
        Plot.text(bars.filter(({ share }) => share >= 0.045), { x: "middle", y: "name", text: (bar: { share: number }) => `${formatNumber(bar.share * 100)} %`, fill: (bar: { operator: string }) => textOn(color(bar.operator)), fontWeight: 600 }),
      ],
    },
  };
}

interface View {
  readonly what: string;
  readonly y: Plot.ScaleOptions;
  /** The nodes drawn, at least one. */
  readonly of: readonly PricedNode[];
  readonly value: (node: PricedNode) => number;
}

/**
 * @param all whose prices span the axis, which views share
 * @param moving whether prices move, so that these are only the first ones
 */
function byPrice({ what, y, of: nodes, value }: View, all: readonly PricedNode[], color: (name: string) => string, moving: boolean): Panel {
  const prices = all.map(({ outputMsatPerMtok }) => outputMsatPerMtok);
  const low = Math.min(...prices);
  const high = Math.max(...prices);
  const margin = (high - low) * 0.05;
  return {
    heading: `${what}, against its ${moving ? "first " : ""}price of output tokens`, height: 240,
    plot: {
      x: spanAxis(Math.max(0, low - margin), high + margin, 6, formatMsatPerMtok), y,
      marks: [Plot.dot(nodes, { x: "outputMsatPerMtok", y: (node: PricedNode) => value(node), r: radius(nodes), fill: (node: PricedNode) => color(node.operatorClass), fillOpacity: 0.75 })],
    },
  };
}

/** Where all nodes ask the same, the price explains nothing: how evenly they were used is what is left to see. */
function byRank({ what, y, of: nodes, value }: View, color: (name: string) => string, moving: boolean): Panel {
  const ranked = nodes.toSorted((a, b) => value(a) - value(b) || (a.name < b.name ? -1 : 1)).map((node, rank) => ({ node, rank: rank + 1 }));
  return {
    heading: `${what}, from the least to the most (${samePrice(nodes, moving)})`, height: 240,
    plot: {
      x: { ...countAxis(0, nodes.length + 1, 8), grid: false }, y,
      marks: [Plot.dot(ranked, { x: "rank", y: ({ node }: { node: PricedNode }) => value(node), r: radius(nodes), fill: ({ node }: { node: PricedNode }) => color(node.operatorClass), fillOpacity: 0.75 })],
    },
  };
}

/** What all of them ask, so far as a report knows: a price per job is not in it. */
function samePrice(nodes: readonly PricedNode[], moving: boolean): string {
  const { outputMsatPerMtok: output, inputMsatPerMtok: input } = nodes[0]!;
  if (output > 0) return `all ${moving ? "began at" : "ask"} ${formatMsatPerMtok(output)} for output`;
  if (input !== 0 || nodes.some((node) => node.inputMsatPerMtok !== 0)) return "none asks anything for output";
  return nodes.some(({ revenueMsat }) => revenueMsat > 0) ? "all charge by the job" : "all are free";
}

function radius(nodes: readonly PricedNode[]): number {
  return nodes.length > 300 ? 2.5 : 4;
}
