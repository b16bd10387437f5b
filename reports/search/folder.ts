import type { SearchReport } from "../../protocol/result/search.ts";
import { ExperimentFolder } from "../experiment-folder.ts";
import type { FactorColumn } from "../runs-table.ts";
import { rowOf, type VariedRun } from "../varied-run.ts";
import { searchContent } from "./content.ts";
import { renderSearchPlots } from "./figures.ts";
import { SEARCH_PLOTS, SEARCH_TITLES, type SearchPlotName } from "./titles.ts";

/** A folder that takes a search report. */
export class SearchFolder extends ExperimentFolder<SearchReport, SearchPlotName> {
  /** Makes the folder where it is missing. @throws as `DraftFolder` does */
  constructor(path: string, scenario: string, factors: readonly FactorColumn[]) {
    super(path, { name: "search", plots: SEARCH_PLOTS, titles: SEARCH_TITLES, market: "The market that was searched", content: searchContent, render: renderSearchPlots }, { factors, about: { scenario } });
  }

  /** Adds a run to the table of runs, in order. */
  addRun(run: VariedRun): void {
    this.addRow(rowOf(run));
  }
}
