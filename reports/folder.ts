import { closeSync, openSync, rmSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { JobRow, RunReport } from "../protocol/result.ts";
import { DraftFolder, ReportFolderError } from "./draft-folder.ts";
import { renderHtml } from "./html.ts";
import { JOB_HEADER, jobLine } from "./jobs-csv.ts";
import { JobsParquet } from "./jobs-parquet.ts";
import { renderJson } from "./json.ts";
import { renderMarkdown } from "./markdown.ts";
import { renderNodesCsv } from "./nodes-csv.ts";
import { renderPlots } from "./plots/plots.ts";
import { PLOTS } from "./plots/titles.ts";

/** Characters kept before they go to the file: few writes, little memory. */
const BUFFERED = 1 << 16;

const plotFile = (name: string): string => join("plots", `${name}.svg`);

const PARQUET = "jobs.parquet";
/** In the order in which they are put in place: a folder with a report.json has the whole report. */
const FILES = [...PLOTS.map(plotFile), "jobs.csv", "nodes.csv", "report.md", "index.html", "report.json"];

export interface ReportFolderOptions {
  /** Writes jobs.parquet beside jobs.csv. */
  readonly parquet?: boolean | undefined;
}

/**
 * A folder that takes a run's report: report.json, report.md, jobs.csv, nodes.csv, plots/NAME.svg and index.html, all at once
 * ({@link DraftFolder}). A run that stops early leaves an earlier report as it was.
 */
export class ReportFolder {
  readonly #path: string;
  readonly #draft: DraftFolder;
  readonly #parquet: JobsParquet | null;
  readonly #jobs: number;
  #lines = JOB_HEADER;
  #open = true;

  /**
   * Makes the folder where it is missing.
   * @throws ReportFolderError where something else is in its place, or a folder is where one of the report's files belongs;
   * the file system's error where it cannot be written
   */
  constructor(path: string, { parquet = false }: ReportFolderOptions = {}) {
    if (statSync(join(path, "plots"), { throwIfNoEntry: false })?.isDirectory() === false) throw new ReportFolderError(`${join(path, "plots")} is a file; the report's plots need a folder there.`);
    this.#path = path;
    this.#draft = new DraftFolder(path, parquet ? [PARQUET, ...FILES] : FILES);
    this.#parquet = parquet ? new JobsParquet(this.#draft.draftOf(PARQUET)) : null;
    this.#jobs = openSync(this.#draft.draftOf("jobs.csv"), "w");
  }

  /** Adds a line to jobs.csv, and a row to jobs.parquet. */
  addJob(row: JobRow): void {
    this.#parquet?.add(row);
    this.#lines += jobLine(row);
    if (this.#lines.length >= BUFFERED) this.#writeLines();
  }

  /** Writes everything else, and puts the report in its place. */
  finish(report: RunReport): void {
    this.#writeLines();
    closeSync(this.#jobs);
    this.#open = false;
    this.#parquet?.finish();
    const plots = renderPlots(report);
    for (const name of PLOTS) this.#draft.write(plotFile(name), plots[name]);
    this.#draft.write("nodes.csv", renderNodesCsv(report));
    this.#draft.write("report.md", renderMarkdown(report));
    this.#draft.write("index.html", renderHtml(report, plots));
    this.#draft.write("report.json", renderJson(report));
    // Of an earlier run: these jobs are others.
    if (this.#parquet === null) rmSync(join(this.#path, PARQUET), { force: true });
    this.#draft.place();
  }

  /** After `finish`: nothing. Before: gives the report up and leaves nothing of it behind. */
  close(): void {
    if (this.#open) closeSync(this.#jobs);
    this.#open = false;
    this.#draft.close();
  }

  #writeLines(): void {
    writeAll(this.#jobs, this.#lines);
    this.#lines = "";
  }
}

/** A single write may take less than all of it. */
function writeAll(file: number, text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let from = 0; from < bytes.length; ) from += writeSync(file, bytes, from);
}
