import type { WarmupFinding } from "../../protocol/result/precision.ts";
import { RandomStreams } from "../kernel/random.ts";
import { mser5 } from "../kernel/statistics/index.ts";
import { SERIES } from "./series.ts";
import type { SeriesName } from "./series.ts";

/**
 * Where a scenario's start ends, for `warmup: auto`: MSER-5 on the mean course of some pilots, runs without a warm-up whose random
 * numbers nobody else has, so that what is left out does not depend on the run that it is left out of. Averaging over pilots takes
 * off the noise that hides where the start ends (P. D. Welch's idea, put before the MSER rule).
 */

/** Pilots: enough to see the course behind the noise, few enough to cost little. */
export const PILOTS = 5;
/** Windows of a pilot's series. */
export const PILOT_WINDOWS = 1_000;

/** What pilots say. */
export interface FoundWarmup {
  /** Whole microseconds; less than the horizon. */
  readonly warmupUs: number;
  readonly finding: WarmupFinding;
}

/** A pilot's series, as `SeriesTally` has them. */
export type PilotSeries = Readonly<Record<SeriesName, readonly (number | null)[]>>;

/** The pilots' seeds: the same whatever the seed of the run that wants to know. @param seed the scenario's */
export function pilotSeeds(seed: number): number[] {
  const random = new RandomStreams(seed).stream("experiment", "warm-up", "pilot");
  return Array.from({ length: PILOTS }, () => Math.floor(random.next() * 4_294_967_296));
}

/** How many windows may be joined, so that nearly every one has a value. */
const JOINS = [1, 2, 4, 5, 10, 20];
/** Windows without a value, as a share, that are borne: they take the value before. */
const EMPTY = 0.02;

/** Finds the warm-up in the pilots' series: the latest of the cuts. @param pilots series of `PILOT_WINDOWS` equal windows of [0, horizon) */
export function warmupOf(pilots: readonly PilotSeries[], horizonUs: number): FoundWarmup {
  const windowUs = horizonUs / PILOT_WINDOWS;
  const series = SERIES.flatMap((name): WarmupFinding["series"] => {
    const values = meanCourse(pilots.map((pilot) => pilot[name]));
    const found = cutOf(values);
    return found === null ? [] : [{ name, values: values.map((value) => value === null ? null : Number(value.toPrecision(6))), cutUs: Math.round(found.cut * windowUs), sufficient: found.sufficient }];
  });
  return {
    warmupUs: Math.max(0, ...series.map(({ cutUs }) => cutUs)),
    finding: { method: "MSER-5", pilots: pilots.length, windowUs, sufficient: series.every(({ sufficient }) => sufficient), series },
  };
}

/** Window by window; null where no pilot has a value. */
function meanCourse(pilots: readonly (readonly (number | null)[])[]): (number | null)[] {
  return Array.from({ length: PILOT_WINDOWS }, (_, i) => mean(pilots.map((pilot) => pilot[i] ?? null)));
}

/** Windows to leave out. @returns null for a series without values */
function cutOf(values: readonly (number | null)[]): { readonly cut: number; readonly sufficient: boolean } | null {
  if (values.every((value) => value === null)) return null;
  const join = JOINS.find((count) => joined(values, count).filter((value) => value === null).length <= EMPTY * values.length / count) ?? JOINS.at(-1)!;
  const course = joined(values, join);
  let last = course.find((value) => value !== null)!;
  const whole = course.map((value) => (last = value ?? last));
  // What rounding makes of a series that never changes is no transient.
  const [least, most] = [Math.min(...whole), Math.max(...whole)];
  if (most - least <= 1e-9 * Math.abs(most)) return { cut: 0, sufficient: true };
  const { cut, sufficient } = mser5(whole);
  return { cut: cut * join, sufficient };
}

function joined(values: readonly (number | null)[], count: number): (number | null)[] {
  return count === 1 ? [...values] : Array.from({ length: values.length / count }, (_, i) => mean(values.slice(i * count, (i + 1) * count)));
}

function mean(values: readonly (number | null)[]): number | null {
  let sum = 0;
  let count = 0;
  for (const value of values) {
    if (value === null) continue;
    sum += value;
    count++;
  }
  return count === 0 ? null : sum / count;
}
