import { closeSync, mkdirSync, mkdtempSync, openSync, renameSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { JobRow, RunReport } from "../protocol/result.ts";
import { ReportFolderError } from "./draft-folder.ts";
import { renderHtml } from "./html.ts";
import { JOB_HEADER, jobLine } from "./jobs-csv.ts";
import { renderJson } from "./json.ts";
import { makeFolders, removeEmpty } from "./made-folders.ts";
import { renderMarkdown } from "./markdown.ts";
import { renderNodesCsv } from "./nodes-csv.ts";
import { renderPlots } from "./plots/plots.ts";
import { PLOTS } from "./plots/titles.ts";

/** Characters kept before they go to the file: few writes, little memory. */
const BUFFERED = 1 << 16;

/**
 * A folder that takes a run's report: report.json, report.md, jobs.csv, nodes.csv, plots/NAME.svg and index.html.
 *
 * Everything is written into a hidden folder inside it and moved into place at the end, report.json last: a folder with a
 * report.json has the whole report, and a run that stops early leaves an earlier report as it was. Other files in the folder
 * are left alone.
 */
export class ReportFolder {
  readonly #path: string;
  readonly #made: readonly string[];
  readonly #draft: string;
  readonly #jobs: number;
  #lines = JOB_HEADER;
  #open = true;

  /**
   * Makes the folder where it is missing.
   * @throws ReportFolderError where something else is in its place, or a folder is where one of the report's files belongs;
   * the file system's error where it cannot be written
   */
  constructor(path: string) {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isDirectory() === false) throw new ReportFolderError(`${path} is a file; a report needs a folder.`);
    for (const name of ["report.json", "report.md", "jobs.csv", "nodes.csv", "index.html"]) {
      if (statSync(join(path, name), { throwIfNoEntry: false })?.isDirectory() === true) throw new ReportFolderError(`${join(path, name)} is a folder; the report's ${name} belongs there.`);
    }
    if (statSync(join(path, "plots"), { throwIfNoEntry: false })?.isDirectory() === false) throw new ReportFolderError(`${join(path, "plots")} is a file; the report's plots need a folder there.`);
    this.#path = path;
    this.#made = makeFolders(path);
    try {
      this.#draft = mkdtempSync(join(path, ".draft-"));
    } catch (error) {
      removeEmpty(this.#made);
      throw error;
    }
    this.#jobs = openSync(join(this.#draft, "jobs.csv"), "w");
  }

  /** Adds a line to jobs.csv. */
  addJob(row: JobRow): void {
    this.#lines += jobLine(row);
    if (this.#lines.length >= BUFFERED) this.#writeLines();
  }

  /** Writes everything else, and puts the report in its place. */
  finish(report: RunReport): void {
    this.#writeLines();
    closeSync(this.#jobs);
    this.#open = false;
    const plots = renderPlots(report);
    mkdirSync(join(this.#draft, "plots"));
    for (const name of PLOTS) this.#write(join("plots", `${name}.svg`), plots[name]);
    this.#write("nodes.csv", renderNodesCsv(report));
    this.#write("report.md", renderMarkdown(report));
    this.#write("index.html", renderHtml(report, plots));
    this.#write("report.json", renderJson(report));
    rmSync(join(this.#path, "report.json"), { force: true });
    mkdirSync(join(this.#path, "plots"), { recursive: true });
    for (const name of PLOTS) this.#place(join("plots", `${name}.svg`));
    for (const name of ["jobs.csv", "nodes.csv", "report.md", "index.html", "report.json"]) this.#place(name);
    rmSync(this.#draft, { recursive: true });
  }

  /** After `finish`: nothing. Before: gives the report up and leaves nothing of it behind. */
  close(): void {
    if (this.#open) closeSync(this.#jobs);
    this.#open = false;
    rmSync(this.#draft, { recursive: true, force: true });
    removeEmpty(this.#made);
  }

  #writeLines(): void {
    writeAll(this.#jobs, this.#lines);
    this.#lines = "";
  }

  #write(name: string, text: string): void {
    writeFileSync(join(this.#draft, name), text);
  }

  #place(name: string): void {
    renameSync(join(this.#draft, name), join(this.#path, name));
  }
}

/** A single write may take less than all of it. */
function writeAll(file: number, text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let from = 0; from < bytes.length; ) from += writeSync(file, bytes, from);
}
