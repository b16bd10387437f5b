import * as Plot from "@observablehq/plot";
import type { RunReport } from "../../protocol/result.ts";
import { formatNumber } from "../../protocol/units.ts";
import { shareAxis } from "./axes.ts";
import type { Figure } from "./figure.ts";
import { GOOD, GREY } from "./palette.ts";
import { PLOT_TITLES } from "./titles.ts";

/** How evenly nodes share the revenue. */
export function lorenzFigure(report: RunReport): Figure {
  const { lorenz, gini } = report.structure;
  const title = PLOT_TITLES.lorenz;
  if (lorenz.length === 0 || gini === null) return { title, subtitle: "", keys: [], panels: [], empty: "Nobody earned anything." };
  if (report.nodes.length === 1) return { title, subtitle: "", keys: [], panels: [], empty: `${report.nodes[0]!.name}, the only node, has all of it.` };
  return {
    title,
    subtitle: `The part of all revenue that goes to the nodes that earn least. On the diagonal all earn alike; the further below it, the less even. Gini coefficient ${formatNumber(gini, 3)}: 0 all alike, 1 one has everything.`,
    keys: [{ name: "share of revenue (Lorenz curve)", color: GOOD, shape: "line" }, { name: "all alike", color: GREY, shape: "dashed" }],
    panels: [{
      heading: "Share of revenue, against share of nodes, those that earn least first", height: 300,
      plot: {
        x: { ...shareAxis(), grid: false }, y: shareAxis(),
        marks: [
          Plot.areaY(lorenz, { x: "population", y1: "share", y2: "population", fill: GOOD, fillOpacity: 0.12 }),
          Plot.lineY([{ population: 0, share: 0 }, { population: 1, share: 1 }], { x: "population", y: "share", stroke: GREY, strokeDasharray: "4 3" }),
          Plot.lineY(lorenz, { x: "population", y: "share", stroke: GOOD, strokeWidth: 2 }),
        ],
      },
    }],
  };
}
