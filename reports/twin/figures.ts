import * as Plot from "@observablehq/plot";
import type { JobRow } from "../../protocol/result.ts";
import type { TwinPhase, TwinReport } from "../../protocol/result/twin.ts";
import { formatNumber, formatPercent } from "../../protocol/units.ts";
import type { Figure } from "../plots/figure.ts";
import { renderFigure } from "../plots/figure.ts";
import { BAD, GOOD, GREY } from "../plots/palette.ts";
import { METRIC_WORDS, TWIN_TITLES, type TwinPlotName } from "./titles.ts";

/** A job in both worlds. */
export interface JobPair {
  readonly real: JobRow;
  readonly simulated: JobRow;
}

/** Dots beyond this many are thinned out evenly. */
const DOTS = 2_000;

/** Every plot of a twin report, as SVG documents. */
export function renderTwinPlots(report: TwinReport, pairs: readonly JobPair[]): Record<TwinPlotName, string> {
  return { errors: renderFigure(errorsFigure(report)), quantiles: renderFigure(quantilesFigure(report)), jobs: renderFigure(jobsFigure(pairs)) };
}

interface ErrorDot {
  readonly metric: string;
  readonly phase: string;
  readonly statistic: "mean" | "p95";
  readonly error: number;
}

function errorsFigure({ overall, phases }: TwinReport): Figure {
  const all: readonly TwinPhase[] = [overall, ...phases];
  const dots = all.flatMap(({ name, comparisons, throughput }): ErrorDot[] => [
    ...comparisons.filter(({ metric }) => metric !== "price").flatMap(({ metric, error }) => (["mean", "p95"] as const).flatMap((statistic): ErrorDot[] => {
      const value = error[statistic];
      return value === null ? [] : [{ metric: METRIC_WORDS[metric], phase: name, statistic, error: value }];
    })),
    ...(throughput.jobsPerS.error === null ? [] : [{ metric: "throughput", phase: name, statistic: "mean" as const, error: throughput.jobsPerS.error }]),
  ]);
  const title = TWIN_TITLES.errors;
  if (dots.length === 0) return { title, subtitle: "", keys: [], panels: [], empty: "No job was completed in both worlds." };
  const most = Math.min(1, Math.max(0.12, ...dots.map(({ error }) => Math.abs(error)))) * 1.1;
  const metrics = [...new Set(dots.map(({ metric }) => metric))];
  const step = [0.05, 0.1, 0.2, 0.5].find((one) => most / one <= 5) ?? 0.5;
  const ticks = Array.from({ length: 2 * Math.floor(most / step) + 1 }, (_, i) => (i - Math.floor(most / step)) * step);
  return {
    title,
    subtitle: "Simulated over real, less one. Bands: 5 % and 10 %. Dots beyond the edge lie on it.",
    keys: [{ name: "mean", color: GOOD }, { name: "95th percentile", color: BAD }],
    panels: all.map(({ name, jobs }) => ({
      heading: `${name === "all" ? "All jobs" : name}: ${formatNumber(jobs)} jobs`, height: 34 + 24 * metrics.length,
      plot: {
        marginLeft: 130,
        x: { domain: [-most, most], label: null, grid: true, ticks, tickFormat: (value: number) => `${value > 0 ? "+" : ""}${formatPercent(value)}` },
        y: { domain: metrics, label: null, tickSize: 0 },
        marks: [
          Plot.rectX([{ a: -0.1, b: 0.1 }], { x1: "a", x2: "b", fill: GREY, fillOpacity: 0.12 }),
          Plot.rectX([{ a: -0.05, b: 0.05 }], { x1: "a", x2: "b", fill: GREY, fillOpacity: 0.18 }),
          Plot.ruleX([0], { stroke: "currentColor", strokeOpacity: 0.6 }),
          Plot.dot(dots.filter(({ phase }) => phase === name), {
            x: ({ error }: ErrorDot) => Math.max(-most, Math.min(most, error)), y: "metric", r: 5, fill: ({ statistic }: ErrorDot) => statistic === "mean" ? GOOD : BAD, fillOpacity: 0.9,
          }),
        ],
      },
    })),
  };
}

