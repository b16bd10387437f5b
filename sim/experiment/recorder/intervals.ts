import type { IntervalsReport } from "../../../protocol/result/precision.ts";
import { ALL_ATTEMPTS, BATCHES, column, COMPLETED, ENDED, ENDS, Intervals, MET, SUM, SUMS } from "./batches.ts";
import type { ClientTally } from "./client-tally.ts";
import { FIRST_CLASS_LEVEL, IN_SYSTEM, LEVELS_PER_CLASS, RUNNING, SLOTS_UP } from "./columns.ts";
import type { Gathered } from "./gathered.ts";
import { Served } from "./served.ts";

/** How well this run alone knows its means: null where it is too short to say. */
export function intervalsReport(gathered: Gathered, everybody: ClientTally, served: Served): IntervalsReport | null {
  const { setup, clients, wholeBatches } = gathered;
  const intervals = new Intervals(wholeBatches);
  const width = setup.operatorClasses.length;
  addJobs(intervals, "overall", everybody, wholeBatches);
  addServed(intervals, "overall", served, wholeBatches);
  const ends = (at: number): Float64Array => column(everybody.batches, ENDS, at, wholeBatches);
  intervals.add("market.completedShare", ratio(everybody.ended.completed, ended(everybody)), ends(COMPLETED), ends(ENDED));
  addLevels(intervals, gathered, everybody);
  setup.clientClasses.forEach(({ name }, row) => {
    addJobs(intervals, `clientClasses.${name}`, clients[row]!, wholeBatches);
    addServed(intervals, `clientClasses.${name}`, Served.sum(gathered.served.slice(row * width, (row + 1) * width).filter((cell) => cell !== undefined)), wholeBatches);
  });
  setup.operatorClasses.forEach(({ name }, at) => {
    addServed(intervals, `operatorClasses.${name}`, Served.sum(gathered.served.filter((cell, index) => cell !== undefined && index % width === at) as Served[]), wholeBatches);
  });
  return intervals.report;
}

function addJobs(intervals: Intervals, group: string, tally: ClientTally, batches: number): void {
  const of = (at: number): Float64Array => column(tally.batches, ENDS, at, batches);
  intervals.add(`${group}.goodput.share`, ratio(tally.metAll, ended(tally)), of(MET), of(ENDED));
  intervals.add(`${group}.attempts.perJob`, ratio(tally.attemptsOfEnded, ended(tally)), of(ALL_ATTEMPTS), of(ENDED));
}

function addServed(intervals: Intervals, group: string, served: Served, batches: number): void {
  const of = (at: number): Float64Array => column(served.batches, SUMS, at, batches);
  const add = (figure: string, mean: number | null, sum: number, weight: number): void => intervals.add(`${group}.${figure}.mean`, mean, of(sum), of(weight));
  add("latency.ttftUs", served.ttftUs.summary().mean, SUM.ttftUs, SUM.streamed);
  add("latency.tpotUs", served.tpotUs.summary().mean, SUM.tpotUs, SUM.paced);
  add("latency.endToEndUs", served.endToEndUs.summary().mean, SUM.endToEndUs, SUM.jobs);
  add("latency.queueingUs", served.queueingUs.summary().mean, SUM.queueingUs, SUM.queued);
  add("prices.perJobMsat", served.perJobMsat.summary().mean, SUM.perJobMsat, SUM.jobs);
  add("prices.perMtokMsat", served.perMtokMsat.summary().mean, SUM.perMtokMsat, SUM.priced);
}

/** What is averaged over time, from the windows that lie in the measured interval: some of them to a batch. */
function addLevels(intervals: Intervals, { setup, levels, counts }: Gathered, everybody: ClientTally): void {
  if (setup.horizonUs - setup.warmupUs < 2 * levels.windowUs) return;
  const first = Math.ceil(setup.warmupUs / levels.windowUs);
  const windows = Math.floor(setup.horizonUs / levels.windowUs) - first;
  const per = Math.max(1, Math.floor(windows / BATCHES));
  const batches = Math.floor(windows / per);
  const batched = (value: (window: number) => number): Float64Array =>
    Float64Array.from({ length: batches }, (_, batch) => {
      let sum = 0;
      for (let i = 0; i < per; i++) sum += value(first + windows - batches * per + batch * per + i);
      return sum;
    });
  const seconds = batched(() => levels.windowUs / 1e6);
  const measuredUs = setup.horizonUs - setup.warmupUs;
  const levelOf = (kind: number) => setup.operatorClasses.map((_, at) => FIRST_CLASS_LEVEL + at * LEVELS_PER_CLASS + kind);
  const sumOf = (of: readonly number[]): Float64Array => batched((window) => of.reduce((sum, level) => sum + levels.column(level)[window]!, 0));
  const measured = (of: readonly number[]): number => of.reduce((sum, level) => sum + levels.measured(level), 0);
  const [running, up] = [levelOf(RUNNING), levelOf(SLOTS_UP)];
  intervals.add("market.utilisation", ratio(measured(running), measured(up)), sumOf(running), sumOf(up));
  setup.operatorClasses.forEach(({ name }, at) => {
    const [busy, slots] = [[running[at]!], [up[at]!]];
    intervals.add(`operatorClasses.${name}.utilisation`, ratio(measured(busy), measured(slots)), sumOf(busy), sumOf(slots));
  });
  intervals.add("checks.little.meanInSystem", levels.measured(IN_SYSTEM) / measuredUs, sumOf([IN_SYSTEM]), seconds.map((s) => s * 1e6));
  const rate = (figure: string, total: number, of: Float64Array): void => intervals.add(`overall.throughput.${figure}`, total * 1e6 / measuredUs, batched((window) => of[window]!), seconds);
  rate("submittedJobsPerS", everybody.submissions, counts.submitted);
  rate("completedJobsPerS", everybody.completions, counts.completed);
  rate("inputTokensPerS", everybody.inputTokens, counts.inputTokens);
  rate("outputTokensPerS", everybody.outputTokens, counts.outputTokens);
}

function ended(tally: ClientTally): number {
  return Object.values(tally.ended).reduce((sum, jobs) => sum + jobs, 0);
}

function ratio(dividend: number, divisor: number): number | null {
  return divisor === 0 ? null : dividend / divisor;
}
