import type { Figures } from "../../protocol/result/figures.ts";
import type { SensitivityReport } from "../../protocol/result/sensitivity.ts";
import { DraftFolder } from "../draft-folder.ts";
import { renderPage } from "../html.ts";
import { renderJson } from "../json.ts";
import { renderText } from "../markdown.ts";
import { RUNS_FILES, RunsTable } from "../runs-table.ts";
import { sensitivityContent } from "./content.ts";
import { renderSensitivityPlots } from "./figures.ts";
import type { SensitivityPlotName } from "./titles.ts";
import { plotsOf, SENSITIVITY_TITLES } from "./titles.ts";

const plotFile = (name: string): string => `plots/${name}.svg`;

/** A factor's column in the table of runs. */
export interface FactorOfRuns {
  readonly name: string;
  /** Whose values the column holds. */
  readonly path: string;
  /** Of the values; "" where they have none. */
  readonly unit: string;
}

/** A run of a study. */
export interface SensitivityRun {
  readonly name: string;
  readonly seed: number;
  /** The changes that it was played with, as path=value. */
  readonly sets: readonly string[];
  readonly error: string | null;
  readonly digest: string | null;
  readonly figures: Figures | null;
}

/**
 * A folder that takes a sensitivity report: sensitivity.json, sensitivity.md, index.html, its plots, and a row per run in
 * runs.csv and runs.parquet. All of it appears at once, sensitivity.json last; other files in the folder are left alone.
 */
export class SensitivityFolder {
  readonly #draft: DraftFolder;
  readonly #runs: RunsTable;
  readonly #plots: readonly SensitivityPlotName[];
  readonly #factors: readonly FactorOfRuns[];
  readonly #replications: number;

  /** Makes the folder where it is missing. @throws as `DraftFolder` does */
  constructor(path: string, scenario: string, method: SensitivityReport["method"]["kind"], factors: readonly FactorOfRuns[], replications: number) {
    this.#plots = plotsOf(method);
    this.#draft = new DraftFolder(path, [...this.#plots.map(plotFile), ...RUNS_FILES, "sensitivity.md", "index.html", "sensitivity.json"]);
    this.#factors = factors;
    this.#replications = replications;
    this.#runs = new RunsTable(this.#draft, factors.map(({ name, unit }) => ({ name: unit === "" ? name : `${name} (${unit})`, numeric: true })), { scenario });
  }

  /** Adds a run to the table of runs, in order. */
  addRun({ name, seed, sets, error, digest, figures }: SensitivityRun): void {
    const values = this.#factors.map(({ path }) => {
      const set = sets.find((one) => one.startsWith(`${path}=`));
      return set === undefined ? null : Number.parseFloat(set.slice(path.length + 1));
    });
    this.#runs.add({ run: name, factors: values, replication: this.#runs.rows % this.#replications, seed, error, digest, figures });
  }

  /** Writes the report and puts it in its place. */
  finish(report: SensitivityReport): void {
    this.#runs.finish();
    const content = sensitivityContent(report);
    const plots = renderSensitivityPlots(report);
    for (const name of this.#plots) this.#draft.write(plotFile(name), plots[name]!);
    this.#draft.write("sensitivity.md", renderText(content, SENSITIVITY_TITLES, "plots/"));
    this.#draft.write("index.html", renderPage(content, { importance: "", plane: "", ...plots }, SENSITIVITY_TITLES, { summary: "The market as it stands", value: report.provenance.scenario.resolved }));
    this.#draft.write("sensitivity.json", renderJson(report));
    this.#draft.place();
  }

  /** After `finish`: nothing. Before: gives the report up and leaves nothing of it behind. */
  close(): void {
    this.#runs.close();
    this.#draft.close();
  }
}
