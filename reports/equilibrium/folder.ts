import type { EquilibriumReport } from "../../protocol/result/equilibrium.ts";
import { DraftFolder } from "../draft-folder.ts";
import { renderPage } from "../html.ts";
import { renderJson } from "../json.ts";
import { renderText } from "../markdown.ts";
import { RUNS_FILES, RunsTable } from "../runs-table.ts";
import type { FactorColumn } from "../runs-table.ts";
import { replicationIn } from "../search/folder.ts";
import type { VariedRun } from "../search/folder.ts";
import { equilibriumContent } from "./content.ts";
import { renderEquilibriumPlots } from "./figures.ts";
import { EQUILIBRIUM_PLOTS, EQUILIBRIUM_TITLES } from "./titles.ts";

const plotFile = (name: string): string => `plots/${name}.svg`;
const FILES = [...EQUILIBRIUM_PLOTS.map(plotFile), ...RUNS_FILES, "equilibrium.md", "index.html", "equilibrium.json"];

/**
 * A folder that takes an equilibrium report: equilibrium.json, equilibrium.md, index.html, its plots, and a row per run in
 * runs.csv and runs.parquet. All of it appears at once, equilibrium.json last; other files in the folder are left alone.
 */
export class EquilibriumFolder {
  readonly #draft: DraftFolder;
  readonly #runs: RunsTable;

  /** Makes the folder where it is missing. @throws as `DraftFolder` does */
  constructor(path: string, scenario: string, factors: readonly FactorColumn[]) {
    this.#draft = new DraftFolder(path, FILES);
    this.#runs = new RunsTable(this.#draft, factors, { scenario });
  }

  /** Adds a run to the table of runs, in order. */
  addRun({ name, factors, seed, error, digest, figures }: VariedRun): void {
    this.#runs.add({ run: name, factors, replication: replicationIn(name), seed, error, digest, figures });
  }

  /** Writes the report and puts it in its place. */
  finish(report: EquilibriumReport): void {
    this.#runs.finish();
    const content = equilibriumContent(report);
    const plots = renderEquilibriumPlots(report);
    for (const name of EQUILIBRIUM_PLOTS) this.#draft.write(plotFile(name), plots[name]);
    this.#draft.write("equilibrium.md", renderText(content, EQUILIBRIUM_TITLES, "plots/"));
    this.#draft.write("index.html", renderPage(content, plots, EQUILIBRIUM_TITLES, { summary: "The market in which they played", value: report.provenance.scenario.resolved }));
    this.#draft.write("equilibrium.json", renderJson(report));
    this.#draft.place();
  }

  /** After `finish`: nothing. Before: gives the report up and leaves nothing of it behind. */
  close(): void {
    this.#runs.close();
    this.#draft.close();
  }
}
