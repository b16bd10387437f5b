import * as Plot from "@observablehq/plot";
import type { RunReport } from "../../protocol/result.ts";
import type { WarmupFinding } from "../../protocol/result/precision.ts";
import { formatDurationUs, formatMsatPerMtok, formatSignificant } from "../../protocol/units.ts";
import { clockAxis, spanAxis } from "./axes.ts";
import type { Figure, Panel } from "./figure.ts";
import { BAD, GOOD } from "./palette.ts";
import { PLOT_TITLES } from "./titles.ts";

const HEADINGS = { inSystem: "Jobs in the system", latencyUs: "Mean latency of the jobs submitted then", perMtokMsat: "Price paid per million tokens" } as const;
/** Points drawn of a series at most. */
const POINTS = 250;

/** What was left out at the start of something. */
export interface Left {
  readonly warmup: Pick<RunReport["warmup"], "found">;
  readonly warmupUs: number;
  readonly horizonUs: number;
}

/** The pilots' courses and where they were cut. */
export function warmupFigure({ warmup: { found }, warmupUs, horizonUs }: Left): Figure {
  const title = PLOT_TITLES.warmup;
  if (found === null) return { title, subtitle: "", keys: [], panels: [], empty: warmupUs === 0 ? "Nothing was left out." : `The scenario says so: the first ${formatDurationUs(warmupUs)} are left out.` };
  return {
    title,
    subtitle: `Mean course of ${found.pilots} runs with other random numbers. Shaded: what is left out, ${formatDurationUs(warmupUs)}.`,
    keys: [{ name: "mean over the runs", color: GOOD, shape: "line" }, { name: "where MSER-5 cuts this course", color: BAD, shape: "dashed" }],
    panels: found.series.flatMap((series) => panel(series, found.windowUs, warmupUs, horizonUs)),
    empty: "Nothing happened in the runs that were looked at.",
  };
}

function panel({ name, values, cutUs }: WarmupFinding["series"][number], windowUs: number, warmupUs: number, horizonUs: number): Panel[] {
  const per = Math.ceil(values.length / POINTS);
  const points: { us: number; value: number }[] = [];
  for (let i = 0; i < values.length; i += per) {
    const known = values.slice(i, i + per).filter((value) => value !== null);
    if (known.length > 0) points.push({ us: (i + per / 2) * windowUs, value: known.reduce((sum, value) => sum + value, 0) / known.length });
  }
  const most = Math.max(0, ...points.map(({ value }) => value));
  if (most === 0) return [];
  const text = name === "latencyUs" ? formatDurationUs : name === "perMtokMsat" ? (msat: number) => formatMsatPerMtok(Number(msat.toPrecision(4))) : (jobs: number) => formatSignificant(jobs, 4);
  return [{
    heading: HEADINGS[name], height: 170,
    plot: {
      marginLeft: 96,
      x: clockAxis(horizonUs), y: spanAxis(0, 1.05 * most, 4, text),
      marks: [
        ...(warmupUs === 0 ? [] : [Plot.rect([{ from: 0, to: warmupUs }], { x1: "from", x2: "to", fill: "currentColor", fillOpacity: 0.07 })]),
        Plot.lineY(points, { x: "us", y: "value", stroke: GOOD, strokeWidth: 1.6 }),
        Plot.ruleX([cutUs], { stroke: BAD, strokeDasharray: "4 3", strokeWidth: 1.5 }),
      ],
    },
  }];
}
