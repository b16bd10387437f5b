import * as Plot from "@observablehq/plot";
import { formatPercent } from "../../protocol/units.ts";
import { durationAxis, spanAxis } from "../plots/axes.ts";
import type { Figure } from "../plots/figure.ts";
import { COLORS } from "../plots/palette.ts";

/** Durations as measured and as a fitted form has them. */
export interface CalibrationFigure {
  /** What was measured, such as the machine and the model. */
  readonly name: string;
  /** How well the form fits, in words. */
  readonly verdict: string;
  readonly groups: readonly {
    readonly name: string;
    /** Microseconds; `used`: whether the fit saw the point. */
    readonly points: readonly { readonly measuredUs: number; readonly fittedUs: number; readonly used: boolean }[];
  }[];
}

/** Errors beyond this are drawn at the edge. */
const ERROR_MAX = 0.3;

/** Fitted over measured, on logarithmic axes, and the relative error of each point. */
export function calibrationFigure({ name, verdict, groups }: CalibrationFigure): Figure {
  const shown = groups.filter(({ points }) => points.length > 0);
  const title = `Measured and fitted: ${name}`;
  const points = shown.flatMap((group, i) => group.points.map((point) => ({
    ...point, color: COLORS[i % COLORS.length]!, error: Math.max(-ERROR_MAX, Math.min(ERROR_MAX, point.fittedUs / point.measuredUs - 1)),
  }))).filter(({ measuredUs, fittedUs }) => measuredUs > 0 && fittedUs > 0);
  if (points.length === 0) return { title, subtitle: verdict, keys: [], panels: [], empty: "There are no points." };
  const all = points.flatMap(({ measuredUs, fittedUs }) => [measuredUs, fittedUs]);
  const least = all.reduce((low, us) => Math.min(low, us), Infinity);
  const most = all.reduce((high, us) => Math.max(high, us), 0);
  const axis = durationAxis(least / 1.2, most * 1.2);
  const reach = Math.min(ERROR_MAX, Math.max(0.05, points.reduce((max, { error }) => Math.max(max, Math.abs(error)), 0) * 1.1));
  const dots = { r: 3.5, stroke: "color", fill: (point: (typeof points)[number]) => (point.used ? point.color : "transparent"), strokeWidth: 1.4 } as const;
  return {
    title,
    subtitle: `${verdict} Open circles: points that the fit had not seen. The line: no error.`,
    keys: shown.map((group, i) => ({ name: group.name, color: COLORS[i % COLORS.length]! })),
    panels: [
      {
        heading: "Fitted against measured duration", height: 380,
        plot: {
          x: axis.scale, y: axis.scale,
          marks: [axis.ticksX, axis.ticksY, Plot.line([{ us: least }, { us: most }], { x: "us", y: "us", strokeOpacity: 0.4 }), Plot.dot(points, { x: "measuredUs", y: "fittedUs", ...dots })],
        },
      },
      {
        heading: `Fitted over measured, less one${reach === ERROR_MAX ? "; larger errors lie at the edge" : ""}`, height: 200,
        plot: {
          x: axis.scale, y: spanAxis(-reach, reach, 4, (share) => formatPercent(share)),
          marks: [axis.ticksX, Plot.ruleY([0], { strokeOpacity: 0.4 }), Plot.dot(points, { x: "measuredUs", y: "error", ...dots })],
        },
      },
    ],
  };
}
