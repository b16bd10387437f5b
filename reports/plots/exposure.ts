import * as Plot from "@observablehq/plot";
import type { RunReport } from "../../protocol/result.ts";
import { formatMsat } from "../../protocol/units.ts";
import { amountAxis, clockAxis, largest } from "./axes.ts";
import type { Figure, Key } from "./figure.ts";
import { COLORS } from "./palette.ts";
import { PLOT_TITLES } from "./titles.ts";

/** What nodes and clients stood to lose over time, and what was locked. */
export function exposureFigure({ settlement, horizonUs }: RunReport): Figure {
  const subtitle = "Means of short windows, warm-up included. Exposed: delivered and not paid (nodes), paid and not delivered (clients). Locked: in payments under way and in hold invoices.";
  if (settlement === null) return { title: PLOT_TITLES.exposure, subtitle, keys: [], panels: [], empty: "No wallets took part." };
  const { windowUs, deliveredUnpaidMsat, paidUndeliveredMsat, lockedMsat } = settlement.overTime;
  const lines = [
    { name: "nodes are exposed", column: deliveredUnpaidMsat, color: COLORS[0]! },
    { name: "clients are exposed", column: paidUndeliveredMsat, color: COLORS[1]! },
    { name: "locked", column: lockedMsat, color: COLORS[2]! },
  ];
  const top = largest(...lines.map(({ column }) => column));
  if (top === 0) return { title: PLOT_TITLES.exposure, subtitle, keys: [], panels: [], empty: "No money moved." };
  return {
    title: PLOT_TITLES.exposure,
    subtitle,
    keys: lines.map(({ name, color }): Key => ({ name, color, shape: "line" })),
    panels: [{
      heading: "Money exposed and locked, over time", height: 220,
      plot: {
        marginLeft: 100, x: clockAxis(horizonUs), y: amountAxis(top, formatMsat),
        marks: lines.map(({ column, color }) => Plot.lineY(
          column.flatMap((value, window) => (value === null ? [] : [{ us: Math.min((window + 0.5) * windowUs, horizonUs), value }])), { x: "us", y: "value", stroke: color, strokeWidth: 1.8 },
        )),
      },
    }],
  };
}
