import { closeSync, fstatSync, ftruncateSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { digest } from "../protocol/canonical.ts";
import type { RunTask } from "../sim/experiment/plan.ts";
import type { Subject } from "../sim/experiment/play-task.ts";
import { SourceDocument } from "../input/document.ts";
import { experimentShape } from "../sim/scenario/sections/experiment.ts";
import { type Journal, taskKey } from "./journal.ts";
import { LineIndex } from "./line-index.ts";
import { filesOf } from "./subject-files.ts";
import type { WireOutcome } from "./wire.ts";

/** A journal cannot be gone on with. The message says why; it is for the user. */
export class JournalError extends Error {
  override readonly name = "UserError";
}

/** What the runs of a journal have in common; where it differs, they would be other runs. */
export interface JournalHead {
  readonly labVersion: string;
  /** The command. */
  readonly experiment: string;
  /** See `marketOf`. */
  readonly market: string;
}

/**
 * What every run of an experiment depends on beside its task: the file, less what it says of experiments, the scenario that
 * it comes to, and the files that are named anywhere in it or in a change. SHA-256.
 * @param scenarioHash as `loadScenario` gives it, after the subject's sets
 */
export function marketOf(subject: Subject, scenarioHash: string): string {
  const { source, fileName, sets } = subject;
  const value = new SourceDocument(source, fileName).value as Readonly<Record<string, unknown>>;
  const market = Object.fromEntries(Object.entries(value).filter(([key]) => !(key in experimentShape)));
  return digest({ market, sets, scenarioHash, files: filesOf(subject).map(({ sha256 }) => sha256) });
}

const format = "infernet-lab runs 1";
const newline = 10;
const blockBytes = 1 << 20;
const rowStart = '{"run":';
// Quotes inside strings are escaped, so these stand nowhere but where they belong.
const rowAfterKey = ',"digest":';
const rowBeforeValues = ',"values":';

/** A line without its values, which are handed on as they stand. */
interface Row {
  readonly run: unknown;
  readonly digest: string | null;
  readonly error: string | null;
  /** Which list of names; null where the run threw. */
  readonly names: number | null;
}

/**
 * A file with a line for each finished run, written as soon as it is finished: what a process that was ended at any moment
 * leaves behind. Names of figures stand in lines of their own, once. A last line that was cut short is dropped.
 */
export class JournalFile implements Journal {
  readonly #path: string;
  readonly #descriptor: number;
  #index: LineIndex;
  /** JSON of each list of names, in the order of the file. */
  readonly #names: string[] = [];
  /** Runs that were written since. */
  added = 0;

  private constructor(path: string, descriptor: number) {
    this.#path = path;
    this.#descriptor = descriptor;
    this.#index = new LineIndex(`${path}.index`, 0);
  }

  /** Begins a journal. @throws the file system's error where there is one already, or it cannot be written */
  static begin(path: string, head: JournalHead): JournalFile {
    const file = new JournalFile(path, openSync(path, "ax+"));
    file.#append(`${JSON.stringify({ format, ...head })}\n`);
    return file;
  }

  /** Goes on with a journal. @throws JournalError where it is of another experiment, or no journal */
  static resume(path: string, head: JournalHead): JournalFile {
    const file = new JournalFile(path, openSync(path, "a+"));
    try {
      file.#read(head);
      return file;
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** Runs that were in the file when it was opened. */
  get found(): number {
    return this.#index.size;
  }

  find(task: RunTask): WireOutcome | null {
    const key = taskKey(task);
    for (const { start, length } of this.#index.find(key)) {
      const bytes = Buffer.allocUnsafe(length);
      readSync(this.#descriptor, bytes, 0, length, start);
      const line = bytes.toString("utf8");
      if (!line.startsWith(rowStart + key + rowAfterKey)) continue;
      const valuesAt = line.indexOf(rowBeforeValues);
      const { digest: resultsDigest, error, names } = JSON.parse(`${line.slice(0, valuesAt)}}`) as Row;
      return { names: names === null ? null : this.#names[names]!, values: names === null ? null : line.slice(valuesAt + rowBeforeValues.length, -1), digest: resultsDigest, error };
    }
    return null;
  }

  add(task: RunTask, { names, values, digest: resultsDigest, error }: WireOutcome): void {
    let list = names === null ? null : this.#names.lastIndexOf(names);
    if (list === -1) {
      list = this.#names.push(names!) - 1;
      this.#append(`{"names":${names}}\n`);
    }
    this.#append(`${rowStart}${taskKey(task)}${rowAfterKey}${JSON.stringify(resultsDigest)},"error":${JSON.stringify(error)},"names":${list}${rowBeforeValues}${values}}\n`);
    this.added++;
  }

  close(): void {
    this.#index.close();
    closeSync(this.#descriptor);
  }

  /** After `close`: the experiment is over, and its report has it all. */
  remove(): void {
    rmSync(this.#path);
  }

  #append(line: string): void {
    const bytes = Buffer.from(line, "utf8");
    for (let from = 0; from < bytes.length; ) from += writeSync(this.#descriptor, bytes, from);
  }

  #read(head: JournalHead): void {
    let lineNumber = 0;
    let end = 0;
    this.#index.close();
    this.#index = new LineIndex(`${this.#path}.index`, this.#countLines());
    for (const line of this.#lines()) {
      end += line.length + 1;
      const text = line.toString("utf8");
      try {
        if (lineNumber++ === 0) this.#check(JSON.parse(text) as Partial<JournalHead & { format: string }>, head);
        else if (text.startsWith('{"names":')) this.#names.push(JSON.stringify((JSON.parse(text) as { names: string[] }).names));
        else this.#index.add(text.slice(rowStart.length, keyEnd(text)), end - 1, line.length);
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
        throw new JournalError(`${this.#path}:${lineNumber}: this is no line of a journal of runs. Remove the file to begin anew.`);
      }
    }
    if (lineNumber === 0) this.#append(`${JSON.stringify({ format, ...head })}\n`);
  }

  #check(found: Partial<JournalHead & { format: string }>, head: JournalHead): void {
    const fail = (what: string): never => {
      throw new JournalError(`${this.#path} ${what}: its runs are not those of this experiment. Leave everything as it was, name another folder with --out, or remove the file to begin anew.`);
    };
    if (found.format !== format) fail("was not written by this version of infernet-lab");
    if (found.labVersion !== head.labVersion) fail(`was written by infernet-lab ${found.labVersion}; this is ${head.labVersion}`);
    if (found.experiment !== head.experiment) fail(`is of ${found.experiment}, not of ${head.experiment}`);
    if (found.market !== head.market) fail("is of another market: the scenario, a file that it names, or what --set changes, is not what it was");
  }

  #countLines(): number {
    const block = Buffer.allocUnsafe(blockBytes);
    let lines = 0;
    for (let position = 0, read = 0; (read = readSync(this.#descriptor, block, 0, block.length, position)) > 0; position += read) {
      for (let at = block.indexOf(newline); at >= 0 && at < read; at = block.indexOf(newline, at + 1)) lines++;
    }
    return lines;
  }

  /** Whole lines; what comes after the last is cut off the file. */
  *#lines(): Generator<Buffer> {
    const { size } = fstatSync(this.#descriptor);
    let rest = Buffer.alloc(0);
    let position = 0;
    while (position < size) {
      const block = Buffer.allocUnsafe(Math.min(blockBytes, size - position));
      const read = readSync(this.#descriptor, block, 0, block.length, position);
      if (read === 0) break;
      position += read;
      let text = Buffer.concat([rest, block.subarray(0, read)]);
      for (let at = text.indexOf(newline); at >= 0; at = text.indexOf(newline)) {
        yield text.subarray(0, at);
        text = text.subarray(at + 1);
      }
      rest = Buffer.from(text);
    }
    if (rest.length > 0) ftruncateSync(this.#descriptor, size - rest.length);
  }
}

function keyEnd(line: string): number {
  const end = line.indexOf(rowAfterKey);
  if (!line.startsWith(rowStart) || end < 0 || !line.endsWith("}")) throw new SyntaxError();
  return end;
}
