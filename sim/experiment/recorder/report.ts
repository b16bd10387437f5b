import {
  type ClientClassReport, type Flow, type Goodput, type JobCounts, type JobGroup, type LatencyHistograms, type LatencySummary, type Money,
  type NodeReport, type OperatorClassReport, type PriceSummary, REPORT_SCHEMA, REPORT_VERSION, type ReportJobStatus, resultsDigest, type RunReport, type Supply,
  type TimeSeries,
} from "../../../protocol/result.ts";
import { sumOf } from "../../kernel/statistics/lists.ts";
import { ClientTally } from "./client-tally.ts";
import { AT_ROUTER, FIRST_CLASS_LEVEL, IN_SYSTEM, LEVELS_PER_CLASS, NODES_UP, RUNNING, SLOTS_UP, WAITING } from "./columns.ts";
import { type Electricity, electricity, electricityOfAll } from "./electricity.ts";
import type { Gathered } from "./gathered.ts";
import { intervalsReport } from "./intervals.ts";
import { InvariantError, LAWS } from "./invariant.ts";
import { type NodeColumn, TALLY } from "./node-table.ts";
import { Served } from "./served.ts";
import type { RecordedClientClass, RecorderSetup, RunEnd } from "./setup.ts";
import { structureReport } from "./structure.ts";
import { supplyReport } from "./supply.ts";

/**
 * Turns what was gathered into a report.
 * @throws InvariantError where jobs or money were not conserved
 */
export function assembleReport(gathered: Gathered): RunReport {
  const { setup, end, clients } = gathered;
  const overall = new ClientTally();
  for (const tally of clients) overall.merge(tally);
  const money = moneyReport(end, setup.seed);
  const served = Served.sum(gathered.served.filter(isServed));
  const supply = supplyOf(gathered);
  const everyone = jobGroup(gathered, overall, served, setup.clientClasses.map((client, index) => [client, clients[index]!]));
  const identity = { schema: REPORT_SCHEMA, schemaVersion: REPORT_VERSION } as const;
  const results: Omit<RunReport, "provenance" | "schema" | "schemaVersion"> = {
    world: setup.world ?? "simulated",
    horizonUs: setup.horizonUs,
    warmupUs: setup.warmupUs,
    endUs: gathered.endUs,
    allJobs: jobCounts(overall.submittedAll, overall.endedAll, setup.seed),
    jobRows: { rows: gathered.rows, digest: gathered.rowsDigest },
    overall: everyone,
    clientClasses: setup.clientClasses.map((client, index) => clientClassReport(gathered, client, index)),
    operatorClasses: setup.operatorClasses.map((_, index) => operatorClassReport(gathered, index, supply)),
    flows: flows(gathered),
    nodes: setup.nodes.map((_, index) => nodeReport(gathered, index, supply)),
    overTime: timeSeries(gathered),
    checks: checks(gathered, money !== null),
    money,
    pricing: end.pricing?.report(gathered.levels.windows, { ...everyone.tokens, jobs: everyone.jobs.completed }) ?? null,
    settlement: end.settlement ?? null,
    asks: end.asks ?? null,
    welfare: gathered.accounts?.welfare ?? null,
    supply,
    structure: structureReport(setup, gathered.nodes, served.perMtokMsat, gathered.accounts, (node) => supply === null || supply.nodes[node]!.ownedUs > 0),
    intervals: null,
    warmup: { jobs: overall.submittedAll - overall.submitted, share: ratio(overall.submittedAll - overall.submitted, overall.submittedAll), found: setup.warmup ?? null },
  };
  if (gathered.rows !== overall.submittedAll) throw new InvariantError(LAWS.jobs, "", setup.seed, `${overall.submittedAll} jobs were submitted, ${gathered.rows} are accounted for`);
  const { lab, scenario, seed, sets, interrupted } = end.provenance;
  const report: RunReport = {
    ...identity,
    provenance: { lab, scenario, seed, sets, ...(interrupted ? { interrupted } : {}), resultsDigest: resultsDigest({ ...identity, ...results }) },
    ...results,
  };
  return { ...report, intervals: intervalsReport(gathered, report) };
}

