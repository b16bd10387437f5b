import type { JobRow } from "../protocol/result.ts";
import type { JOB_COLUMNS } from "./jobs-csv.ts";
import { ParquetFile } from "./parquet.ts";
import type { TableColumn, TableValue } from "./parquet.ts";

type JobColumn = (typeof JOB_COLUMNS)[number];

/** How each column of jobs.csv stands in jobs.parquet; a time that never came is null. */
const TYPES: Readonly<Record<JobColumn, Omit<TableColumn, "name">>> = {
  job: { type: "text", nullable: false },
  clientClass: { type: "text", nullable: false },
  status: { type: "text", nullable: false },
  reason: { type: "text", nullable: true },
  node: { type: "text", nullable: true },
  operatorClass: { type: "text", nullable: true },
  attempts: { type: "integer", nullable: false },
  submittedUs: { type: "integer", nullable: false },
  assignedUs: { type: "integer", nullable: true },
  startedUs: { type: "integer", nullable: true },
  firstTokenUs: { type: "integer", nullable: true },
  finishedUs: { type: "integer", nullable: true },
  endedUs: { type: "integer", nullable: true },
  inputTokens: { type: "integer", nullable: false },
  outputTokens: { type: "integer", nullable: false },
  maxOutputTokens: { type: "integer", nullable: false },
  amountMsat: { type: "integer", nullable: false },
  feeMsat: { type: "integer", nullable: false },
  maxPriceMsat: { type: "integer", nullable: false },
  metGoals: { type: "flag", nullable: false },
  measured: { type: "flag", nullable: false },
};

/** The columns of jobs.parquet, in the order of jobs.csv. */
export const JOB_PARQUET_COLUMNS: readonly TableColumn[] = Object.entries(TYPES).map(([name, rest]) => ({ name, ...rest }));
const isTime: readonly boolean[] = JOB_PARQUET_COLUMNS.map(({ name }) => name.endsWith("Us"));

/** jobs.parquet: a run's jobs, written while it goes on. */
export class JobsParquet {
  readonly #file: ParquetFile;

  /** @param path of the file; what is there is written over */
  constructor(path: string) {
    this.#file = new ParquetFile(path, JOB_PARQUET_COLUMNS);
  }

  add(row: JobRow): void {
    this.#file.add(JOB_PARQUET_COLUMNS.map(({ name, nullable }, i): TableValue => {
      const value = row[name as JobColumn];
      // What the report's rows call "" and -1 was never there.
      return nullable && (value === "" || (isTime[i] === true && (value as number) < 0)) ? null : value;
    }));
  }

  finish(): void {
    this.#file.finish();
  }
}
