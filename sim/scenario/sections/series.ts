import { parseTimestampUs } from "../../demand/trace/timestamp.ts";
import { quoted } from "../../../input/problem.ts";
import { checkWhole, type Dimension, isWhole, parseQuantity, toNearest } from "../../../input/units.ts";
import type { Path, SectionContext } from "./context.ts";

/** A line of a series: from this time on, this value. */
export interface SeriesRow {
  readonly atUs: number;
  /** A quantity with its unit, as in a scenario. */
  readonly value: string;
}

/**
 * Reads a CSV file of times and values: `0h,0.12 USD/kWh`. A first line that holds no such pair is a heading. Times are
 * durations, or dates of which the first is time 0; they grow. Empty lines and lines that begin with # are left out.
 * What is wrong with the file becomes a finding.
 * @param unit of values that are bare numbers
 * @param hint how the scenario would state that unit, for whose file has bare numbers and who has not stated it
 */
export function readSeries(file: string, dimension: Dimension, unit: string | undefined, hint: string, path: Path, context: SectionContext): SeriesRow[] {
  const text = context.text(path, file);
  if (text === null) return [];
  const rows: SeriesRow[] = [];
  const lines = text.split(/\r\n|\n|\r/).map((line, i) => ({ line: line.trim(), number: i + 1 })).filter(({ line }) => line !== "" && !line.startsWith("#"));
  let firstUs: number | null = null;
  for (const [i, { line, number }] of lines.entries()) {
    const fault = (found: string, allowed: string): SeriesRow[] => {
      context.finding({ path, found: `${found} in line ${number} of ${quoted(file)}`, allowed });
      return [];
    };
    const [time = "", value = "", ...rest] = line.split(",").map((cell) => cell.trim().replace(/^"(.*)"$/, "$1"));
    const timeUs = timeOf(time);
    if (timeUs === null && i === 0) continue;
    if (timeUs === null) return fault(quoted(time), "a duration such as 15min, or a date such as 2026-01-01T00:00:00Z");
    if (rest.length > 0) return fault(`${rest.length + 2} columns`, "two: time and value");
    const bare = /^[0-9.eE+-]+$/.test(value);
    const spelt = unit !== undefined && bare ? `${value} ${unit}` : value;
    const quantity = parseQuantity(dimension, spelt);
    if ("found" in quantity) return fault(quantity.found, unit === undefined && bare ? `${quantity.allowed}; or one unit for all bare numbers, ${hint}` : quantity.allowed);
    const uneven = isWhole(dimension) ? checkWhole(dimension, quantity, spelt) : null;
    if (uneven !== null) return fault(uneven.found, uneven.allowed);
    firstUs ??= timeUs.date ? timeUs.us : 0;
    const atUs = timeUs.us - firstUs;
    const before = rows.at(-1);
    if (before !== undefined && atUs <= before.atUs) return fault(quoted(time), "times that grow from line to line");
    if (before === undefined && atUs !== 0) return fault(quoted(time), "time 0 first");
    rows.push({ atUs, value: spelt });
  }
  if (rows.length === 0) context.finding({ path, found: `${quoted(file)} without a line of time and value`, allowed: "lines such as 0h,0.12 USD/kWh" });
  return rows;
}

/** Steps as a scenario lists them begin at 0, and each is later than the one before. */
export function checkGrowth(steps: readonly { readonly atUs: number }[], path: Path, context: SectionContext): void {
  steps.forEach(({ atUs }, i) => {
    if (i === 0 && atUs !== 0) context.finding({ path: [...path, 0, 0], found: "a later time", allowed: "time 0 first" });
    if (i > 0 && atUs <= steps[i - 1]!.atUs) context.finding({ path: [...path, i, 0], found: "a time that is not later than the one before", allowed: "times that grow" });
  });
}

/** null where it is no time. */
function timeOf(text: string): { readonly us: number; readonly date: boolean } | null {
  const duration = parseQuantity("duration", text === "0" ? 0 : text);
  if (!("found" in duration)) return { us: toNearest(duration), date: false };
  const spelt = /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text.replace(/^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d)(Z|[+-]\d\d:?\d\d)?$/, "$1:00$2");
  const bytes = Buffer.from(spelt);
  const us = parseTimestampUs(bytes, 0, bytes.length);
  return Number.isNaN(us) ? null : { us, date: true };
}
