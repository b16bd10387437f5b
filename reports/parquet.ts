import { type ColumnSource, fileWriter, ParquetWriter } from "hyparquet-writer";

/** text: UTF-8. integer: int64. number: double. flag: boolean. */
export type ColumnType = "text" | "integer" | "number" | "flag";

/** A column of a table that is written as Parquet and as CSV. */
export interface TableColumn {
  readonly name: string;
  readonly type: ColumnType;
  /** Whether values may be missing. */
  readonly nullable: boolean;
}

export type TableValue = string | number | boolean | null;

type SchemaElement = ConstructorParameters<typeof ParquetWriter>[0]["schema"][number];

const TYPES: Readonly<Record<ColumnType, Omit<SchemaElement, "name">>> = {
  text: { type: "BYTE_ARRAY", converted_type: "UTF8", logical_type: { type: "STRING" } },
  integer: { type: "INT64" },
  number: { type: "DOUBLE" },
  flag: { type: "BOOLEAN" },
};
/** Values kept before they go to the file as a row group: what the writer takes in memory, whatever the number of rows. */
const GROUP_VALUES = 1 << 18;
const GROUP_ROWS = 1 << 14;

/**
 * A Parquet file, written row by row: Snappy-compressed row groups, dictionaries where they pay. Columns are always there, in
 * order, even without rows. Equal rows give equal bytes.
 */
export class ParquetFile {
  readonly #columns: readonly TableColumn[];
  readonly #writer: ParquetWriter;
  readonly #groupRows: number;
  #data: TableValue[][];
  #rows = 0;

  /** @param path of the file; what is there is written over @param about the table, for whoever opens it */
  constructor(path: string, columns: readonly TableColumn[], about: Readonly<Record<string, string>> = {}) {
    this.#columns = columns;
    this.#groupRows = Math.max(1, Math.min(GROUP_ROWS, Math.floor(GROUP_VALUES / columns.length)));
    this.#data = columns.map(() => []);
    this.#writer = new ParquetWriter({
      writer: fileWriter(path),
      schema: [
        { name: "root", num_children: columns.length },
        ...columns.map(({ name, type, nullable }): SchemaElement => ({ name, ...TYPES[type], repetition_type: nullable ? "OPTIONAL" : "REQUIRED" })),
      ],
      kvMetadata: Object.entries(about).map(([key, value]) => ({ key, value })),
      createdBy: "infernet-lab",
    });
  }

  /** Adds a row: a value for each column. */
  add(values: readonly TableValue[]): void {
    for (const [i, column] of this.#data.entries()) column.push(values[i] ?? null);
    if (++this.#rows === this.#groupRows) this.#writeGroup();
  }

  finish(): void {
    if (this.#rows > 0) this.#writeGroup();
    void this.#writer.finish();
  }

  #writeGroup(): void {
    const columnData = this.#columns.map(({ name, type, nullable }, i): ColumnSource => {
      const values = this.#data[i]!;
      const data = type !== "integer" ? values : values.map((value) => value === null ? null : BigInt(value as number));
      return { name, data, nullable, offsetIndex: false };
    });
    void this.#writer.write({ columnData, rowGroupSize: this.#rows });
    this.#data = this.#columns.map(() => []);
    this.#rows = 0;
  }
}
