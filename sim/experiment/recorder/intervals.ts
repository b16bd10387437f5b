import { figuresOf } from "../../../protocol/result/figures.ts";
import type { IntervalsReport, WithoutInterval } from "../../../protocol/result/precision.ts";
import { JOB_STATUSES, type RunReport } from "../../../protocol/result.ts";
import { COST_KINDS } from "../../supply/costs.ts";
import { LOSS_CAUSES } from "../welfare/causes.ts";
import { Estimates, quantileInterval, total } from "./estimates.ts";
import type { Gathered } from "./gathered.ts";
import type { Marks } from "./marks.ts";
import type { Sample } from "./sample.ts";
import { Served } from "./served.ts";

/** Figures that are estimated by nobody, and why: of all others one of the functions below knows how they come about. */
export const NOT_ESTIMATED: readonly (readonly [RegExp, WithoutInterval])[] = [
  [/^allJobs\./, "warmup"],
  [/^endUs$|\.inFlight$|\.endMsat$|^supply\.entry\..*\.atEnd$/, "moment"],
  [/\.peakMsat$/, "extreme"],
  [/^operatorClasses\..*\.(nodes|slots)$/, "given"],
  [/^settlement\.(capitalPerYear|channels\.)/, "given"],
  [/^structure\.posted\./, "given"],
  [/^money\..*\.(accounts|openingMsat)$/, "given"],
  [/^supply\.entry\..*\.(potential|atStart|outsideMsatPerHour|fixedMsatPerHour)$/, "given"],
  [/^supply\.exchange\.rates\./, "given"],
  [/^asks\..*\.multiple$/, "given"],
  [/^welfare\.planner\.windowUs$/, "given"],
  [/^money\..*\.closingMsat$|^checks\.little\.relativeError$|^welfare\.planner\.|^structure\.passThrough\.windows$/, "follows"],
  [/^structure\.passThrough\.slope$/, "course"],
];

/** Why a figure is not estimated. @returns null where it should be */
export function notEstimated(figure: string): WithoutInterval | null {
  return NOT_ESTIMATED.find(([pattern]) => pattern.test(figure))?.[1] ?? null;
}

/** How well this run alone knows its figures: null where it is too short to say, or nobody asks. */
export function intervalsReport(gathered: Gathered, report: RunReport): IntervalsReport | null {
  const { marks } = gathered;
  if (marks === null || marks.batches === 0) return null;
  const seconds = marks.lengthsUs.map((us) => us / 1e6);
  const { horizonUs, warmupUs } = gathered.setup;
  const estimates = new Estimates(marks.batches, (marks.batches * (horizonUs - warmupUs)) / (total(seconds) * 1e6), figuresOf(report));
  const run: Run = { ...gathered, marks, estimates, report, seconds };
  everybody(run);
  operators(run);
  flows(run);
  little(run);
  accounts(run);
  welfare(run);
  structure(run);
  wholeRun(run);
  return estimates.report((figure) => notEstimated(figure) ?? "unknown");
}

interface Run extends Gathered {
  readonly marks: Marks;
  readonly estimates: Estimates;
  readonly report: RunReport;
  /** Length of the batches. */
  readonly seconds: Float64Array;
}

function everybody(run: Run): void {
  const { setup, served } = run;
  const width = setup.operatorClasses.length;
  const cells = (row: number): Served[] => served.slice(row * width, (row + 1) * width).filter((cell) => cell !== undefined);
  group(run, "overall", setup.clientClasses.map((_, row) => row), Served.sum(served.filter((cell) => cell !== undefined)));
  setup.clientClasses.forEach(({ name }, row) => group(run, `clientClasses.${name}`, [row], Served.sum(cells(row))));
}

