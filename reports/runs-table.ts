import { closeSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { absentFigure } from "../protocol/result/figures.ts";
import type { Figures } from "../protocol/result/figures.ts";
import type { DraftFolder } from "./draft-folder.ts";
import { ParquetFile } from "./parquet.ts";
import type { TableColumn, TableValue } from "./parquet.ts";

/** The files of a table of runs, for the list of a {@link DraftFolder}. */
export const RUNS_FILES = ["runs.csv", "runs.parquet"] as const;

/** What an experiment varied: a column of the table of runs. */
export interface FactorColumn {
  /** Such as the path in the scenario. */
  readonly name: string;
  /** Whether its values are numbers; text otherwise. */
  readonly numeric: boolean;
}

/** A run of an experiment, as a row. */
export interface RunRow {
  /** Unique within the experiment. */
  readonly run: string;
  /** In the order of the table's factors. */
  readonly factors: readonly (string | number | null)[];
  /** From 0; null where the experiment does not replicate. */
  readonly replication: number | null;
  readonly seed: number;
  /** Null where nothing went wrong. */
  readonly error: string | null;
  /** Of the run's results; null where it threw. */
  readonly digest: string | null;
  /** Null where it threw. */
  readonly figures: Figures | null;
}

/** The columns that every table of runs has, around those of the factors. Names that no factor may have. */
export const RUN_COLUMNS = {
  before: [{ name: "run", type: "text", nullable: false }],
  after: [
    { name: "replication", type: "integer", nullable: true },
    { name: "seed", type: "integer", nullable: false },
    { name: "error", type: "text", nullable: true },
    { name: "digest", type: "text", nullable: true },
  ],
} as const satisfies Readonly<Record<string, readonly TableColumn[]>>;

/** Characters kept before they go to a file. */
const BUFFERED = 1 << 16;
const SPILL = ".runs.ndjson";

/** A row between its making and its place in the table: factors, and figures by the number of their column. */
type Spilled = readonly [run: string, factors: RunRow["factors"], replication: number | null, seed: number, error: string | null, digest: string | null, figures: readonly (number | null | 0)[] | null, missing: readonly number[]];

/**
 * The table of an experiment's runs, tidy: a row per run, a column per factor and figure, as runs.csv and runs.parquet.
 * Rows go to a file of their own until the end, since only then all figures are known that any run has: memory does not grow
 * with the number of runs. Rows in the same order give the same bytes.
 */
export class RunsTable {
  readonly #draft: DraftFolder;
  readonly #factors: readonly FactorColumn[];
  readonly #about: Readonly<Record<string, string>>;
  /** Figures by name: the number of their column. */
  readonly #figures = new Map<string, number>();
  readonly #spill: TextFile;
  #rows = 0;

  /**
   * @param draft whose list of files has {@link RUNS_FILES}
   * @param about goes into the Parquet file's metadata, such as the scenario's name
   */
  constructor(draft: DraftFolder, factors: readonly FactorColumn[], about: Readonly<Record<string, string>> = {}) {
    this.#draft = draft;
    this.#factors = factors;
    this.#about = about;
    this.#spill = new TextFile(draft.draftOf(SPILL));
  }

  /** How many there are. */
  get rows(): number {
    return this.#rows;
  }

  add({ run, factors, replication, seed, error, digest, figures }: RunRow): void {
    const values: (number | null)[] = [];
    if (figures !== null) {
      for (const [name, value] of Object.entries(figures)) {
        let column = this.#figures.get(name);
        if (column === undefined) this.#figures.set(name, column = this.#figures.size);
        values[column] = value;
      }
    }
    // What is not in the list at all is null in JSON too: it is told apart by number.
    const missing: number[] = [];
    for (let i = 0; i < values.length; i++) if (!(i in values)) missing.push(i);
    const row: Spilled = [run, factors, replication, seed, error, digest, figures === null ? null : values, missing];
    this.#spill.write(`${JSON.stringify(row)}\n`);
    this.#rows++;
  }

  /** Writes runs.csv and runs.parquet into the draft. */
  finish(): void {
    this.#spill.close();
    const names = [...this.#figures.keys()];
    const absent = names.map(absentFigure);
    const columns = runColumns(this.#factors, names);
    const csv = new TextFile(this.#draft.draftOf("runs.csv"));
    try {
      const parquet = new ParquetFile(this.#draft.draftOf("runs.parquet"), columns, this.#about);
      csv.write(`${columns.map(({ name }) => field(name)).join(",")}\n`);
      for (const line of linesOf(this.#draft.draftOf(SPILL))) {
        const [run, factors, replication, seed, error, digest, figures, missing] = JSON.parse(line) as Spilled;
        const values: TableValue[] = [run, ...factors, replication, seed, error, digest];
        if (figures === null) for (const _ of names) values.push(null);
        else {
          const without = new Set(missing);
          names.forEach((_, i) => values.push(i >= figures.length || without.has(i) ? absent[i]! : figures[i]!));
        }
        parquet.add(values);
        csv.write(`${values.map((value) => value === null ? "" : typeof value === "string" ? field(value) : String(value)).join(",")}\n`);
      }
      parquet.finish();
    } finally {
      csv.close();
    }
    rmSync(this.#draft.draftOf(SPILL));
  }

  /** After `finish`: nothing. Before: the draft can be removed. */
  close(): void {
    this.#spill.close();
  }
}

/** The columns of a table of runs, in order; where a factor or a figure is called like a column before it, " (2)" tells them apart. @param figures their names */
export function runColumns(factors: readonly FactorColumn[], figures: readonly string[]): readonly TableColumn[] {
  const taken = new Set<string>(RUN_COLUMNS.after.map(({ name }) => name));
  const own = (column: TableColumn): TableColumn => {
    let { name } = column;
    for (let i = 2; taken.has(name); i++) name = `${column.name} (${i})`;
    taken.add(name);
    return { ...column, name };
  };
  return [
    ...RUN_COLUMNS.before.map(own),
    ...factors.map(({ name, numeric }) => own({ name, type: numeric ? "number" : "text", nullable: true })),
    ...RUN_COLUMNS.after,
    ...figures.map((name) => own({ name, type: "number", nullable: true })),
  ];
}

/** A field of a CSV file (RFC 4180). */
export function field(value: string): string {
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

/** A file that text is added to. */
class TextFile {
  readonly #file: number;
  #text = "";
  #open = true;

  constructor(path: string) {
    this.#file = openSync(path, "w");
  }

  write(text: string): void {
    this.#text += text;
    if (this.#text.length >= BUFFERED) this.#flush();
  }

  /** Further calls do nothing. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    try {
      this.#flush();
    } finally {
      closeSync(this.#file);
    }
  }

  #flush(): void {
    const bytes = new TextEncoder().encode(this.#text);
    // A single write may take less than all of it.
    for (let from = 0; from < bytes.length; ) from += writeSync(this.#file, bytes, from);
    this.#text = "";
  }
}

/** The lines of a text file, one after the other: memory does not grow with their number. */
function* linesOf(path: string): Generator<string> {
  const file = openSync(path, "r");
  try {
    const bytes = new Uint8Array(BUFFERED);
    const decoder = new TextDecoder();
    let text = "";
    for (let read = -1; read !== 0; ) {
      read = readSync(file, bytes);
      text += decoder.decode(bytes.subarray(0, read), { stream: read > 0 });
      const parts = text.split("\n");
      text = parts.pop()!;
      yield* parts;
    }
    if (text !== "") yield text;
  } finally {
    closeSync(file);
  }
}
