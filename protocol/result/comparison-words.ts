import { formatNumber, formatSignificant } from "../units.ts";
import type { ComparedDifference, ComparedMetric } from "./comparison.ts";
import { formatFigure } from "./metrics.ts";
import type { FigureUnit } from "./metrics.ts";

/** A figure in three significant digits: more would pretend to a precision that a mean over some runs does not have. */
export function briefFigure(value: number | null, unit: FigureUnit): string {
  return formatFigure(value === null ? null : Number(value.toPrecision(3)), unit);
}

type Compared = Pick<ComparedDifference, "baselineMean" | "armMean" | "difference" | "interval" | "relative">;

/** Whether a difference may be said in shares of the baseline: of a loss, or from a loss to a gain, they would mislead; of what is next to nothing, they say less than the figures. */
export function isRelative({ baselineMean, armMean, relative }: Pick<Compared, "baselineMean" | "armMean" | "relative">): boolean {
  return relative !== null && baselineMean !== null && baselineMean > 0 && armMean !== null && armMean >= 0 && Math.max(Math.abs(relative.value), Math.abs(relative.low ?? 0), Math.abs(relative.high ?? 0)) <= 20;
}

/** In what a difference is said. */
export interface DifferenceAmount {
  /** `relative`: in hundredths of the baseline's mean. `points`: of a share, in percentage points. `absolute`: in the figure's unit. */
  readonly scale: "relative" | "points" | "absolute";
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** A size of it, without a sign. */
  readonly size: (value: number) => string;
  /** The two ends of an interval, with the unit once where that reads well. */
  readonly range: (low: number, high: number) => string;
}

/** Relative to the baseline where that means something, in percentage points of shares. @returns null where nothing is known; without an interval, its ends are the value */
export function amountOf(compared: Compared, { unit }: Pick<ComparedMetric, "unit">): DifferenceAmount | null {
  const { difference, interval, relative } = compared;
  if (difference === null) return null;
  const { low, high } = interval ?? { low: difference, high: difference };
  if (unit === "share") return inPlaces("points", { value: difference * 100, low: low * 100, high: high * 100 }, " percentage points");
  if (relative !== null && isRelative(compared)) {
    // The same difference in every pair: its share of a baseline that varies has an interval all the same, which says nothing more.
    const ends = low === high ? { low: relative.value, high: relative.value } : { low: relative.low ?? relative.value, high: relative.high ?? relative.value };
    return inPlaces("relative", { value: relative.value * 100, low: ends.low * 100, high: ends.high * 100 }, " %");
  }
  return {
    scale: "absolute", value: difference, low, high, size: (value) => briefFigure(Math.abs(value), unit),
    range: (a, b) => `${briefFigure(a, unit)} to ${briefFigure(b, unit)}`,
  };
}

/** To the first digit of half the interval's width, or the second where the first is a 1: then one digit would be half of it off. */
function inPlaces(scale: DifferenceAmount["scale"], { value, low, high }: { readonly value: number; readonly low: number; readonly high: number }, unit: string): DifferenceAmount {
  const half = (high - low) / 2;
  const [first = "", exponent] = half.toExponential(1).split("e");
  const digits = Math.max(0, Math.min(6, (first.startsWith("1") ? 1 : 0) - Number(exponent)));
  const number = (x: number): string => (half > 0 ? formatNumber(x, digits) : formatSignificant(x, 2));
  return { scale, value, low, high, size: (x) => `${number(Math.abs(x))}${unit}`, range: (a, b) => `${number(a)} to ${number(b)}` };
}

/** "-18 % (-22 to -14)", for tables and plots; "–" where nothing is known. */
export function changeWords(difference: Compared, metric: Pick<ComparedMetric, "unit">): string {
  const amount = amountOf(difference, metric);
  if (amount === null) return "–";
  const { value, low, high, size, range, scale } = amount;
  if (value === 0 && low === high) return "0";
  const words = signed(value, size).replace(" percentage points", " points");
  return low === high ? words : `${words} (${scale === "absolute" ? `${signed(low, size)} to ${signed(high, size)}` : range(low, high)})`;
}

/** A p-value: "0.031", "below 0.001". */
export function probability(p: number): string {
  return p < 0.001 ? "below 0.001" : formatSignificant(p, 2);
}

/** Without a sign where nothing is left of the value. */
function signed(value: number, size: DifferenceAmount["size"]): string {
  const words = size(value);
  return `${!/[1-9]/.test(words) ? "" : value > 0 ? "+" : "-"}${words}`;
}