/** All that is said of a set of jobs from the clients' side. */
function group(run: Run, path: string, rows: readonly number[], served: Served): void {
  const { marks, estimates, setup, seconds } = run;
  const { clientClasses, operatorClasses } = setup;
  const of = (name: string, among = rows): Float64Array => added(among.map((row) => marks.ofJobs(`clientClasses.${clientClasses[row]!.name}.${name}`)), marks);
  const ofCells = (name: string): Float64Array => added(rows.flatMap((row) => operatorClasses.map((operator) => marks.ofJobs(`flows.${clientClasses[row]!.name}.${operator.name}.${name}`))), marks);
  const endedOf = (among: readonly number[]): Float64Array => added(JOB_STATUSES.map((status) => of(`jobs.${status}`, among)), marks);
  const ended = endedOf(rows);
  for (const name of ["submitted", ...JOB_STATUSES]) estimates.total(`${path}.jobs.${name}`, of(`jobs.${name}`));
  estimates.total(`${path}.goodput.jobs`, ended);
  estimates.total(`${path}.goodput.met`, of("goodput.met"));
  estimates.share(`${path}.goodput.share`, of("goodput.met"), ended);
  estimates.ratio(`${path}.goodput.jobsPerS`, inTime(run, rows, "goodput.jobsPerS"), seconds);
  for (const [goal, key] of [["ttft", "ttftUs"], ["tpot", "tpotUs"], ["endToEnd", "endToEndUs"]] as const) {
    const having = rows.filter((row) => clientClasses[row]!.goals[key] !== undefined);
    const met = of(`goodput.goals.${goal}.met`, having);
    estimates.total(`${path}.goodput.goals.${goal}.jobs`, endedOf(having));
    estimates.total(`${path}.goodput.goals.${goal}.met`, met);
    estimates.share(`${path}.goodput.goals.${goal}.share`, met, endedOf(having));
  }
  for (const rate of ["submittedJobsPerS", "completedJobsPerS", "inputTokensPerS", "outputTokensPerS"]) {
    estimates.ratio(`${path}.throughput.${rate}`, inTime(run, rows, `throughput.${rate}`), seconds);
  }
  samples(run, path, served, ofCells);
  estimates.total(`${path}.tokens.input`, ofCells("tokens.input"));
  estimates.total(`${path}.tokens.output`, ofCells("tokens.output"));
  estimates.total(`${path}.paidMsat`, added([ofCells("amountMsat"), ofCells("feesMsat")], marks));
  estimates.total(`${path}.feesMsat`, ofCells("feesMsat"));
  estimates.total(`${path}.attempts.total`, of("attempts.total"));
  estimates.ratio(`${path}.attempts.perJob`, of("attempts.ofEnded"), ended);
  estimates.total(`${path}.attempts.retriedJobs`, of("attempts.retriedJobs"));
  const { reasons, attempts } = path === "overall" ? run.report.overall : run.report.clientClasses[rows[0]!]!;
  for (const { status, reason } of reasons) estimates.total(`${path}.reasons.${status}.${reason}.jobs`, of(`reasons.${status}.${reason}.jobs`));
  for (const { reason } of attempts.failures) estimates.total(`${path}.attempts.failures.${reason}.attempts`, of(`attempts.failures.${reason}.attempts`));
}

function samples({ estimates }: Run, path: string, served: Served, ofCells: (name: string) => Float64Array): void {
  for (const [name, sample] of served.samples) estimates.sample(`${path}.${name}`, sample, ofCells(`${name}.sum`), ofCells(`${name}.count`));
}

