import type { SweepReport } from "../../protocol/result/sweep.ts";
import { field } from "../runs-table.ts";

/** The columns of points.csv before and after those of the axes; then come four for each metric: its mean, `.low`, `.high` and `.sd`. */
export const POINT_COLUMNS = { before: ["point", "arm"], after: ["runs", "failed"] } as const;

/** A sweep's points as CSV (RFC 4180): what was varied, and of each metric mean, interval and standard deviation between runs. */
export function renderPointsCsv({ axes, metrics, points }: SweepReport): string {
  const head = [...POINT_COLUMNS.before, ...axes.map(({ name }) => name), ...POINT_COLUMNS.after, ...metrics.flatMap(({ id }) => [id, `${id}.low`, `${id}.high`, `${id}.sd`])];
  const rows = points.map(({ index, arm, factors, runs, failed, estimates }) => [
    index, arm, ...factors, runs, failed, ...estimates.flatMap(({ mean, sd, interval }) => [mean, interval?.low ?? null, interval?.high ?? null, sd]),
  ]);
  return [head, ...rows].map((row) => `${row.map((value) => value === null ? "" : field(String(value))).join(",")}\n`).join("");
}
