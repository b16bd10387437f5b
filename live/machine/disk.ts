import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { RunCommand } from "./command.ts";

/** Room for models, and how fast they come from there. */
export interface Disk {
  readonly folder: string;
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** Of one large file, past the operating system's cache; null where it was not measured, or cannot be here. */
  readonly readBytesPerS: number | null;
}

/** Bytes written and read for a measurement. */
export const DISK_SAMPLE_BYTES = 128 * 2 ** 20;

/** Free and total room of the disk that a folder is on. @throws the file system's error where there is no such folder. */
export function diskOf(folder: string): Disk {
  const { bavail, blocks, bsize } = statfsSync(folder);
  return { folder, freeBytes: bavail * bsize, totalBytes: blocks * bsize, readBytesPerS: null };
}

/**
 * Writes a file of 128 MiB into the folder, reads it past the cache (`dd iflag=direct`) and removes it.
 * @returns bytes/s; null where the system has no such dd, or the disk no such way of reading.
 */
export async function measureRead(folder: string, run: RunCommand, now: () => number = () => performance.now()): Promise<number | null> {
  const own = mkdtempSync(join(folder, "infernet-disk-"));
  try {
    const file = join(own, "sample");
    const descriptor = openSync(file, "w");
    try {
      // Not all zeros: some disks compress.
      const block = Buffer.alloc(2 ** 20);
      for (let i = 0, x = 1; i < block.length; i += 4) block.writeInt32LE((x = Math.imul(x, 1_664_525) + 1_013_904_223 | 0), i);
      for (let written = 0; written < DISK_SAMPLE_BYTES; written += block.length) writeSync(descriptor, block);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    const start = now();
    const said = await run("dd", [`if=${file}`, "of=/dev/null", "bs=4M", "iflag=direct"], 60_000);
    return said === null ? null : Math.round(DISK_SAMPLE_BYTES * 1_000 / (now() - start));
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}
