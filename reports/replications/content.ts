import type { Estimate } from "../../protocol/result/experiment.ts";
import type { ReplicationsReport, StoppingRule } from "../../protocol/result/replications.ts";
import { formatFigure, metricOfPath, roundedFigure } from "../../protocol/result/metrics.ts";
import type { FigureUnit } from "../../protocol/result/metrics.ts";
import { formatDurationUs, formatNumber, formatPercent, formatSignificant } from "../../protocol/units.ts";
import type { Block, Content, Section } from "../blocks.ts";
import { provenanceSection } from "../provenance.ts";
import { cutsTable, warmupInWords } from "../precision.ts";
import type { ReplicationsPlotName } from "./titles.ts";

type Part = Section<ReplicationsPlotName>;
type Piece = Block<ReplicationsPlotName>;

const NONE = "–";

/** A report of replications in words, tables and plots. */
export function replicationsContent(report: ReplicationsReport): Content<ReplicationsPlotName> {
  const { scenario } = report.provenance;
  return {
    title: `${scenario.name}, ${runs(report.runs.played - report.runs.failed)}`,
    question: scenario.question,
    sections: [summary(report), overTime(report), ...groups(report), reading(report), provenanceSection(report, { seed: "seed of replication 0" })],
  };
}

/** An estimate for people: "1.23 s ± 2.1 %", as exact as its interval. */
export function formatEstimate({ mean, interval }: Estimate, unit: FigureUnit): { readonly mean: string; readonly interval: string; readonly relative: string } {
  if (interval === null || mean === null) return { mean: formatFigure(mean, unit), interval: NONE, relative: NONE };
  const half = (interval.high - interval.low) / 2;
  const exact = (value: number): string => exactly(value, half, unit);
  return {
    mean: exact(mean),
    interval: half === 0 ? "the same in every run" : between(exact(interval.low), exact(interval.high)),
    relative: mean === 0 || half === 0 ? NONE : `± ${formatPercent(half / Math.abs(mean), 2)}`,
  };
}

function summary(report: ReplicationsReport): Part {
  const { until, keyMetrics, confidence, provenance: { interrupted }, runs: { played, failed, failures } } = report;
  const items = [
    `${capital(runs(played))} of ${formatDurationUs(report.horizonUs)} each, with independent random numbers${report.warmupUs === 0 ? "" : `; the first ${formatDurationUs(report.warmupUs)} of each are left out`}.`,
    ...(until === null ? [] : [untilInWords(until)]),
    ...(interrupted === true ? ["Interrupted: this rests on the runs that were over."] : []),
    ...(failed === 0 ? [] : [`${capital(runs(failed))} failed and ${failed === 1 ? "has" : "have"} no part in the figures. The first: ${failures[0]!.name}, seed ${failures[0]!.seed}: ${failures[0]!.error}`]),
  ];
  const blocks: Piece[] = [
    { kind: "list", items },
    {
      kind: "table", caption: `Means over the runs, and where the true means lie (${formatPercent(confidence)})`, head: ["", "mean", "interval", "", "least run", "greatest run"],
      rows: keyMetrics.map(({ metric, estimate }) => {
        const text = formatEstimate(estimate, metric.unit);
        return [metric.label, text.mean, text.interval, text.relative, short(estimate.min, metric.unit), short(estimate.max, metric.unit)];
      }),
    },
    { kind: "plot", name: "intervals" },
    { kind: "plot", name: "convergence" },
  ];
  if (until !== null) {
    blocks.push({
      kind: "table", caption: `Looks at the interval of ${until.metric.label}`, head: ["after", "mean", "half width", "narrow enough"],
      rows: until.looks.map((look) => [runs(look.runs), formatFigure(look.mean, until.metric.unit), look.relativeHalfWidth === null ? NONE : formatPercent(look.relativeHalfWidth), look.met ? "yes" : "no"]),
    });
  }
  return { title: "Summary", blocks };
}

/** How the stopping rule went, in a sentence. */
export function untilInWords({ metric, halfWidth, confidence, atMost, met, looks }: StoppingRule): string {
  const last = looks.at(-1);
  const goal = `the ${metric.label} known within ${formatPercent(halfWidth)} at ${formatPercent(confidence)} confidence`;
  if (last === undefined) return `Asked for: ${goal}. No run has this figure, so that no number of runs will do.`;
  if (met) return `Asked for: ${goal}. ${capital(runs(last.runs))} were enough.`;
  const found = last.relativeHalfWidth === null ? "" : `: it is known within ${formatPercent(last.relativeHalfWidth / (1 - Math.min(0.99, last.relativeHalfWidth)), 2)}`;
  return `Asked for: ${goal}. ${capital(runs(last.runs))}${last.runs >= atMost ? ", the most allowed," : ""} were not enough${found}.`;
}

