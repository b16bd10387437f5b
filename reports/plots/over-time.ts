import * as Plot from "@observablehq/plot";
import type { RunReport } from "../../protocol/result.ts";

/** A value in the middle of its time window. */
export interface TimePoint {
  readonly us: number;
  readonly value: number;
}

/** A column of the time series as points; windows without a value leave a gap. */
export function timePoints(report: RunReport, column: readonly (number | null)[]): TimePoint[] {
  const { startUs, windowUs } = report.overTime;
  return startUs.map((us, index) => ({ us: us + windowLengthUs(report, index, windowUs) / 2, value: column[index] ?? Number.NaN }));
}

/** Counts per window as rates per second. */
export function perSecond(report: RunReport, column: readonly number[]): number[] {
  return column.map((count, index) => (count * 1e6) / windowLengthUs(report, index, report.overTime.windowUs));
}

/** To be said under a title whose plots shade the warm-up; "" where there is none. */
export function warmupNote(report: RunReport): string {
  return report.warmupUs === 0 ? "" : " Shaded: the warm-up, which the statistics leave out.";
}

/** Shades the warm-up, which the statistics leave out. */
export function warmupMark(report: RunReport): Plot.Markish[] {
  if (report.warmupUs === 0) return [];
  return [Plot.rect([{ from: 0, to: report.warmupUs }], { x1: "from", x2: "to", fill: "currentColor", fillOpacity: 0.07 })];
}

/** The last window may be cut short by the horizon. */
function windowLengthUs(report: RunReport, index: number, windowUs: number): number {
  return Math.min(windowUs, report.horizonUs - report.overTime.startUs[index]!);
}