function operators(run: Run): void {
  const { marks, estimates, setup, served, seconds } = run;
  const { clientClasses, operatorClasses } = setup;
  const sums = { busySlotUs: [] as Float64Array[], slotUs: [] as Float64Array[], joules: [] as Float64Array[], electricityMsat: [] as Float64Array[], revenueMsat: [] as Float64Array[] };
  const there: Float64Array[] = [];
  operatorClasses.forEach(({ name }, column) => {
    const path = `operatorClasses.${name}`;
    const cells = served.filter((cell, index): cell is Served => cell !== undefined && index % operatorClasses.length === column);
    const ofJobs = (total: string): Float64Array => marks.ofJobs(`${path}.${total}`);
    const timed = (total: string): Float64Array => marks.inTime(`${path}.${total}`);
    for (const kind of Object.keys(sums) as (keyof typeof sums)[]) sums[kind].push(kind === "revenueMsat" ? ofJobs(kind) : timed(kind));
    for (const total of ["attempts", "failedAttempts", "jobs", "revenueMsat"]) estimates.total(`${path}.${total}`, ofJobs(total));
    estimates.total(`${path}.tokens.input`, ofJobs("inputTokens"));
    estimates.total(`${path}.tokens.output`, ofJobs("outputTokens"));
    const nodes = setup.nodes.filter(({ operatorClass }) => operatorClass === column);
    const all = seconds.map((s) => s * 1e6 * nodes.length);
    there.push(seconds.map((s) => s * 1e6 * nodes.reduce((slots, node) => slots + node.slots, 0)));
    estimates.share(`${path}.availability`, timed("upUs"), all);
    estimates.ratio(`${path}.utilisation`, timed("busySlotUs"), timed("slotUs"));
    estimates.ratio(`${path}.kvUtilisation`, timed("kvTokenUs"), timed("kvCapacityUs"));
    samples(run, path, Served.sum(cells), (total) => added(clientClasses.map((client) => marks.ofJobs(`flows.${client.name}.${name}.${total}`)), marks));
    energy(run, path, timed("joules"), timed("electricityMsat"), column);
  });
  const [busy, up, slots] = [added(sums.busySlotUs, marks), added(sums.slotUs, marks), added(there, marks)];
  estimates.ratio("market.utilisation", busy, up);
  estimates.share("market.availability", up, slots);
  estimates.total("market.revenueMsat", added(sums.revenueMsat, marks));
  energy(run, "market", added(sums.joules, marks), added(sums.electricityMsat, marks), -1);
  const client = (status: string): Float64Array => added(clientClasses.map(({ name }) => marks.ofJobs(`clientClasses.${name}.jobs.${status}`)), marks);
  estimates.share("market.completedShare", client("completed"), added(JOB_STATUSES.map(client), marks));
}

/** Energy, and its cost: of accounts of costs, where tariffs may change, else at one price. @param column -1: all classes */
function energy(run: Run, path: string, joules: Float64Array, electricityMsat: Float64Array, column: number): void {
  const { estimates, setup } = run;
  estimates.total(`${path}.energyKwh`, joules, joules.length / 3.6e6);
  if (setup.supply === undefined) return estimates.total(`${path}.electricityMsat`, electricityMsat);
  const costs = windowed(run);
  if (costs !== null) estimates.total(`${path}.electricityMsat`, costs.sum((series) => series.kindsMsat[0]!, column), costs.scale);
}

function flows({ marks, estimates, setup }: Run): void {
  for (const client of setup.clientClasses) {
    for (const operator of setup.operatorClasses) {
      const path = `flows.${client.name}.${operator.name}`;
      if (!marks.has(`${path}.jobs`)) continue;
      const of = (name: string): Float64Array => marks.ofJobs(`${path}.${name}`);
      const paid = added([of("amountMsat"), of("feesMsat")], marks);
      for (const name of ["jobs", "tokens.input", "tokens.output"]) estimates.total(`${path}.${name}`, of(name));
      estimates.total(`${path}.paidMsat`, paid);
      estimates.ratio(`${path}.perMtokMsat`, paid.map((msat) => msat * 1e6), added([of("tokens.input"), of("tokens.output")], marks));
    }
  }
}

function little(run: Run): void {
  const { marks, estimates, seconds, setup } = run;
  estimates.ratio("checks.little.meanInSystem", marks.inTime("checks.little.inSystemUs"), seconds.map((s) => s * 1e6));
  estimates.ratio("checks.little.arrivalsPerS", inTime(run, setup.clientClasses.map((_, row) => row), "throughput.submittedJobsPerS"), seconds);
  estimates.ratio("checks.little.meanSojournUs", marks.ofJobs("checks.little.sojournUs"), marks.ofJobs("checks.little.ended"));
}

