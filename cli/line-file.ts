import { closeSync, openSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { makeFolders, removeEmpty } from "../reports/made-folders.ts";

/** Characters kept before they go to the file: few writes, little memory. */
const bufferedCharacters = 1 << 16;

/** A text file written line by line while a run goes on, in the order of the calls. Its folder is made where it is missing. */
export class LineFile {
  readonly #path: string;
  readonly #made: readonly string[];
  readonly #descriptor: number;
  #text = "";
  #open = true;

  /** @throws the file system's error where the file cannot be written. */
  constructor(path: string) {
    this.#path = path;
    this.#made = makeFolders(dirname(path));
    try {
      this.#descriptor = openSync(path, "w");
    } catch (error) {
      removeEmpty(this.#made);
      throw error;
    }
  }

  write(line: string): void {
    this.#text += `${line}\n`;
    if (this.#text.length >= bufferedCharacters) this.#flush();
  }

  /** Writes what is left: the file is whole. */
  finish(): void {
    this.#flush();
    this.#open = false;
    closeSync(this.#descriptor);
  }

  /** After `finish`: nothing. Before: keeps the lines that there are; a file without any is removed. */
  close(): void {
    if (!this.#open) return;
    this.finish();
    if (statSync(this.#path).size > 0 || !statSync(this.#path).isFile()) return;
    rmSync(this.#path);
    removeEmpty(this.#made);
  }

  #flush(): void {
    // What could not be written is not tried again: the disk is full, and closing is still to be done.
    const text = this.#text;
    this.#text = "";
    writeFileSync(this.#descriptor, text);
  }
}
