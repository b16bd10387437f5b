import * as Plot from "@observablehq/plot";
import type { RunReport } from "../../protocol/result.ts";
import { formatDurationUs, formatNumber } from "../../protocol/units.ts";
import { amountAxis, clockAxis, durationAxis, largest } from "./axes.ts";
import type { Figure, Key, Panel } from "./figure.ts";
import { perSecond, timePoints, warmupMark, warmupNote } from "./over-time.ts";
import { BAD, GOOD, GREY } from "./palette.ts";
import { PLOT_TITLES } from "./titles.ts";

/** What came in, what came out, and what was lost, over time; and what clients felt of it. */
export function throughputFigure(report: RunReport): Figure {
  const { overTime } = report;
  const losses = [
    { name: "rejected", column: overTime.rejected, color: BAD },
    { name: "failed", column: overTime.failed, color: "#cc79a7" },
    { name: "expired", column: overTime.expired, color: "#e69f00" },
    { name: "cancelled", column: overTime.cancelled, color: "#56b4e9" },
  ].filter(({ column }) => largest(column) > 0);
  const flows = [
    { name: "submitted", column: perSecond(report, overTime.submitted), color: GREY },
    { name: "completed", column: perSecond(report, overTime.completed), color: GOOD },
    // Jobs that nobody set a goal cannot have met it.
    ...(report.overall.goodput.goals.length > 0 ? [{ name: "completed within every goal", column: perSecond(report, overTime.metGoals), color: "#009e73" }] : []),
  ];
  const windowText = formatDurationUs(overTime.windowUs);
  const panels: Panel[] = [lines(report, "Jobs per second", flows)];
  if (losses.length > 0) panels.push(lines(report, "Jobs lost per second", losses.map((loss) => ({ ...loss, column: perSecond(report, loss.column) }))));
  const felt = felts(report);
  if (felt !== undefined) panels.push(felt);
  return {
    title: PLOT_TITLES.throughput,
    subtitle: `${formatNumber(report.allJobs.submitted)} jobs submitted, ${formatNumber(report.allJobs.completed)} completed, warm-up included. Each point stands for ${windowText}.${warmupNote(report)}`,
    keys: [],
    panels,
  };
}

function lines(report: RunReport, heading: string, columns: readonly { readonly name: string; readonly column: readonly number[]; readonly color: string }[]): Panel {
  return {
    heading, height: 180,
    keys: columns.map(({ name, color }): Key => ({ name, color, shape: "line" })),
    plot: {
      x: clockAxis(report.horizonUs), y: amountAxis(largest(...columns.map(({ column }) => column))),
      marks: [
        ...warmupMark(report),
        ...columns.map(({ column, color }) => Plot.lineY(timePoints(report, column), { x: "us", y: "value", stroke: color, strokeWidth: 1.8 })),
      ],
    },
  };
}

function felts(report: RunReport): Panel | undefined {
  const { ttftP50Us, ttftP95Us } = report.overTime;
  const values = [...ttftP50Us, ...ttftP95Us].filter((value) => value !== null);
  if (values.length === 0) return undefined;
  const above = (column: readonly (number | null)[]): (number | null)[] => column.map((value) => (value === null ? null : Math.max(1, value)));
  const axis = durationAxis(Math.min(...values), Math.max(...values));
  return {
    heading: "Time to first token of the jobs that completed", height: 180,
    keys: [{ name: "median", color: GOOD, shape: "line" }, { name: "95th percentile", color: BAD, shape: "line" }],
    plot: {
      x: clockAxis(report.horizonUs), y: axis.scale,
      marks: [
        axis.ticksY,
        ...warmupMark(report),
        Plot.lineY(timePoints(report, above(ttftP50Us)), { x: "us", y: "value", stroke: GOOD, strokeWidth: 1.8 }),
        Plot.lineY(timePoints(report, above(ttftP95Us)), { x: "us", y: "value", stroke: BAD, strokeWidth: 1.8 }),
      ],
    },
  };
}
