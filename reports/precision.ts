import { formatFigure, metricOfPath } from "../protocol/result/metrics.ts";
import type { RunReport } from "../protocol/result.ts";
import type { IntervalsReport, WarmupFinding } from "../protocol/result/precision.ts";
import { formatDurationUs, formatNumber, formatPercent } from "../protocol/units.ts";
import type { Block, Section } from "./blocks.ts";

type Known = IntervalsReport["figures"][number];

/** Groups of figures beyond this many are left to report.json. */
const GROUPS = 12;

/** What was left out at the start, and how well this run alone knows its means. */
export function precisionSection(report: RunReport): Section[] {
  const blocks: Block[] = [...warmupBlocks(report), ...intervalBlocks(report)];
  return blocks.length === 0 ? [] : [{ title: "Warm-up and precision", blocks }];
}

/** The interval of a mean, for people: "4.9 to 5.3 s"; null where there is none that is to be trusted. */
export function halfWidthInWords(report: RunReport, figure: string): string | null {
  const known = report.intervals?.figures.find((one) => one.figure === figure);
  return known === undefined || !known.trusted || known.mean === 0 ? null : `± ${formatPercent(known.halfWidth / Math.abs(known.mean), 2)}`;
}

function warmupBlocks({ warmup: { jobs, share, found }, warmupUs }: RunReport): Block[] {
  const left = `${formatNumber(jobs)} ${jobs === 1 ? "job" : "jobs"}${share === null ? "" : `, ${formatPercent(share)} of all`}`;
  return warmupUs === 0 && found === null ? [] : [{ kind: "text", text: warmupInWords(warmupUs, left, found) }, ...(found === null ? [] : [{ kind: "plot", name: "warmup" } as const, cutsTable(found)])];
}

/** What was left out and why, in a sentence or two. @param left how many jobs that is */
export function warmupInWords(warmupUs: number, left: string, found: WarmupFinding | null): string {
  if (found === null) return `The first ${formatDurationUs(warmupUs)}, a time that the scenario states, are left out of the statistics: ${left}.`;
  const { pilots, windowUs, sufficient } = found;
  return `${warmupUs === 0 ? "Nothing had to be left out of the statistics at the start" : `The first ${formatDurationUs(warmupUs)} are left out of the statistics: ${left}`}. That is where MSER-5 (White 1997) cuts the mean course of ${formatNumber(pilots)} runs with other random numbers, in steps of ${formatDurationUs(windowUs)}; of several courses the latest cut counts.${sufficient ? "" : " Not every course settles in the first half of the run: it is too short to tell where its start ends, or its market keeps changing."}`;
}

/** Where each course was cut. */
export function cutsTable({ series }: WarmupFinding): Extract<Block, { kind: "table" }> {
  return {
    kind: "table", caption: "Where each course is cut", head: ["", "cut at", "settles"],
    rows: series.map(({ name, cutUs, sufficient: settles }) => [SERIES_NAMES[name], formatDurationUs(cutUs), settles ? "yes" : "not in the first half"]),
  };
}

/** What pilots' series are called. */
export const SERIES_NAMES = { inSystem: "jobs in the system", latencyUs: "mean latency of the jobs submitted then", perMtokMsat: "price paid per million tokens" } as const;

function intervalBlocks({ intervals }: RunReport): Block[] {
  if (intervals === null) return [{ kind: "text", text: "The run is too short for confidence intervals of its own." }];
  const groups = new Map<string, Known[]>();
  for (const known of intervals.figures) {
    // Means that are the same all the time, such as prices where all is free, are no news.
    if (known.halfWidth === 0 && known.trusted) continue;
    const name = /^(?:client|operator)Classes\.(.*?)\.(?:latency|prices|goodput|attempts|utilisation)\b/.exec(known.figure)?.[1] ?? "";
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [known]);
    else group.push(known);
  }
  const doubtful = intervals.figures.filter(({ trusted }) => !trusted).length;
  return [
    {
      kind: "text",
      text: `Of means, this run alone gives intervals in which the true ones lie with ${formatPercent(intervals.confidence)} confidence: by batch means, from ${intervals.batches} parts of the measured time.${doubtful === 0 ? "" : ` Of ${formatNumber(doubtful)} ${doubtful === 1 ? "figure" : "figures"} neighbouring parts are alike beyond chance: there the run is too short for its own ups and downs, or its course is not level, and no interval is given; replications give one (--replications 20).`} Quantiles have none here.`,
    },
    ...[...groups].slice(0, GROUPS).map(([name, figures]): Block => ({
      kind: "table", caption: name === "" ? "Means and their intervals, all jobs" : `Means and their intervals, ${name}`, head: ["", "mean", "interval", "", "correlation of parts"],
      rows: figures.map(({ figure, mean, halfWidth, correlation, trusted }) => {
        const { label, unit } = metricOfPath(figure);
        const text = (value: number): string => formatFigure(Number(value.toPrecision(4)), unit);
        return [
          name === "" ? label : label.replace(` of ${name}`, ""), text(mean), trusted ? `${text(mean - halfWidth)} to ${text(mean + halfWidth)}` : "–",
          trusted && mean !== 0 ? `± ${formatPercent(halfWidth / Math.abs(mean), 2)}` : "–", correlation.toFixed(2),
        ];
      }),
    })),
  ];
}