function quantilesFigure({ quantiles, overall }: TwinReport): Figure {
  const title = TWIN_TITLES.quantiles;
  const shown = quantiles.flatMap(({ metric, points }) => {
    const mean = overall.comparisons.find((one) => one.metric === metric)?.real.mean ?? 0;
    if (metric === "price" || mean === 0) return [];
    return points.map(([share, real, simulated]) => ({ metric: METRIC_WORDS[metric], real: real / mean, simulated: simulated / mean, high: share >= 0.95 }));
  });
  if (shown.length === 0) return { title, subtitle: "", keys: [], panels: [], empty: "No job was completed in both worlds." };
  const metrics = [...new Set(shown.map(({ metric }) => metric))];
  return {
    title,
    subtitle: "Quantiles of the simulation against those of reality, each in units of the real mean: on the line, the same share of jobs is as fast or faster in both. Scales are square roots, so that both ends can be seen.",
    keys: [{ name: "up to the 95th percentile", color: GOOD }, { name: "above", color: BAD }, { name: "equal", color: GREY, shape: "dashed" }],
    panels: [0, 2].flatMap((from) => {
      const names = metrics.slice(from, from + 2);
      if (names.length === 0) return [];
      const points = shown.filter(({ metric }) => names.includes(metric));
      const most = Math.max(...points.flatMap(({ real, simulated }) => [real, simulated])) * 1.05;
      return [{
        heading: "Simulated (up) against real (right)", height: 330,
        plot: {
          marginTop: 26,
          fx: { domain: names, label: null },
          x: { type: "sqrt" as const, domain: [0, most], label: null, grid: true, ticks: 4, tickFormat: times },
          y: { type: "sqrt" as const, domain: [0, most], label: null, grid: true, ticks: 4, tickFormat: times },
          marks: [
            Plot.link([{ a: 0, b: most }], { x1: "a", y1: "a", x2: "b", y2: "b", stroke: GREY, strokeDasharray: "4 3" }),
            Plot.dot(points, { fx: "metric", x: "real", y: "simulated", r: 3, fill: ({ high }: { high: boolean }) => high ? BAD : GOOD, fillOpacity: 0.8 }),
          ],
        },
      }];
    }),
  };
}

function jobsFigure(pairs: readonly JobPair[]): Figure {
  const title = TWIN_TITLES.jobs;
  const done = pairs.filter(({ real, simulated }) => real.status === "completed" && simulated.status === "completed");
  const every = Math.max(1, Math.ceil(done.length / DOTS));
  const dots = done.filter((_, i) => i % every === 0).map(({ real, simulated }) => ({
    real: (real.finishedUs - real.submittedUs) / 1e6, simulated: (simulated.finishedUs - simulated.submittedUs) / 1e6, same: real.node === simulated.node,
  }));
  if (dots.length === 0) return { title, subtitle: "", keys: [], panels: [], empty: "No job was completed in both worlds." };
  const values = dots.flatMap(({ real, simulated }) => [real, simulated]).filter((value) => value > 0);
  const [least, most] = [Math.min(...values) / 1.1, Math.max(...values) * 1.1];
  const ticks = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200].filter((tick) => tick >= least && tick <= most);
  // Plot's own axis leaves labels of a logarithmic scale out as it thinks fit.
  const axis = { type: "log" as const, domain: [least, most], label: null, grid: true, ticks, axis: null };
  const seconds = { text: (value: number) => `${value} s`, label: null };
  return {
    title,
    subtitle: `One dot per job${every > 1 ? ` (one in ${every} is drawn)` : ""}: from submission to result, for real and in the simulation.`,
    keys: [{ name: "went to the same node", color: GOOD }, { name: "to another", color: BAD }, { name: "equal", color: GREY, shape: "dashed" }],
    panels: [{
      heading: "Simulated (up) against real (right)", height: 460,
      plot: {
        x: axis, y: axis,
        marks: [
          Plot.gridX(ticks), Plot.gridY(ticks), Plot.axisX(ticks, seconds), Plot.axisY(ticks, seconds),
          Plot.link([{ a: least, b: most }], { x1: "a", y1: "a", x2: "b", y2: "b", stroke: GREY, strokeDasharray: "4 3" }),
          Plot.dot(dots, { x: "real", y: "simulated", r: 2.5, fill: ({ same }: { same: boolean }) => same ? GOOD : BAD, fillOpacity: 0.6 }),
        ],
      },
    }],
  };
}

function times(value: number): string {
  return `x ${formatNumber(value, value < 1 && value > 0 ? 1 : 0)}`;
}
