import type { EquilibriumReport } from "../../protocol/result/equilibrium.ts";
import { ExperimentFolder } from "../experiment-folder.ts";
import type { FactorColumn } from "../runs-table.ts";
import { rowOf, type VariedRun } from "../varied-run.ts";
import { equilibriumContent } from "./content.ts";
import { renderEquilibriumPlots } from "./figures.ts";
import { EQUILIBRIUM_PLOTS, EQUILIBRIUM_TITLES, type EquilibriumPlotName } from "./titles.ts";

/** A folder that takes an equilibrium report. */
export class EquilibriumFolder extends ExperimentFolder<EquilibriumReport, EquilibriumPlotName> {
  /** Makes the folder where it is missing. @throws as `DraftFolder` does */
  constructor(path: string, scenario: string, factors: readonly FactorColumn[]) {
    super(path, { name: "equilibrium", plots: EQUILIBRIUM_PLOTS, titles: EQUILIBRIUM_TITLES, market: "The market in which they played", content: equilibriumContent, render: renderEquilibriumPlots }, { factors, about: { scenario } });
  }

  /** Adds a run to the table of runs, in order. */
  addRun(run: VariedRun): void {
    this.addRow(rowOf(run));
  }
}