function jobGroup(gathered: Gathered, tally: ClientTally, served: Served, classes: readonly (readonly [RecordedClientClass, ClientTally])[]): JobGroup {
  const seconds = measuredSeconds(gathered.setup);
  const jobs = jobCounts(tally.submitted, tally.ended, gathered.setup.seed);
  const ended = jobs.submitted - jobs.inFlight;
  return {
    jobs,
    reasons: [...tally.reasons.values()]
      .sort((a, b) => b.jobs - a.jobs || order(a.status, b.status) || order(a.reason, b.reason))
      .map(({ status, reason, jobs: count }) => ({ status, reason, jobs: count })),
    latency: latency(served),
    histograms: histograms(served),
    goodput: goodput(tally, classes, seconds),
    throughput: {
      submittedJobsPerS: tally.submissions / seconds,
      completedJobsPerS: tally.completions / seconds,
      inputTokensPerS: tally.inputTokens / seconds,
      outputTokensPerS: tally.outputTokens / seconds,
    },
    prices: prices(served),
    tokens: { input: served.inputTokens, output: served.outputTokens },
    paidMsat: served.amountMsat + served.feesMsat,
    feesMsat: served.feesMsat,
    attempts: {
      total: tally.attempts,
      perJob: ratio(tally.attemptsOfEnded, ended),
      retriedJobs: tally.retriedJobs,
      failures: [...tally.attemptFailures].sort((a, b) => b[1] - a[1] || order(a[0], b[0])).map(([reason, attempts]) => ({ reason, attempts })),
    },
  };
}

function clientClassReport(gathered: Gathered, client: RecordedClientClass, index: number): ClientClassReport {
  const tally = gathered.clients[index]!;
  const width = gathered.setup.operatorClasses.length;
  const served = Served.sum(gathered.served.slice(index * width, (index + 1) * width).filter(isServed));
  return {
    name: client.name,
    goals: { ttftUs: client.goals.ttftUs ?? null, tpotUs: client.goals.tpotUs ?? null, endToEndUs: client.goals.endToEndUs ?? null },
    ...jobGroup(gathered, tally, served, [[client, tally]]),
  };
}

function goodput(tally: ClientTally, classes: readonly (readonly [RecordedClientClass, ClientTally])[], seconds: number): Goodput {
  const jobs = sumOf(Object.values(tally.ended));
  const goal = (name: Goodput["goals"][number]["goal"], key: "ttftUs" | "tpotUs" | "endToEndUs", met: (tally: ClientTally) => number): Goodput["goals"] => {
    const having = classes.filter(([client]) => client.goals[key] !== undefined).map(([, of]) => of);
    if (having.length === 0) return [];
    const of = sumOf(having.flatMap(({ ended }) => Object.values(ended)));
    const count = sumOf(having.map(met));
    return [{ goal: name, jobs: of, met: count, share: ratio(count, of) }];
  };
  return {
    jobs,
    met: tally.metAll,
    share: ratio(tally.metAll, jobs),
    jobsPerS: tally.goodCompletions / seconds,
    goals: [
      ...goal("ttft", "ttftUs", ({ metTtft }) => metTtft),
      ...goal("tpot", "tpotUs", ({ metTpot }) => metTpot),
      ...goal("endToEnd", "endToEndUs", ({ metEndToEnd }) => metEndToEnd),
    ],
  };
}

function operatorClassReport(gathered: Gathered, index: number, supply: Supply | null): OperatorClassReport {
  const { setup, nodes } = gathered;
  const width = setup.operatorClasses.length;
  const served = Served.sum(gathered.served.filter((_, at) => at % width === index).filter(isServed));
  const members = setup.nodes.map((_, node) => node).filter((node) => nodes.operatorClass(node) === index);
  const total = (column: NodeColumn): number => sumOf(members.map((node) => nodes.get(node, column)));
  const metered = members.filter((node) => nodes.kvTokenUs[node]! >= 0);
  return {
    name: setup.operatorClasses[index]!.name,
    nodes: members.length,
    slots: sumOf(members.map((node) => setup.nodes[node]!.slots)),
    attempts: total(TALLY.attempts),
    failedAttempts: total(TALLY.failedAttempts),
    jobs: total(TALLY.jobs),
    tokens: { input: total(TALLY.inputTokens), output: total(TALLY.outputTokens) },
    revenueMsat: total(TALLY.revenueMsat),
    utilisation: ratio(total(TALLY.busyUs), sumOf(members.map((node) => nodes.get(node, TALLY.upUs) * setup.nodes[node]!.slots))),
    kvUtilisation: ratio(sumOf(metered.map((node) => nodes.kvTokenUs[node]!)), sumOf(metered.map((node) => nodes.get(node, TALLY.upUs) * setup.nodes[node]!.kvTokensMax))),
    availability: ratio(total(TALLY.upUs), members.length * (setup.horizonUs - setup.warmupUs)),
    ...electricityOfAll(members.map((node) => electricityOf(gathered, node, supply))),
    latency: latency(served),
    prices: prices(served),
  };
}

