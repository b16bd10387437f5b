import type { Content } from "./blocks.ts";
import { DraftFolder } from "./draft-folder.ts";
import { renderPage } from "./html.ts";
import { renderJson } from "./json.ts";
import { renderText } from "./markdown.ts";
import type { FactorColumn, RunRow } from "./runs-table.ts";
import { RUNS_FILES, RunsTable } from "./runs-table.ts";

/** What an experiment's report has that others have not. @typeParam Plot - names of its plots */
export interface ExperimentFiles<Report, Plot extends string> {
  /** Of its files: NAME.json, NAME.md. */
  readonly name: string;
  /** Those that this report has. */
  readonly plots: readonly Plot[];
  /** The question that each answers. */
  readonly titles: Readonly<Record<Plot, string>>;
  /** What is folded up at the page's end. */
  readonly market: string;
  content(report: Report): Content<Plot>;
  /** SVG documents by name. */
  render(report: Report): Readonly<Partial<Record<Plot, string>>>;
  /** Files beside those that each report has, and what is in them. */
  readonly others?: Readonly<Record<string, (report: Report) => string>>;
}

/** What tells a report's runs apart in their table. */
export interface ExperimentRuns {
  readonly factors: readonly FactorColumn[];
  /** Goes into the tables' metadata. */
  readonly about: Readonly<Record<string, string>>;
}

const plotFile = (name: string): string => `plots/${name}.svg`;

/**
 * A folder that takes an experiment's report: NAME.json, NAME.md, index.html, plots/*.svg, and where it plays runs a row for each in
 * runs.csv and runs.parquet. All of it appears at once, NAME.json last; other files in the folder are left alone.
 */
export class ExperimentFolder<Report extends { readonly provenance: { readonly scenario: { readonly resolved: unknown } } }, Plot extends string> {
  readonly #draft: DraftFolder;
  readonly #runs: RunsTable | null;
  readonly #files: ExperimentFiles<Report, Plot>;

  /** Makes the folder where it is missing. @param runs null where none are added @throws as `DraftFolder` does */
  constructor(path: string, files: ExperimentFiles<Report, Plot>, runs: ExperimentRuns | null) {
    const { name, plots, others = {} } = files;
    this.#files = files;
    this.#draft = new DraftFolder(path, [...plots.map(plotFile), ...(runs === null ? [] : RUNS_FILES), ...Object.keys(others), `${name}.md`, "index.html", `${name}.json`]);
    this.#runs = runs === null ? null : new RunsTable(this.#draft, runs.factors, runs.about);
  }

  /** Runs that were added. */
  protected get rows(): number {
    return this.#runs?.rows ?? 0;
  }

  /** Adds a run to the table of runs, in order. */
  protected addRow(row: RunRow): void {
    this.#runs?.add(row);
  }

  /** Writes the report and puts it in its place. */
  finish(report: Report): void {
    const { name, plots, titles, market, others = {} } = this.#files;
    this.#runs?.finish();
    const content = this.#files.content(report);
    const drawn = this.#files.render(report);
    for (const plot of plots) this.#draft.write(plotFile(plot), drawn[plot]!);
    for (const [file, text] of Object.entries(others)) this.#draft.write(file, text(report));
    this.#draft.write(`${name}.md`, renderText(content, titles, "plots/"));
    this.#draft.write("index.html", renderPage(content, drawn as Readonly<Record<Plot, string>>, titles, { summary: market, value: report.provenance.scenario.resolved }));
    this.#draft.write(`${name}.json`, renderJson(report));
    this.#draft.place();
  }

  /** After `finish`: nothing. Before: gives the report up and leaves nothing of it behind. */
  close(): void {
    this.#runs?.close();
    this.#draft.close();
  }
}
