import type { SweepReport } from "../../protocol/result/sweep.ts";
import { DraftFolder } from "../draft-folder.ts";
import { renderPage } from "../html.ts";
import { renderJson } from "../json.ts";
import { renderText } from "../markdown.ts";
import { RUNS_FILES, RunsTable } from "../runs-table.ts";
import type { FactorColumn, RunRow } from "../runs-table.ts";
import { sweepContent } from "./content.ts";
import { renderSweepPlots } from "./figures.ts";
import { renderPointsCsv } from "./points-csv.ts";
import { SWEEP_PLOTS, SWEEP_TITLES } from "./titles.ts";

const plotFile = (name: string): string => `plots/${name}.svg`;
const FILES = [...SWEEP_PLOTS.map(plotFile), ...RUNS_FILES, "points.csv", "sweep.md", "index.html", "sweep.json"];

/**
 * A folder that takes a sweep: sweep.json, sweep.md, index.html, its plots, a row per point in points.csv, and a row per run in
 * runs.csv and runs.parquet. All of it appears at once, sweep.json last; other files in the folder are left alone.
 */
export class SweepFolder {
  readonly #draft: DraftFolder;
  readonly #runs: RunsTable;

  /** Makes the folder where it is missing. @param factors what runs differ in @throws as `DraftFolder` does */
  constructor(path: string, factors: readonly FactorColumn[], scenario: string) {
    this.#draft = new DraftFolder(path, FILES);
    this.#runs = new RunsTable(this.#draft, factors, { scenario });
  }

  /** Adds a run to the table of runs, in order. */
  addRun(row: RunRow): void {
    this.#runs.add(row);
  }

  /** Writes the report and puts it in its place. */
  finish(report: SweepReport): void {
    this.#runs.finish();
    const content = sweepContent(report);
    const plots = renderSweepPlots(report);
    for (const name of SWEEP_PLOTS) this.#draft.write(plotFile(name), plots[name]);
    this.#draft.write("points.csv", renderPointsCsv(report));
    this.#draft.write("sweep.md", renderText(content, SWEEP_TITLES, "plots/"));
    this.#draft.write("index.html", renderPage(content, plots, SWEEP_TITLES, { summary: "The market as it was swept", value: report.provenance.scenario.resolved }));
    this.#draft.write("sweep.json", renderJson(report));
    this.#draft.place();
  }

  /** After `finish`: nothing. Before: gives the report up and leaves nothing of it behind. */
  close(): void {
    this.#runs.close();
    this.#draft.close();
  }
}
