import { z } from "zod";
import { formatPath } from "../../../input/problem.ts";
import type { Finding } from "../../../input/problem.ts";
import type { PathPart } from "../../../input/path-part.ts";
import { readRange } from "../range.ts";
import type { FieldLookup, ValueRange } from "../range.ts";
import type { Change, Variation } from "../variation.ts";

/** A number, or a text with a number and its unit. */
const end = z.union([z.number(), z.string().min(1).max(64)]).meta({ title: "a number with its unit" });
const ends = {
  from: end.describe("The least value, such as `100 msat`."),
  to: end.describe("The greatest."),
};
const steps = z.int().min(2).max(1_000).describe("How many values, evenly spaced, both ends included.");
const list = z.array(z.unknown()).min(1).max(1_000);

/** Values to choose from, each as it would stand at its path. */
export const gridValues = z.union([list, z.strictObject({ ...ends, steps })]);
/** The same, or all values of a range. */
export const gridOrRange = z.union([list, z.strictObject({
  ...ends,
  steps: steps.optional().describe("How many values, evenly spaced, both ends included; left out: any value in between."),
  step: end.optional().describe("What values between the ends are rounded to (default: about a thousandth of the range)."),
})]);
export type GridInput = z.output<typeof gridValues>;
export type GridOrRangeInput = z.output<typeof gridOrRange>;

/** A path of the scenario, and the values that it may take. */
export interface GridAxis {
  readonly path: string;
  /** In the order of the file; each a change of `path`. */
  readonly values: readonly Change[];
  /** Distance of neighbouring values where they are evenly spaced numbers, in words: `20 sat`; null elsewhere. */
  readonly stepText: string | null;
}

/** A path of the scenario that may take any value between two ends. */
export interface RangeAxis {
  readonly path: string;
  readonly range: ValueRange;
  /** Values are whole multiples of it, counted from the lower end, in the range's unit. */
  readonly step: number;
  /** Where in the file it stands. */
  readonly at: readonly PathPart[];
}

export type Axis = GridAxis | RangeAxis;

/** Whether any value between two ends may be taken. */
export function isRange(axis: Axis): axis is RangeAxis {
  return "range" in axis;
}

/** @param at where in the file the values stand. @returns null after a finding */
export function resolveAxis(path: string, input: GridOrRangeInput, at: readonly PathPart[], finding: (finding: Finding) => void, fieldOf: FieldLookup): Axis | null {
  const looked = fieldOf(path, Array.isArray(input) ? input[0] as unknown : input.from);
  if ("found" in looked) {
    finding({ path: at, ...looked, atKey: true });
    return null;
  }
  if (Array.isArray(input)) {
    const texts = input.map((value) => JSON.stringify(value));
    const twice = texts.findIndex((text, i) => texts.indexOf(text) !== i);
    if (twice >= 0) {
      finding({ path: [...at, twice], found: `${formatPath(at)}[${texts.indexOf(texts[twice]!)}] once more`, allowed: "each value once" });
      return null;
    }
    return { path, values: input.map((value: unknown, i) => ({ path, value, at: [...at, i] })), stepText: stepOf(input) };
  }
  const range = readRange(input.from, input.to, "linear", looked.field);
  if (!("unit" in range)) {
    finding({ path: [...at, range.at], found: range.found, allowed: range.allowed });
    return null;
  }
  if (input.steps !== undefined) {
    const { steps: count } = input;
    if ("step" in input && input.step !== undefined) {
      finding({ path: [...at, "step"], found: "`step` beside `steps`", allowed: "one of them" });
      return null;
    }
    const values = Array.from({ length: count }, (_, i): Change => ({ path, value: plain(withUnit(Number((range.from + (i / (count - 1)) * (range.to - range.from)).toFixed(range.decimals)), range.unit)), at }));
    return { path, values, stepText: stepOf(values.map(({ value }) => value)) };
  }
  const step = stepSize(input.step, range);
  if (step === null) {
    finding({ path: [...at, "step"], found: JSON.stringify(input.step), allowed: `a number above 0${range.unit === "" ? "" : ` of ${range.unit}`}, at most the whole range` });
    return null;
  }
  return { path, range, step, at };
}

/** The change that a value of a range is. @param share of the way, 0 to 1; the value is rounded to the axis' step */
export function changeAt({ path, range: { from, to, unit }, step, at }: RangeAxis, share: number): Change & { readonly number: number } {
  const most = Math.floor((to - from) / step + 1e-9);
  const steps = Math.min(most, Math.max(0, Math.round((share * (to - from)) / step)));
  // Twelve decimals: what doubles add to a decimal step is not part of the value.
  const number = Number((from + steps * step).toFixed(12));
  return { path, value: plain(withUnit(number, unit)), at, number };
}

/** A number with its unit, as a scenario takes it. */
export function withUnit(value: number, unit: string): string {
  return `${value}${unit === "" || unit.startsWith("/") ? "" : " "}${unit}`;
}

function plain(text: string): string | number {
  return text !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}

function stepSize(given: string | number | undefined, { from, to, unit, decimals }: ValueRange): number | null {
  if (given === undefined) {
    const finest = Number(`1e-${decimals}`);
    const wanted = Number(`1e${Math.floor(Math.log10((to - from) / 1_000) + 1e-9)}`);
    return Math.max(finest, wanted);
  }
  const size = parts(given);
  return size === null || size.unit !== unit || !(size.number > 0) || size.number > to - from ? null : size.number;
}

/** Number and unit of a value; null where it is none. */
function parts(value: unknown): { readonly number: number; readonly unit: string } | null {
  const match = /^\s*(-?[0-9][0-9_]*(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,2})?)\s*(.*?)\s*$/u.exec(typeof value === "number" || typeof value === "string" ? String(value) : "");
  return match === null ? null : { number: Number(match[1]!.replaceAll("_", "")), unit: match[2]! };
}

/** Number of a value, whatever its unit, for axes of plots; null where it is none, or where units differ. */
export function numbersOf(values: readonly unknown[]): { readonly numbers: readonly number[]; readonly unit: string } | null {
  const read = values.map(parts);
  const { unit } = read[0] ?? { unit: "" };
  const numbers: number[] = [];
  for (const one of read) {
    if (one === null || one.unit !== unit) return null;
    numbers.push(one.number);
  }
  return { numbers, unit };
}

function stepOf(values: readonly unknown[]): string | null {
  const read = numbersOf(values);
  if (read === null || values.length < 2) return null;
  const { numbers, unit } = read;
  const step = (numbers.at(-1)! - numbers[0]!) / (numbers.length - 1);
  const even = numbers.every((number, i) => Math.abs(number - numbers[0]! - i * step) <= Math.abs(step) * 1e-6);
  return even ? withUnit(Number(Math.abs(step).toPrecision(6)), unit) : null;
}

/**
 * Variations that show whether all values fit: each value once, with the first ones of the other paths; of a range its ends,
 * and the value one step above the lower one, which shows whether the field takes values so fine.
 */
export function samplesOf(axes: readonly Axis[]): Variation[] {
  const lists = axes.map((axis): readonly Change[] => {
    if (!isRange(axis)) return axis.values;
    const { path, range: { from, to, unit }, step, at } = axis;
    return [from, Number((from + step).toFixed(12)), to].map((number) => ({ path, value: plain(withUnit(number, unit)), at }));
  });
  const first = lists.map((list) => list[0]!);
  return lists.flatMap((list, i) => (i === 0 ? list : list.slice(1)).map((change) => first.map((other, j) => (j === i ? change : other))));
}
