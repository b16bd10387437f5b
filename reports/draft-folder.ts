import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { makeFolders, removeEmpty } from "./made-folders.ts";

/** The folder cannot take a report. The message says why; it is for the user. */
export class ReportFolderError extends Error {
  override readonly name = "UserError";
}

const draftPrefix = ".draft-";

/** Reports that have their page in index.html: there is one of them in a folder. */
const paged = ["report", "replications", "comparison", "sweep", "sensitivity", "search", "equilibrium", "twin"];

/** Removes the drafts that a process left in a folder when it was killed. */
export function removeDrafts(path: string): void {
  for (const name of readdirSync(path).sort()) if (name.startsWith(draftPrefix)) rmSync(join(path, name), { recursive: true, force: true });
}

/**
 * A folder whose files appear at once: they are written into a hidden folder inside it and moved into place at the end, in the
 * order in which they were named. Until the last is there, an earlier one of its name is gone: where it is, all are of one
 * making. Where a report's page takes another one's place, that one's text and data go with it, as its tables may be of this one
 * then. Other files are left alone.
 */
export class DraftFolder {
  readonly #path: string;
  readonly #names: readonly string[];
  readonly #made: readonly string[];
  readonly #draft: string;

  /**
   * Makes the folder where it is missing.
   * @param names of the files, folders of theirs included; the one that completes them last
   * @throws ReportFolderError where something else is in its place, or a folder is where a file belongs; the file system's
   * error where it cannot be written
   */
  constructor(path: string, names: readonly string[]) {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === false) throw new ReportFolderError(`${path} is a file; a report needs a folder.`);
    for (const name of names) {
      if (statSync(join(path, name), { throwIfNoEntry: false })?.isDirectory() === true) throw new ReportFolderError(`${join(path, name)} is a folder; the report's ${name} belongs there.`);
    }
    this.#path = path;
    this.#names = names;
    this.#made = makeFolders(path);
    try {
      this.#draft = mkdtempSync(join(path, draftPrefix));
    } catch (error) {
      removeEmpty(this.#made);
      throw error;
    }
  }

  /** Where a file is written before it is in its place. */
  draftOf(name: string): string {
    return join(this.#draft, name);
  }

  write(name: string, text: string): void {
    mkdirSync(dirname(this.draftOf(name)), { recursive: true });
    writeFileSync(this.draftOf(name), text);
  }

  /** Moves what was written into its place. */
  place(): void {
    const replaced = this.#names.includes("index.html") ? paged.flatMap((name) => [`${name}.json`, `${name}.md`]).filter((name) => !this.#names.includes(name)) : [];
    for (const name of [this.#names.at(-1)!, ...replaced]) rmSync(join(this.#path, name), { force: true });
    for (const name of this.#names) {
      mkdirSync(dirname(join(this.#path, name)), { recursive: true });
      renameSync(this.draftOf(name), join(this.#path, name));
    }
    rmSync(this.#draft, { recursive: true });
  }

  /** After `place`: nothing. Before: leaves nothing of the draft behind. */
  close(): void {
    rmSync(this.#draft, { recursive: true, force: true });
    removeEmpty(this.#made);
  }
}