/** Operators' costs and profits, from the windows of `overTime`: some of them to a batch. */
function accounts(run: Run): void {
  const { estimates, setup, marks } = run;
  const costs = windowed(run);
  if (costs === null) return;
  const { sum, scale } = costs;
  const each = (path: string, column: number): void => {
    const revenue = sum(({ revenueMsat }) => revenueMsat, column);
    const spent = sum(({ costsMsat }) => costsMsat, column);
    const owned = sum(({ ownedUs }) => ownedUs, column);
    const profit = revenue.map((msat, batch) => msat - spent[batch]!);
    estimates.total(`${path}.costsMsat`, spent, scale);
    estimates.total(`${path}.profitMsat`, profit, scale);
    estimates.ratio(`${path}.profitMsatPerHour`, profit, owned.map((us) => us / 3.6e9));
    if (column < 0) return;
    estimates.total(`${path}.ownedUs`, owned, scale);
    estimates.total(`${path}.revenueMsat`, revenue, scale);
    COST_KINDS.forEach((kind, at) => estimates.total(`${path}.${kind}`, sum(({ kindsMsat }) => kindsMsat[at]!, column), scale));
  };
  setup.operatorClasses.forEach(({ name }, column) => each(`supply.operatorClasses.${name}`, column));
  each("market", -1);
  estimates.total("supply.exchange.payments", marks.ofJobs("supply.exchange.payments"));
  const parties = run.report.supply?.exchange?.parties ?? [];
  const gains = (role: string, name: string, what: string): Float64Array => marks.ofJobs(`supply.exchange.parties.${role}.${name}.${what}`);
  for (const { role, name } of parties) for (const what of ["gainMsat", "movedMsat", "jobs"]) estimates.total(`supply.exchange.parties.${role}.${name}.${what}`, gains(role, name, what));
  estimates.total("supply.exchange.heldByFiatMsat", added(parties.filter(({ inFiat }) => inFiat).map(({ role, name }) => gains(role, name, "gainMsat")), marks));
}

type Series = ReturnType<NonNullable<Gathered["setup"]["supply"]>["series"]>;

/** The operators' accounts in batches of whole windows of the measured interval; null where there are none, or hardly a window. */
function windowed({ setup, levels, marks }: Run): { readonly sum: (of: (series: Series) => Float64Array, column: number) => Float64Array; readonly scale: number } | null {
  const { supply, horizonUs, warmupUs, operatorClasses } = setup;
  if (supply === undefined) return null;
  const first = Math.ceil(warmupUs / levels.windowUs);
  const windows = Math.floor(horizonUs / levels.windowUs) - first;
  if (windows < 1) return null;
  const per = Math.max(1, Math.floor(windows / marks.batches));
  const batches = Math.floor(windows / per);
  const from = first + windows - batches * per;
  return {
    scale: (horizonUs - warmupUs) / (per * levels.windowUs),
    sum: (of, column) => Float64Array.from({ length: batches }, (_, batch) => {
      let sum = 0;
      operatorClasses.forEach((__, index) => {
        if (column >= 0 && column !== index) return;
        const series = of(supply.series(index));
        for (let i = 0; i < per; i++) sum += series[from + batch * per + i]!;
      });
      return sum;
    }),
  };
}

