import { readFileSync } from "node:fs";
import { JOB_STATUSES, type RunReport } from "../../../protocol/result.ts";
import { runScenario } from "../../experiment/run.ts";
import { loadScenario } from "../../scenario/load.ts";

/** Every job of a run in the order of their ends, column by column; times in µs, status as an index of JOB_STATUSES. */
export interface Jobs {
  readonly count: number;
  readonly submittedUs: Float64Array;
  /** -1 where it was never served. */
  readonly startedUs: Float64Array;
  readonly endedUs: Float64Array;
  readonly status: Uint8Array;
  /** Index among the scenario's client classes. */
  readonly clientClass: Uint8Array;
}

/** A run through the whole market path, and what became of every job. */
export interface Played {
  readonly report: RunReport;
  readonly jobs: Jobs;
}

export const COMPLETED = JOB_STATUSES.indexOf("completed");

/** Plays a scenario of the `scenarios` folder with the changes that `infernet run --set` takes. */
export function play(scenarioName: string, sets: readonly string[]): Played {
  const file = new URL(`../../../scenarios/${scenarioName}.yaml`, import.meta.url);
  const { scenario } = loadScenario(readFileSync(file), `${scenarioName}.yaml`, { sets });
  const classes = scenario.clients.map(({ name }) => name);
  let columns = emptyColumns(1 << 16);
  let count = 0;
  const report = runScenario(scenario, {
    sets,
    onJobRow: (row) => {
      if (count === columns.status.length) columns = grown(columns);
      columns.submittedUs[count] = row.submittedUs;
      columns.startedUs[count] = row.startedUs;
      columns.endedUs[count] = row.endedUs;
      columns.status[count] = JOB_STATUSES.indexOf(row.status as (typeof JOB_STATUSES)[number]);
      columns.clientClass[count] = classes.indexOf(row.clientClass);
      count++;
    },
  });
  return { report, jobs: { count, ...columns } };
}

type Columns = Omit<Jobs, "count">;

function emptyColumns(length: number): Columns {
  return {
    submittedUs: new Float64Array(length), startedUs: new Float64Array(length), endedUs: new Float64Array(length),
    status: new Uint8Array(length), clientClass: new Uint8Array(length),
  };
}

function grown(columns: Columns): Columns {
  const larger = emptyColumns(columns.status.length * 2);
  larger.submittedUs.set(columns.submittedUs);
  larger.startedUs.set(columns.startedUs);
  larger.endedUs.set(columns.endedUs);
  larger.status.set(columns.status);
  larger.clientClass.set(columns.clientClass);
  return larger;
}