function nodeReport(gathered: Gathered, index: number, supply: Supply | null): NodeReport {
  const { setup, nodes } = gathered;
  const node = setup.nodes[index]!;
  const upUs = nodes.get(index, TALLY.upUs);
  return {
    name: node.name,
    operatorClass: setup.operatorClasses[node.operatorClass]!.name,
    region: node.region,
    machine: node.machine,
    model: node.model,
    slots: node.slots,
    inputMsatPerMtok: node.inputMsatPerMtok,
    outputMsatPerMtok: node.outputMsatPerMtok,
    attempts: nodes.get(index, TALLY.attempts),
    failedAttempts: nodes.get(index, TALLY.failedAttempts),
    jobs: nodes.get(index, TALLY.jobs),
    tokens: { input: nodes.get(index, TALLY.inputTokens), output: nodes.get(index, TALLY.outputTokens) },
    revenueMsat: nodes.get(index, TALLY.revenueMsat),
    utilisation: ratio(nodes.get(index, TALLY.busyUs), upUs * node.slots),
    kvUtilisation: nodes.kvTokenUs[index]! >= 0 ? ratio(nodes.kvTokenUs[index]!, upUs * node.kvTokensMax) : null,
    availability: ratio(upUs, setup.horizonUs - setup.warmupUs),
    ...electricityOf(gathered, index, supply),
    downs: nodes.get(index, TALLY.downs),
  };
}

/** What a node drew from the grid, and what that cost at the prices of the hour. */
function electricityOf({ setup, nodes }: Gathered, index: number, supply: Supply | null): Electricity {
  const flat = electricity(setup.nodes[index]!, nodes.get(index, TALLY.upUs), nodes.get(index, TALLY.activeUs));
  return supply === null || flat.electricityMsat === null ? flat : { ...flat, electricityMsat: supply.nodes[index]!.electricityMsat };
}

function supplyOf({ setup, end, levels, nodes }: Gathered): Supply | null {
  if (setup.supply === undefined) return null;
  const windows = Array.from({ length: levels.windows }, (_, window) => levels.lengthUs(window));
  const revenueMsat = setup.nodes.map((_, node) => nodes.get(node, TALLY.revenueMsat));
  return supplyReport(setup.supply, revenueMsat, windows, end.supply ?? { entry: [], requotes: 0 }, setup.nodes.map(({ name }) => name), setup.seed);
}

function flows({ setup, served }: Gathered): Flow[] {
  return setup.clientClasses.flatMap((client, row) =>
    setup.operatorClasses.flatMap((operator, column) => {
      const cell = served[row * setup.operatorClasses.length + column];
      if (cell === undefined) return [];
      const paidMsat = cell.amountMsat + cell.feesMsat;
      return [{
        clientClass: client.name,
        operatorClass: operator.name,
        jobs: cell.jobs,
        tokens: { input: cell.inputTokens, output: cell.outputTokens },
        paidMsat,
        perMtokMsat: ratio(paidMsat * 1e6, cell.inputTokens + cell.outputTokens),
      }];
    }),
  );
}

function timeSeries({ setup, levels, counts, ttftP50Us, ttftP95Us }: Gathered): TimeSeries {
  const windows = Array.from({ length: levels.windows }, (_, window) => window);
  const classes = setup.operatorClasses.map((_, index) => FIRST_CLASS_LEVEL + index * LEVELS_PER_CLASS);
  const mean = (level: number): number[] => windows.map((window) => levels.column(level)[window]! / levels.lengthUs(window));
  const integral = (kind: number, window: number): number => sumOf(classes.map((first) => levels.column(first + kind)[window]!));
  const meanOf = (kind: number): number[] => windows.map((window) => integral(kind, window) / levels.lengthUs(window));
  // Columns are as long as the run was meant to be; a run that was cut has fewer windows.
  const played = (column: Float64Array): number[] => [...column.subarray(0, levels.windows)];
  const known = (column: Float64Array): (number | null)[] => played(column).map((value) => (value < 0 ? null : value));
  return {
    windowUs: levels.windowUs,
    startUs: windows.map((window) => window * levels.windowUs),
    submitted: played(counts.submitted),
    completed: played(counts.completed),
    failed: played(counts.failed),
    rejected: played(counts.rejected),
    expired: played(counts.expired),
    cancelled: played(counts.cancelled),
    metGoals: played(counts.metGoals),
    inputTokens: played(counts.inputTokens),
    outputTokens: played(counts.outputTokens),
    inSystem: mean(IN_SYSTEM),
    waitingAtRouter: mean(AT_ROUTER),
    waitingAtNodes: meanOf(WAITING),
    running: meanOf(RUNNING),
    nodesUp: meanOf(NODES_UP),
    utilisation: windows.map((window) => ratio(integral(RUNNING, window), integral(SLOTS_UP, window))),
    perMtokMsat: windows.map((window) => ratio(counts.paidMsat[window]! * 1e6, counts.inputTokens[window]! + counts.outputTokens[window]!)),
    ttftP50Us: known(ttftP50Us),
    ttftP95Us: known(ttftP95Us),
    operatorClasses: setup.operatorClasses.map(({ name }, index) => {
      const first = classes[index]!;
      return {
        name,
        utilisation: windows.map((window) => ratio(levels.column(first + RUNNING)[window]!, levels.column(first + SLOTS_UP)[window]!)),
        waiting: mean(first + WAITING),
      };
    }),
  };
}