function welfare(run: Run): void {
  const { marks, estimates, setup, accounts: kept, report, seconds } = run;
  if (kept === null || report.welfare === null) return;
  const class_ = (kind: "clientClasses" | "operatorClasses", name: string, what: string): Float64Array => marks.ofJobs(`welfare.${kind}.${name}.${what}`);
  const all = (kind: "clientClasses" | "operatorClasses", what: string): Float64Array => added(setup[kind].map(({ name }) => class_(kind, name, what)), marks);
  const clients = (of: (what: string) => Float64Array): Float64Array => less(of("valueMsat"), of("waitingMsat"), of("paidMsat"));
  const hosts = (of: (what: string) => Float64Array): Float64Array => less(of("receivedMsat"), of("costMsat"));
  const client = (what: string): Float64Array => all("clientClasses", what);
  const operator = (what: string): Float64Array => all("operatorClasses", what);
  for (const what of ["jobs", "delivered", "valueMsat", "waitingMsat"]) estimates.total(`welfare.${what}`, client(what));
  estimates.total("welfare.costMsat", operator("costMsat"));
  estimates.total("welfare.consumerSurplusMsat", clients(client));
  estimates.total("welfare.operatorSurplusMsat", hosts(operator));
  for (const what of ["routerRevenueMsat", "routingFeesMsat"]) estimates.total(`welfare.${what}`, marks.ofJobs(`welfare.${what}`));
  for (const { name } of setup.clientClasses) {
    for (const what of ["jobs", "delivered", "valueMsat", "waitingMsat", "paidMsat"]) estimates.total(`welfare.clientClasses.${name}.${what}`, class_("clientClasses", name, what));
    estimates.total(`welfare.clientClasses.${name}.surplusMsat`, clients((what) => class_("clientClasses", name, what)));
  }
  for (const { name } of setup.operatorClasses) {
    for (const what of ["receivedMsat", "costMsat"]) estimates.total(`welfare.operatorClasses.${name}.${what}`, class_("operatorClasses", name, what));
    estimates.total(`welfare.operatorClasses.${name}.surplusMsat`, hosts((what) => class_("operatorClasses", name, what)));
  }
  const tokens = marks.ofJobs("welfare.tokens");
  estimates.ratio("welfare.curves.traded.perMtokMsat", client("paidMsat").map((msat) => msat * 1e6), tokens);
  estimates.ratio("welfare.curves.traded.mtokPerH", tokens.map((count) => count / 1e6), seconds.map((s) => s / 3_600));
  // What was possible is known window by window; a run that was cut has fewer whole batches of them.
  const { lengthUs, firstBestMsat, losses } = kept.byBatch;
  const whole = (of: Float64Array): Float64Array => of.subarray(0, marks.batches);
  const lost = added(losses.map(whole), marks);
  const measuredUs = setup.horizonUs - setup.warmupUs;
  const windowed_ = (figure: string, of: Float64Array): void => estimates.ratio(figure, of, whole(lengthUs), measuredUs);
  estimates.share("welfare.shareReached", less(whole(firstBestMsat), lost), whole(firstBestMsat));
  windowed_("welfare.totalMsat", less(whole(firstBestMsat), lost));
  windowed_("welfare.firstBestMsat", whole(firstBestMsat));
  windowed_("welfare.deadweightMsat", lost);
  LOSS_CAUSES.forEach((cause, at) => windowed_(`welfare.losses.${cause}`, whole(losses[at]!)));
}

