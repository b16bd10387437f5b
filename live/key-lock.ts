import { closeSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { KeyFileError } from "./keys.ts";

/**
 * Sees to it that one process at a time acts with a key: two with the same key would throw each other out of router and
 * ledger, again and again. Holds a file `KEY.lock` with the process's number beside the key file.
 *
 * @returns lets go of the key
 * @throws KeyFileError where another process that is alive holds it
 */
export function lockKey(keyFile: string): () => void {
  const lock = `${keyFile}.lock`;
  for (let tries = 0; ; tries++) {
    try {
      const fd = openSync(lock, "wx", 0o600);
      writeSync(fd, `${process.pid}\n`);
      closeSync(fd);
      return () => rmSync(lock, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const holder = holderOf(lock);
    if (holder !== null && (isAlive(holder) || tries > 2)) {
      throw new KeyFileError(`The key file ${keyFile} is in use by process ${holder}. Allowed: one process per key. Make another: infernet keygen --out FILE`);
    }
    // It was left by a process that was killed.
    rmSync(lock, { force: true });
  }
}

/** Null where the file is gone, or says nothing. */
function holderOf(lock: string): number | null {
  try {
    const pid = Number(readFileSync(lock, "utf8").trim());
    return Number.isSafeInteger(pid) && pid > 0 ? pid : null;
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process is alive, too.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
