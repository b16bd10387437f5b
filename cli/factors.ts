import type { FactorColumn } from "../reports/runs-table.ts";
import type { VariedRun } from "../reports/varied-run.ts";
import type { RunTask } from "../sim/experiment/plan.ts";
import { valueText } from "../sim/experiment/search/runs.ts";
import type { Axis } from "../sim/scenario/sections/grid.ts";
import { isRange, numbersOf } from "../sim/scenario/sections/grid.ts";
import type { ExperimentFolder } from "./experiment.ts";

/** A column of a table of runs, and the path whose values it holds. */
export interface PathColumn extends FactorColumn {
  readonly path: string;
}

/** A column for each path: numbers, with their unit in its name, where all values are numbers of one unit. */
export const factorColumns = (axes: readonly Axis[]): PathColumn[] =>
  axes.map((axis) => {
    const unit = isRange(axis) ? axis.range.unit : numbersOf(axis.values.map(valueText))?.unit;
    return { path: axis.path, name: unit === undefined || unit === "" ? axis.path : `${axis.path} (${unit})`, numeric: unit !== undefined };
  });

/** A report's folder that takes what the conductor of an experiment hands on: runs with their values in these columns. */
export const folderOfVariedRuns = <Report>(
  folder: { addRun(run: VariedRun): void; finish(report: Report): void; close(): void }, columns: readonly PathColumn[],
): ExperimentFolder<Report> => ({
  addRun: ({ task, error, digest, figures }) => folder.addRun({ name: task.name, factors: factorsOf(task, columns), seed: task.seed, error, digest, figures }),
  finish: (report) => folder.finish(report),
  close: () => folder.close(),
});

/** What a task has in these columns; null where it leaves a path as it is. */
const factorsOf = ({ sets }: RunTask, columns: readonly PathColumn[]): (string | number | null)[] =>
  columns.map(({ path, numeric }) => {
    const set = sets.find((one) => one.startsWith(`${path}=`));
    if (set === undefined) return null;
    const text = set.slice(path.length + 1);
    return numeric ? numbersOf([text])?.numbers[0] ?? null : text;
  });
