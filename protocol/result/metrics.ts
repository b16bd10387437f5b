import { formatDurationUs, formatMsat, formatMsatPerMtok, formatNumber, formatPercent, formatSignificant, formatTokens } from "../units.ts";

/** What a figure is measured in. */
export const FIGURE_UNITS = ["us", "msat", "msatPerMtok", "msatPerHour", "share", "perS", "kwh", "tokens", "count", "number"] as const;
export type FigureUnit = (typeof FIGURE_UNITS)[number];

/** A figure that questions are asked about. */
export interface Metric {
  /** As YAML and the command line take it: `latency.p95`, `utilisation@rtx3060`, or the path of any figure. */
  readonly id: string;
  /** Of the figure, as `figuresOf` names it. */
  readonly path: string;
  /** In words, without a capital: "p95 of the latency". */
  readonly label: string;
  readonly unit: FigureUnit;
  /** Null where neither is better: a matter of whose side one takes. */
  readonly better: "lower" | "higher" | null;
}

interface Known extends Metric {
  /** The same of a client class and of an operator class, `*` for its name; null where there is none. */
  readonly ofClients: string | null;
  readonly ofOperators: string | null;
}

const latencies = [
  { id: "latency", key: "endToEndUs", label: "latency" },
  { id: "ttft", key: "ttftUs", label: "time to first token" },
  { id: "tpot", key: "tpotUs", label: "time per output token" },
  { id: "queueing", key: "queueingUs", label: "queueing time" },
] as const;
const statistics = ["mean", "p50", "p90", "p95", "p99", "max"] as const;

const known: readonly Known[] = [
  ...latencies.flatMap(({ id, key, label }) => statistics.map((statistic): Known => ofJobs(`${id}.${statistic}`, `latency.${key}.${statistic}`, `${inWords(statistic)} ${label}`, "us", "lower", true))),
  ofJobs("goodput", "goodput.share", "share within every goal", "share", "higher"),
  ofJobs("goodput.rate", "goodput.jobsPerS", "goodput", "perS", "higher"),
  ofJobs("throughput", "throughput.completedJobsPerS", "throughput", "perS", "higher"),
  ofJobs("throughput.tokens", "throughput.outputTokensPerS", "output tokens in a second", "perS", "higher"),
  ofJobs("completed", "jobs.completed", "completed jobs", "count", "higher"),
  ofJobs("rejected", "jobs.rejected", "rejected jobs", "count", "lower"),
  ofJobs("attempts", "attempts.perJob", "attempts per job", "number", "lower"),
  ...(["mean", "p50", "p95"] as const).flatMap((statistic): Known[] => {
    const perMtok = ofJobs(`price.${statistic}`, `prices.perMtokMsat.${statistic}`, `${inWords(statistic)} price`, "msatPerMtok", null, true);
    const perJob = ofJobs(`price.job.${statistic}`, `prices.perJobMsat.${statistic}`, `${inWords(statistic)} price of a job`, "msat", null, true);
    return statistic === "mean" ? [{ ...perMtok, id: "price" }, { ...perJob, id: "price.job" }] : [perMtok, perJob];
  }),
  ofJobs("paid", "paidMsat", "what clients paid", "msat", null),
  ofJobs("fees", "feesMsat", "the router's fees", "msat", null),
  { id: "completed.share", path: "market.completedShare", label: "share of jobs completed", unit: "share", better: "higher", ofClients: null, ofOperators: null },
  { id: "in-system", path: "checks.little.meanInSystem", label: "mean number of jobs in the system", unit: "number", better: "lower", ofClients: null, ofOperators: null },
  ofSupply("utilisation", "market.utilisation", "operatorClasses.*.utilisation", "utilisation", "share", "higher"),
  ofSupply("availability", "market.availability", "operatorClasses.*.availability", "availability of nodes", "share", "higher"),
  ofSupply("revenue", "market.revenueMsat", "operatorClasses.*.revenueMsat", "operators' revenue", "msat", "higher"),
  ofSupply("energy", "market.energyKwh", "operatorClasses.*.energyKwh", "energy", "kwh", "lower"),
  ofSupply("electricity", "market.electricityMsat", "operatorClasses.*.electricityMsat", "cost of electricity", "msat", "lower"),
  ofSupply("costs", "market.costsMsat", "supply.operatorClasses.*.costsMsat", "operators' costs", "msat", "lower"),
  ofSupply("profit", "market.profitMsat", "supply.operatorClasses.*.profitMsat", "operators' profit", "msat", "higher"),
  ofSupply("profit.hour", "market.profitMsatPerHour", "supply.operatorClasses.*.profitMsatPerHour", "operators' profit per machine and hour", "msatPerHour", "higher"),
  { id: "welfare", path: "welfare.totalMsat", label: "welfare", unit: "msat", better: "higher", ofClients: null, ofOperators: null },
  { id: "welfare.share", path: "welfare.shareReached", label: "share of the possible welfare", unit: "share", better: "higher", ofClients: null, ofOperators: null },
  { id: "deadweight", path: "welfare.deadweightMsat", label: "welfare lost", unit: "msat", better: "lower", ofClients: null, ofOperators: null },
  { id: "surplus.clients", path: "welfare.consumerSurplusMsat", label: "clients' surplus", unit: "msat", better: "higher", ofClients: "welfare.clientClasses.*.surplusMsat", ofOperators: null },
  ofSupply("surplus.operators", "welfare.operatorSurplusMsat", "welfare.operatorClasses.*.surplusMsat", "operators' surplus", "msat", "higher"),
  { id: "router.revenue", path: "welfare.routerRevenueMsat", label: "routers' revenue", unit: "msat", better: "higher", ofClients: null, ofOperators: null },
  { id: "hhi", path: "structure.hhi.nodes", label: "concentration of revenue (Herfindahl)", unit: "number", better: "lower", ofClients: null, ofOperators: null },
  { id: "gini", path: "structure.gini", label: "inequality of revenue (Gini)", unit: "number", better: "lower", ofClients: null, ofOperators: null },
  { id: "lerner", path: "structure.lerner", label: "margin over marginal cost (Lerner)", unit: "share", better: null, ofClients: null, ofOperators: null },
];

