import { renameSync, rmSync, writeFileSync } from "node:fs";

/**
 * Writes a file under a temporary name and renames it: what lay there before stays until the new one is whole.
 * @throws the file system's error
 */
export function writeWhole(file: string, text: string): void {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, text, { flag: "wx" });
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
