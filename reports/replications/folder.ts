import type { Figures } from "../../protocol/result/figures.ts";
import type { ReplicationsReport } from "../../protocol/result/replications.ts";
import { ExperimentFolder } from "../experiment-folder.ts";
import { replicationsContent } from "./content.ts";
import { renderReplicationsPlots } from "./figures.ts";
import { REPLICATIONS_PLOTS, REPLICATIONS_TITLES, type ReplicationsPlotName } from "./titles.ts";

/** A run of a replicated market. */
export interface ReplicationRow {
  readonly name: string;
  readonly seed: number;
  readonly error: string | null;
  readonly digest: string | null;
  /** Without series. */
  readonly figures: Figures | null;
}

/** A folder that takes a report of replications. */
export class ReplicationsFolder extends ExperimentFolder<ReplicationsReport, ReplicationsPlotName> {
  /** Makes the folder where it is missing. @throws as `DraftFolder` does */
  constructor(path: string, scenario: string) {
    super(path, {
      name: "replications", plots: REPLICATIONS_PLOTS, titles: REPLICATIONS_TITLES, market: "The market as it was played", content: replicationsContent, render: renderReplicationsPlots,
    }, { factors: [], about: { scenario } });
  }

  /** Adds a run to the table of runs, in order. */
  addRun({ name, seed, error, digest, figures }: ReplicationRow): void {
    this.addRow({ run: name, factors: [], replication: this.rows, seed, error, digest, figures });
  }
}
