import type { SweepReport } from "../../protocol/result/sweep.ts";
import { ExperimentFolder } from "../experiment-folder.ts";
import type { FactorColumn, RunRow } from "../runs-table.ts";
import { sweepContent } from "./content.ts";
import { renderSweepPlots } from "./figures.ts";
import { renderPointsCsv } from "./points-csv.ts";
import { SWEEP_PLOTS, SWEEP_TITLES, type SweepPlotName } from "./titles.ts";

/** A folder that takes a sweep, with a row per point in points.csv. */
export class SweepFolder extends ExperimentFolder<SweepReport, SweepPlotName> {
  /** Makes the folder where it is missing. @param factors what runs differ in @throws as `DraftFolder` does */
  constructor(path: string, factors: readonly FactorColumn[], scenario: string) {
    super(path, {
      name: "sweep", plots: SWEEP_PLOTS, titles: SWEEP_TITLES, market: "The market as it was swept", content: sweepContent, render: renderSweepPlots,
      others: { "points.csv": renderPointsCsv },
    }, { factors, about: { scenario } });
  }

  /** Adds a run to the table of runs, in order. */
  addRun(row: RunRow): void {
    this.addRow(row);
  }
}