/** Functions of means: each batch counts by how much it moves them. */
function structure(run: Run): void {
  const { marks, estimates, setup, served, report: { structure: stated, supply } } = run;
  const paid = Served.sum(served.filter((cell) => cell !== undefined)).perMtokMsat;
  const { clientClasses, operatorClasses } = setup;
  const ofPaid = (what: string): Float64Array => added(clientClasses.flatMap((client) => operatorClasses.map((operator) => marks.ofJobs(`flows.${client.name}.${operator.name}.prices.perMtokMsat.${what}`))), marks);
  estimates.total("structure.paid.count", ofPaid("count"));
  estimates.ratio("structure.paid.mean", ofPaid("sum"), ofPaid("count"));
  estimates.quantile("structure.paid.p10", paid, 0.1);
  estimates.quantile("structure.paid.p90", paid, 0.9);
  priceSpread(run, paid, ofPaid);
  const received = added(operatorClasses.map(({ name }) => marks.ofJobs(`welfare.operatorClasses.${name}.receivedMsat`)), marks);
  const spent = added(operatorClasses.map(({ name }) => marks.ofJobs(`welfare.operatorClasses.${name}.costMsat`)), marks);
  estimates.ratio("structure.lerner", less(received, spent), received);
  const nodes = run.earned.length < 2 ? [] : setup.nodes.map((_, node) => earnedBy(run, node));
  const classes = operatorClasses.map((_, index) => added(nodes.filter((__, node) => setup.nodes[node]!.operatorClass === index), marks));
  concentration(run, "structure.hhi.nodes", nodes, stated.hhi.nodes);
  concentration(run, "structure.hhi.operatorClasses", classes, stated.hhi.operatorClasses);
  const shares = nodes.map((parts) => ({ parts, all: total(parts) })).filter(({ all }, node) => all > 0 || supply === null || supply.nodes[node]!.ownedUs > 0).sort((a, b) => a.all - b.all);
  const weighted = Float64Array.from({ length: marks.batches }, (_, batch) => shares.reduce((sum, { parts }, rank) => sum + (2 * (rank + 1) - shares.length - 1) * parts[batch]! / shares.length, 0));
  estimates.ratio("structure.gini", weighted, added(nodes, marks));
}

/** Coefficient of variation, and p90 over p10, of the prices paid. */
function priceSpread({ estimates, marks, report: { structure: { paid: stated } } }: Run, paid: Sample, ofPaid: (what: string) => Float64Array): void {
  const { mean, cv, p10, p90, ratio } = stated;
  const counts = paid.byBatch(marks.batches, ({ count }) => count);
  if (mean !== null && cv !== null && cv > 0) {
    const [sums, sd] = [ofPaid("sum"), cv * mean];
    const squares = paid.byBatch(marks.batches, (part) => part.squaresAround(mean));
    estimates.moved("structure.paid.cv", counts.map((count, b) => cv * count + (squares[b]! - sd * sd * count) / (2 * sd * mean) - (sd * (sums[b]! - mean * count)) / (mean * mean)), counts);
  } else estimates.ratio("structure.paid.cv", counts.map(() => 0), counts);
  if (p10 === null || p90 === null || ratio === null) return;
  const move = [[0.1, p10], [0.9, p90]].map(([p, estimate]) => {
    const found = quantileInterval(paid, p!, marks.batches);
    if (found === null) return null;
    // By how much, in proportion, the quantile moves with the share of values below it.
    const slope = found.shareHalfWidth === 0 ? 0 : (found.high - found.low) / 2 / found.shareHalfWidth / estimate!;
    const below = paid.byBatch(marks.batches, (part) => part.upTo(estimate!));
    const share = total(below) / total(counts);
    return counts.map((count, b) => slope * (share * count - below[b]!));
  });
  if (move[0] === null || move[1] === null) return estimates.without("structure.paid.ratio", "seldom");
  estimates.moved("structure.paid.ratio", counts.map((count, b) => ratio * (count + move[1]![b]! - move[0]![b]!)), counts);
}

/** A Herfindahl index, a sum of squared shares: the derivative by what each batch adds to each part. */
function concentration({ estimates, marks }: Run, figure: string, parts: readonly Float64Array[], index: number | null): void {
  if (index === null) return;
  const sold = added(parts, marks);
  const all = total(sold);
  const totals = parts.map(total);
  estimates.moved(figure, sold.map((of, batch) => (2 * parts.reduce((sum, part, at) => sum + totals[at]! * part[batch]!, 0)) / all - index * of), sold);
}

