import * as Plot from "@observablehq/plot";
import type { Histogram, RunReport } from "../../protocol/result.ts";
import { formatDurationUs, formatNumber, formatPercent } from "../../protocol/units.ts";
import { durationAxis, shareAxis } from "./axes.ts";
import type { Figure, Panel } from "./figure.ts";
import { colorsByClass } from "./palette.ts";
import { PLOT_TITLES } from "./titles.ts";

const METRICS = [
  { key: "ttftUs", heading: "Time to first token" },
  { key: "tpotUs", heading: "Time per output token after the first" },
  { key: "endToEndUs", heading: "End to end" },
  { key: "queueingUs", heading: "Queueing: until the node starts on it" },
] as const;

/** Share of jobs at either end of a distribution that a plot may leave out. */
const RARE = 0.001;

/** Shares of completed jobs at or below a latency, per client class, with the classes' goals. */
export function latencyFigure(report: RunReport): Figure {
  const classes = report.clientClasses.filter(({ jobs }) => jobs.completed > 0);
  const { color, shown } = colorsByClass(classes.map(({ name, jobs }) => ({ name, weight: jobs.completed })));
  const drawn = classes.filter(({ name }) => shown.includes(name));
  const left = classes.length - drawn.length;
  const panels = METRICS.flatMap(({ key, heading }): Panel[] => {
    const classCurves = drawn.map(({ name, histograms }) => ({ name, ...cumulative(histograms[key]) }));
    const points = classCurves.flatMap(({ name, zeros, curve }) => curve.map((point) => ({ ...point, name, rare: point.share < zeros + RARE || point.share > 1 - RARE })));
    if (points.length === 0) return [];
    // A few odd jobs must not take half of a logarithmic axis.
    const common = points.filter(({ rare }) => !rare).map(({ us }) => us);
    const kept = common.length < 2 ? points : points.filter(({ us }) => us >= Math.min(...common) && us <= Math.max(...common));
    const asked = key === "queueingUs" ? [] : drawn.flatMap(({ name, goals: goal }) => (goal[key] === null ? [] : [{ name, us: goal[key] }]));
    const goals = [...new Set(asked.map(({ us }) => us))].map((us) => {
      const names = asked.filter((goal) => goal.us === us).map(({ name }) => name);
      // A goal that several classes share belongs to no colour.
      return { us, color: names.length === 1 ? color(names[0]!) : "currentColor" };
    });
    const times = [...kept.map(({ us }) => us), ...goals.map(({ us }) => us)];
    const axis = durationAxis(Math.min(...times), Math.max(...times));
    // A logarithmic axis has no 0: a curve begins at its left edge, at the share of those who took no time.
    const curves = [...classCurves.filter(({ zeros }) => zeros > 0).map(({ name, zeros }) => ({ name, us: axis.least, share: zeros })), ...kept];
    return [{
      heading: `${heading}${atOnce(classCurves)}`, height: 180,
      plot: {
        x: axis.scale,
        y: shareAxis(),
        marks: [
          axis.ticksX,
          Plot.ruleX(goals, { x: "us", stroke: (goal: { color: string }) => goal.color, strokeWidth: 1.5, strokeDasharray: "4 3" }),
          Plot.lineY(curves, { x: "us", y: "share", z: "name", stroke: (point: { name: string }) => color(point.name), strokeWidth: 2 }),
          ...goals.map((goal, row) => {
            const left = isFarRight(goal.us, times);
            // Where no curve passes.
            const above = curves.every(({ us, share }) => us > goal.us || share < 0.3);
            return Plot.text([goal], {
              x: "us", frameAnchor: above ? "top" : "bottom", dx: left ? -4 : 4, dy: (6 + 14 * row) * (above ? 1 : -1), textAnchor: left ? "end" : "start", fill: goal.color, text: () => `goal ${formatDurationUs(goal.us)}`,
            });
          }),
        ],
      },
    }];
  });
  const waits = drawn.map(({ histograms }) => cumulative(histograms.queueingUs));
  const nobodyWaited = waits.length > 0 && waits.every(({ zeros }) => zeros === 1);
  return {
    title: PLOT_TITLES.latency,
    subtitle: `Share of completed jobs at or below a latency, as their clients saw it: ${formatNumber(report.overall.jobs.completed)} jobs${left > 0 ? `; the ${left} smallest client classes are left out` : ""}. The higher a curve at its goal, the better.${nobodyWaited ? " No job waited for its node to start." : ""}`,
    keys: [...drawn.map(({ name }) => ({ name, color: color(name), shape: "line" as const })), ...(hasGoals(drawn) ? [{ name: "latency goal", color: "currentColor", shape: "dashed" as const }] : [])],
    panels,
    empty: classes.length === 0 ? "No job completed in the measured interval." : "Nothing took any time.",
  };
}

/** Shares at or below each value above 0, and the share of values that are 0. */
function cumulative({ edges, counts }: Histogram): { readonly zeros: number; readonly curve: readonly { readonly us: number; readonly share: number }[] } {
  let total = 0;
  for (const count of counts) total += count;
  if (total === 0) return { zeros: 0, curve: [] };
  let below = 0;
  let zeros = 0;
  const curve: { us: number; share: number }[] = [];
  for (const [index, us] of edges.entries()) {
    if (index > 0) below += counts[index - 1]!;
    if (us > 0) curve.push({ us, share: below / total });
    else zeros = below / total;
  }
  return { zeros, curve };
}

/** What a curve that begins above 0 means, to be said in a heading; "" where there is none. */
function atOnce(curves: readonly { readonly name: string; readonly zeros: number }[]): string {
  const some = curves.filter(({ zeros }) => zeros >= RARE).slice(0, 3);
  if (some.length === 0) return "";
  return ` (no time at all: ${some.map(({ name, zeros }) => `${formatPercent(zeros)}${curves.length === 1 ? "" : ` of ${name}`}`).join(", ")})`;
}

/** Too near the right edge for a label on that side. */
function isFarRight(us: number, times: readonly number[]): boolean {
  const low = Math.log(Math.min(...times));
  return Math.log(us) - low > 0.85 * (Math.log(Math.max(...times)) - low);
}

function hasGoals(classes: RunReport["clientClasses"]): boolean {
  return classes.some(({ goals }) => goals.ttftUs !== null || goals.tpotUs !== null || goals.endToEndUs !== null);
}