function checks(gathered: Gathered, hasMoney: boolean): RunReport["checks"] {
  const { setup, levels, clients, little } = gathered;
  const seconds = measuredSeconds(setup);
  const meanInSystem = levels.measured(IN_SYSTEM) / (setup.horizonUs - setup.warmupUs);
  const arrivalsPerS = sumOf(clients.map(({ submissions }) => submissions)) / seconds;
  const meanSojournUs = ratio(little.sojournUs, little.ended);
  const relativeError = meanSojournUs === null || meanInSystem === 0 ? null : (arrivalsPerS * meanSojournUs) / 1e6 / meanInSystem - 1;
  const laws = [
    { law: LAWS.jobs, passed: 1 + clients.length },
    { law: LAWS.terminal, passed: gathered.checks.ended },
    { law: LAWS.causality, passed: gathered.checks.causality },
    { law: LAWS.metering, passed: gathered.checks.metering },
    { law: LAWS.capacity, passed: gathered.nodes.checks },
    { law: LAWS.little, passed: 1 },
    ...(hasMoney ? [{ law: LAWS.money, passed: 1 }] : []),
    ...(setup.supply === undefined ? [] : [{ law: LAWS.profit, passed: 2 * (setup.nodes.length + setup.operatorClasses.length) + 4 * setup.operatorClasses.length + 2 }]),
    ...(gathered.accounts === null ? [] : [{ law: LAWS.welfare, passed: 1 + gathered.accounts.windows }]),
  ];
  for (const { law, passed } of gathered.end.laws ?? []) {
    const known = laws.find((entry) => entry.law === law);
    if (known === undefined) laws.push({ law, passed } as (typeof laws)[number]);
    else known.passed += passed;
  }
  return { laws, little: { jobUs: little.jobUs.toString(), meanInSystem, arrivalsPerS, meanSojournUs, relativeError } };
}

function moneyReport({ money }: RunEnd, seed: number | string): Money | null {
  if (money === undefined || money === null) return null;
  const openingMsat = sumOf(money.accounts.map((account) => account.openingMsat));
  const closingMsat = sumOf(money.accounts.map((account) => account.closingMsat));
  if (openingMsat !== closingMsat) throw new InvariantError(LAWS.money, "", seed, `the accounts summed to ${openingMsat} msat at the start and to ${closingMsat} msat at the end`);
  return { accounts: money.accounts, openingMsat, closingMsat };
}

function jobCounts(submitted: number, ended: Readonly<Record<ReportJobStatus, number>>, seed: number | string): JobCounts {
  const inFlight = submitted - sumOf(Object.values(ended));
  if (inFlight < 0) throw new InvariantError(LAWS.jobs, "", seed, `${submitted} jobs were submitted and ${submitted - inFlight} ended`);
  return {
    submitted, completed: ended.completed, failed: ended.failed, rejected: ended.rejected, expired: ended.expired, cancelled: ended.cancelled, inFlight,
  };
}

function latency(served: Served): LatencySummary {
  return {
    ttftUs: served.ttftUs.summary(), tpotUs: served.tpotUs.summary(), endToEndUs: served.endToEndUs.summary(), queueingUs: served.queueingUs.summary(),
  };
}

function histograms(served: Served): LatencyHistograms {
  return {
    ttftUs: served.ttftUs.histogram(), tpotUs: served.tpotUs.histogram(), endToEndUs: served.endToEndUs.histogram(), queueingUs: served.queueingUs.histogram(),
  };
}

function prices(served: Served): PriceSummary {
  return { perJobMsat: served.perJobMsat.summary(), perMtokMsat: served.perMtokMsat.summary() };
}

function measuredSeconds({ horizonUs, warmupUs }: RecorderSetup): number {
  return (horizonUs - warmupUs) / 1e6;
}

function isServed(cell: Served | undefined): cell is Served {
  return cell !== undefined;
}

/** Null where the divisor is 0. */
function ratio(dividend: number, divisor: number): number | null {
  return divisor === 0 ? null : dividend / divisor;
}

/** By UTF-16 code units, on every machine alike. */
function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
