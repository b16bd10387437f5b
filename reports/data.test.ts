import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { JobRow } from "../protocol/result.ts";
import { ReportFolder } from "./folder.ts";
import { JOB_COLUMNS } from "./jobs-csv.ts";
import { JOB_PARQUET_COLUMNS } from "./jobs-parquet.ts";
import type { TableColumn } from "./parquet.ts";
import { RUN_COLUMNS } from "./runs-table.ts";
import { POINT_COLUMNS } from "./sweep/points-csv.ts";
import { query } from "./testing/duckdb.ts";
import { toy } from "./testing/reports.ts";

const documentation = readFileSync(new URL("DATA.md", import.meta.url), "utf8");
const sections = new Map(documentation.split("\n## ").slice(1).map((text) => [text.split("\n")[0]!, text]));
/** Rows of a section's table: name, type, whether values may be missing. */
const documented = (section: string): string[][] => [...sections.get(section)!.matchAll(/^\| `([^`]+)` \| (\w+) \| (yes|no) \|/gm)].map(([, ...row]) => row as string[]);
const rowOf = ({ name, type, nullable }: TableColumn): string[] => [name, { text: "text", integer: "int64", number: "double", flag: "boolean" }[type], nullable ? "yes" : "no"];

describe("DATA.md says what is in", () => {
  test("jobs.csv and jobs.parquet", () => {
    expect(documented("jobs.csv, jobs.parquet")).toEqual(JOB_PARQUET_COLUMNS.map(rowOf));
    expect(JOB_PARQUET_COLUMNS.map(({ name }) => name)).toEqual([...JOB_COLUMNS]);
  });

  test("runs.csv and runs.parquet", () => {
    expect(documented("runs.csv, runs.parquet")).toEqual([...RUN_COLUMNS.before, ...RUN_COLUMNS.after].map(rowOf));
  });

  test("points.csv", () => {
    expect(documented("points.csv").map(([name]) => name)).toEqual([...POINT_COLUMNS.before, ...POINT_COLUMNS.after]);
  });
});

describe("jobs.parquet", () => {
  const jobs: JobRow[] = Array.from({ length: 5_000 }, (_, i): JobRow => ({
    job: `job-${i}`, clientClass: i % 3 === 0 ? "chat" : "bulk, \"all\"", status: i % 10 === 0 ? "rejected" : i === 4_999 ? "in-flight" : "completed", reason: i % 10 === 0 ? "no-eligible-node" : "",
    node: i % 10 === 0 ? "" : `gpu-${i % 7}`, operatorClass: i % 10 === 0 ? "" : "gpu", attempts: i % 10 === 0 ? 0 : 1, submittedUs: i * 1_000, assignedUs: i % 10 === 0 ? -1 : i * 1_000 + 7, startedUs: i % 10 === 0 ? -1 : i * 1_000 + 9,
    firstTokenUs: i % 10 === 0 ? -1 : i * 1_000 + 90, finishedUs: i % 10 === 0 || i === 4_999 ? -1 : i * 1_000 + 900, endedUs: i === 4_999 ? -1 : i * 1_000 + 901, inputTokens: i, outputTokens: i % 10 === 0 ? 0 : 20, maxOutputTokens: 100,
    amountMsat: i % 10 === 0 ? 0 : 2 ** 52 - i, feeMsat: 1, maxPriceMsat: Number.MAX_SAFE_INTEGER, metGoals: i % 2 === 1, measured: i > 100,
  }));
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "data-"));
    const report = new ReportFolder(folder, { parquet: true });
    for (const job of jobs) report.addJob(job);
    report.finish(toy);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test("holds what jobs.csv holds, to the last digit, as DuckDB reads both", async () => {
    const [csv, parquet] = await Promise.all(["jobs.csv", "jobs.parquet"].map((name) => query(`select ${JOB_COLUMNS.map((column) => `cast("${column}" as varchar) as "${column}"`).join(", ")} from '${join(folder, name)}'`)));
    expect(parquet).toHaveLength(jobs.length);
    expect(parquet).toEqual(csv);
  });

  test("has int64 for times and money, text, booleans, and nulls in place of what never came", async () => {
    const path = join(folder, "jobs.parquet");
    const types = await query(`select column_name, column_type from (describe from '${path}')`);
    const expected = { text: "VARCHAR", integer: "BIGINT", number: "DOUBLE", flag: "BOOLEAN" };
    expect(types.map((row) => [row["column_name"], row["column_type"]])).toEqual(JOB_PARQUET_COLUMNS.map(({ name, type }) => [name, expected[type]]));
    const [sums] = await query(`select sum(amountMsat) as amount, count(assignedUs) as assigned, count(finishedUs) as finished, count(reason) as reasons, count(*) filter (metGoals) as good, min(submittedUs) as first from '${path}'`);
    const amount = jobs.reduce((sum, job) => sum + BigInt(job.amountMsat), 0n);
    expect(String(sums!["amount"])).toBe(String(amount));
    expect([sums!["assigned"], sums!["finished"], sums!["reasons"], sums!["good"], sums!["first"]].map(Number)).toEqual([4_500, 4_499, 500, 2_500, 0]);
    const encodings = await query(`select distinct path_in_schema as name from parquet_metadata('${path}') where encodings like '%DICTIONARY%'`);
    expect(encodings.map(({ name }) => name)).toEqual(expect.arrayContaining(["clientClass", "status", "node"]));
  });

  test("goes when a run without it takes the folder", () => {
    expect(readdirSync(folder)).toContain("jobs.parquet");
    const report = new ReportFolder(folder);
    report.addJob(jobs[0]!);
    report.finish(toy);
    expect(readdirSync(folder)).not.toContain("jobs.parquet");
    expect(readdirSync(folder)).toContain("report.json");
  });
});