/** What is counted over the whole run, warm-up and drain included; the batches are those of the measured interval. */
function wholeRun(run: Run): void {
  const { marks, estimates, report, seconds } = run;
  const scale = (marks.batches * report.endUs) / (total(seconds) * 1e6);
  const timed = (figure: string, name = figure, by = scale): void => estimates.total(figure, marks.inTime(name), by);
  const us = seconds.map((s) => s * 1e6);
  for (const { kind } of report.money?.accounts ?? []) timed(`money.${kind}.changeMsat`);
  if (report.settlement !== null) {
    const { losses, payments, locked } = report.settlement;
    for (const level of ["exposure.deliveredUnpaid", "exposure.paidUndelivered", "locked.inFlight", "locked.held"]) estimates.ratio(`settlement.${level}.meanMsat`, marks.inTime(`settlement.${level}`), us);
    const lockedUs = added(["inFlight", "held"].map((level) => marks.inTime(`settlement.locked.${level}`)), marks);
    const all = total(lockedUs);
    estimates.total("settlement.locked.costMsat", lockedUs, all === 0 ? 0 : (locked.costMsat * marks.batches) / all);
    for (const name of ["deliveredMsat", "paidMsat", "refundedMsat", "recovered.clientsMsat", "recovered.nodesMsat", "routerFees.billedMsat", "routerFees.paidMsat", "routing.routersMsat", "routing.nodesMsat", "routing.clientsMsat", "routing.rebalancingMsat", "payments.arrived", "disputes"]) timed(`settlement.${name}`);
    for (const { reason } of payments.failed) for (const what of ["payments", "msat"]) timed(`settlement.payments.failed.${reason}.${what}`);
    for (const { cause } of losses) for (const what of ["jobs", "msat"]) timed(`settlement.losses.${cause}.${what}`);
  }
  timed("pricing.priceChanges");
  for (const part of ["auctions", "batches", "trades"] as const) for (const name of Object.keys(report.pricing?.[part] ?? {})) if (name !== "paidMsat") timed(`pricing.${part}.${name}`);
  estimates.ratio("pricing.auctions.paidMsat", marks.inTime("pricing.auctions.allPaidMsat"), marks.inTime("pricing.auctions.awarded"));
  for (const { name, choices } of report.asks?.operatorClasses ?? []) {
    const path = `asks.operatorClasses.${name}`;
    const nodeUs = marks.inTime(`${path}.nodeUs`);
    timed(`${path}.changes`);
    for (const part of ["inputMsatPerMtok", "outputMsatPerMtok", "fixedMsat"]) estimates.ratio(`${path}.meanPrices.${part}`, marks.inTime(`${path}.meanPrices.${part}`), nodeUs);
    estimates.ratio(`${path}.meanSlots`, marks.inTime(`${path}.meanSlots`), us);
    for (const { multiple } of choices) estimates.share(`${path}.choices.x${multiple}.share`, marks.inTime(`${path}.choices.x${multiple}.share`), nodeUs);
  }
  timed("supply.exchange.requotes");
  for (const { name } of report.supply?.entry ?? []) for (const what of ["joins", "leaves"]) timed(`supply.entry.${name}.${what}`);
}

/** By client classes, of what happened in time, whenever the job was submitted. */
function inTime({ marks, setup }: Run, rows: readonly number[], name: string): Float64Array {
  return added(rows.map((row) => marks.inTime(`clientClasses.${setup.clientClasses[row]!.name}.${name}`)), marks);
}

/** What a node earned in each batch; as {@link Marks.ofJobs}. */
function earnedBy({ marks, earned }: Run, node: number): Float64Array {
  const parts = Float64Array.from({ length: marks.batches }, (_, batch) => earned[batch + 1]![node]! - (batch === 0 ? 0 : earned[batch]![node]!));
  const rest = earned[marks.batches + 1];
  if (rest !== undefined) parts[0]! += rest[node]! - earned[marks.batches]![node]!;
  return parts;
}

function added(parts: readonly Float64Array[], { batches }: Marks): Float64Array {
  const sum = new Float64Array(batches);
  for (const part of parts) for (let batch = 0; batch < batches; batch++) sum[batch]! += part[batch]!;
  return sum;
}

function less(from: Float64Array, ...parts: readonly Float64Array[]): Float64Array {
  return from.map((value, batch) => parts.reduce((left, part) => left - part[batch]!, value));
}
