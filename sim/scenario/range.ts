import type { PathPart } from "../../input/path-part.ts";
import { describeValue, finestStep } from "../../input/units.ts";

/** How values lie between the ends of a range. */
export type RangeScale = "linear" | "log";

/** All values of a scenario's field from one to another, ready to be drawn from. */
export interface ValueRange {
  /** In `unit`, as are all values. */
  readonly from: number;
  /** Above `from`. */
  readonly to: number;
  /** As in the scenario; "" for bare numbers. */
  readonly unit: string;
  readonly scale: RangeScale;
  /** Whole numbers only: each is equally likely. */
  readonly whole: boolean;
  /** Decimals to which values are rounded: as fine as the field allows, and not much finer than a millionth of the range. */
  readonly decimals: number;
}

/** A value of a range. */
export interface RangeValue {
  readonly value: number;
  /** As a scenario or `--set` takes it: `0.25 USD/kWh`. */
  readonly text: string;
  /** Where it lies after rounding, 0 to 1. */
  readonly share: number;
}

/** As much of a field's JSON Schema as tells whole numbers from others. */
export interface FieldType {
  readonly type?: string;
  readonly anyOf?: readonly FieldType[];
}

/** What a path into a scenario leads to, before a value is written there: the field's place and what its schema allows; or why it leads nowhere. */
export type FieldLookup = (path: string, value: unknown) =>
  | { readonly place: readonly PathPart[]; readonly field: readonly FieldType[] }
  | { readonly found: string; readonly allowed: string; readonly suggestion?: string };

/** Why two ends make no range. */
export interface RangeProblem {
  readonly at: "from" | "to";
  readonly found: string;
  readonly allowed: string;
}

interface Written {
  readonly value: number;
  readonly unit: string;
}

const shape = /^\s*(-?[0-9][0-9_]*(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,2})?)\s*(.*?)\s*$/u;

/**
 * Reads a range of a field.
 * @param from a number, or a text with a number and its unit, as `to`
 * @param field what the schema allows there (`schemaAt`); whether it is a whole number is looked up there
 */
export function readRange(from: unknown, to: unknown, scale: RangeScale, field: readonly FieldType[]): ValueRange | RangeProblem {
  const low = read(from);
  const high = read(to);
  if (low === null) return { at: "from", found: describeValue(from), allowed: "a number with its unit" };
  if (high === null) return { at: "to", found: describeValue(to), allowed: "a number with its unit" };
  if (low.unit !== high.unit) {
    return { at: "to", found: describeValue(to), allowed: low.unit === "" ? "a number without a unit, as in `from`" : `a number of ${low.unit}, as in \`from\`` };
  }
  if (!(high.value > low.value)) return { at: "to", found: describeValue(to), allowed: `more than ${describeValue(from)}` };
  if (scale === "log" && low.value <= 0) return { at: "from", found: describeValue(from), allowed: "a value above 0, as the scale is log" };
  const whole = low.unit === "" && wantsWhole(field);
  if (whole && !Number.isInteger(low.value)) return { at: "from", found: describeValue(from), allowed: "a whole number" };
  if (whole && !Number.isInteger(high.value)) return { at: "to", found: describeValue(to), allowed: "a whole number" };
  const least = scale === "log" ? Math.min(low.value, high.value - low.value) : high.value - low.value;
  const decimals = whole ? 0 : Math.min(finest(low.unit), Math.max(0, Math.min(12, 6 - Math.floor(Math.log10(least)))));
  return { from: low.value, to: high.value, unit: low.unit, scale, whole, decimals };
}

/** The value at a share of the way, 0 (`from`) to 1 (`to`): so uniform shares give uniform values, or uniform logarithms. */
export function valueAt(range: ValueRange, share: number): RangeValue {
  const { from, to, unit, whole, decimals } = range;
  const top = whole ? to + 1 : to;
  const exact = share >= 1 ? to : range.scale === "log" ? from * Math.exp(share * Math.log(top / from)) : from + share * (top - from);
  const rounded = whole ? Math.floor(exact + 1e-9) : Number(exact.toFixed(decimals));
  const value = Math.min(to, Math.max(from, rounded));
  return { value, text: `${value}${unit === "" || unit.startsWith("/") ? "" : " "}${unit}`, share: shareOf(range, value) };
}

/** Where a value lies in its range: 0 at `from`, 1 at `to`. */
export function shareOf({ from, to, scale }: ValueRange, value: number): number {
  return scale === "log" ? Math.log(value / from) / Math.log(to / from) : (value - from) / (to - from);
}

/** A number and its unit, as they were written; null where it is neither. */
function read(written: unknown): Written | null {
  if (typeof written !== "string" && typeof written !== "number") return null;
  const match = shape.exec(String(written));
  if (match === null) return null;
  const value = Number(match[1]!.replaceAll("_", ""));
  return Number.isFinite(value) ? { value, unit: match[2]! } : null;
}

/** Whether bare numbers have to be whole there. */
export function wantsWhole(field: readonly FieldType[]): boolean {
  const types = field.flatMap((option) => [option, ...(option.anyOf ?? [])]).map(({ type }) => type);
  return types.includes("integer") && !types.includes("number");
}

/** Decimals that a number of this unit may have. */
function finest(unit: string): number {
  // Some shares are counted in whole basis points.
  if (unit === "bps" || unit === "%") return unit === "%" ? 2 : 0;
  const steps = finestStep(unit);
  if (steps === null) return 12;
  let decimals = 0;
  for (let power = 10; steps % power === 0; power *= 10) decimals++;
  return Math.min(12, decimals);
}
