import type { ComparedMetric, ComparisonReport } from "../../protocol/result/comparison.ts";
import { ExperimentFolder } from "../experiment-folder.ts";
import type { RunRow } from "../runs-table.ts";
import { comparisonContent } from "./content.ts";
import { renderComparisonPlot } from "./figures.ts";
import { COMPARISON_TITLES, type ComparisonPlotName, plotsOf } from "./titles.ts";

/** A folder that takes a comparison, with a plot per question. */
export class ComparisonFolder extends ExperimentFolder<ComparisonReport, ComparisonPlotName> {
  /**
   * Makes the folder where it is missing.
   * @param metrics that may be compared
   * @param about goes into the metadata of the runs' tables; null where no runs are added
   * @throws as `DraftFolder` does
   */
  constructor(path: string, metrics: readonly ComparedMetric[], about: Readonly<Record<string, string>> | null) {
    const plots = plotsOf(metrics);
    super(path, {
      name: "comparison", plots, titles: COMPARISON_TITLES, market: "The market without the arms' changes", content: comparisonContent,
      render: (report) => Object.fromEntries(plots.map((name) => [name, renderComparisonPlot(report, name)])),
    }, about === null ? null : { factors: [{ name: "arm", numeric: false }], about });
  }

  /** Adds a run to the table of runs, in order. */
  addRun(row: RunRow): void {
    this.addRow(row);
  }
}
