import type { RunReport } from "../../../protocol/result.ts";
import { BatchMeans } from "../../kernel/statistics/index.ts";
import { COMPLETED, type Jobs, type Played } from "./played.ts";

/** Takes a figure out of a run, as means of long batches that are nearly independent of each other. */
export type Measure = (played: Played) => readonly number[];

type Choice = (jobs: Jobs, i: number) => boolean;

const completed: Choice = (jobs, i) => jobs.status[i] === COMPLETED;

/** Completed jobs of one client class. */
export function ofClass(clientClass: number): Choice {
  return (jobs, i) => jobs.clientClass[i] === clientClass && completed(jobs, i);
}

/** Time from submission to start of service, s. */
export function wait(jobs: Jobs, i: number): number {
  return (jobs.startedUs[i]! - jobs.submittedUs[i]!) / 1e6;
}

/** Time from submission to the end, s. */
export function sojourn(jobs: Jobs, i: number): number {
  return (jobs.endedUs[i]! - jobs.submittedUs[i]!) / 1e6;
}

/** Mean of a value over the chosen jobs that were submitted after the warm-up. */
export function meanOf(value: (jobs: Jobs, i: number) => number, chosen: Choice = completed): Measure {
  return ({ jobs, report }) => {
    const batches = new BatchMeans();
    for (let i = 0; i < jobs.count; i++) if (jobs.submittedUs[i]! >= report.warmupUs && chosen(jobs, i)) batches.add(value(jobs, i));
    return batches.means();
  };
}

/** Share of the chosen jobs of which something is true. */
export function shareOf(holds: Choice, chosen: Choice = completed): Measure {
  return meanOf((jobs, i) => (holds(jobs, i) ? 1 : 0), chosen);
}

/** Every job, however it ended. */
export const everyJob: Choice = () => true;

/** Share of all jobs that did not complete. */
export const lostShare: Measure = shareOf((jobs, i) => !completed(jobs, i), everyJob);

/** Share of completed jobs that had to wait. */
export const waitedShare: Measure = shareOf((jobs, i) => jobs.startedUs[i]! > jobs.submittedUs[i]!);

/** Share of completed jobs that took longer than this, s. */
export function longerThan(seconds: number): Measure {
  return shareOf((jobs, i) => sojourn(jobs, i) > seconds);
}

type WindowFigure = { [K in keyof RunReport["overTime"]]: RunReport["overTime"][K] extends (number | null)[] ? K : never }[keyof RunReport["overTime"]];

/** Time average that the report gives over time: its windows after the warm-up, several to a batch. */
export function overTime(figure: WindowFigure, factor = 1): Measure {
  return ({ report }) => {
    const { startUs, windowUs } = report.overTime;
    const whole = report.overTime[figure].filter((_, w) => startUs[w]! >= report.warmupUs && startUs[w]! + windowUs <= report.horizonUs);
    const together = Math.max(1, Math.floor(whole.length / 30));
    return Array.from({ length: Math.floor(whole.length / together) }, (_, batch) =>
      (whole.slice(batch * together, (batch + 1) * together).reduce<number>((sum, value) => sum + value!, 0) * factor) / together);
  };
}

/** Jobs completed per second of simulated time. */
export const completedPerS: Measure = (played) => overTime("completed", 1e6 / played.report.overTime.windowUs)(played);

const SLICES = 40;

/** Who was there: by slice of the measured time, the time with n jobs in the system and the arrivals that found n. */
interface Occupancy {
  readonly timeUs: readonly Float64Array[];
  readonly arrivals: readonly Float64Array[];
}

const occupancies = new WeakMap<Played, Occupancy>();

/**
 * Replays when jobs came and went, from their rows alone, so that it checks the report's own averages too. A job that was
 * turned away was an arrival but never in the system.
 */
function occupancyOf(played: Played): Occupancy {
  const known = occupancies.get(played);
  if (known !== undefined) return known;
  const { jobs, report } = played;
  const sliceUs = (report.horizonUs - report.warmupUs) / SLICES;
  const timeUs = Array.from({ length: SLICES }, () => new Float64Array(LEVELS));
  const arrivals = Array.from({ length: SLICES }, () => new Float64Array(LEVELS));
  const all = jobs.submittedUs.slice(0, jobs.count).sort();
  const accepted = jobs.submittedUs.subarray(0, jobs.count).filter((_, i) => jobs.status[i] === COMPLETED).sort();
  // Rows come in the order of their ends.
  const left = jobs.endedUs.subarray(0, jobs.count).filter((_, i) => jobs.status[i] === COMPLETED);
  let level = 0;
  let nowUs = 0;
  const pass = (untilUs: number): void => {
    while (nowUs < untilUs) {
      const slice = Math.floor((nowUs - report.warmupUs) / sliceUs);
      const nextUs = Math.min(untilUs, slice < 0 ? report.warmupUs : report.warmupUs + (slice + 1) * sliceUs);
      if (slice >= 0 && slice < SLICES) timeUs[slice]![Math.min(level, LEVELS - 1)]! += nextUs - nowUs;
      if (slice >= SLICES) return;
      nowUs = nextUs;
    }
  };
  for (let a = 0, i = 0, d = 0; a < all.length; a++) {
    const atUs = all[a]!;
    for (; d < left.length && left[d]! <= atUs; d++) {
      pass(left[d]!);
      level--;
    }
    pass(atUs);
    const slice = Math.floor((atUs - report.warmupUs) / sliceUs);
    if (slice >= 0 && slice < SLICES) arrivals[slice]![Math.min(level, LEVELS - 1)]!++;
    if (accepted[i] === atUs) {
      level++;
      i++;
    }
  }
  const occupancy = { timeUs, arrivals };
  occupancies.set(played, occupancy);
  return occupancy;
}

/** Levels told apart; the last stands for itself and all above. */
const LEVELS = 256;

/** Share of time with exactly `level` jobs in the system. */
export function timeAt(level: number): Measure {
  return (played) => occupancyOf(played).timeUs.map((slice) => shareAt(slice, level));
}

/** Share of arrivals that found exactly `level` jobs in the system. */
export function foundAt(level: number): Measure {
  return (played) => occupancyOf(played).arrivals.map((slice) => shareAt(slice, level));
}

/** Share of arrivals that find nobody less the share of time with nobody: 0 where arrivals see time averages. */
export const foundLessTimeEmpty: Measure = (played) => {
  const found = foundAt(0)(played);
  return timeAt(0)(played).map((share, i) => found[i]! - share);
};

function shareAt(slice: Float64Array, level: number): number {
  return slice[level]! / slice.reduce((sum, x) => sum + x, 0);
}
