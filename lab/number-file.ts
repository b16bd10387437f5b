import { closeSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NumberStore } from "../sim/experiment/sweep/best.ts";

let files = 0;

/** Numbers in a file of the system's folder for such, which has no name any more once it is open: it is gone with the process. */
export class NumberFile implements NumberStore {
  readonly #descriptor: number;

  /** @throws the file system's error where there is no room */
  constructor() {
    const path = join(tmpdir(), `infernet-numbers-${process.pid}-${files++}`);
    this.#descriptor = openSync(path, "wx+", 0o600);
    try {
      rmSync(path);
    } catch { /* Windows: the system clears it away. */ }
  }

  write(at: number, values: Float64Array): void {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#descriptor, bytes, done, bytes.length - done, at * 8 + done);
  }

  read(at: number, values: Float64Array): void {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    for (let done = 0; done < bytes.length; ) {
      const read = readSync(this.#descriptor, bytes, done, bytes.length - done, at * 8 + done);
      if (read === 0) throw new RangeError(`numbers from ${at} on were never written`);
      done += read;
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
