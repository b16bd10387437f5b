import { findMetric, metricIds } from "../../../protocol/result/metrics.ts";
import type { ClassNames, FigureUnit, Metric } from "../../../protocol/result/metrics.ts";
import { nearest } from "../../../input/nearest.ts";
import type { PathPart } from "../../../input/path-part.ts";
import { quoted } from "../../../input/problem.ts";
import type { Finding } from "../../../input/problem.ts";
import { parseQuantity } from "../../../input/units.ts";
import type { Dimension } from "../../../input/units.ts";

/** Dimensions in which amounts of a figure are written, and how many base units of the figure one of theirs is. */
const dimensions: Partial<Readonly<Record<FigureUnit, Dimension>>> = { us: "duration", msat: "money", msatPerMtok: "token price", msatPerHour: "money per time", share: "share", perS: "rate", tokens: "tokens" };

/**
 * The metric that a scenario names.
 * @param atKey whether the name is a key of the file
 * @returns null after a finding
 */
export function metricNamed(text: string, path: readonly PathPart[], classes: ClassNames, finding: (finding: Finding) => void, atKey = false): Metric | null {
  const metric = findMetric(text, classes);
  if (metric !== null) return metric;
  const [id = "", name] = text.split("@") as [string, string?];
  const known = metricIds();
  const names = [...classes.clients, ...classes.operators];
  const nearId = nearest(id, known);
  const nearName = name === undefined ? undefined : nearest(name, names);
  const guess = name === undefined ? nearId : nearName !== undefined ? `${known.includes(id) ? id : nearId ?? id}@${nearName}` : undefined;
  finding({
    path, found: quoted(text), allowed: `a metric such as router.revenue, profit or latency.p95, of one class as profit@${classes.operators[0] ?? "NAME"}, or the path of a figure in report.json`, atKey,
    ...(guess === undefined || guess === text ? {} : { suggestion: quoted(guess) }),
  });
  return null;
}

/** An amount of a metric in its base unit: a number, or a text with a unit. @returns null after a finding */
export function readAmount(given: string | number, { unit }: Metric, path: readonly PathPart[], finding: (finding: Finding) => void): number | null {
  if (typeof given === "number" && Number.isFinite(given)) return given;
  const dimension = dimensions[unit];
  if (dimension === undefined) {
    const value = Number(given);
    if (Number.isFinite(value)) return value;
    finding({ path, found: quoted(String(given)), allowed: "a number" });
    return null;
  }
  const parsed = parseQuantity(dimension, given);
  if ("found" in parsed) {
    finding({ path, found: parsed.found, allowed: parsed.allowed, ...(parsed.suggestion === undefined ? {} : { suggestion: parsed.suggestion }) });
    return null;
  }
  if (parsed.currency !== null) {
    finding({ path, found: quoted(String(given)), allowed: "an amount in msat, sat or btc, as in reports" });
    return null;
  }
  return Number(parsed.numerator) / Number(parsed.denominator);
}
