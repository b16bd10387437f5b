import type { JobRow } from "../protocol/result.ts";

/** The columns of jobs.csv: a job's own fields, in this order. An empty field stands for a time that never came. */
export const JOB_COLUMNS = [
  "job", "clientClass", "status", "reason", "node", "operatorClass", "attempts", "submittedUs", "assignedUs", "startedUs", "firstTokenUs", "finishedUs", "endedUs",
  "inputTokens", "outputTokens", "maxOutputTokens", "amountMsat", "feeMsat", "maxPriceMsat", "metGoals", "measured",
] as const satisfies readonly (keyof JobRow)[];

/** First line of jobs.csv, with its line break. */
export const JOB_HEADER = `${JOB_COLUMNS.join(",")}\n`;

/**
 * One line of jobs.csv (RFC 4180, lines ended by LF), with its line break. Written out field by field: a million of these are
 * written while a run goes on, and a general CSV writer takes ten times as long.
 */
export function jobLine(row: JobRow): string {
  return `${field(row.job)},${field(row.clientClass)},${row.status},${field(row.reason)},${field(row.node)},${field(row.operatorClass)},${row.attempts},` +
    `${time(row.submittedUs)},${time(row.assignedUs)},${time(row.startedUs)},${time(row.firstTokenUs)},${time(row.finishedUs)},${time(row.endedUs)},${row.inputTokens},${row.outputTokens},` +
    `${row.maxOutputTokens},${row.amountMsat},${row.feeMsat},${row.maxPriceMsat},${row.metGoals},${row.measured}\n`;
}

/** Empty rather than -1, which whoever subtracts times would take for one. */
function time(us: number): number | "" {
  return us < 0 ? "" : us;
}

function field(value: string): string {
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
