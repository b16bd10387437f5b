import type { JobGroup, OperatorClassReport, RunReport } from "../protocol/result.ts";
import { formatDurationUs, formatMsat, formatMsatPerMtok, formatNumber, formatPercent, formatSignificant } from "../protocol/units.ts";
import { formatFigure, metricOfPath } from "../protocol/result/metrics.ts";
import { wrap } from "../reports/plots/figure.ts";
import { halfWidthInWords } from "../reports/precision.ts";
import { plainTable } from "./table.ts";

const none = "-";
/** Client classes that get a column of their own; with more of them, the report has the figures. */
const shownClasses = 4;
/** Reasons for not completing that are listed; the rest is summed up. */
const shownReasons = 5;
const show = (value: number | null, format: (value: number) => string): string => (value === null ? none : format(value));

/** A share that is not quite all is never shown as 100 %. */
const share = (part: number, whole: number): string => {
  if (whole === 0) return none;
  const text = formatPercent(part / whole);
  return part < whole && text === "100 %" ? "> 99.9 %" : text;
};

/** Money to four digits: enough to compare, short enough for a table. */
const money = (msat: number): string => formatMsat(Number(msat.toPrecision(4)));

const price = (msatPerMtok: number): string => formatMsatPerMtok(Number(msatPerMtok.toPrecision(3)));

type Row = readonly [label: string, cell: (group: JobGroup) => string];

/** Jobs that nobody set a goal cannot have met it. */
const metGoals = ({ goals, met, jobs }: JobGroup["goodput"]): string => (goals.length === 0 ? none : share(met, jobs));

/** What a newcomer wants to know of a set of jobs, in the order in which one asks; nothing of goals, prices or repeated attempts where there were none. */
const rows = (overall: JobGroup): Row[] => [
  ["jobs submitted", ({ jobs }) => formatNumber(jobs.submitted)],
  ["completed", ({ jobs }) => formatNumber(jobs.completed)],
  ["  of those submitted", ({ jobs }) => share(jobs.completed, jobs.submitted)],
  ...(["failed", "rejected", "expired", "cancelled", "inFlight"] as const)
    .filter((end) => overall.jobs[end] > 0)
    .map((end): Row => [end === "inFlight" ? "still under way" : end, ({ jobs }) => formatNumber(jobs[end])]),
  ...(overall.attempts.retriedJobs > 0 ? [["needed more than one node", ({ attempts }) => formatNumber(attempts.retriedJobs)] satisfies Row] : []),
  ["first token, median", ({ latency }) => show(latency.ttftUs.p50, formatDurationUs)],
  ["first token, 95 % within", ({ latency }) => show(latency.ttftUs.p95, formatDurationUs)],
  ...(overall.latency.tpotUs.count > 0 ? [["each further token, median", ({ latency }) => show(latency.tpotUs.p50, formatDurationUs)] satisfies Row] : []),
  ["whole answer, median", ({ latency }) => show(latency.endToEndUs.p50, formatDurationUs)],
  ["whole answer, 95 % within", ({ latency }) => show(latency.endToEndUs.p95, formatDurationUs)],
  ...(overall.goodput.goals.length > 0 ? [["met every latency goal", ({ goodput }) => metGoals(goodput)] satisfies Row] : []),
  ["output tokens per second", ({ throughput }) => show(throughput.outputTokensPerS, (rate) => formatSignificant(rate, 4))],
  ...(overall.paidMsat > 0
    ? [
      ["price paid, median", ({ prices }) => show(prices.perMtokMsat.p50, price)],
      ["paid in all", ({ paidMsat }) => money(paidMsat)],
    ] satisfies Row[]
    : []),
  ...(overall.feesMsat > 0 ? [["of it the router's fees", ({ feesMsat }) => money(feesMsat)] satisfies Row] : []),
];

