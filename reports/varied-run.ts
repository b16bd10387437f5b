import type { Figures } from "../protocol/result/figures.ts";
import type { RunRow } from "./runs-table.ts";

/** A run of an experiment whose tasks change some values. */
export interface VariedRun {
  readonly name: string;
  /** In the order of the factors. */
  readonly factors: readonly (string | number | null)[];
  readonly seed: number;
  readonly error: string | null;
  readonly digest: string | null;
  readonly figures: Figures | null;
}

/** Its row in the table of runs. */
export function rowOf({ name, factors, seed, error, digest, figures }: VariedRun): RunRow {
  return { run: name, factors, replication: replicationIn(name), seed, error, digest, figures };
}

/** `search 400 msat replication=3`: 3. */
function replicationIn(name: string): number | null {
  const found = / replication=(\d+)$/.exec(name)?.[1];
  return found === undefined ? null : Number(found);
}