/** The well-known metrics, whatever the scenario; any other figure's path is a metric too. */
export const METRICS: readonly Metric[] = known.map(({ id, path, label, unit, better }) => ({ id, path, label, unit, better }));

/** Metrics that reports show where none is asked for, in this order. */
export const KEY_METRICS: readonly string[] = ["latency.mean", "latency.p95", "ttft.p95", "goodput", "throughput", "utilisation", "price", "revenue", "profit", "welfare.share"];

/** Where figures begin that are no well-known metric's. */
const roots: ReadonlySet<string> = new Set([
  "overall", "allJobs", "endUs", "clientClasses", "operatorClasses", "flows", "checks", "money", "pricing", "settlement", "asks", "welfare", "supply", "structure", "market",
]);

/** Names of a scenario's classes, so that `latency.p95@chat` is known to be about clients. */
export interface ClassNames {
  readonly clients: readonly string[];
  readonly operators: readonly string[];
}

/**
 * The metric that a text means: a well-known id, one of a class (`latency.p95@chat`, `profit@rtx3060`), or a figure's path.
 * @returns null where it means none; whether a run has a figure of such a path shows only in its figures
 */
export function findMetric(text: string, classes: ClassNames = { clients: [], operators: [] }): Metric | null {
  const found = known.find(({ id }) => id === text);
  if (found !== undefined) return METRICS[known.indexOf(found)]!;
  const at = text.indexOf("@");
  if (at > 0) {
    const [id, name] = [text.slice(0, at), text.slice(at + 1)];
    const metric = known.find((candidate) => candidate.id === id);
    if (metric === undefined) return null;
    const path = classes.clients.includes(name) && metric.ofClients !== null ? metric.ofClients : classes.operators.includes(name) ? metric.ofOperators : null;
    return path === null ? null : { id: text, path: path.replace("*", () => name), label: `${metric.label} of ${name}`, unit: metric.unit, better: metric.better };
  }
  return roots.has(text.split(".")[0]!) ? metricOfPath(text) : null;
}

/** A figure as a metric: the well-known one with this path, or one named after its path. */
export function metricOfPath(path: string): Metric {
  const index = known.findIndex((candidate) => candidate.path === path);
  if (index >= 0) return METRICS[index]!;
  const ofClass = known.flatMap(({ ofClients, ofOperators, ...metric }) => [ofClients, ofOperators].flatMap((pattern) => {
    if (pattern === null) return [];
    const [before, after] = pattern.split("*") as [string, string];
    if (!path.startsWith(before) || !path.endsWith(after) || path.length <= before.length + after.length) return [];
    const name = path.slice(before.length, path.length - after.length);
    return [{ ...metric, id: `${metric.id}@${name}`, path, label: `${metric.label} of ${name}` }];
  }));
  return ofClass[0] ?? { id: path, path, label: labelOf(path), unit: unitOf(path), better: null };
}

