import * as Plot from "@observablehq/plot";
import type { Markish, ScaleOptions } from "@observablehq/plot";
import { formatDurationUs, formatNumber, formatPercent } from "../../protocol/units.ts";

const S = 1_000_000;
/** Durations in which people count, coarse and fine, in microseconds. */
const DURATIONS_US = [1, 10, 100, 1_000, 10_000, 100_000, S, 10 * S, 60 * S, 600 * S, 3_600 * S, 36_000 * S, 86_400 * S, 864_000 * S, 8_640_000 * S];
const FINE_DURATIONS_US = [
  ...[1, 10, 100, 1_000, 10_000, 100_000, S].flatMap((unit) => [unit, 2 * unit, 5 * unit]),
  ...[10, 20, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 18_000, 36_000, 86_400, 172_800, 432_000, 864_000].map((seconds) => seconds * S),
];
const CLOCK_STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 2_592_000];

/** A logarithmic axis of durations: a scale without Plot's own axis, which leaves labels out as it thinks fit, and ours. */
export interface DurationAxis {
  readonly scale: ScaleOptions;
  /** Where the axis begins, microseconds. */
  readonly least: number;
  readonly ticksX: Markish;
  readonly ticksY: Markish;
}

/** Axis from `leastUs` to `mostUs`, microseconds; at least one microsecond, and never less than a doubling wide. */
export function durationAxis(leastUs: number, mostUs: number): DurationAxis {
  const middle = Math.sqrt(Math.max(1, leastUs) * Math.max(1, mostUs));
  const low = Math.min(Math.max(1, leastUs), middle / Math.SQRT2);
  const high = Math.max(mostUs, middle * Math.SQRT2);
  const ticks = durationTicks(low, high);
  const text = (us: number): string => formatDurationUs(us);
  return {
    scale: { type: "log", domain: [low, high], ticks, grid: true, axis: null },
    least: low,
    ticksX: Plot.axisX(ticks, { text, label: null }),
    ticksY: Plot.axisY(ticks, { text, label: null }),
  };
}

function durationTicks(low: number, high: number): number[] {
  const within = (ticks: readonly number[]): number[] => ticks.filter((tick) => tick >= low && tick <= high);
  const coarse = within(DURATIONS_US);
  if (coarse.length >= 3) return coarse;
  const fine = within(FINE_DURATIONS_US);
  if (fine.length >= 3) return fine;
  const step = roundStep((high - low) / 5);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, index) => (first + index) * step);
}

/** Linear axis of simulated time from 0, in microseconds. */
export function clockAxis(horizonUs: number): ScaleOptions {
  const stepUs = (CLOCK_STEPS_S.find((step) => step * S * 8 >= horizonUs) ?? 2_592_000) * S;
  const fine = horizonUs < 8 * S ? roundStep(horizonUs / 6) : stepUs;
  const ticks = Array.from({ length: Math.floor(horizonUs / fine) + 1 }, (_, index) => index * fine);
  return { domain: [0, horizonUs], label: null, ticks, tickFormat: (us: number) => formatDurationUs(us) };
}

/** Linear axis from 0. */
export function amountAxis(most: number, tickFormat: (value: number) => string = (value) => formatNumber(value, 6)): ScaleOptions {
  return spanAxis(0, most > 0 ? most : 1, 4, tickFormat);
}

/** Linear axis of things that are counted, with ticks at whole numbers. */
export function countAxis(least: number, most: number, parts: number): ScaleOptions {
  return spanAxis(least, most, parts, (count) => formatNumber(count), 1);
}

/** Linear axis between two bounds, with about so many ticks, at least `leastStep` apart. */
export function spanAxis(least: number, most: number, parts: number, tickFormat: (value: number) => string, leastStep = 0): ScaleOptions {
  const step = Math.max(leastStep, roundStep((most - least) / parts));
  const first = Math.ceil(least / step - 1e-9);
  const last = Math.floor(most / step + 1e-9);
  const ticks = Array.from({ length: last - first + 1 }, (_, index) => Number(((first + index) * step).toPrecision(12)));
  return { domain: [least, most], label: null, ticks, tickFormat: (value: number) => (value === 0 ? "0" : tickFormat(value)), grid: true };
}

/** Axis of shares from 0 to 100 %. */
export function shareAxis(): ScaleOptions {
  return { domain: [0, 1], label: null, ticks: [0, 0.25, 0.5, 0.75, 1], tickFormat: (share: number) => formatPercent(share), grid: true };
}

/** The smallest of 1, 2, 5 times a power of ten that is not below `least`. */
export function roundStep(least: number): number {
  const [mantissa, exponent] = least.toExponential(6).split("e") as [string, string];
  const digit = [1, 2, 5, 10].find((candidate) => candidate >= Number(mantissa)) ?? 10;
  return Number(`${digit}e${exponent}`);
}

/** Largest finite value of columns that may have gaps; 0 where there is none. */
export function largest(...columns: readonly (readonly (number | null)[])[]): number {
  let most = 0;
  for (const column of columns) for (const value of column) if (value !== null && value > most) most = value;
  return most;
}
