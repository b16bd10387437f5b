import { randomBytes } from "node:crypto";
import { closeSync, existsSync, fdatasync, fsyncSync, ftruncateSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { z } from "zod";
import { faultOf } from "../../protocol/parse.ts";
import { hex32 } from "../../protocol/messages.ts";
import { type Entry, entry as entrySchema } from "./entry.ts";

/**
 * What an entry has survived once somebody is told of it. `process`: the end of this process, kill -9 included; it is with
 * the operating system. `power`: the end of the machine, too; it is on the disk (fdatasync, one for all entries that came
 * while the one before was under way).
 */
export type Durability = "process" | "power";

/** A journal cannot be used: in words for the operator, beginning with the file. */
export class JournalError extends Error {
  override readonly name = "UserError";
}

const header = z.strictObject({ journal: z.literal("infernet-ledger"), version: z.literal(1), ledger: hex32 });

/** Journals that this process has open: their lock names this process, as a stale lock of its namesake would. */
const open = new Set<string>();

/**
 * A ledger's entries in a file, one JSON line each, in their order; only ever added to. What is added counts once
 * {@link commit} says so. A file that grew long is replaced at once by one that begins with where the ledger stands.
 */
export class Journal {
  /** Random, made with the file: which ledger this is. */
  readonly ledgerId: string;
  /** Bytes of a last line that was cut off as it was written, and of which nobody was told. They are gone now. */
  readonly tornBytes: number;
  readonly #path: string;
  readonly #durability: Durability;
  readonly #onFailure: (error: unknown) => void;
  #descriptor: number;
  #bytes: number;
  #unwritten = "";
  #syncing = false;
  /** A file that was replaced while it was being synced. */
  #former = -1;
  /** For the sync under way, and for the next. */
  #waiting: (() => void)[] = [];
  #next: (() => void)[] = [];
  #closed = false;
  #entries: readonly Entry[];

  /** Opens the file, or makes it, with its folder. @throws JournalError where it is in use or damaged; the file system's own errors. */
  constructor(path: string, durability: Durability = "power", onFailure: (error: unknown) => void = (error) => { throw error; }) {
    this.#path = resolve(path);
    this.#durability = durability;
    this.#onFailure = onFailure;
    mkdirSync(dirname(this.#path), { recursive: true });
    lock(this.#path);
    try {
      if (existsSync(this.#path)) {
        const found = read(this.#path);
        this.ledgerId = found.ledgerId;
        this.#entries = found.entries;
        this.tornBytes = found.tornBytes;
        this.#bytes = found.bytes;
        this.#descriptor = openSync(this.#path, "r+");
        if (found.tornBytes > 0) ftruncateSync(this.#descriptor, found.bytes);
        closeSync(this.#descriptor);
        this.#descriptor = openSync(this.#path, "a");
      } else {
        this.ledgerId = randomBytes(32).toString("hex");
        this.#entries = [];
        this.tornBytes = 0;
        this.#descriptor = -1;
        this.#bytes = 0;
        this.#replace([]);
      }
    } catch (error) {
      unlock(this.#path);
      throw error;
    }
  }

  /** What the file held when it was opened. They are many, and not kept here beyond that. */
  takeEntries(): readonly Entry[] {
    const entries = this.#entries;
    this.#entries = [];
    return entries;
  }

  /** Bytes in the file. */
  get bytes(): number {
    return this.#bytes;
  }

  append(entry: Entry): void {
    this.#unwritten += `${JSON.stringify(entry)}\n`;
  }

  /**
   * Writes down what was appended.
   * @param then called once that will last, after the `then` of earlier calls; perhaps at once.
   * @throws the file system's error, with the file's path: what was appended since the last commit may be lost, nobody must be
   * told of it, and the journal is of no use any more. Where the disk says so later, `onFailure` hears of it.
   */
  commit(then: () => void): void {
    const fresh = this.#unwritten !== "";
    this.#write();
    if (this.#durability === "process" || (!fresh && !this.#syncing)) return then();
    this.#next.push(then);
    if (!this.#syncing) this.#sync();
  }

  /** Replaces the file by a shorter one. @param entries lead to where all that was appended leads. @throws the file system's error; the old file is still there, then. */
  compact(entries: Iterable<Entry>): void {
    this.#unwritten = "";
    this.#replace(entries);
  }

  /** What was appended and not committed is written down, and the file closed. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#write();
    fsyncSync(this.#descriptor);
    // A sync under way closes it when it is over.
    if (!this.#syncing) closeSync(this.#descriptor);
    unlock(this.#path);
  }

  #write(): void {
    const bytes = Buffer.from(this.#unwritten);
    this.#unwritten = "";
    try {
      for (let at = 0; at < bytes.length;) at += writeSync(this.#descriptor, bytes, at);
    } catch (error) {
      throw this.#located(error);
    }
    this.#bytes += bytes.length;
  }

  #located(error: unknown): unknown {
    return error instanceof Error ? Object.assign(error, { path: this.#path }) : error;
  }

  #sync(): void {
    this.#syncing = true;
    this.#waiting = this.#next;
    this.#next = [];
    fdatasync(this.#descriptor, (error) => {
      this.#syncing = false;
      if (this.#former >= 0) closeSync(this.#former);
      this.#former = -1;
      if (this.#closed) return closeSync(this.#descriptor);
      // Nobody may be told of what the disk does not have, and there is no knowing what it has.
      if (error !== null) return this.#onFailure(this.#located(error));
      for (const then of this.#waiting) then();
      if (this.#next.length > 0 && !this.#syncing && !this.#closed) this.#sync();
    });
  }

  #replace(entries: Iterable<Entry>): void {
    const path = `${this.#path}.new`;
    const descriptor = openSync(path, "w", 0o600);
    const lines = [JSON.stringify({ journal: "infernet-ledger", version: 1, ledger: this.ledgerId })];
    for (const entry of entries) lines.push(JSON.stringify(entry));
    const bytes = Buffer.from(`${lines.join("\n")}\n`);
    for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at);
    fsyncSync(descriptor);
    renameSync(path, this.#path);
    syncFolder(dirname(this.#path));
    if (this.#syncing && this.#former < 0) this.#former = this.#descriptor;
    else if (this.#descriptor >= 0) closeSync(this.#descriptor);
    this.#descriptor = descriptor;
    this.#bytes = bytes.length;
  }
}

function read(path: string): { readonly ledgerId: string; readonly entries: Entry[]; readonly bytes: number; readonly tornBytes: number } {
  const data = readFileSync(path);
  const bytes = data.lastIndexOf("\n") + 1;
  const lines = data.toString("utf8", 0, bytes).split("\n");
  lines.pop();
  const parse = <T>(schema: z.ZodType<T>, index: number): T => {
    let value: unknown;
    try {
      value = JSON.parse(lines[index]!);
    } catch {
      throw new JournalError(`${path}:${index + 1}: the line is not JSON: the file is damaged; put back a copy of it`);
    }
    const outcome = schema.safeParse(value);
    if (!outcome.success) throw new JournalError(`${path}:${index + 1}: ${faultOf(outcome.error, value).detail} The file is not a ledger's journal of this version, or is damaged.`);
    return outcome.data;
  };
  if (lines.length === 0) throw new JournalError(`${path}: the file is not a ledger's journal; name another, or one that does not exist yet`);
  const { ledger } = parse(header, 0);
  const entries: Entry[] = [];
  for (let index = 1; index < lines.length; index++) entries.push(parse(entrySchema, index));
  return { ledgerId: ledger, entries, bytes, tornBytes: data.length - bytes };
}

/** One ledger per file: two would each pay out the same money. */
function lock(path: string): void {
  const file = `${path}.lock`;
  if (open.has(path)) throw new JournalError(`${path}: this process has it open already`);
  for (;;) {
    try {
      const descriptor = openSync(file, "wx", 0o600);
      writeSync(descriptor, `${process.pid}\n`);
      closeSync(descriptor);
      open.add(path);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      const holder = Number.parseInt(readFileSync(file, "utf8"), 10);
      if (holder !== process.pid && isRunning(holder)) throw new JournalError(`${path}: the ledger of process ${holder} has it open; if that process is no ledger, remove ${file}`);
      rmSync(file, { force: true });
    }
  }
}

function unlock(path: string): void {
  open.delete(path);
  rmSync(`${path}.lock`, { force: true });
}

function isRunning(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** A renamed file is where it is after a power cut only once its folder is on the disk. */
function syncFolder(folder: string): void {
  if (process.platform === "win32") return;
  const descriptor = openSync(folder, "r");
  fsyncSync(descriptor);
  closeSync(descriptor);
}