const clientsTable = (report: RunReport): string => {
  const { length } = report.clientClasses;
  const classes = length > 1 && length <= shownClasses ? report.clientClasses : [];
  return plainTable(
    ["clients", "all", ...classes.map(({ name }) => name)], ["left", ...[0, ...classes].map(() => "right" as const)],
    rows(report.overall).map(([label, cell]) => [label, cell(report.overall), ...classes.map(cell)]),
  );
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

const operatorRow = (operator: OperatorClassReport, paid: boolean, priced: boolean): string[] => [
  operator.name,
  formatNumber(operator.nodes),
  formatNumber(operator.jobs),
  show(operator.utilisation, formatPercent),
  show(operator.availability, formatPercent),
  ...(paid ? [show(operator.prices.perMtokMsat.p50, price), money(operator.revenueMsat)] : []),
  ...(priced ? [show(operator.electricityMsat, money)] : []),
];

/** Whether more of the operators' costs is known than electricity. */
const hasProfit = ({ supply }: RunReport): boolean => supply !== null && supply.operatorClasses.some(({ costsMsat, electricityMsat }) => costsMsat > electricityMsat);

/** Money to three digits, where many columns share 80 characters. */
const brief = (msat: number): string => formatMsat(Number(msat.toPrecision(3)));

const profitTable = ({ supply }: RunReport): string => {
  const head = ["after costs", "electricity", "machine", "other", "profit", "per machine/h"];
  return plainTable(head, ["left", ...head.slice(1).map(() => "right" as const)], supply!.operatorClasses.map((of) => {
    const machineMsat = of.depreciationMsat + of.rentMsat;
    return [
      of.name, of.unknown.includes("electricity") ? none : brief(of.electricityMsat), of.unknown.includes("machine") ? none : brief(machineMsat),
      brief(of.costsMsat - of.electricityMsat - machineMsat), brief(of.profitMsat), show(of.profitMsatPerHour, brief),
    ];
  }));
};

/** How many operators of each class there were, where they come and go. */
const entryLines = ({ supply }: RunReport): string[] => (supply?.entry ?? []).map((of) =>
  `${of.name}: ${formatNumber(of.atStart)} of ${formatNumber(of.potential)} operators at the start, ${formatNumber(of.joins)} joined, ${formatNumber(of.leaves)} left, ${formatNumber(of.atEnd)} at the end.`);

const operatorsTable = (report: RunReport): string => {
  const priced = report.operatorClasses.some(({ electricityMsat }) => electricityMsat !== null) && !hasProfit(report);
  const paid = report.overall.paidMsat > 0;
  const head = ["operators", "nodes", "jobs", "busy", "up", ...(paid ? ["price, median", "earned"] : []), ...(priced ? ["electricity"] : [])];
  return plainTable(head, ["left", ...head.slice(1).map(() => "right" as const)], report.operatorClasses.map((operator) => operatorRow(operator, paid, priced)));
};

/** Who gained how much of what was possible, or why that is not known. */
const gainsLine = ({ welfare }: RunReport): string => {
  if (welfare === null) return "Who gained is not known: a client class does not state what its jobs are\nworth. Add clients[].value to the scenario.";
  if (welfare.shareReached === null) return "Nothing to gain: no job was worth more than it would have cost to serve.";
  const { firstBestMsat, losses } = welfare;
  const fees = welfare.routerRevenueMsat + welfare.routingFeesMsat;
  const part = (amount: number): string => formatPercent(amount / firstBestMsat, 2);
  const worst = Object.entries(losses).reduce((a, b) => (b[1] > a[1] ? b : a));
  return [
    `Gained: ${money(welfare.totalMsat)}, ${share(welfare.totalMsat, firstBestMsat)} of what was possible.`,
    `Clients have ${part(welfare.consumerSurplusMsat)}, operators ${part(welfare.operatorSurplusMsat)}${fees === 0 ? "" : `, fees ${part(fees)}`};`,
    worst[1] === 0 ? "nothing was lost." : `most was lost by ${worst[0]}: ${part(worst[1])}.`,
  ].join("\n");
};

/** What each side lost by trusting the other, and by what most; none where nobody lost anything. */
const trustLines = ({ settlement }: RunReport): string[] => (["node", "client", "router"] as const).flatMap((side) => {
  const losses = (settlement?.losses ?? []).filter(({ bearer, msat }) => bearer === side && msat > 0);
  const [first] = losses.toSorted((a, b) => b.msat - a.msat);
  if (first === undefined) return [];
  const lost = losses.reduce((sum, { msat }) => sum + msat, 0);
  const { deliveredMsat } = settlement!;
  return [`Trust cost ${side}s ${money(lost)}${deliveredMsat === 0 ? "" : `, ${formatPercent(lost / deliveredMsat)} of the value delivered`}: ${losses.length > 1 ? "most by " : ""}${first.cause}.`];
});

/** How well this run alone knows what it says, in a line; of the figures that many look at. */
const precisionLine = (report: RunReport): string => {
  if (report.intervals === null) return "";
  const shown = [
    ["overall.latency.endToEndUs.mean", "mean answer"],
    ["overall.latency.endToEndUs.p95", "95 % of answers within"],
    ...(report.overall.goodput.goals.length > 0 ? [["overall.goodput.share", "goals met"] as const] : []),
    ["market.utilisation", "busy"],
    ...(report.overall.paidMsat > 0 ? [["overall.prices.perMtokMsat.mean", "mean price"] as const] : []),
  ] as const;
  const parts = shown.flatMap(([figure, name]) => {
    const known = report.intervals!.figures.find((one) => one.figure === figure);
    if (known === undefined || known.halfWidth === 0) return [];
    const { unit } = metricOfPath(figure);
    const half = halfWidthInWords(report, figure);
    return half === null ? [] : [`${name} ${formatFigure(Number(known.mean.toPrecision(3)), unit)} ${half}`];
  });
  const confidence = formatPercent(report.intervals.confidence);
  return wrap(parts.length > 0
    ? `By this run alone, ${confidence} sure: ${parts.join(", ")}.`
    : "This run alone does not say how sure its figures are: its course is not level, or it is too short. --replications 20 gives intervals.", 80).join("\n");
};

/** The outcome of a run for the terminal: the question, one table of the clients' side, one of the operators'. */
export const summaryText = (report: RunReport): string => {
  const { scenario, seed } = report.provenance;
  const measured = `${formatDurationUs(report.horizonUs - report.warmupUs)} measured`;
  const warmup = report.warmupUs === 0 ? "" : ` after ${formatDurationUs(report.warmupUs)} of warm-up`;
  const nodes = report.nodes.length === 1 ? "1 node" : `${formatNumber(report.nodes.length)} nodes`;
  const reasons = reasonsLine(report.overall);
  const gains = gainsLine(report);
  return [
    `${scenario.name}: ${scenario.question}`,
    `${measured}${warmup}, seed ${seed}, ${nodes}`,
    "",
    clientsTable(report),
    "",
    ...(reasons === "" ? [] : [reasons, ""]),
    operatorsTable(report),
    ...(precisionLine(report) === "" ? [] : ["", precisionLine(report)]),
    "",
    gains,
    ...(trustLines(report).length > 0 ? ["", ...trustLines(report)] : []),
    ...(hasProfit(report) ? ["", profitTable(report)] : []),
    ...(entryLines(report).length > 0 ? ["", ...entryLines(report)] : []),
  ].join("\n");
};
