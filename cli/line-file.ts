import { closeSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** Characters kept before they go to the file: few writes, little memory. */
const bufferedCharacters = 1 << 16;

/** A text file written line by line while a run goes on, in the order of the calls. Its folder is made where it is missing. */
export class LineFile {
  readonly #descriptor: number;
  #text = "";
  #open = true;

  /** @throws the file system's error where the file cannot be written. */
  constructor(path: string) {
    mkdirSync(dirname(path), { recursive: true });
    this.#descriptor = openSync(path, "w");
  }

  write(line: string): void {
    this.#text += `${line}\n`;
    if (this.#text.length >= bufferedCharacters) this.#flush();
  }

  /** Writes what is left. Further calls do nothing. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#flush();
    closeSync(this.#descriptor);
  }

  #flush(): void {
    writeFileSync(this.#descriptor, this.#text);
    this.#text = "";
  }
}
