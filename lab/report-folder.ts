import { createReadStream, existsSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { parse } from "csv-parse";
import type { z } from "zod";
import { comparisonReport } from "../protocol/result/comparison.ts";
import type { ExperimentProvenance } from "../protocol/result/experiment.ts";
import { figuresOf } from "../protocol/result/figures.ts";
import type { ClassNames } from "../protocol/result/metrics.ts";
import { replicationsReport } from "../protocol/result/replications.ts";
import { runReport } from "../protocol/result.ts";
import type { RunSet, SetRun } from "../sim/experiment/compare/run-sets.ts";

/** A folder whose report cannot be used. The message says why; it is for the user. */
export class ReportReadError extends Error {
  override readonly name = "UserError";
}

/** A figure to be read: the name of its column. */
interface Wanted {
  readonly path: string;
}

/** A folder that `run`, `run --replications` or `compare` wrote. */
export interface ReadFolder {
  /** As the user named it. */
  readonly folder: string;
  /** Of the scenario that was played. */
  readonly classes: ClassNames;
  /** Figures that it compares already; null where it compares none. */
  readonly metrics: readonly string[] | null;
  /**
   * Its runs: one set of a run or of replications, one per arm of a comparison.
   * @param name what to call it among others
   */
  sets(name: string, wanted: readonly Wanted[]): Promise<RunSet[]>;
}

/** Reads what a report folder says of itself; its runs are read when they are asked for. @throws ReportReadError */
export function readReportFolder(folder: string): ReadFolder {
  const has = (name: string): boolean => existsSync(join(folder, name));
  if (has("comparison.json")) return comparisonFolder(folder);
  if (has("replications.json")) return replicationsFolder(folder);
  if (has("report.json")) return singleFolder(folder);
  const other = ["sweep.json", "sensitivity.json", "search.json", "equilibrium.json", "viability.json"].find(has);
  throw new ReportReadError(other === undefined
    ? `there is no report in ${folder}: neither report.json, replications.json nor comparison.json. infernet run SCENARIO --out ${folder} makes one.`
    : `${join(folder, other)} is a report of another kind; compare takes folders of run, run --replications and compare.`);
}

/** Names by which folders are told apart: the last part of the path where that does, the path as given otherwise. */
export function folderNames(folders: readonly string[]): string[] {
  const short = folders.map((folder) => basename(resolve(folder)));
  return new Set(short).size === short.length ? short : folders.map((folder) => folder.replace(/\/+$/, "").slice(-200));
}

function singleFolder(folder: string): ReadFolder {
  const report = read(join(folder, "report.json"), runReport, "a run's report");
  const { provenance: { lab, scenario, seed, sets } } = report;
  return {
    folder, classes: classesOf(scenario.resolved), metrics: null,
    sets: (name, wanted) => {
      const figures = figuresOf(report);
      return Promise.resolve([{
        name, scenario, changes: [...sets],
        source: { folder, arm: null, scenario: scenario.name, hash: scenario.hash, seed: Number(seed), sets: [...sets], version: lab.version },
        runs: [{ seed: Number(seed), values: wanted.map(({ path }) => figures[path]) }],
      }]);
    },
  };
}

function replicationsFolder(folder: string): ReadFolder {
  const { provenance } = read(join(folder, "replications.json"), replicationsReport, "a report of replications");
  return {
    folder, classes: classesOf(provenance.scenario.resolved), metrics: null,
    sets: async (name, wanted) => {
      const runs = (await readRuns(folder, wanted)).get("") ?? [];
      return [{ name, scenario: provenance.scenario, changes: [...provenance.sets], source: sourceOf(folder, null, provenance), runs }];
    },
  };
}

function comparisonFolder(folder: string): ReadFolder {
  const report = read(join(folder, "comparison.json"), comparisonReport, "a comparison's report");
  const { provenance, arms } = report;
  if (arms.some(({ source }) => source !== null)) throw new ReportReadError(`${folder} holds a comparison of reports, and no runs; name those reports: ${arms.map(({ source }) => source?.folder).join(" ")}`);
  return {
    folder, classes: classesOf(provenance.scenario.resolved), metrics: report.metrics.map(({ id }) => id),
    sets: async (name, wanted) => {
      const runs = await readRuns(folder, wanted);
      return arms.map((arm) => ({
        name: `${name}/${arm.name}`, scenario: provenance.scenario, changes: [...provenance.sets, ...arm.changes], source: sourceOf(folder, arm.name, provenance), runs: runs.get(arm.name) ?? [],
      }));
    },
  };
}

function sourceOf(folder: string, arm: string | null, { lab, scenario, seed, sets }: ExperimentProvenance): RunSet["source"] {
  return { folder, arm, scenario: scenario.name, hash: scenario.hash, seed, sets: [...sets], version: lab.version };
}

/** Runs by arm, "" where there are none. Only the figures that are wanted stay in memory. */
async function readRuns(folder: string, wanted: readonly Wanted[]): Promise<Map<string, SetRun[]>> {
  const path = join(folder, "runs.csv");
  if (!existsSync(path)) throw new ReportReadError(`${path} is missing: ${folder} tells of several runs, which are listed there.`);
  const byArm = new Map<string, SetRun[]>();
  let columns: { seed: number; arm: number; error: number; wanted: readonly number[] } | null = null;
  const rows = createReadStream(path).pipe(parse({ bom: true }));
  try {
    for await (const row of rows as AsyncIterable<string[]>) {
      if (columns === null) {
        columns = { seed: row.indexOf("seed"), arm: row.indexOf("arm"), error: row.indexOf("error"), wanted: wanted.map(({ path: name }) => row.indexOf(name)) };
        if (columns.seed < 0) throw new ReportReadError(`${path} has no column "seed": it is no table of runs.`);
        continue;
      }
      const seed = Number(row[columns.seed]);
      if (!Number.isSafeInteger(seed) || row[columns.seed] === "") throw new ReportReadError(`${path}: found ${JSON.stringify(row[columns.seed])} as a seed; allowed: a whole number.`);
      const arm = columns.arm < 0 ? "" : row[columns.arm]!;
      const failed = columns.error >= 0 && row[columns.error] !== "";
      const values = failed ? null : columns.wanted.map((column, i) => (column < 0 ? undefined : figureIn(row[column]!, path, wanted[i]!.path)));
      const runs = byArm.get(arm);
      if (runs === undefined) byArm.set(arm, [{ seed, values }]);
      else runs.push({ seed, values });
    }
  } catch (error) {
    if (error instanceof Error && "code" in error && String(error.code).startsWith("CSV_")) throw new ReportReadError(`${path} is no CSV: ${error.message}`);
    throw error;
  }
  return byArm;
}

function figureIn(text: string, path: string, column: string): number | null {
  if (text === "") return null;
  const value = Number(text);
  if (!Number.isFinite(value)) throw new ReportReadError(`${path}: found ${JSON.stringify(text)} in the column ${column}; allowed: a number, or nothing.`);
  return value;
}

function read<Schema extends z.ZodType>(path: string, schema: Schema, what: string): z.infer<Schema> {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    if (error instanceof SyntaxError) throw new ReportReadError(`${path} is not JSON: ${error.message}`);
    throw error;
  }
  const parsed = schema.safeParse(content);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new ReportReadError(`${path} is not ${what}: ${issue.path.map(String).join(".") || "the document"}: ${issue.message}`);
}

/** Of a resolved scenario, of which the report's schema says only that it is JSON. */
function classesOf(resolved: unknown): ClassNames {
  const names = (key: string): string[] => {
    const list = typeof resolved === "object" && resolved !== null ? (resolved as Record<string, unknown>)[key] : undefined;
    return Array.isArray(list) ? list.flatMap((entry: unknown) => (typeof entry === "object" && entry !== null && "name" in entry && typeof entry.name === "string" ? [entry.name] : [])) : [];
  };
  return { clients: names("clients"), operators: names("operators") };
}