/** Ids that a user may have meant, for messages. */
export function metricIds(): string[] {
  return known.map(({ id }) => id);
}

/** A figure for people; what is undefined is `–`. Differences may be negative. */
export function formatFigure(value: number | null, unit: FigureUnit): string {
  if (value === null) return "–";
  switch (unit) {
    case "us": return formatDurationUs(value);
    case "msat": return formatMsat(value);
    case "msatPerMtok": return formatMsatPerMtok(value);
    case "msatPerHour": return `${formatMsat(value)}/h`;
    case "share": return formatPercent(value);
    case "perS": return `${formatSignificant(value, 4)}/s`;
    case "kwh": return `${formatSignificant(value, 4)} kWh`;
    case "tokens": return formatTokens(value);
    case "count": return formatNumber(value, Math.abs(value) < 1_000 ? 1 : 0);
    case "number": return formatSignificant(value, 4);
  }
}

/** Digits to which `formatFigure` rounds: to be rounded once only. */
const DIGITS_SHOWN: Partial<Record<FigureUnit, number>> = { us: 3, share: 3, perS: 4, kwh: 4, number: 4 };

/** A figure to so many significant digits, or as many as its unit is shown in: rounded once, as rounding what is rounded is off at times. */
export function roundedFigure(value: number | null, unit: FigureUnit, digits: number): string {
  return formatFigure(value === null || digits >= (DIGITS_SHOWN[unit] ?? Infinity) ? value : Number(value.toPrecision(digits)), unit);
}

/** A figure of jobs: overall, of a client class, and of latencies and prices also of an operator class. */
function ofJobs(id: string, rest: string, label: string, unit: FigureUnit, better: Metric["better"], ofOperators = false): Known {
  return { id, path: `overall.${rest}`, label, unit, better, ofClients: `clientClasses.*.${rest}`, ofOperators: ofOperators ? `operatorClasses.*.${rest}` : null };
}

function ofSupply(id: string, path: string, ofOperators: string, label: string, unit: FigureUnit, better: Metric["better"]): Known {
  return { id, path, label, unit, better, ofClients: null, ofOperators };
}

function inWords(statistic: string): string {
  return statistic === "p50" ? "median" : statistic === "max" ? "longest" : statistic;
}

/** By the name that carries it: the last part of the path that says something. */
function unitOf(path: string): FigureUnit {
  const parts = path.split(".");
  const last = parts.at(-1)!;
  if (last === "count") return "count";
  for (const part of parts.toReversed()) {
    if (/(^|[a-z])(p|P)erMtokMsat$|MsatPerMtok$/.test(part)) return "msatPerMtok";
    if (part.endsWith("MsatPerHour")) return "msatPerHour";
    if (/Msat$|^msat$/.test(part) || part === "losses") return last === "jobs" ? "count" : "msat";
    if (part.endsWith("Us")) return "us";
    if (part.endsWith("PerS")) return "perS";
    if (part.endsWith("Kwh")) return "kwh";
    if (/^(share|utilisation|kvUtilisation|availability|completedShare|shareReached|relativeError)$/.test(part)) return "share";
    if (part === "tokens") return "tokens";
    if (/^(jobs|attempts|nodes|slots|submitted|completed|failed|rejected|expired|cancelled|inFlight|payments|accounts|met|downs|windows|joins|leaves|atStart|atEnd|potential|changes)$/.test(part)) return path.endsWith("hhi.nodes") || last === "perJob" ? "number" : "count";
  }
  return "number";
}

/** `operatorClasses.rtx3060.latency.ttftUs.sd`: "rtx3060: latency, ttft, sd". */
function labelOf(path: string): string {
  const [root, ...rest] = path.split(".") as [string, ...string[]];
  const words = (name: string): string => name.replace(/(Us|Msat)$/, "").replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  if (root === "clientClasses" || root === "operatorClasses") return `${rest[0]}: ${rest.slice(1).map(words).join(", ")}`;
  return [root === "overall" ? [] : [words(root)], rest.map(words)].flat().join(", ") || words(root);
}
