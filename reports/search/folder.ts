import type { Figures } from "../../protocol/result/figures.ts";
import type { SearchReport } from "../../protocol/result/search.ts";
import { DraftFolder } from "../draft-folder.ts";
import { renderPage } from "../html.ts";
import { renderJson } from "../json.ts";
import { renderText } from "../markdown.ts";
import { RUNS_FILES, RunsTable } from "../runs-table.ts";
import type { FactorColumn } from "../runs-table.ts";
import { searchContent } from "./content.ts";
import { renderSearchPlots } from "./figures.ts";
import { SEARCH_PLOTS, SEARCH_TITLES } from "./titles.ts";

const plotFile = (name: string): string => `plots/${name}.svg`;
const FILES = [...SEARCH_PLOTS.map(plotFile), ...RUNS_FILES, "search.md", "index.html", "search.json"];

/** A run of an experiment whose tasks change some values. */
export interface VariedRun {
  readonly name: string;
  /** In the order of the factors. */
  readonly factors: readonly (string | number | null)[];
  readonly seed: number;
  readonly error: string | null;
  readonly digest: string | null;
  readonly figures: Figures | null;
}

/**
 * A folder that takes a search report: search.json, search.md, index.html, its plots, and a row per run in runs.csv and
 * runs.parquet. All of it appears at once, search.json last; other files in the folder are left alone.
 */
export class SearchFolder {
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
  finish(report: SearchReport): void {
    this.#runs.finish();
    const content = searchContent(report);
    const plots = renderSearchPlots(report);
    for (const name of SEARCH_PLOTS) this.#draft.write(plotFile(name), plots[name]);
    this.#draft.write("search.md", renderText(content, SEARCH_TITLES, "plots/"));
    this.#draft.write("index.html", renderPage(content, plots, SEARCH_TITLES, { summary: "The market that was searched", value: report.provenance.scenario.resolved }));
    this.#draft.write("search.json", renderJson(report));
    this.#draft.place();
  }

  /** After `finish`: nothing. Before: gives the report up and leaves nothing of it behind. */
  close(): void {
    this.#runs.close();
    this.#draft.close();
  }
}

/** `search 400 msat replication=3`: 3. */
export function replicationIn(name: string): number | null {
  const found = / replication=(\d+)$/.exec(name)?.[1];
  return found === undefined ? null : Number(found);
}
