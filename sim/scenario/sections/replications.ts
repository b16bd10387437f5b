import { z } from "zod";
import { findMetric, metricIds } from "../../../protocol/result/metrics.ts";
import type { ClassNames, Metric } from "../../../protocol/result/metrics.ts";
import { quantity } from "../../../input/fields.ts";
import { nearest } from "../../../input/nearest.ts";
import { quoted } from "../../../input/problem.ts";
import type { Finding } from "../../../input/problem.ts";
import { parseQuantity, toNumber } from "../../../input/units.ts";

/** Replications that one experiment may have. */
export const maxReplications = 1_000_000;

const runs = z.int().min(2).max(maxReplications);
const confidence = quantity("Confidence", "share", { positive: true, max: [0.999_999, "99.9999 %"] });
const halfWidth = quantity("HalfWidth", "share", { positive: true, max: [1, "100 %"] });

/** Key at the top of a scenario that says how often its market is played. */
export const replicationsShape = {
  replications: z.union([
    z.int().min(1).max(maxReplications),
    z.strictObject({
      until: z.strictObject({
        metric: z.string().min(1).max(256).describe("The figure that is to be known so well, such as `latency.p95`, `profit@rtx3060`, or any figure's path."),
        halfWidth: halfWidth.describe("Half the width of its confidence interval, as a share of its mean."),
        confidence: confidence.default("95 %").describe("Of that interval."),
      }).describe("Goes on until a figure is known well enough."),
      atLeast: runs.default(10).describe("Replications before the first look at the interval; below 10 the interval is too often too narrow."),
      atMost: runs.default(1_000).describe("Replications after which it stops whatever the interval."),
    }),
  ]).optional().describe("How often `infernet run` and the experiments play the market, each time with other random numbers: a number, or until a figure is known well enough."),
};

/** Go on until the interval of a figure is narrow enough. */
export interface UntilRule {
  readonly metric: Metric;
  /** Of the interval, as a share of the mean; above 0. */
  readonly halfWidth: number;
  /** Above 0, below 1. */
  readonly confidence: number;
  /** Before the first look; at least 2. */
  readonly atLeast: number;
  readonly atMost: number;
}

/** How often a market is played. */
export type ReplicationsSpec = { readonly count: number; readonly until: null } | { readonly count: null; readonly until: UntilRule };

/** @returns null where the scenario says nothing of it, or something that does not fit */
export function resolveReplications({ replications }: { readonly replications?: z.output<typeof replicationsShape.replications> }, classes: ClassNames, finding: (finding: Finding) => void): ReplicationsSpec | null {
  if (replications === undefined) return null;
  if (typeof replications === "number") return { count: replications, until: null };
  const { until, atLeast, atMost } = replications;
  if (atMost < atLeast) finding({ path: ["replications", "atMost"], found: String(atMost), allowed: `at least atLeast, ${atLeast}` });
  const metric = findMetric(until.metric, classes);
  if (metric === null) {
    finding({ path: ["replications", "until", "metric"], ...unknownMetric(until.metric) });
    return null;
  }
  return { count: null, until: { metric, halfWidth: share(until.halfWidth), confidence: share(until.confidence), atLeast, atMost } };
}

/** What is said of a text that means no metric. */
export function unknownMetric(text: string): Pick<Finding, "found" | "allowed" | "suggestion"> {
  const guess = nearest(text.split("@")[0]!, metricIds());
  return {
    found: quoted(text),
    allowed: "a metric such as latency.p95, goodput, utilisation or profit, one of a class such as latency.p95@chat or profit@rtx3060, or the path of a figure in report.json",
    ...(guess === undefined ? {} : { suggestion: quoted(text.includes("@") ? `${guess}@${text.slice(text.indexOf("@") + 1)}` : guess) }),
  };
}

/**
 * The rule of a text: `latency.p95 within 2 %`, `profit@rtx3060 within 5 % at 99 %`.
 * @returns a sentence that says what is wrong where it is none
 */
export function readUntil(text: string, classes: ClassNames, limits: { readonly atLeast: number; readonly atMost: number }): UntilRule | string {
  const match = /^\s*(\S+)\s+within\s+(.+?)(?:\s+at\s+(.+?))?\s*$/.exec(text);
  if (match === null) return `found ${quoted(text)}; allowed: METRIC within SHARE, such as "latency.p95 within 2 %", or "latency.p95 within 2 % at 99 %"`;
  const metric = findMetric(match[1]!, classes);
  if (metric === null) {
    const { found, allowed, suggestion } = unknownMetric(match[1]!);
    return `found ${found}; allowed: ${allowed}${suggestion === undefined ? "" : `; did you mean ${suggestion}?`}`;
  }
  const [width, sure] = [parsedShare(match[2]!), parsedShare(match[3] ?? "95 %")];
  if (width === null || width <= 0 || width > 1) return `found ${quoted(match[2]!)}; allowed: a share of the mean above 0 and up to 100 %, such as 2 %`;
  if (sure === null || sure <= 0 || sure >= 1) return `found ${quoted(match[3]!)}; allowed: a confidence between 0 and 100 %, such as 95 %`;
  return { metric, halfWidth: width, confidence: sure, ...limits };
}

function parsedShare(text: string): number | null {
  const parsed = parseQuantity("share", text);
  return "found" in parsed ? null : toNumber(parsed);
}

function share(value: string | number): number {
  return parsedShare(String(value))!;
}
