import type { ComparedMetric, ComparisonReport } from "../../protocol/result/comparison.ts";
import { DraftFolder } from "../draft-folder.ts";
import { renderPage } from "../html.ts";
import { renderJson } from "../json.ts";
import { renderText } from "../markdown.ts";
import { type RunRow, RUNS_FILES, RunsTable } from "../runs-table.ts";
import { comparisonContent } from "./content.ts";
import { renderComparisonPlot } from "./figures.ts";
import { COMPARISON_TITLES, type ComparisonPlotName, plotsOf } from "./titles.ts";

/**
 * A folder that takes a comparison: index.html, comparison.md, comparison.json, a plot per question, and where runs are played
 * runs.csv and runs.parquet. All of it appears at once, comparison.json last; other files in the folder are left alone.
 */
export class ComparisonFolder {
  readonly #draft: DraftFolder;
  readonly #plots: readonly ComparisonPlotName[];
  readonly #runs: RunsTable | null;

  /**
   * Makes the folder where it is missing.
   * @param metrics that may be compared
   * @param about goes into the metadata of the runs' tables; null where no runs are added
   * @throws as `DraftFolder` does
   */
  constructor(path: string, metrics: readonly ComparedMetric[], about: Readonly<Record<string, string>> | null) {
    this.#plots = plotsOf(metrics);
    this.#draft = new DraftFolder(path, [...this.#plots.map((name) => `plots/${name}.svg`), ...(about === null ? [] : RUNS_FILES), "comparison.md", "index.html", "comparison.json"]);
    this.#runs = about === null ? null : new RunsTable(this.#draft, [{ name: "arm", numeric: false }], about);
  }

  addRun(row: RunRow): void {
    this.#runs?.add(row);
  }

  /** Writes the report and puts it in its place. */
  finish(report: ComparisonReport): void {
    const content = comparisonContent(report);
    const plots = Object.fromEntries(this.#plots.map((name) => [name, renderComparisonPlot(report, name)])) as Record<ComparisonPlotName, string>;
    for (const name of this.#plots) this.#draft.write(`plots/${name}.svg`, plots[name]);
    this.#runs?.finish();
    this.#draft.write("comparison.md", renderText(content, COMPARISON_TITLES, "plots/"));
    this.#draft.write("index.html", renderPage(content, plots, COMPARISON_TITLES, { summary: "The market without the arms' changes", value: report.provenance.scenario.resolved }));
    this.#draft.write("comparison.json", renderJson(report));
    this.#draft.place();
  }

  /** After `finish`: nothing. Before: gives the report up and leaves nothing of it behind. */
  close(): void {
    this.#runs?.close();
    this.#draft.close();
  }
}
