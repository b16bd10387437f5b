import type { ComparedMetric } from "../../protocol/result/comparison.ts";

/** Plots of a comparison, one per question, in the order in which they are read. */
export const COMPARISON_PLOTS = ["latency", "served", "money", "gain", "other"] as const;
export type ComparisonPlotName = (typeof COMPARISON_PLOTS)[number];

/** The question that each answers. */
export const COMPARISON_TITLES: Readonly<Record<ComparisonPlotName, string>> = {
  latency: "How long do jobs take?",
  served: "How much is served, and how well?",
  money: "Who is paid what?",
  gain: "Who gains?",
  other: "What else differs?",
};

/** The question that a metric belongs to. */
export function plotOf({ path, unit }: Pick<ComparedMetric, "path" | "unit">): ComparisonPlotName {
  if (unit === "us") return "latency";
  if (/^(welfare|structure)\./.test(path)) return "gain";
  if (unit === "msat" || unit === "msatPerMtok" || unit === "msatPerHour" || /^(money|pricing|settlement|supply|asks|flows)\./.test(path)) return "money";
  if (/goodput|throughput|\.jobs\.|attempts|utilisation|availability|completed/i.test(path)) return "served";
  return "other";
}

/** The plots that these metrics fill, in order. */
export function plotsOf(metrics: readonly Pick<ComparedMetric, "path" | "unit">[]): ComparisonPlotName[] {
  const names = new Set(metrics.map(plotOf));
  return COMPARISON_PLOTS.filter((name) => names.has(name));
}
