import Table from "cli-table3";
import type { JobGroup, OperatorClassReport, RunReport } from "../protocol/result.ts";
import { formatDurationUs, formatMsat, formatMsatPerMtok, formatNumber, formatPercent } from "../protocol/units.ts";

const none = "-";
/** Client classes that get a column of their own; with more of them, the report has the figures. */
const shownClasses = 4;
/** Reasons for not completing that are listed; the rest is summed up. */
const shownReasons = 5;
const plain = { head: [], border: [], compact: true };

const show = (value: number | null, format: (value: number) => string): string => (value === null ? none : format(value));

/** A share that is not quite all is never shown as 100 %. */
const share = (part: number, whole: number): string => {
  if (whole === 0) return none;
  const text = formatPercent(part / whole);
  return part < whole && text === "100 %" ? "> 99.9 %" : text;
};

/** Money to four digits: enough to compare, short enough for a table. */
const money = (msat: number): string => formatMsat(Number(msat.toPrecision(4)));

const price = (msatPerMtok: number): string => formatMsatPerMtok(Number(msatPerMtok.toPrecision(4)));

type Row = readonly [label: string, cell: (group: JobGroup) => string];

/** What a newcomer wants to know of a set of jobs, in the order in which one asks. */
const rows = (overall: JobGroup): Row[] => [
  ["jobs submitted", ({ jobs }) => formatNumber(jobs.submitted)],
  ["completed", ({ jobs }) => share(jobs.completed, jobs.submitted)],
  ...(["failed", "rejected", "expired", "cancelled", "inFlight"] as const)
    .filter((end) => overall.jobs[end] > 0)
    .map((end): Row => [end === "inFlight" ? "still under way" : end, ({ jobs }) => formatNumber(jobs[end])]),
  ["first token, median", ({ latency }) => show(latency.ttftUs.p50, formatDurationUs)],
  ["first token, 95 % within", ({ latency }) => show(latency.ttftUs.p95, formatDurationUs)],
  ["each further token, median", ({ latency }) => show(latency.tpotUs.p50, formatDurationUs)],
  ["whole answer, median", ({ latency }) => show(latency.endToEndUs.p50, formatDurationUs)],
  ["whole answer, 95 % within", ({ latency }) => show(latency.endToEndUs.p95, formatDurationUs)],
  ["met every latency goal", ({ goodput }) => show(goodput.share, formatPercent)],
  ["output tokens per second", ({ throughput }) => show(throughput.outputTokensPerS, formatNumber)],
  ["price paid, median", ({ prices }) => show(prices.perMtokMsat.p50, price)],
  ["paid in all", ({ paidMsat }) => money(paidMsat)],
  ["of it the router's fees", ({ feesMsat }) => money(feesMsat)],
];

const clientsTable = (report: RunReport): string => {
  const { length } = report.clientClasses;
  const classes = length > 1 && length <= shownClasses ? report.clientClasses : [];
  const table = new Table({ head: ["clients", "all", ...classes.map(({ name }) => name)], colAligns: ["left", ...[0, ...classes].map(() => "right" as const)], style: plain });
  for (const [label, cell] of rows(report.overall)) table.push([label, cell(report.overall), ...classes.map(cell)]);
  return table.toString();
};

/** Why jobs did not complete, the most frequent reason first; "" where all did. */
const reasonsLine = ({ reasons }: JobGroup): string => {
  if (reasons.length === 0) return "";
  const sorted = reasons.toSorted((a, b) => b.jobs - a.jobs);
  const parts = sorted.slice(0, shownReasons).map(({ status, reason, jobs }) => `${formatNumber(jobs)} ${status}${reason === "" ? "" : ` (${reason})`}`);
  const rest = sorted.slice(shownReasons).reduce((sum, { jobs }) => sum + jobs, 0);
  if (rest > 0) parts.push(`${formatNumber(rest)} for other reasons`);
  return `Not completed: ${parts.join(", ")}.`;
};

const operatorRow = (operator: OperatorClassReport, priced: boolean): string[] => [
  operator.name,
  formatNumber(operator.nodes),
  formatNumber(operator.jobs),
  show(operator.utilisation, formatPercent),
  show(operator.availability, formatPercent),
  show(operator.prices.perMtokMsat.p50, price),
  money(operator.revenueMsat),
  ...(priced ? [show(operator.electricityMsat, money)] : []),
];

const operatorsTable = (report: RunReport): string => {
  const priced = report.operatorClasses.some(({ electricityMsat }) => electricityMsat !== null);
  const head = ["operators", "nodes", "jobs served", "busy", "up", "price, median", "earned", ...(priced ? ["electricity"] : [])];
  const table = new Table({ head, colAligns: ["left", ...head.slice(1).map(() => "right" as const)], style: plain });
  for (const operator of report.operatorClasses) table.push(operatorRow(operator, priced));
  return table.toString();
};

/** The outcome of a run for the terminal: the question, one table of the clients' side, one of the operators'. */
export const summaryText = (report: RunReport): string => {
  const { scenario, seed } = report.provenance;
  const measured = `${formatDurationUs(report.horizonUs - report.warmupUs)} measured`;
  const warmup = report.warmupUs === 0 ? "" : ` after ${formatDurationUs(report.warmupUs)} of warm-up`;
  const nodes = report.nodes.length === 1 ? "1 node" : `${formatNumber(report.nodes.length)} nodes`;
  const reasons = reasonsLine(report.overall);
  return [
    `${scenario.name}: ${scenario.question}`,
    `${measured}${warmup}, seed ${seed}, ${nodes}`,
    "",
    clientsTable(report),
    ...(reasons === "" ? [] : [reasons, ""]),
    operatorsTable(report),
  ].join("\n");
};
