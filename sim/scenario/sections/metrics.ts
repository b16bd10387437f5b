import { z } from "zod";
import type { ClassNames, Metric } from "../../../protocol/result/metrics.ts";
import type { Finding } from "../../../input/problem.ts";
import { metricNamed } from "./goal.ts";

/** Key at the top of a scenario that says which figures answer its question. */
export const metricsShape = {
  metrics: z.array(z.string().min(1).max(256)).min(1).max(50).optional().describe("Figures that answer the question, which `infernet compare` holds against each other: well-known ones such as latency.p95 or profit@rtx3060, or the path of any figure in report.json (default: the well-known ones that matter most)."),
};

/** @returns null where the scenario leaves it to the lab */
export function resolveMetrics({ metrics }: { readonly metrics?: readonly string[] | undefined }, classes: ClassNames, finding: (finding: Finding) => void): readonly Metric[] | null {
  if (metrics === undefined) return null;
  const found = metrics.flatMap((name, i) => {
    if (metrics.indexOf(name) < i) finding({ path: ["metrics", i], found: `a second ${JSON.stringify(name)}`, allowed: "each metric once" });
    return metricNamed(name, ["metrics", i], classes, finding) ?? [];
  });
  return found;
}
