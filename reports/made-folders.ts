import { mkdirSync, rmdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";

/**
 * Makes a folder, and those above it that are missing. One by one: Node's own recursive `mkdirSync` never comes back where
 * a file system takes no folders, such as /proc.
 * @returns the folders that were made, the innermost first
 * @throws the file system's error; what was made until then is gone again
 */
export function makeFolders(path: string): readonly string[] {
  const missing: string[] = [];
  for (let at = resolve(path); statSync(at, { throwIfNoEntry: false }) === undefined; at = dirname(at)) missing.push(at);
  const made: string[] = [];
  try {
    for (const folder of missing.toReversed()) if (make(folder)) made.unshift(folder);
  } catch (error) {
    removeEmpty(made);
    throw error;
  }
  return made;
}

/** Removes these folders, as `makeFolders` gave them, up to the first that holds something. */
export function removeEmpty(folders: readonly string[]): void {
  try {
    for (const folder of folders) rmdirSync(folder);
  } catch {
    // It holds a report, or files of others.
  }
}

/** @returns false where another process was faster. */
function make(folder: string): boolean {
  try {
    mkdirSync(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST" && statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return false;
    throw error;
  }
}
