import Table from "cli-table3";
import type { JobGroup, OperatorClassReport, RunReport } from "../protocol/result.ts";
import { formatDurationUs, formatMsat, formatMsatPerMtok, formatNumber, formatPercent } from "../protocol/units.ts";

const none = "-";

const show = (value: number | null, format: (value: number) => string): string => (value === null ? none : format(value));

const share = (part: number, whole: number): string => (whole === 0 ? none : formatPercent(part / whole));

/** Reasons shown one by one; the rest is summed up. */
const shownReasons = 4;

/** Jobs that did not complete, one line for each reason, the most frequent first. */
const outcome = (group: JobGroup): string => {
  const reasons = group.reasons.toSorted((a, b) => b.jobs - a.jobs);
  const lines = reasons.slice(0, shownReasons).map(({ status, reason, jobs }) => `${formatNumber(jobs)} ${status}${reason === "" ? "" : `: ${reason}`}`);
  const rest = reasons.slice(shownReasons).reduce((sum, { jobs }) => sum + jobs, 0);
  if (rest > 0) lines.push(`${formatNumber(rest)} for other reasons`);
  if (group.jobs.inFlight > 0) lines.push(`${formatNumber(group.jobs.inFlight)} still under way`);
  return lines.length === 0 ? "none" : lines.join("\n");
};

/** Median and 95 % quantile of a latency. */
const latency = (summary: { p50: number | null; p95: number | null }): string =>
  summary.p50 === null ? none : `${formatDurationUs(summary.p50)}; 95 % within ${show(summary.p95, formatDurationUs)}`;

/** What a newcomer wants to know of a set of jobs, in the order in which one asks. */
const rows: readonly (readonly [string, (group: JobGroup) => string])[] = [
  ["jobs submitted", (group) => formatNumber(group.jobs.submitted)],
  ["completed", (group) => `${formatNumber(group.jobs.completed)} (${share(group.jobs.completed, group.jobs.submitted)})`],
  ["not completed", outcome],
  ["first token after", (group) => latency(group.latency.ttftUs)],
  ["each further token", (group) => latency(group.latency.tpotUs)],
  ["whole answer after", (group) => latency(group.latency.endToEndUs)],
  ["met every latency goal", (group) => show(group.goodput.share, (value) => `${formatPercent(value)} of jobs`)],
  ["output tokens", (group) => show(group.throughput.outputTokensPerS, (value) => `${formatNumber(value)} /s`)],
  ["price paid, median", (group) => show(group.prices.perMtokMsat.p50, formatMsatPerMtok)],
  ["paid in all", (group) => `${formatMsat(group.paidMsat)}, of which fees ${formatMsat(group.feesMsat)}`],
];

const plain = { head: [], border: [], compact: true };

const clientsTable = (report: RunReport): string => {
  const classes = report.clientClasses.length > 1 ? report.clientClasses : [];
  const table = new Table({ head: ["clients", "all", ...classes.map(({ name }) => name)], style: plain });
  for (const [label, show] of rows) table.push([label, show(report.overall), ...classes.map((group) => show(group))]);
  return table.toString();
};

const operatorRow = (operator: OperatorClassReport): string[] => [
  operator.name,
  formatNumber(operator.nodes),
  formatNumber(operator.jobs),
  show(operator.utilisation, formatPercent),
  show(operator.availability, formatPercent),
  show(operator.prices.perMtokMsat.p50, formatMsatPerMtok),
  formatMsat(operator.revenueMsat),
];

const operatorsTable = (report: RunReport): string => {
  const table = new Table({
    head: ["operators", "nodes", "jobs served", "busy", "up", "price, median", "earned"],
    colAligns: ["left", "right", "right", "right", "right", "right", "right"],
    style: plain,
  });
  for (const operator of report.operatorClasses) table.push(operatorRow(operator));
  return table.toString();
};

/** The outcome of a run for the terminal: the question, one table of the clients' side, one of the operators'. */
export const summaryText = (report: RunReport): string => {
  const { scenario, seed } = report.provenance;
  const measured = `${formatDurationUs(Math.max(0, Math.min(report.endUs, report.horizonUs) - report.warmupUs))} measured`;
  const warmup = report.warmupUs === 0 ? "" : ` after ${formatDurationUs(report.warmupUs)} of warm-up`;
  const head = `${scenario.name}: ${scenario.question}\n${measured}${warmup}, seed ${seed}, ${formatNumber(report.nodes.length)} nodes`;
  return [head, "", clientsTable(report), operatorsTable(report)].join("\n");
};
