import { metricOfPath, roundedFigure } from "../protocol/result/metrics.ts";
import type { RunReport } from "../protocol/result.ts";
import { endsOf, type IntervalsReport, type WarmupFinding, type WithoutInterval } from "../protocol/result/precision.ts";
import { formatDurationUs, formatNumber, formatPercent } from "../protocol/units.ts";
import type { Block, Section } from "./blocks.ts";

type Known = IntervalsReport["figures"][number];

/** Groups of figures beyond this many are left to report.json. */
const GROUPS = 12;

/** What was left out at the start, and how well this run alone knows its figures. */
export function precisionSection(report: RunReport): Section[] {
  const blocks: Block[] = [...warmupBlocks(report), ...intervalBlocks(report)];
  return blocks.length === 0 ? [] : [{ title: "Warm-up and precision", blocks }];
}

/** How wide a figure's interval is, for people: "± 5 %"; null where there is none that is to be trusted. */
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

/** Figures that many look at: a table of them for all jobs and for each class. All others are in one that is folded. */
const KEY = /\.(latency\.\w+\.(mean|p50|p95)|prices\.\w+\.mean|goodput\.share|attempts\.perJob|throughput\.completedJobsPerS)$|(^market|^operatorClasses\..*)\.(utilisation|revenueMsat)$|^market\.(completedShare|energyKwh|costsMsat|profitMsat)$|^checks\.little\.meanInSystem$|^welfare\.(totalMsat|shareReached)$|^structure\.(gini|lerner|hhi\.nodes)$/;

function intervalBlocks({ intervals }: RunReport): Block[] {
  if (intervals === null) return [{ kind: "text", text: "The run is too short for confidence intervals of its own." }];
  const groups = new Map<string, Known[]>();
  for (const known of intervals.figures) {
    // Figures that are the same all the time, such as prices where all is free, are no news.
    if ((known.halfWidth === 0 && known.trusted) || !KEY.test(known.figure)) continue;
    const name = /^(?:client|operator)Classes\.(.*?)\.(?:latency|prices|goodput|attempts|throughput|utilisation|revenueMsat)\b/.exec(known.figure)?.[1] ?? "";
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [known]);
    else group.push(known);
  }
  const doubtful = intervals.figures.filter(({ trusted }) => !trusted).length;
  const head = ["", "figure", "interval", "", "correlation of parts"];
  const row = (known: Known, name: string): string[] => {
    const { figure, mean, halfWidth, correlation, trusted } = known;
    const { label, unit } = metricOfPath(figure);
    const { low, high } = endsOf(known);
    const text = (value: number): string => roundedFigure(value, unit, 4);
    return [
      name === "" ? label : label.replace(` of ${name}`, "").replace(`${name}: `, ""), text(mean), trusted ? `${text(low)} to ${text(high)}` : "–",
      trusted && mean !== 0 ? `± ${formatPercent(halfWidth / Math.abs(mean), 2)}` : "–", correlation.toFixed(2),
    ];
  };
  const shown = [...groups].slice(0, GROUPS);
  return [
    {
      kind: "text",
      text: `This run alone gives intervals in which the true figures lie with ${formatPercent(intervals.confidence)} confidence: by batch means, from ${intervals.batches} parts of the measured time; of quantiles by the share of jobs below them.${doubtful === 0 ? "" : ` Of ${formatNumber(doubtful)} ${doubtful === 1 ? "figure" : "figures"} neighbouring parts are alike beyond chance: there the run is too short for its own ups and downs, or its course is not level, and no interval is given; replications give one (--replications 20).`}`,
    },
    ...shown.map(([name, figures]): Block => ({
      kind: "table", caption: name === "" ? "Figures and their intervals, all jobs" : `Figures and their intervals, ${name}`, head, rows: figures.map((known) => row(known, name)),
    })),
    {
      kind: "table", folded: true, caption: `All ${formatNumber(intervals.figures.length)} figures that have an interval, by their path in report.json`, head: ["path", ...head.slice(1)],
      rows: intervals.figures.map((known) => [known.figure, ...row(known, "").slice(1)]),
    },
    ...withoutBlocks(intervals),
  ];
}

/** Why figures have no interval, in words. */
const WHY: Readonly<Record<WithoutInterval, string>> = {
  seldom: "it happens in fewer than ten of the parts, or too few jobs lie beyond it",
  extreme: "the least or greatest value so far: it grows with the run",
  moment: "how things stood at one moment",
  given: "given by the scenario, or drawn before the run began",
  warmup: "it counts the warm-up; the same of the measured time has an interval",
  follows: "it follows from others that have one, or is bookkeeping",
  course: "a slope over the run's own course: replications give its interval",
  unknown: "nobody has said how it comes about: a fault of the program",
};

function withoutBlocks({ without }: IntervalsReport): Block[] {
  if (without === undefined || without.length === 0) return [];
  return [{
    kind: "table", folded: true, caption: `Figures that have none: ${formatNumber(without.reduce((sum, { figures }) => sum + figures.length, 0))}`, head: ["path", "why not"],
    rows: without.flatMap(({ why, figures }) => figures.map((figure) => [figure, WHY[why]])),
  }];
}
