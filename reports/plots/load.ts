import * as Plot from "@observablehq/plot";
import type { RunReport } from "../../protocol/result.ts";
import { formatDurationUs } from "../../protocol/units.ts";
import { amountAxis, clockAxis, largest, shareAxis } from "./axes.ts";
import type { Figure, Key } from "./figure.ts";
import { timePoints, warmupMark, warmupNote } from "./over-time.ts";
import { BAD, colorsByClass, GOOD, GREY } from "./palette.ts";
import { PLOT_TITLES } from "./titles.ts";

/** Queue lengths and utilisation over time. */
export function loadFigure(report: RunReport): Figure {
  const { overTime } = report;
  const { color, shown } = colorsByClass(report.operatorClasses.map(({ name, slots }) => ({ name, weight: slots })));
  const counts = [
    { name: "running", column: overTime.running, color: GOOD },
    { name: "waiting at nodes", column: overTime.waitingAtNodes, color: BAD },
    { name: "waiting at the router", column: overTime.waitingAtRouter, color: "#cc79a7" },
  ].filter(({ column }, index) => index === 0 || largest(column) > 0);
  const classes = overTime.operatorClasses.filter(({ name }) => shown.includes(name));
  const several = report.operatorClasses.length > 1;
  return {
    title: PLOT_TITLES.load,
    subtitle: `Jobs that wait cost their clients time; slots that idle cost their operators money. Each point is the mean over ${formatDurationUs(overTime.windowUs)}.${warmupNote(report)}`,
    keys: [],
    panels: [
      {
        heading: "Jobs at nodes and at the router", height: 190,
        plot: {
          x: clockAxis(report.horizonUs), y: amountAxis(largest(...counts.map(({ column }) => column))),
          marks: [
            ...warmupMark(report),
            ...counts.map(({ column, color: stroke }) => Plot.lineY(timePoints(report, column), { x: "us", y: "value", stroke, strokeWidth: 1.8 })),
          ],
        },
        keys: counts.map(({ name, color: of }): Key => ({ name, color: of, shape: "line" })),
      },
      {
        heading: "Utilisation: busy share of the slots that are up", height: 190,
        plot: {
          x: clockAxis(report.horizonUs), y: shareAxis(),
          marks: [
            ...warmupMark(report),
            ...(several ? [Plot.lineY(timePoints(report, overTime.utilisation), { x: "us", y: "value", stroke: GREY, strokeWidth: 3.5, strokeOpacity: 0.6 })] : []),
            ...classes.map(({ name, utilisation }) => Plot.lineY(timePoints(report, utilisation), { x: "us", y: "value", stroke: color(name), strokeWidth: 1.8 })),
          ],
        },
        keys: [
          ...classes.map(({ name }): Key => ({ name, color: color(name), shape: "line" })),
          ...(several ? [{ name: "all nodes", color: GREY, shape: "line" } satisfies Key] : []),
        ],
      },
    ],
  };
}
