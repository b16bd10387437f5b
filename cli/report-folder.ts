import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { JobRow, RunReport } from "../protocol/result.ts";
import { UserError } from "./errors.ts";

/** The folder that a run writes its report into. */
export class ReportFolder {
  readonly #path: string;

  /** Makes the folder. @throws UserError where a file is in its place. */
  constructor(path: string) {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === false) throw new UserError(`--out ${path} is a file; the report needs a folder.`);
    mkdirSync(path, { recursive: true });
    this.#path = path;
  }

  /** Adds a row to jobs.csv. */
  addJob(_row: JobRow): void {}

  /** Writes everything else. */
  finish(report: RunReport): void {
    writeFileSync(join(this.#path, "report.json"), `${JSON.stringify(report, null, 2)}\n`);
  }

  close(): void {}
}