function overTime({ warmup: { share, found }, warmupUs }: ReplicationsReport): Part {
  const left = share === null ? "nothing" : `${formatPercent(share)} of the jobs`;
  return {
    title: "Over time",
    blocks: [
      { kind: "plot", name: "over-time" },
      ...(warmupUs === 0 && found === null ? [] : [{ kind: "text", text: warmupInWords(warmupUs, left, found) } as const]),
      ...(found === null ? [] : [{ kind: "plot", name: "warmup" } as const, cutsTable(found)]),
    ],
  };
}

/** Every figure, in tables by what it is about. */
function groups({ figures, confidence }: ReplicationsReport): Part[] {
  const tables = new Map<string, string[][]>();
  for (const [path, estimate] of Object.entries(figures)) {
    const { title, name } = place(path);
    const { unit } = metricOfPath(path);
    const text = formatEstimate(estimate, unit);
    const row = [name, text.mean, text.interval, text.relative, short(estimate.sd, unit), formatNumber(estimate.runs)];
    const rows = tables.get(title);
    if (rows === undefined) tables.set(title, [row]);
    else rows.push(row);
  }
  return [{
    title: "Every figure",
    blocks: [...tables].map(([title, rows]): Piece => ({ kind: "table", caption: `${title} (${formatPercent(confidence)})`, head: ["", "mean", "interval", "", "sd between runs", "runs"], rows })),
  }];
}

/** Which table a figure goes into, and its name there. */
function place(path: string): { readonly title: string; readonly name: string } {
  const [root = "", ...rest] = path.split(".");
  if (root === "clientClasses" || root === "operatorClasses") {
    return { title: `${root === "clientClasses" ? "Clients" : "Operators"}: ${rest[0]}`, name: rest.slice(1).join(" ") };
  }
  return { title: rest.length === 0 ? "The run" : root, name: rest.length === 0 ? root : rest.join(" ") };
}

function reading({ until }: ReplicationsReport): Part {
  return {
    title: "How to read this",
    blocks: [
      { kind: "text", text: "Each run has random numbers of its own, so runs are independent, and Student's t gives the interval of a mean over them. It holds for figures whose runs scatter about evenly; where runs are few and a rare run is far off, an interval is too short." },
      { kind: "text", text: "The estimate of a quantile (p50, p95, ...) is the mean of the runs' quantiles, and its interval is that of this mean: where a run has few jobs, that is not quite the quantile of all jobs together." },
      { kind: "text", text: "What is counted by reason or cause counts as 0 in runs where it did not occur. Other figures rest on the runs in which they are defined: the column of runs says how many." },
      ...(until === null ? [] : [{ kind: "text", text: `The interval is looked at after ${until.atLeast} runs, and then after as many as would do if the runs go on to scatter as they did, at least 5 and a tenth more, at most twice as many. Narrow enough is a half width of ${formatSignificant(until.halfWidth / (1 + until.halfWidth) * 100)} % of the estimated mean, which makes ${formatPercent(until.halfWidth)} of the true one (Law, Simulation Modeling and Analysis, 9.4.2). Runs stop where chance has made the interval narrow, so it covers a little less often than it says.` } as const]),
    ],
  };
}

function runs(count: number): string {
  return count === 1 ? "1 run" : `${formatNumber(count)} runs`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** To four digits: enough to compare. */
function short(value: number | null, unit: FigureUnit): string {
  return roundedFigure(value, unit, 4);
}

/** "4.1 to 6.3 s": the unit once where both have the same. */
function between(low: string, high: string): string {
  const [, number, unit] = /^(-?[\d.,]+)( .*|\/.*)$/.exec(low) ?? [];
  return number !== undefined && /^-?[\d.,]+( .*|\/.*)$/.exec(high)?.[1] === unit ? `${number} to ${high}` : `${low} to ${high}`;
}

/** To two digits of its half width: more would be noise. Shares near 100 % have as many as it takes. */
function exactly(value: number, half: number, unit: FigureUnit): string {
  if (half === 0 || value === 0) return formatFigure(value, unit);
  const digits = Math.min(12, Math.max(2, exponent(value) - exponent(half) + 2));
  return unit === "share" && digits > 3 ? formatPercent(value, digits) : roundedFigure(value, unit, digits);
}

function exponent(value: number): number {
  return Number(value.toExponential().split("e")[1]);
}
