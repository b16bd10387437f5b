import type { Figures } from "../../protocol/result/figures.ts";
import type { ReplicationsReport } from "../../protocol/result/replications.ts";
import { DraftFolder } from "../draft-folder.ts";
import { renderPage } from "../html.ts";
import { renderJson } from "../json.ts";
import { renderText } from "../markdown.ts";
import { RUNS_FILES, RunsTable } from "../runs-table.ts";
import { replicationsContent } from "./content.ts";
import { renderReplicationsPlots } from "./figures.ts";
import { REPLICATIONS_PLOTS, REPLICATIONS_TITLES } from "./titles.ts";

const plotFile = (name: string): string => `plots/${name}.svg`;
const FILES = [...REPLICATIONS_PLOTS.map(plotFile), ...RUNS_FILES, "replications.md", "index.html", "replications.json"];

/** A run of a replicated market. */
export interface ReplicationRow {
  readonly name: string;
  readonly seed: number;
  readonly error: string | null;
  readonly digest: string | null;
  /** Without series. */
  readonly figures: Figures | null;
}

/**
 * A folder that takes a report of replications: replications.json, replications.md, index.html, its plots, and a row per run in
 * runs.csv and runs.parquet. All of it appears at once, replications.json last; other files in the folder are left alone.
 */
export class ReplicationsFolder {
  readonly #draft: DraftFolder;
  readonly #runs: RunsTable;

  /** Makes the folder where it is missing. @throws as `DraftFolder` does */
  constructor(path: string, scenario: string) {
    this.#draft = new DraftFolder(path, FILES);
    this.#runs = new RunsTable(this.#draft, [], { scenario });
  }

  /** Adds a run to the table of runs, in order. */
  addRun({ name, seed, error, digest, figures }: ReplicationRow): void {
    this.#runs.add({ run: name, factors: [], replication: this.#runs.rows, seed, error, digest, figures });
  }

  /** Writes the report and puts it in its place. */
  finish(report: ReplicationsReport): void {
    this.#runs.finish();
    const content = replicationsContent(report);
    const plots = renderReplicationsPlots(report);
    for (const name of REPLICATIONS_PLOTS) this.#draft.write(plotFile(name), plots[name]);
    this.#draft.write("replications.md", renderText(content, REPLICATIONS_TITLES, "plots/"));
    this.#draft.write("index.html", renderPage(content, plots, REPLICATIONS_TITLES, { summary: "The market as it was played", value: report.provenance.scenario.resolved }));
    this.#draft.write("replications.json", renderJson(report));
    this.#draft.place();
  }

  /** After `finish`: nothing. Before: gives the report up and leaves nothing of it behind. */
  close(): void {
    this.#runs.close();
    this.#draft.close();
  }
}
